// Package systemd is what a service manager and its daemon tell each other through the
// environment: sockets that the manager has opened (sd_listen_fds(3)), how the daemon is
// (sd_notify(3)), and the watchdog.
//
// All of it is for one process, named in the variables. Take reads them once and takes
// them out of the environment: a program that the daemon starts must not believe that it
// was given sockets, nor speak to the manager in the daemon's name.
package systemd

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	listenPID   = "LISTEN_PID"
	listenFDs   = "LISTEN_FDS"
	listenNames = "LISTEN_FDNAMES"
	notifyPath  = "NOTIFY_SOCKET"
	watchdogUS  = "WATCHDOG_USEC"
	watchdogPID = "WATCHDOG_PID"
)

var variables = []string{listenPID, listenFDs, listenNames, notifyPath, watchdogUS, watchdogPID}

// firstFD is where the given sockets begin (SD_LISTEN_FDS_START).
const firstFD = 3

// maxSockets bounds LISTEN_FDS: far above any unit's sockets, and below what would have
// a mistyped number close descriptors for minutes.
const maxSockets = 4096

// A Manager is the other side. The zero value is none: it has given nothing, and is told
// nothing.
type Manager struct {
	Sockets  []Socket
	Watchdog time.Duration // how often it wants to hear from the daemon; 0: never

	before map[string]string // the variables
	notify notifier
}

// A Socket is one that the manager has opened, bound and set to listen.
type Socket struct {
	FD   int
	Name string // of LISTEN_FDNAMES: the socket unit's, or FileDescriptorName; may be empty
}

// Take reads the manager's variables and removes them. Sockets that are meant for
// another process stay untouched.
func Take() (*Manager, error) { return take(firstFD) }

func take(first int) (*Manager, error) {
	m := &Manager{before: map[string]string{}}
	for _, name := range variables {
		if v, ok := os.LookupEnv(name); ok {
			m.before[name] = v
			os.Unsetenv(name)
		}
	}
	if err := m.takeSockets(first); err != nil {
		return nil, err
	}
	if err := m.takeWatchdog(); err != nil {
		return nil, err
	}
	m.notify.open(m.before[notifyPath])
	return m, nil
}

func mine(pid string) bool { return pid == strconv.Itoa(os.Getpid()) }

func (m *Manager) takeSockets(first int) error {
	if !mine(m.before[listenPID]) {
		return nil
	}
	n, err := strconv.Atoi(m.before[listenFDs])
	if err != nil || n < 0 || n > maxSockets {
		return fmt.Errorf("%s = %q is no number of sockets", listenFDs, m.before[listenFDs])
	}
	var names []string
	if text, ok := m.before[listenNames]; ok {
		if names = strings.Split(text, ":"); len(names) != n {
			return fmt.Errorf("%s = %q names %d sockets, not %d", listenNames, text, len(names), n)
		}
	}
	for i := range n {
		s := Socket{FD: first + i}
		if names != nil {
			s.Name = names[i]
		}
		m.Sockets = append(m.Sockets, s)
	}
	return m.Keep(true)
}

func (m *Manager) takeWatchdog() error {
	text, ok := m.before[watchdogUS]
	if pid, said := m.before[watchdogPID]; !ok || said && !mine(pid) {
		return nil
	}
	us, err := strconv.ParseInt(text, 10, 64)
	if err != nil || us <= 0 || us > int64(time.Hour*24*365/time.Microsecond) {
		return fmt.Errorf("%s = %q is no time in microseconds", watchdogUS, text)
	}
	m.Watchdog = time.Duration(us) * time.Microsecond
	return nil
}

// Keep says whether the sockets are this process's alone (close-on-exec).
func (m *Manager) Keep(alone bool) error {
	for _, s := range m.Sockets {
		if err := closeOnExec(s.FD, alone); err != nil {
			return fmt.Errorf("descriptor %d of %s: %w", s.FD, listenFDs, err)
		}
	}
	return nil
}

// Again lists the variables as they were, for the same process after an exec.
func (m *Manager) Again() []string {
	var env []string
	for _, name := range variables {
		if v, ok := m.before[name]; ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// handedOver is in the environment of a daemon that its parent left the manager to: the
// number of its first socket. What else the manager said is in the manager's variables.
const handedOver = "_STUNNEL_WASM_LISTEN"

// HandOver lists the variables for a child that goes on in this process's place. It finds
// the sockets from descriptor first on, and reads them with Inherit.
func (m *Manager) HandOver(first int) []string {
	var env []string
	add := func(name, value string) { env = append(env, name+"="+value) }
	if path := m.before[notifyPath]; path != "" {
		add(notifyPath, path)
	}
	if m.Watchdog > 0 {
		add(watchdogUS, m.before[watchdogUS]) // without a PID, which nobody knows yet
	}
	if len(m.Sockets) > 0 {
		add(handedOver, strconv.Itoa(first))
		add(listenFDs, m.before[listenFDs])
		if names, ok := m.before[listenNames]; ok {
			add(listenNames, names)
		}
	}
	return env
}

// Inherit is Take for a child of HandOver.
func Inherit() (*Manager, error) {
	first, ok := os.LookupEnv(handedOver)
	os.Unsetenv(handedOver)
	if ok {
		os.Setenv(listenPID, strconv.Itoa(os.Getpid()))
	}
	at, err := strconv.Atoi(first)
	if ok && err != nil {
		return nil, fmt.Errorf("%s = %q: %w", handedOver, first, err)
	}
	return take(max(at, firstFD))
}
