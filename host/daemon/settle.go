package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/privilege"
	"github.com/stunnel-wasm/stunnel-wasm/host/resolve"
	"github.com/stunnel-wasm/stunnel-wasm/host/sandbox"
	"github.com/stunnel-wasm/stunnel-wasm/host/service"
)

// settle makes the process what it is from then on, once its addresses are bound and
// before it accepts anything: root directory, group, user, then what is done as that user
// inside that root, pid file and log file. The order is stunnel's, but for these two: why
// there is no pid file is told where the start is watched, as is all else that keeps it from
// serving.
func (d *daemon) settle(ctx context.Context, conf *config.Config) error {
	if d.ready != nil {
		// Now, for a jail has no /dev.
		null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
		if err != nil {
			return fmt.Errorf("leaving the terminal: %w", err)
		}
		defer null.Close()
		d.null = null
	}
	if err := d.assume(ctx, conf); err != nil {
		return err
	}
	if conf.Inetd {
		return d.log.Open(d.logOptions(conf))
	}
	d.catch()
	if err := d.writePid(); err != nil {
		return err
	}
	if err := d.log.Open(d.logOptions(conf)); err != nil {
		d.removePid()
		return err
	}
	if d.ready != nil {
		d.leaveTerminal()
		d.log.RenameMain("main")
	}
	return nil
}

// assume gives up root as chroot, setgid and setuid say.
func (d *daemon) assume(ctx context.Context, conf *config.Config) error {
	g := &conf.Global
	id := privilege.Identity{Root: g.Chroot, GID: g.RunAs.GID, UID: g.RunAs.UID}
	if id.UID != 0 && id.GID == 0 && os.Geteuid() == 0 {
		d.ui.Warnf("setuid without setgid leaves the groups as they are: add setgid")
	}
	if id.Root != "" {
		// What the system keeps outside of the jail and reads late.
		d.log.OpenSyslog(d.logOptions(conf))
		service.ReadHosts()
		resolve.Keep(ctx)
	}
	if err := d.enterSandbox(conf); err != nil {
		return err
	}
	err := privilege.Assume(id)
	var call *os.SyscallError
	switch {
	case errors.As(err, &call):
		d.ui.Errf("%s: %s", call.Syscall, logging.Reason(call.Err))
		return errReported
	case err != nil:
		return err
	}
	if id.Root != "" {
		d.ui.Noticef("Switched to chroot directory: %s", id.Root)
	}
	if g.Sandbox.NoDump {
		return sandbox.Undumpable(d.saySandbox(conf))
	}
	return nil
}

// enterSandbox gives up what no user and no root directory take away.
func (d *daemon) enterSandbox(conf *config.Config) (err error) {
	d.entered, err = sandbox.Enter(conf.Global.Sandbox, sandbox.Need(conf, d.src.Path), d.saySandbox(conf))
	return err
}

// saySandbox tells of parts that were asked for and cannot be had at a level that is seen.
func (d *daemon) saySandbox(conf *config.Config) sandbox.Say {
	return func(done bool, text string) {
		if !done && conf.Global.Sandbox.Said {
			d.ui.Warnf("Sandbox: %s", text)
			return
		}
		d.ui.Infof("Sandbox: %s", text)
	}
}

// remain takes from a reloaded configuration what belongs to the process and was settled
// at its start. Its error says what the sandbox keeps the configuration from.
func (d *daemon) remain(conf *config.Config) error {
	was, g := &d.conf.Global, &conf.Global
	if g.Chroot != was.Chroot || g.RunAs != was.RunAs {
		d.ui.Warnf("chroot, setgid and setuid stay as they were at start: restart to change them")
	}
	g.Foreground, g.Pid, g.Chroot, g.RunAs = was.Foreground, was.Pid, was.Chroot, was.RunAs
	if g.GuestCache != "" && (g.Chroot != "" || g.RunAs.UID != 0) {
		// It is machine code that the next start runs as root: this user must not write it.
		g.GuestCache = ""
		d.ui.Infof("guestCache is left alone after chroot and setuid")
	}
	if g.Sandbox != was.Sandbox {
		d.ui.Warnf("sandbox stays as it was at start: restart to change it")
	}
	g.Sandbox = was.Sandbox
	if conf.Runs() && d.entered != nil && d.entered.NoNewPrivs && !d.conf.Runs() {
		d.ui.Warnf("Programs of exec gain no privileges by setuid bits since the start: restart for that")
	}
	return d.entered.Permits(sandbox.Need(conf, d.src.Path))
}

// whereRead says where a reload looks for its files.
func (d *daemon) whereRead() string {
	if dir := d.conf.Global.Chroot; dir != "" {
		return "Files are looked for under " + dir + " since the start, by the same names"
	}
	if d.conf.Global.RunAs.UID != 0 {
		return "Files are read by the user of setuid since the start"
	}
	return ""
}

// whyNotBound says what may keep a reload from an address.
func (d *daemon) whyNotBound() string {
	if d.conf.Global.RunAs.UID != 0 {
		return "After setuid a port below 1024 can be kept, and not be bound anew: restart for that"
	}
	return ""
}
