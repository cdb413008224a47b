package wrap

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"
)

// The files of hosts_access(5).
const (
	AllowFile = "/etc/hosts.allow"
	DenyFile  = "/etc/hosts.deny"
)

// A Table holds the rules of both files and reads a file again when it was changed. It is
// safe for concurrent use.
type Table struct {
	mu    sync.Mutex
	files [2]file // allow, deny
}

// A file is one of the two, as it was last read.
type file struct {
	path  string
	rules []rule
	err   error // why it could not be read; the rules are none then
	size  int64
	time  time.Time
	seen  bool // it was there at some time
}

// NewTable reads the two files. One that does not exist has no rules.
func NewTable(allow, deny string) *Table {
	t := &Table{files: [2]file{{path: allow}, {path: deny}}}
	t.read()
	return t
}

// read gives the rules of both files, as they are now.
func (t *Table) read() [2]file {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.files {
		t.files[i].refresh()
	}
	return t.files
}

// refresh reads a file that was changed. In a jail the file may be out of sight; what was
// read before it was is kept then, for without the rules everybody would be let in.
func (f *file) refresh() {
	info, err := os.Stat(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if !f.seen {
			f.err = nil
		}
		return
	case err != nil:
		if !f.seen {
			f.err = err
		}
		return
	case f.seen && f.err == nil && info.Size() == f.size && info.ModTime().Equal(f.time):
		return
	}
	text, err := readFile(f.path)
	f.seen, f.size, f.time, f.err = true, info.Size(), info.ModTime(), err
	f.rules = nil
	if err == nil {
		f.rules = parse(text)
	}
}

// readFile reads a regular file of bounded size: a FIFO would hold the connection.
func readFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("%s is larger than %d bytes", path, maxFile)
	}
	return string(text), err
}
