package daemon

import (
	"errors"
	"fmt"
	"os"
)

// writePid writes the pid file, in place of one that an earlier run left. The
// name is unlinked first: a link that somebody put there is not followed.
func (d *daemon) writePid() error {
	if err := d.createPid(); err != nil {
		d.ui.Errf("Cannot create pid file %s: %v", d.conf.Global.Pid, err)
		return errReported
	}
	return nil
}

func (d *daemon) createPid() error {
	path := d.conf.Global.Pid
	if path == "" {
		d.ui.Debugf("No pid file being created")
		return nil
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%d\n", os.Getpid())
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	d.pid = path
	d.ui.Infof("Created pid file %s", path)
	return nil
}

func (d *daemon) removePid() {
	if d.pid != "" {
		os.Remove(d.pid)
	}
}
