package guest

import "time"

// Limits bound one negotiation, whatever the guest does. A field that is zero
// takes its default. How deep calls nest is bounded when the module is loaded.
type Limits struct {
	Fuel  uint64        // instructions, as package meter charges them
	Pages uint32        // 64 KiB pages of memory
	Calls int           // host calls
	Clear int           // plaintext bytes that pass on a side, both directions together, before TLS
	Time  time.Duration // the whole negotiation, dialling and handshakes included
	Busy  time.Duration // one wait for a peer; TIMEOUTbusy
}

// Defaults of [Limits].
const (
	DefaultFuel  = 20_000_000 // the smtp client spends about 3,000
	DefaultPages = 256        // 16 MiB
	DefaultCalls = 100_000
	DefaultClear = 64 << 10
	DefaultTime  = 300 * time.Second
	DefaultBusy  = 300 * time.Second
)

// MaxPages is the most that Limits.Pages can ask for: 256 MiB. It bounds what a
// mistake in a config can cost, since every connection pays it.
const MaxPages = 4096

const (
	// slice is the fuel that a guest gets at once. A guest cannot be preempted inside
	// a slice, and garbage collection waits for it, so that it must take well under
	// 10 ms. Compiled code spends it in 50 us to 100 us, but a guest that chases
	// pointers through all of its memory makes each instruction wait for 150 ns.
	slice = 50_000

	// maxConnects is how often a guest may try to connect. Each attempt dials all
	// targets and writes a line for each: without a limit one client could have the
	// log filled and the backends flooded.
	maxConnects = 10

	// configureTime bounds configure, which talks to nobody, whatever Limits.Time says.
	configureTime = time.Second
)

func (l Limits) withDefaults() Limits {
	if l.Fuel == 0 {
		l.Fuel = DefaultFuel
	}
	if l.Pages == 0 {
		l.Pages = DefaultPages
	}
	l.Pages = min(l.Pages, MaxPages)
	if l.Calls == 0 {
		l.Calls = DefaultCalls
	}
	if l.Clear == 0 {
		l.Clear = DefaultClear
	}
	if l.Time == 0 {
		l.Time = DefaultTime
	}
	if l.Busy == 0 {
		l.Busy = DefaultBusy
	}
	return l
}
