package systemd

import "strings"

// The states that Notify sends.
const (
	Ready    = "READY=1"
	Stopping = "STOPPING=1"
	alive    = "WATCHDOG=1"
)

// Notify tells the manager a few assignments; it does nothing where there is none. What
// goes wrong is the error, for a log and no more: the daemon serves without its manager.
func (m *Manager) Notify(assignments ...string) error {
	if m == nil {
		return nil
	}
	return m.notify.send(strings.Join(assignments, "\n"))
}

// Listens tells whether the manager wants to be notified.
func (m *Manager) Listens() bool { return m != nil && m.before[notifyPath] != "" }

// Alive answers the watchdog.
func (m *Manager) Alive() error { return m.Notify(alive) }

// Reloading is what announces a reload; Ready is due after it. Type=notify-reload tells by
// the time which of its signals is answered.
func Reloading() []string { return reloading() }

// Status is a line for people, as systemctl status shows it. A line feed in it would begin
// another assignment.
func Status(text string) string {
	return "STATUS=" + strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, text)
}
