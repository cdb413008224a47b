package testpeer

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A ServiceManager is a real systemd: process 1 of namespaces of its own, with a network,
// a /run, a /dev and a branch of control groups that nobody else has. It starts nothing but
// the units of the test, and cannot write to the machine's root. Its log, and what its
// services write, stands on its terminal, which is the console to it.
type ServiceManager struct {
	*TTY
	Network *Network
	Conf    string // /etc/stunnel, to the services
	t       testing.TB
}

// managerScript becomes the manager. The machine's root is read-only, /proc/sys too: a
// manager that starts sets limits of the whole machine. The group is entered before its
// namespace is made, whose root it is then. A container may lack a console to bind over.
const managerScript = `set -e
dir=$0 group=$1
mount --make-rprivate /
tty=$(tty)
mount -o remount,bind,ro /
mount -t proc proc /proc
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/dev /run/group
mount -t tmpfs -o mode=755 tmpfs /run/dev
mkdir /run/dev/pts
mount --rbind /dev/pts /run/dev/pts
bind() { : >"/run/dev/$2" && mount --bind "$1" "/run/dev/$2"; }
bind "$tty" console
for n in null zero full random urandom tty; do bind /dev/$n $n; done
mount --move /run/dev /dev
mount -t tmpfs -o mode=755 tmpfs /usr/local
mkdir /usr/local/bin /usr/local/units /usr/local/none
mount --bind "$dir/bin" /usr/local/bin
mount --bind "$dir/units" /usr/local/units
mount --bind "$dir/conf" /etc/stunnel
mount --bind "$dir/resolv.conf" /etc/resolv.conf
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /var/tmp
mount -t cgroup2 cgroup2 /run/group
mkdir "/run/group/$group"
echo $$ >"/run/group/$group/cgroup.procs"
exec unshare --cgroup sh -c 'set -e
umount /run/group
umount -R /sys/fs/cgroup 2>/dev/null || :
mount -t cgroup2 cgroup2 /sys/fs/cgroup
exec env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin container=test \
	SYSTEMD_UNIT_PATH=/usr/local/units SYSTEMD_GENERATOR_PATH=/usr/local/none SYSTEMD_ENVIRONMENT_GENERATOR_PATH=/usr/local/none \
	"$0" --system --unit=default.target --log-target=console --show-status=no --default-standard-output=tty --default-standard-error=tty' "$2"
`

// StartManager starts a manager with units, whose names are their files'. Programs are
// copied to its /usr/local/bin, Conf is its /etc/stunnel, and it asks 127.0.0.1 for names.
func StartManager(t testing.TB, units, programs map[string]string) *ServiceManager {
	t.Helper()
	NeedRoot(t, "a service manager")
	NeedFile(t, "/etc/stunnel", "stunnel4")
	binary := "/lib/systemd/systemd"
	NeedFile(t, binary, "systemd")
	Need(t, "nsenter", "util-linux")

	// Services of other users must get there, which they cannot in a test's own directory.
	dir, err := os.MkdirTemp("", "stunnel-wasm-manager")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	m := &ServiceManager{t: t, Network: NewNetwork(t), Conf: filepath.Join(dir, "conf")}
	write := func(name, text string, mode os.FileMode) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(m.Conf, 0o755); err != nil {
		t.Fatal(err)
	}
	write("resolv.conf", "nameserver 127.0.0.1\noptions timeout:30 attempts:1\n", 0o644)
	for _, target := range []string{"default", "sysinit", "basic", "sockets", "network", "multi-user", "shutdown"} {
		write("units/"+target+".target", "[Unit]\nDefaultDependencies=no\n", 0o644)
	}
	for name, text := range units {
		write("units/"+name, text, 0o644)
	}
	for name, text := range programs {
		write("bin/"+name, text, 0o755)
	}

	group := filepath.Base(dir)
	t.Cleanup(func() { removeGroup(t, group) })
	cmd := exec.Command("/bin/sh", "-c", managerScript, dir, group, binary)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC}
	m.Network.Inside(func() { m.TTY = RunTTYCommand(t, cmd) })
	m.WaitText(`^Startup finished in `, 1)
	return m
}

// removeGroup removes the manager's control groups, as soon as the last of its processes
// has left them.
func removeGroup(t testing.TB, group string) {
	t.Helper()
	await(t, func() string {
		out, err := exec.Command("unshare", "--mount", "sh", "-c", `mount -t cgroup2 cgroup2 /mnt && cd /mnt || exit
[ ! -d "$0" ] || find "$0" -depth -type d -exec rmdir {} +`, group).CombinedOutput()
		if err == nil {
			return ""
		}
		return fmt.Sprintf("removing the control groups of %s: %v\n%s", group, err, out)
	})
}

// await calls f until it has nothing to complain about.
func await(t testing.TB, f func() string) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	late := time.NewTimer(Patience)
	defer late.Stop()
	for {
		complaint := f()
		if complaint == "" {
			return
		}
		select {
		case <-tick.C:
		case <-late.C:
			t.Fatal(complaint)
		}
	}
}

// Command is a program beside the manager's services. It ends with the context.
func (m *ServiceManager) Command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "nsenter", append([]string{"--target", m.PID(), "--mount", "--pid", program}, args...)...)
	cmd.WaitDelay = time.Second // nsenter is killed alone, and the program may hold the output open
	return cmd
}

// Systemctl runs systemctl, which is to succeed, and gives what it prints.
func (m *ServiceManager) Systemctl(args ...string) string {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	out, err := m.Command(ctx, "systemctl", args...).CombinedOutput()
	if err != nil {
		m.t.Fatalf("systemctl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// Property is what the manager says of a unit.
func (m *ServiceManager) Property(unit, name string) string {
	m.t.Helper()
	return m.Systemctl("show", "--property", name, "--value", unit)
}

// Await waits until a property has a value.
func (m *ServiceManager) Await(unit, name, value string) {
	m.t.Helper()
	await(m.t, func() string {
		if got := m.Property(unit, name); got != value {
			return fmt.Sprintf("%s of %s is %q, and does not become %q", name, unit, got, value)
		}
		return ""
	})
}

// Main is the directory in /proc of a service's main process.
func (m *ServiceManager) Main(unit string) string {
	m.t.Helper()
	return filepath.Join("/proc", m.PID(), "root/proc", m.Property(unit, "MainPID"))
}

// PID is the manager's number, outside.
func (m *ServiceManager) PID() string { return strconv.Itoa(m.cmd.Process.Pid) }
