//go:build unix && !linux

package daemon

import "syscall"

// asSibling has no way here, and no systemd that needs it.
func asSibling(*syscall.SysProcAttr) {}
