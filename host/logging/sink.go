package logging

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/sirupsen/logrus"
)

// An output is where a sink's goroutine writes; only that goroutine calls it.
// writeLines gets whole lines, each ended by a line feed, and returns how many
// were lost and why.
type output interface {
	writeLines(batch []byte) (lost int, err error)
	close()
}

// A sink is a logrus logger that writes into a queue, and the goroutine that
// empties the queue into the output. It ends when the queue is closed.
type sink struct {
	logger *logrus.Logger
	queue  *queue
	out    output
	done   chan struct{} // closed when the output is
}

func newSink(out output, f logrus.Formatter) *sink {
	q := newQueue()
	s := &sink{
		logger: &logrus.Logger{Out: q, Formatter: f, Level: logrus.TraceLevel},
		queue:  q,
		out:    out,
		done:   make(chan struct{}),
	}
	go s.run()
	return s
}

// log queues one record, or counts it as dropped. It reports false if the
// sink is closed.
func (s *sink) log(r *record) bool {
	switch s.queue.reserve(r.level) {
	case refused:
		return false
	case accepted:
		e := logrus.Entry{Logger: s.logger, Time: r.time, Context: r}
		e.Log(logrusLevel(r.level), "")
	}
	return true
}

// logrusLevel is the nearest of logrus's own levels. Those that panic or exit
// in other calls are left alone; the exact severity is in the record.
func logrusLevel(l Level) logrus.Level {
	switch {
	case l <= Err:
		return logrus.ErrorLevel
	case l == Warning:
		return logrus.WarnLevel
	case l < Debug:
		return logrus.InfoLevel
	}
	return logrus.DebugLevel
}

func (s *sink) run() {
	defer close(s.done)
	defer s.out.close()
	var batch []byte
	var missing int // lines dropped or lost, not yet told
	var cause error
	for {
		next, dropped, ok := s.queue.take(batch)
		if !ok {
			return
		}
		batch = next
		missing += dropped
		lost, err := s.out.writeLines(batch)
		if err != nil {
			missing, cause = missing+lost, err
			continue
		}
		if missing == 0 {
			continue
		}
		// The gap is told behind the lines that were queued before it.
		if _, err := s.out.writeLines(s.gap(missing, cause)); err == nil {
			missing, cause = 0, nil
		}
	}
}

// gap is the line that tells how many lines are missing.
func (s *sink) gap(missing int, cause error) []byte {
	r := &record{Context: context.Background(), time: time.Now(), level: Warning, id: "log"}
	r.text = fmt.Appendf(nil, "%d log line(s) dropped", missing)
	if cause != nil {
		r.text = fmt.Appendf(r.text, ": %v", cause)
	}
	r.text = escape(cut(r.text))
	line, err := s.logger.Formatter.Format(&logrus.Entry{Logger: s.logger, Time: r.time, Context: r})
	if err != nil {
		return nil
	}
	return line
}

// countLines is the number of line feeds in b.
func countLines(b []byte) int { return bytes.Count(b, []byte{'\n'}) }
