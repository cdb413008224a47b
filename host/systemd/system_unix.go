//go:build unix && !linux

package systemd

// idleOption is none: systemd is Linux's, and others that give sockets leave probes off.
const idleOption = -1

func reloading() []string { return []string{"RELOADING=1"} }
