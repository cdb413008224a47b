// Package logging writes stunnel's log: eight severities, stunnel's line
// formats, and three sinks (file, standard error, syslog) that never hold up a
// connection.
//
// A [Log] belongs to the process, a [Logger] to whoever speaks: the main
// thread, or one connection with its id, its service and that service's level.
// Each sink is a logrus logger with a formatter of ours, whose output is a
// bounded queue emptied by a goroutine of its own; logrus holds a mutex while
// it writes, so nothing that can block may stand behind it.
//
// Until Open lines are kept in memory: a start that fails shows them with
// DumpBuffer, one that succeeds replays them into the sinks.
package logging

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// drainTime is how long Reconfigure waits for a sink that it replaced. A sink
// that is stuck longer is left to its goroutine: a reload must not hang on it.
const drainTime = time.Second

// Options say where lines go. The zero value logs emergencies to nowhere.
type Options struct {
	Level      Level  // of the main thread; connections bring their own
	Facility   int    // syslog facility number; 3 is daemon
	Ident      string // name in syslog; empty: stunnel
	Syslog     bool   // ignored where the system has no syslog (Windows)
	SyslogPath string // syslog's socket; empty: where the system keeps it
	Output     string // log file; empty: none
	Overwrite  bool   // truncate Output when it is first opened
	Stderr     bool   // log to standard error too
	JSON       bool   // one JSON object a line in Output and on standard error
}

// A Log is the process's log. It is safe for concurrent use.
type Log struct {
	state   atomic.Pointer[state] // nil while buffering
	secrets atomic.Pointer[secrets]
	renamed atomic.Pointer[string] // the main thread's id; nil: mainID
	records sync.Pool              // of *record

	mu    sync.Mutex // guards held, early and every change of state and secrets
	held  held
	early *state // what OpenSyslog has opened; nil: nothing
}

// state is one immutable set of open sinks. After Close it has none.
type state struct {
	options Options
	sinks   [sinkKinds]*sink // nil: not wanted
	any     bool             // at least one sink
	closed  bool             // by Close: for good
}

// The sinks a Log can have, at most one of a kind.
const (
	fileSink = iota
	stderrSink
	syslogSink
	sinkKinds
)

// New returns a Log that buffers, at every level, until Open.
func New() *Log {
	// Go reads the time zone when it is first needed. That may be inside a
	// chroot jail, where the file is missing and local time would become UTC.
	_ = time.Local.String()
	l := new(Log)
	l.records.New = func() any { return &record{Context: context.Background()} }
	return l
}

// Open opens the sinks and replays the buffered lines, each through its own
// logger's level. On an error the Log goes on buffering.
func (l *Log) Open(o Options) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state.Load() != nil {
		return errors.New("opening log: opened before")
	}
	early := l.early
	if early == nil {
		early = &state{}
	}
	s, _, err := newState(o, early)
	if err != nil {
		return err
	}
	l.early = nil
	l.replay(s)
	l.state.Store(s)
	return nil
}

// OpenSyslog connects to syslog ahead of Open with the same options, for a process that
// goes where it cannot be reached in between.
func (l *Log) OpenSyslog(o Options) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state.Load() != nil || l.early != nil || !o.Syslog {
		return
	}
	l.early = &state{options: Options{Facility: o.Facility, Ident: o.Ident, SyslogPath: o.SyslogPath}}
	l.early.sinks[syslogSink] = newSyslogSink(o)
}

// Reconfigure applies the options of a reloaded configuration. New sinks are
// built before old ones are touched; on an error the old options stay. A log
// file that keeps its name is opened anew, and never truncated.
func (l *Log) Reconfigure(o Options) error {
	gone, err := l.replaceState(o)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	_ = drain(ctx, gone) // a stuck old sink drains when it can, or never
	return nil
}

// replaceState puts a state for o in place and returns the sinks that it no
// longer uses, still open.
func (l *Log) replaceState(o Options) (gone []*sink, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.state.Load()
	if old == nil || old.closed {
		return nil, errors.New("reconfiguring log: not open")
	}
	s, gone, err := newState(o, old)
	if err != nil {
		return nil, err
	}
	l.state.Store(s)
	return gone, nil
}

