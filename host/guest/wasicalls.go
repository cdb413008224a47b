package guest

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
)

const (
	wasiStdout = 1
	wasiStderr = 2

	// maxVectors bounds the pieces of one fd_write, as IOV_MAX does.
	maxVectors = 1024

	// maxSubscriptions bounds what one poll_oneoff waits for. A toolchain's sleep is one.
	maxSubscriptions = 64

	// pieceWork is what a piece of an fd_write, and a subscription, counts for beside its
	// bytes, in instructions. 1,024 pieces without any are 1,024 times a call's work.
	pieceWork = 64

	// wasiTick is the resolution of the clocks, that of now: a finer one would serve to
	// time what other connections do.
	wasiTick = time.Millisecond
)

// Layouts of preview 1, in bytes.
const (
	iovecSize        = 8  // ptr u32, len u32
	fdstatSize       = 24 // filetype u8, flags u16 at 2, rights u64 at 8 and at 16
	subscriptionSize = 48 // userdata u64, tag u8 at 8; clock: id u32 at 16, timeout u64 at 24, flags u16 at 40
	eventSize        = 32 // userdata u64, error u16 at 8, type u8 at 10
)

// wasiNothing is args_get and environ_get: there is nothing to store.
func (c call) wasiNothing() errno { return errnoSuccess }

// wasiSizes is args_sizes_get(count, size) and environ_sizes_get(count, size): nothing.
func (c call) wasiSizes() errno {
	count, size := c.at(uint32(c.stack[0]), 4), c.at(uint32(c.stack[1]), 4)
	binary.LittleEndian.PutUint32(count, 0)
	binary.LittleEndian.PutUint32(size, 0)
	return errnoSuccess
}

// wasiWrite is fd_write(fd, iovs, count, written): standard output and standard error
// go to the log, a line each.
func (c call) wasiWrite() errno {
	fd, count := uint32(c.stack[0]), uint32(c.stack[2])
	if fd != wasiStdout && fd != wasiStderr {
		return errnoBadf
	}
	if count > maxVectors {
		return errnoInval
	}
	written := c.at(uint32(c.stack[3]), 4)
	vectors := c.at(uint32(c.stack[1]), count*iovecSize)
	c.onlyRunning()
	total := uint32(0)
	for v := range slices.Chunk(vectors, iovecSize) {
		b := c.at(binary.LittleEndian.Uint32(v), binary.LittleEndian.Uint32(v[4:]))
		c.move(pieceWork << movedShift)
		for part := range slices.Chunk(b, workPart) {
			c.workOn(part) // all of it may be line feeds
			c.print(fd, part)
		}
		total += uint32(len(b))
	}
	binary.LittleEndian.PutUint32(written, total)
	return errnoSuccess
}

// wasiSeverities are those of standard output, notice, and standard error, warning.
var wasiSeverities = [...]int{wasiStdout: 5, wasiStderr: 4}

// print adds to the line that a descriptor is writing. Toolchains write a panic in many
// pieces, and each would be a line of its own else.
func (n *negotiation) print(fd uint32, b []byte) {
	for {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			// What does not fit is cut by the log anyway.
			n.printed[fd] = append(n.printed[fd], b[:min(len(b), maxLine-len(n.printed[fd]))]...)
			return
		}
		line := append(n.printed[fd], b[:min(i, maxLine-len(n.printed[fd]))]...)
		if len(line) > 0 {
			n.logLine(wasiSeverities[fd], line)
		}
		n.printed[fd] = line[:0]
		b = b[i+1:]
	}
}

// flush logs the lines that were begun, when the guest ends.
func (n *negotiation) flush() {
	for fd, line := range n.printed {
		if len(line) > 0 {
			n.logLine(wasiSeverities[fd], line)
		}
		n.printed[fd] = nil
	}
}

// wasiFdstat is fd_fdstat_get(fd, stat): both outputs are character devices that can be
// written, which is what makes libraries write them line by line.
func (c call) wasiFdstat() errno {
	fd := uint32(c.stack[0])
	if fd != wasiStdout && fd != wasiStderr {
		return errnoBadf
	}
	const characterDevice, rightWrite = 2, 1 << 6
	stat := c.at(uint32(c.stack[1]), fdstatSize)
	clear(stat)
	stat[0] = characterDevice
	binary.LittleEndian.PutUint64(stat[8:], rightWrite)
	return errnoSuccess
}

// wasiPrestat is fd_prestat_get(fd, stat). Libraries count directories up until they
// hear this very error.
func (c call) wasiPrestat() errno { return errnoBadf }

// wasiExit is proc_exit(code). A guest has an export to return from, and nothing that
// it could leave in order otherwise: it is a trap.
func (c call) wasiExit() errno {
	panic(&halt{kind: KindTrap, reason: fmt.Sprintf("trap: it exited with status %d", uint32(c.stack[0]))})
}

// wasiYield is sched_yield(). The host schedules, by what a guest computes.
func (c call) wasiYield() errno { return errnoSuccess }

// wasiRandom is random_get(ptr, len). A runtime draws a seed before anything else runs,
// whether or not the guest has any use for random bytes: without the capability it gets
// one that stays the same for as long as the module is loaded, which peers cannot know
// and which carries nothing. Random bytes that are not random must not pass for keys and
// nonces, so that whoever draws later without the capability is stopped.
func (c call) wasiRandom() errno {
	b := c.bytes(0)
	if slices.Contains(c.module.allow, abi.Random) {
		c.fillRandom(b)
		return errnoSuccess
	}
	if !c.initializing {
		panic(&halt{kind: KindImport, reason: fmt.Sprintf("it draws random bytes, which needs capability %s: add \"guestAllow = %s\"", abi.Random, abi.Random)})
	}
	c.move(len(b))
	if c.seed == nil {
		c.seed = rand.NewChaCha8(c.module.seed)
	}
	_, _ = c.seed.Read(b) // which never fails
	return errnoSuccess
}

