package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ticks is USER_HZ, the unit of CPU times in /proc on every Linux.
const ticks = 100

// descriptors is what a process of a run may have open: the idle test's proxy
// needs two for each connection.
const descriptors = 20000

// raiseDescriptors lets this process and its children have many descriptors, as
// far as the hard limit goes.
func raiseDescriptors() error {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return err
	}
	// Set it even if Go has raised it already: only what is set here is inherited.
	l.Cur = min(l.Max, max(l.Cur, descriptors))
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l)
}

// childAttributes puts a program in a process group of its own, so that its
// children can be ended with it, and ends it when this process dies.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// killGroup ends a program that was started with childAttributes, and its children.
func killGroup(pid int) {
	_ = syscall.Kill(-pid, syscall.SIGKILL) // nobody is left: that is what is wanted
}

// stat is what /proc/PID/stat says (proc(5)).
type stat struct {
	parent   int
	children time.Duration // CPU of children that have ended and were waited for
}

func readStat(pid int) (stat, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return stat{}, err
	}
	// The name, in parentheses, can hold anything; what follows begins with field 3.
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(fields) < 15 {
		return stat{}, fmt.Errorf("reading process %d: %q is no stat line", pid, b)
	}
	field := func(number int) int {
		v, _ := strconv.Atoi(fields[number-3]) // the kernel writes numbers
		return v
	}
	return stat{field(4), time.Duration(field(16)+field(17)) * time.Second / ticks}, nil
}

// tree lists a process and all its descendants that are alive.
func tree(pid int) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	parents := map[int]int{}
	for _, e := range entries {
		p, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if s, err := readStat(p); err == nil {
			parents[p] = s.parent
		}
	}
	var all []int
	for p := range parents {
		for q := p; q > 1; q = parents[q] {
			if q == pid {
				all = append(all, p)
				break
			}
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("process %d has ended", pid)
	}
	return all, nil
}

// cpuTime is the user and system time that a process's tree has used, with its
// ended threads and children. Living processes are read by their CPU clock, which
// counts nanoseconds where /proc has steps of 10 ms.
func cpuTime(pid int) (time.Duration, error) {
	pids, err := tree(pid)
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, p := range pids {
		s, err := readStat(p)
		if err != nil {
			continue // it has ended meanwhile; its parent counts it
		}
		// CPUCLOCK_SCHED of a process, as clock_getcpuclockid(3) makes it.
		const sched = 2
		var t unix.Timespec
		if err := unix.ClockGettime(int32(^p<<3|sched), &t); err != nil {
			if errors.Is(err, unix.EINVAL) {
				continue // the same
			}
			return 0, fmt.Errorf("reading the CPU clock of process %d: %w", p, err)
		}
		sum += time.Duration(t.Nano()) + s.children
	}
	return sum, nil
}

// residentKiB is the resident memory of a process's tree, shared pages counted in
// each process.
func residentKiB(pid int) (int, error) {
	pids, err := tree(pid)
	if err != nil {
		return 0, err
	}
	sum := 0
	for _, p := range pids {
		b, err := os.ReadFile("/proc/" + strconv.Itoa(p) + "/smaps_rollup")
		if err != nil {
			return 0, err
		}
		_, rest, _ := strings.Cut(string(b), "\nRss:")
		number, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
		n, err := strconv.Atoi(number)
		if err != nil {
			return 0, fmt.Errorf("reading the memory of process %d: %w", p, err)
		}
		sum += n
	}
	return sum, nil
}
