package probe

import (
	"fmt"
	"slices"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/flight"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
)

// codes are all that a host call can fail with.
var codes = []abi.Code{abi.EOF, abi.TooLong, abi.Inval, abi.State, abi.Inject, abi.Timeout, abi.Refused, abi.Net,
	abi.Host, abi.Denied, abi.TLS, abi.Limit, abi.None, abi.IO, abi.Internal}

// told are the codes that tell a guest of the world outside, by the call. A guest that
// blames itself for one of these is wrong; of the others it may think what it likes, since
// no host gives them.
var told = map[string][]abi.Code{
	"read":       {abi.Timeout, abi.Limit, abi.IO},
	"read_full":  {abi.EOF, abi.Timeout, abi.Limit, abi.IO},
	"read_line":  {abi.EOF, abi.TooLong, abi.Timeout, abi.Limit, abi.IO},
	"peek":       {abi.Timeout, abi.Limit, abi.IO},
	"write":      {abi.Timeout, abi.Limit, abi.IO},
	"wait":       {abi.Timeout, abi.Limit, abi.IO},
	"connect":    {abi.Timeout, abi.Refused, abi.Net, abi.Host, abi.Denied, abi.IO},
	"set_target": {abi.Denied},
	"resolve":    {abi.Timeout, abi.Host, abi.Denied, abi.IO},
	"starttls":   {abi.Inject, abi.Timeout, abi.TLS, abi.Limit, abi.IO},
	"config":     {abi.None},
	"secret":     {abi.None},
	"info":       {abi.Denied, abi.None},
	"fact":       {abi.None},
}

// A faulty host lends what another one does, but for one call.
type faulty struct {
	guest.Host
	call  int // that fails, by its number in the run; 0: none
	code  abi.Code
	calls int // that there were

	function string // of the call that failed
}

func (f *faulty) Fault(function string, call int) abi.Code {
	f.calls = call
	if call != f.call {
		return 0
	}
	f.function = function
	return f.code
}

// faults has every host call of a run fail with every code.
func (p *prober) faults(script *flight.Flight) {
	sound := &faulty{}
	_ = flight.Play(p.ctx, p.module, script, flight.Options{Patience: patience,
		Lend: func(h guest.Host) guest.Host { sound.Host = h; return sound }})
	for call := range min(sound.calls, maxCalls) {
		for _, code := range codes {
			host := &faulty{call: call + 1, code: code}
			p.try(fmt.Sprintf("host call %d fails with code %d", host.call, code), script, flight.Options{
				Lend: func(h guest.Host) guest.Host { host.Host = h; return host },
			}, host.misbehaviour)
		}
	}
}

// misbehaviour is what is wrong with a guest's end after the fault.
func (f *faulty) misbehaviour(e *guest.Error) string {
	if e.Kind == guest.KindRefusal && e.Class == abi.FailInternal && !slices.Contains(told[f.function], f.code) {
		return ""
	}
	return misbehaviour(e)
}