// Clocks of preview 1. Those of CPU time are taken for the monotonic one.
const (
	clockRealtime = 0
	clockLast     = 3
)

// wasiClockRes is clock_res_get(id, resolution).
func (c call) wasiClockRes() errno {
	if uint32(c.stack[0]) > clockLast {
		return errnoInval
	}
	binary.LittleEndian.PutUint64(c.at(uint32(c.stack[1]), 8), uint64(wasiTick))
	return errnoSuccess
}

// wasiClockTime is clock_time_get(id, precision, time).
func (c call) wasiClockTime() errno {
	to := c.at(uint32(c.stack[2]), 8)
	if uint32(c.stack[0]) > clockLast {
		return errnoInval
	}
	binary.LittleEndian.PutUint64(to, uint64(c.clock(uint32(c.stack[0]))))
	return errnoSuccess
}

// clock reads a clock, in time since its epoch. A runtime schedules by the monotonic
// one, which every guest has: it begins with the instance, and tells no more than
// counting a wait does. The time of day needs the capability; without it that clock
// reads as the other, shortly after 1970 began.
func (n *negotiation) clock(id uint32) time.Duration {
	now := time.Now()
	if id == clockRealtime && slices.Contains(n.module.allow, abi.Clock) {
		return time.Duration(now.UnixNano()).Truncate(wasiTick)
	}
	// Runtimes take 0 for a clock that does not work.
	return (n.clockBase + now.Sub(n.start)).Truncate(wasiTick) + wasiTick
}

// wasiPoll is poll_oneoff(in, out, count, events): it sleeps until the first clock says
// so. There is nothing else to wait for; descriptors are told of as errors at once.
func (c call) wasiPoll() errno {
	count := uint32(c.stack[2])
	if count == 0 || count > maxSubscriptions {
		return errnoInval
	}
	in := c.at(uint32(c.stack[0]), count*subscriptionSize)
	out := c.at(uint32(c.stack[1]), count*eventSize)
	number := c.at(uint32(c.stack[3]), 4)
	c.move(int(count) * pieceWork << movedShift)

	var events []byte
	var sleep time.Duration // until the first clock, whose user data is first
	var first []byte
	for s := range slices.Chunk(in, subscriptionSize) {
		kind, code := s[8], errnoBadf
		if kind == 0 {
			d, ok := c.clockWait(s)
			if ok {
				if first == nil || d < sleep {
					first, sleep = slices.Clone(s[:8]), d
				}
				continue
			}
			code = errnoInval
		}
		events = appendEvent(events, s[:8], code, kind)
	}
	if events == nil {
		c.sleep(sleep)
		events = appendEvent(nil, first, errnoSuccess, 0)
	}
	copy(out, events)
	binary.LittleEndian.PutUint32(number, uint32(len(events)/eventSize))
	return errnoSuccess
}

// clockWait is how long a subscription to a clock waits.
func (c call) clockWait(s []byte) (time.Duration, bool) {
	const absolute = 1
	id := binary.LittleEndian.Uint32(s[16:])
	if id > clockLast {
		return 0, false
	}
	timeout := time.Duration(min(binary.LittleEndian.Uint64(s[24:]), uint64(maxSleep)))
	if binary.LittleEndian.Uint16(s[40:])&absolute != 0 {
		timeout -= c.clock(id)
	}
	return max(timeout, 0), true
}

// maxSleep is longer than any negotiation, and the longest duration.
const maxSleep = time.Duration(1<<63 - 1)

func appendEvent(b, userdata []byte, code errno, kind byte) []byte {
	var e [eventSize]byte
	copy(e[:], userdata)
	binary.LittleEndian.PutUint16(e[8:], uint16(code))
	e[10] = kind
	return append(b, e[:]...)
}

// sleep waits, but not beyond the end of the negotiation or of the caller's context.
func (c call) sleep(d time.Duration) {
	timer := time.NewTimer(min(d, time.Until(c.end)))
	defer timer.Stop()
	held := c.pause()
	select {
	case <-timer.C:
	case <-c.ctx.Done():
		panic(&halt{kind: KindCancelled, reason: "cancelled", err: context.Cause(c.ctx)})
	}
	c.checkTime()
	c.resume(held)
}

// wasiDocs says what the functions that are there do.
func wasiDocs(name string, allow []abi.Capability) string {
	granted := func(c abi.Capability, with, without string) string {
		if slices.Contains(allow, c) {
			return with
		}
		return without
	}
	switch name {
	case "args_get", "args_sizes_get":
		return "there are no arguments"
	case "environ_get", "environ_sizes_get":
		return "there is no environment"
	case "fd_write":
		return "standard output and standard error go to the log"
	case "fd_fdstat_get":
		return "standard output and standard error are there, nothing else"
	case "fd_prestat_get":
		return "there are no directories"
	case "poll_oneoff":
		return "sleeps, within guestTimeout"
	case "proc_exit":
		return "a trap: the connection ends"
	case "sched_yield":
		return "does nothing"
	case "clock_res_get":
		return "a millisecond"
	case "clock_time_get":
		return granted(abi.Clock, "the time of day, and time since the instance began",
			"time since the instance began; the time of day needs capability clock, and reads as 1970 without")
	case "random_get":
		return granted(abi.Random, "random bytes",
			"a seed for the toolchain's runtime, the same for every connection; capability random is needed for more, and drawing without it is a trap")
	}
	return ""
}
