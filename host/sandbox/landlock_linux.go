package sandbox

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Rights of landlock(7) that our needs come to.
const (
	readFile  = unix.LANDLOCK_ACCESS_FS_READ_FILE
	read      = readFile | unix.LANDLOCK_ACCESS_FS_READ_DIR
	writeFile = readFile | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE
	write     = read | writeFile | unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE |
		unix.LANDLOCK_ACCESS_FS_MAKE_SOCK | unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_REFER
)

// ruleNetPort is LANDLOCK_RULE_NET_PORT, and netPort its attribute.
const ruleNetPort = 2

type netPort struct{ access, port uint64 }

// handled gives what a kernel of an ABI can forbid: files, and ports.
func handled(abi int) (files, ports uint64) {
	files = 1<<13 - 1 // from EXECUTE to MAKE_SYM
	if abi >= 2 {
		files |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if abi >= 3 {
		files |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if abi >= 4 {
		ports = unix.LANDLOCK_ACCESS_NET_BIND_TCP
	}
	if abi >= 5 {
		files |= unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	}
	return files, ports
}

// enterLandlock forbids the process all files and ports but the needed ones. Ports of
// listeners count only because these have multipath TCP off, which Landlock lets pass.
func enterLandlock(n Needs, say Say) (done bool, err error) {
	if n.Free != "" {
		say(false, "landlock is left out: "+n.Free)
		return false, nil
	}
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		if errOld(errno) {
			say(false, "landlock is left out: this kernel does not have it")
			return false, nil
		}
		return false, errno
	}
	files, ports := handled(int(abi))
	attr := unix.LandlockRulesetAttr{Handled_access_fs: files, Handled_access_net: ports}
	size := unsafe.Sizeof(attr.Handled_access_fs)
	if ports != 0 {
		size += unsafe.Sizeof(attr.Handled_access_net)
	}
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), size, 0)
	if errno != 0 {
		return false, fmt.Errorf("making rules: %w", errno)
	}
	rules := int(fd)
	defer unix.Close(rules)
	paths := 0
	for _, kind := range []struct {
		paths     []string
		dir, file uint64
	}{{n.Read, read, readFile}, {n.Write, write, writeFile}} {
		for _, path := range kind.paths {
			added, err := permit(rules, path, kind.dir&files, kind.file&files)
			if err != nil {
				return false, fmt.Errorf("%s: %w", path, err)
			}
			if added {
				paths++
			}
		}
	}
	if ports != 0 {
		for _, port := range n.Ports {
			rule := netPort{access: ports, port: uint64(port)}
			if err := addRule(rules, ruleNetPort, unsafe.Pointer(&rule)); err != nil {
				return false, fmt.Errorf("port %d: %w", port, err)
			}
		}
	}
	// The list of threads is read while some of them have rules already, and the process is
	// killed if it cannot be. Held open, it stays what the rule is about.
	threads, err := os.Open(threadsDirectory)
	if err != nil {
		return false, err
	}
	defer threads.Close()
	rule := unix.LandlockPathBeneathAttr{Allowed_access: unix.LANDLOCK_ACCESS_FS_READ_DIR, Parent_fd: int32(threads.Fd())}
	if err := addRule(rules, unix.LANDLOCK_RULE_PATH_BENEATH, unsafe.Pointer(&rule)); err != nil {
		return false, err
	}
	if err := allThreads(unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(rules), 0); err != nil {
		return false, err
	}
	text := fmt.Sprintf("landlock: %d paths of the configuration and the system", paths)
	if ports != 0 {
		text += fmt.Sprintf(", %d ports", len(n.Ports)-1)
	}
	say(true, text)
	return true, nil
}

// permit adds a rule for a path and all below; one that does not exist has none.
func permit(rules int, path string, dir, file uint64) (added bool, err error) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return false, err
	}
	access := dir
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		access = file
	}
	rule := unix.LandlockPathBeneathAttr{Allowed_access: access, Parent_fd: int32(fd)}
	return true, addRule(rules, unix.LANDLOCK_RULE_PATH_BENEATH, unsafe.Pointer(&rule))
}

func addRule(rules int, kind uintptr, rule unsafe.Pointer) error {
	if _, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(rules), kind, uintptr(rule), 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}
