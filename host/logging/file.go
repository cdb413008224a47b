package logging

import (
	"os"
	"sync/atomic"
)

// fileMode is the mode of a new log file, as stunnel's: the group may read.
const fileMode = 0o640

// fileOut writes to a log file that can be replaced while it is in use.
type fileOut struct {
	file *os.File
	next atomic.Pointer[os.File] // takes over before the next write
	torn bool                    // the last write ended inside a line
}

func newFileOut(f *os.File) *fileOut { return &fileOut{file: f} }

// replaceFile lets f take over from the file that s writes. It does not wait
// for the sink, which may be stuck in a write.
func (s *sink) replaceFile(f *os.File) {
	if before := s.out.(*fileOut).next.Swap(f); before != nil {
		before.Close()
	}
	s.queue.kick()
}

func (o *fileOut) writeLines(batch []byte) (lost int, err error) {
	if f := o.next.Swap(nil); f != nil {
		o.file.Close()
		o.file, o.torn = f, false
	}
	if len(batch) == 0 {
		return 0, nil
	}
	if o.torn {
		// A full disk cut a line; the next one must not be glued to it.
		if _, err := o.file.Write([]byte{'\n'}); err != nil {
			return countLines(batch), err
		}
		o.torn = false
	}
	n, err := o.file.Write(batch)
	if err != nil {
		o.torn = n > 0 && batch[n-1] != '\n'
		return countLines(batch[n:]), err
	}
	return 0, nil
}

func (o *fileOut) close() {
	if f := o.next.Swap(nil); f != nil {
		f.Close()
	}
	o.file.Close()
}

// stderrOut writes to standard error and leaves it open.
type stderrOut struct{ file *os.File }

func (o stderrOut) writeLines(batch []byte) (lost int, err error) {
	n, err := o.file.Write(batch)
	if err != nil {
		return countLines(batch[n:]), err
	}
	return 0, nil
}

func (stderrOut) close() {}
