package logging

import (
	"fmt"
	"io"
	"time"
)

// maxHeld is the number of lines kept before Open. Where a start says more,
// the oldest go: the reason of a failure comes last.
const maxHeld = 4096

// maxHeldText is the number of bytes kept of a held line. It is longer than a
// line may be, because secrets that a configuration is yet to name are looked
// for only when the line leaves, before it is cut.
const maxHeldText = 4 << 10

// held is the ring of lines logged before Open.
type held struct {
	lines []heldLine
	first int // oldest line once the ring is full
	lost  int // lines overwritten
}

type heldLine struct {
	from  *Logger
	time  time.Time
	level Level
	text  string
}

// hold keeps a line. It reports false if the log has been opened meanwhile.
func (l *Log) hold(from *Logger, r *record) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state.Load() != nil {
		return false
	}
	line := heldLine{from, r.time, r.level, string(r.text[:min(len(r.text), maxHeldText)])}
	h := &l.held
	if len(h.lines) < maxHeld {
		h.lines = append(h.lines, line)
		return true
	}
	h.lines[h.first] = line
	h.first = (h.first + 1) % maxHeld
	h.lost++
	return true
}

// each calls f for every held line, oldest first, cut and escaped, and empties
// the ring. The caller holds l.mu.
func (l *Log) each(f func(from *Logger, r *record)) {
	h := l.held
	l.held = held{}
	r := l.records.Get().(*record)
	if h.lost > 0 {
		ui := l.Logger(mainID)
		r.time, r.level, r.id, r.service = time.Now(), Warning, ui.id, ""
		r.text = fmt.Appendf(r.text[:0], "%d earlier log line(s) lost", h.lost)
		f(ui, r)
	}
	for i := range h.lines {
		line := h.lines[(h.first+i)%len(h.lines)]
		r.time, r.level, r.id, r.service = line.time, line.level, line.from.id, line.from.service
		r.text = append(r.text[:0], line.text...)
		l.clean(r)
		f(line.from, r)
	}
}

// replay sends the held lines to the sinks of s. A queue holds more lines
// than the ring, so none is dropped here.
func (l *Log) replay(s *state) {
	l.each(func(from *Logger, r *record) {
		if r.level > from.threshold(s) {
			return
		}
		for _, sink := range s.sinks {
			if sink != nil {
				sink.log(r)
			}
		}
	})
}

// DumpBuffer writes what was logged before Open, at all levels and without
// time stamps, as stunnel shows it on standard error when a start fails. The
// buffer is empty afterwards.
func (l *Log) DumpBuffer(w io.Writer) {
	const marks = "***!:.  "
	var out []byte
	l.mu.Lock()
	l.each(func(_ *Logger, r *record) {
		out = append(out, '[', marks[r.level], ']', ' ')
		out = append(out, r.text...)
		out = append(out, '\n')
	})
	l.mu.Unlock()
	if len(out) > 0 {
		_, _ = w.Write(out) // nobody is left to be told
	}
}