// Reopen opens the log file again by its name, after a rotation, and logs
// "Log file reopened". If that is impossible the old file stays in use, the
// reason is logged there and returned. Without a log file it does nothing.
func (l *Log) Reopen() error {
	l.mu.Lock()
	s := l.state.Load()
	if s == nil || s.sinks[fileSink] == nil {
		l.mu.Unlock()
		return nil
	}
	f, err := openFile(s.options.Output, false)
	if err == nil {
		s.sinks[fileSink].replaceFile(f)
	}
	l.mu.Unlock()
	ui := l.Logger(mainID)
	if err != nil {
		ui.Errf("Log file not reopened: %v", err)
		return fmt.Errorf("reopening log file: %w", err)
	}
	ui.Noticef("Log file reopened")
	return nil
}

// Close takes no more lines, writes those that are queued and closes the
// sinks, for good. Lines still buffered are discarded. If ctx ends first, the error wraps ctx.Err() and lines may be lost.
func (l *Log) Close(ctx context.Context) error {
	l.mu.Lock()
	old := l.state.Swap(&state{closed: true})
	l.held = held{}
	l.mu.Unlock()
	if old == nil {
		return nil
	}
	return drain(ctx, old.sinks[:])
}

// mainID is the main thread's id until RenameMain.
const mainID = "ui"

// RenameMain gives the main thread's loggers another id, those that exist too: in
// stunnel it is "ui" until it has left the terminal and "main" from then on. Lines
// that Open has replayed keep theirs.
func (l *Log) RenameMain(id string) { l.renamed.Store(&id) }

// Logger returns a logger for a part of the process that is no connection
// ("ui" for the main thread). Its level is the Log's, also after Reconfigure.
func (l *Log) Logger(id string) *Logger {
	return &Logger{log: l, id: id, level: followLog}
}

// newState builds the sinks that o asks for, taking over from old those that
// do not change. It returns also the sinks of old that are no longer used, not
// yet closed. Only the log file can fail, so it is opened before anything else
// is done.
func newState(o Options, old *state) (s *state, gone []*sink, err error) {
	s = &state{options: o}
	was := old.options
	keepFile := old.sinks[fileSink] != nil && was.Output == o.Output && was.JSON == o.JSON
	sameName := old.sinks[fileSink] != nil && was.Output == o.Output
	if o.Output != "" {
		f, err := openFile(o.Output, o.Overwrite && !sameName)
		if err != nil {
			return nil, nil, fmt.Errorf("opening log file: %w", err)
		}
		if keepFile {
			s.sinks[fileSink] = old.sinks[fileSink]
			s.sinks[fileSink].replaceFile(f)
		} else {
			s.sinks[fileSink] = newSink(newFileOut(f), lineFormatter(o))
		}
	}
	if o.Stderr {
		s.sinks[stderrSink] = old.sinks[stderrSink]
		if s.sinks[stderrSink] == nil || was.JSON != o.JSON {
			s.sinks[stderrSink] = newSink(stderrOut{os.Stderr}, lineFormatter(o))
		}
	}
	if o.Syslog {
		s.sinks[syslogSink] = old.sinks[syslogSink]
		if s.sinks[syslogSink] == nil || was.Facility != o.Facility || was.Ident != o.Ident || was.SyslogPath != o.SyslogPath {
			s.sinks[syslogSink] = newSyslogSink(o)
		}
	}
	for kind, sink := range s.sinks {
		s.any = s.any || sink != nil
		if before := old.sinks[kind]; before != nil && before != sink {
			gone = append(gone, before)
		}
	}
	return s, gone, nil
}

// drain closes the sinks, nil ones excepted, and waits until they are empty
// or ctx ends.
func drain(ctx context.Context, sinks []*sink) error {
	for _, s := range sinks {
		if s != nil {
			s.queue.close()
		}
	}
	for _, s := range sinks {
		if s == nil {
			continue
		}
		select {
		case <-s.done:
		case <-ctx.Done():
			return fmt.Errorf("closing log: %w", ctx.Err())
		}
	}
	return nil
}
