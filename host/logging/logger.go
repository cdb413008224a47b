package logging

import (
	"context"
	"fmt"
	"time"
)

// followLog is the level of a Logger that takes its Log's.
const followLog Level = -1

// maxRecord is the largest text buffer, in bytes, that is kept for the next
// line. A guest's reason may be long once; the memory should not stay.
const maxRecord = 8 << 10

// A Logger writes lines under one id. It is immutable and safe for concurrent
// use. A nil *Logger discards everything.
type Logger struct {
	log     *Log
	id      string
	service string
	level   Level
}

// A record is one line on its way to the sinks. It rides through logrus as the
// entry's context, which is there for formatters: as fields the same values
// would cost a map for each line and sink, and as a message two allocations.
type record struct {
	context.Context
	time    time.Time
	level   Level
	id      string
	service string
	text    []byte // cut and escaped once, for all sinks
	spare   []byte // room for redaction
}

// With returns a logger for one connection: its id, its service and the
// service's own level.
func (l *Logger) With(id, service string, level Level) *Logger {
	if l == nil {
		return nil
	}
	return &Logger{log: l.log, id: id, service: service, level: min(max(level, Emerg), Debug)}
}

// Enabled reports whether a line at this level would go anywhere. Callers on
// a hot path ask it first: the arguments of an unwanted call cost allocations.
func (l *Logger) Enabled(level Level) bool {
	if l == nil {
		return false
	}
	s := l.log.state.Load()
	if s == nil {
		return level <= Debug
	}
	return s.any && level <= l.threshold(s)
}

func (l *Logger) threshold(s *state) Level {
	if l.level == followLog {
		return s.options.Level
	}
	return l.level
}

// Logf formats as fmt.Sprintf does and writes the line at the given level.
func (l *Logger) Logf(level Level, format string, args ...any) {
	if !l.Enabled(level) {
		return
	}
	r := l.log.records.Get().(*record)
	r.time = time.Now()
	r.level = max(level, Emerg)
	r.id = l.id
	if main := l.log.renamed.Load(); main != nil && l.id == mainID {
		r.id = *main
	}
	r.service = l.service
	r.text = fmt.Appendf(r.text[:0], format, args...)
	l.log.emit(l, r)
	if cap(r.text) <= maxRecord && cap(r.spare) <= maxRecord {
		l.log.records.Put(r)
	}
}

// Emergf logs at level 0, which operators see in any configuration.
func (l *Logger) Emergf(format string, args ...any) { l.Logf(Emerg, format, args...) }

// Critf logs at level 2.
func (l *Logger) Critf(format string, args ...any) { l.Logf(Crit, format, args...) }

// Errf logs at level 3.
func (l *Logger) Errf(format string, args ...any) { l.Logf(Err, format, args...) }

// Warnf logs at level 4.
func (l *Logger) Warnf(format string, args ...any) { l.Logf(Warning, format, args...) }

// Noticef logs at level 5, stunnel's default.
func (l *Logger) Noticef(format string, args ...any) { l.Logf(Notice, format, args...) }

// Infof logs at level 6.
func (l *Logger) Infof(format string, args ...any) { l.Logf(Info, format, args...) }

// Debugf logs at level 7.
func (l *Logger) Debugf(format string, args ...any) { l.Logf(Debug, format, args...) }

// emit hands r to the sinks, or to the buffer while there are none.
func (l *Log) emit(from *Logger, r *record) {
	s := l.state.Load()
	if s == nil {
		if l.hold(from, r) {
			return
		}
		// Open came between the two looks.
		s = l.state.Load()
		if r.level > from.threshold(s) {
			return
		}
	}
	l.clean(r)
	for kind := range s.sinks {
		l.deliver(s, kind, r)
	}
}

// deliver hands r to one sink. A sink that closes in between, for a reload,
// has a successor by then, so that a reload loses no line.
func (l *Log) deliver(s *state, kind int, r *record) {
	for sink := s.sinks[kind]; sink != nil && !sink.log(r); {
		next := l.state.Load().sinks[kind]
		if next == sink {
			return
		}
		sink = next
	}
}

// clean redacts, then cuts and escapes. The order matters: a secret that the
// cut or an escape had changed would no longer be recognised.
func (l *Log) clean(r *record) {
	if s := l.secrets.Load(); s != nil {
		r.text, r.spare = s.redact(r.text, r.spare)
	}
	r.text = escape(cut(r.text))
}
