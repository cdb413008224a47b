package sandbox

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// numbers are of the capabilities that a configuration may need (capabilities(7)).
var numbers = map[string]uint{
	"chown":            unix.CAP_CHOWN,
	"dac_override":     unix.CAP_DAC_OVERRIDE,
	"dac_read_search":  unix.CAP_DAC_READ_SEARCH,
	"setgid":           unix.CAP_SETGID,
	"setuid":           unix.CAP_SETUID,
	"net_bind_service": unix.CAP_NET_BIND_SERVICE,
	"net_admin":        unix.CAP_NET_ADMIN,
	"net_raw":          unix.CAP_NET_RAW,
	"sys_chroot":       unix.CAP_SYS_CHROOT,
}

// lastCapability is the kernel's newest.
const lastCapability = "/proc/sys/kernel/cap_last_cap"

// What the kernel is told. They lie still: other threads read them while Go's stacks move.
var (
	capHeader = unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	capData   [2]unix.CapUserData
)

// reduce leaves those capabilities that the process has and needs, and names them. What is
// not needed leaves the bounding set too, so that no program brings it back.
func reduce(need []string) (kept []string, err error) {
	header := capHeader
	var now [2]unix.CapUserData
	if err := unix.Capget(&header, &now[0]); err != nil {
		return nil, fmt.Errorf("capget: %w", err)
	}
	have := uint64(now[1].Permitted)<<32 | uint64(now[0].Permitted)
	var mask uint64
	for _, name := range need {
		if bit := uint64(1) << numbers[name]; have&bit != 0 {
			mask |= bit
			kept = append(kept, name)
		}
	}
	slices.Sort(kept)
	if have&(1<<unix.CAP_SETPCAP) != 0 { // else nobody may, and no_new_privs does as much
		text, err := os.ReadFile(lastCapability)
		if err != nil {
			return nil, err
		}
		last, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil || last > 63 {
			return nil, fmt.Errorf("%s says %q", lastCapability, text)
		}
		for n := 0; n <= last; n++ {
			if mask&(1<<n) != 0 {
				continue
			}
			if err := allThreads(unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, uintptr(n)); err != nil {
				return nil, fmt.Errorf("bounding set: %w", err)
			}
		}
	}
	for i := range capData {
		bits := uint32(mask >> (32 * i))
		capData[i] = unix.CapUserData{Effective: bits, Permitted: bits}
	}
	if err := allThreads(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&capHeader)), uintptr(unsafe.Pointer(&capData[0]))); err != nil {
		return nil, fmt.Errorf("capset: %w", err)
	}
	return kept, nil
}
