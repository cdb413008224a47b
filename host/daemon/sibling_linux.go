package daemon

import (
	"os"
	"syscall"
)

// asSibling makes the daemon a child of this process's own parent, the service manager.
// systemd looks at the moment when it hears MAINPID whether that is a child of its own, and
// does not wait for the end of another's: stopping the service would kill the daemon right
// after it was asked to end. The first process of a container has no parent to give it to.
func asSibling(attr *syscall.SysProcAttr) {
	if os.Getpid() != 1 {
		attr.Cloneflags |= syscall.CLONE_PARENT
	}
}
