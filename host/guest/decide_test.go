package guest

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
)

// deciding runs the policy of testdata as its first letter says.
func deciding(t *testing.T, r *Runtime, h *testHost, what string, l Limits) error {
	t.Helper()
	m, err := r.Load(t.Context(), Source{Name: "decide", Wasm: module(t, "decide"), Role: Policy, Allow: []abi.Capability{abi.Target}})
	if err != nil {
		t.Fatal(err)
	}
	h.options = map[string]string{"option.do": what}
	return m.Decide(t.Context(), h, l)
}

// Only a policy that returns zero allows: each other end is an error, with the kind
// that says why.
func TestDecide(t *testing.T) {
	eachEngine(t, func(t *testing.T, r *Runtime) {
		for _, c := range []struct {
			do     string
			limits Limits
			kind   Kind
			reason string
		}{
			{do: "deny", kind: KindRefusal, reason: "it says so"},
			{do: "silent", kind: KindRefusal, reason: "decide returned 1"},
			{do: "trap", kind: KindTrap, reason: "trap: unreachable"},
			{do: "loop", limits: Limits{Fuel: 100_000}, kind: KindFuel, reason: "more than 100000 instructions"},
			{do: "loop", limits: Limits{Fuel: 1 << 62, Time: time.Millisecond}, kind: KindTime, reason: "not done after 1ms"},
			{do: "allow", limits: Limits{Calls: 1}, kind: KindCalls, reason: "more than 1 host calls"},
			{do: "r127.0.0.1:80", kind: KindRefusal, reason: "not there"}, // the host forbids it
		} {
			h := &testHost{info: map[abi.InfoID]string{abi.InfoStage: "accept"}, forbids: errNothing}
			err := deciding(t, r, h, c.do, c.limits)
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Kind != c.kind || e.Reason != c.reason {
				t.Errorf("%s: %v", c.do, err)
			}
		}
		h := &testHost{info: map[abi.InfoID]string{abi.InfoStage: "dial"}}
		if err := deciding(t, r, h, "allow", Limits{}); err != nil {
			t.Error(err)
		}
		if !slices.Equal(h.lines, []string{"7 dial"}) {
			t.Errorf("it logged %q", h.lines)
		}
	})
}

// A module runs in the place that it was made for, and a policy has no streams.
func TestRoles(t *testing.T) {
	r := newRuntime(t, false)
	for _, c := range []struct {
		module string
		role   Role
		err    string // empty: it loads
	}{
		{"decide", Policy, ""},
		{"decide", AnyRole, ""},
		{"echo", AnyRole, ""},
		{"decide", Protocol, `it exports "decide" and not "negotiate": it is a policy, for the option policy`},
		{"echo", Policy, `it exports "negotiate" and not "decide": it is a protocol, for the option protocol`},
		{"no_negotiate", Protocol, `it does not export "negotiate"`},
		{"no_negotiate", Policy, `it does not export "decide"`},
		{"no_negotiate", AnyRole, `it exports neither "negotiate" nor "decide"`},
		{"talker", Policy, `import stunnel1.read_line: a policy has no streams and no resolver, it only decides`},
		{"talker", AnyRole, `import stunnel1.read_line: a policy has no streams and no resolver, it only decides`},
	} {
		m, err := r.Load(t.Context(), Source{Name: c.module, Wasm: module(t, c.module), Role: c.role, Allow: everything()})
		if c.err == "" {
			if err != nil {
				t.Error(err)
			} else if is := c.module == "decide"; m.Info.Decides != is || m.Info.Negotiates == is {
				t.Errorf("%s: %+v", c.module, m.Info)
			}
			continue
		}
		if err == nil || !strings.HasSuffix(err.Error(), c.err) {
			t.Errorf("%s as role %d: %v, want %s", c.module, c.role, err, c.err)
		}
	}
	negotiator, err := r.Load(t.Context(), Source{Name: "echo", Wasm: module(t, "echo"), Allow: everything()})
	if err != nil {
		t.Fatal(err)
	}
	if err := negotiator.Decide(t.Context(), &testHost{}, Limits{}); err == nil {
		t.Error("a protocol allows")
	}
}

// TestPolicyFunctions holds the list to what version 1 has.
func TestPolicyFunctions(t *testing.T) {
	for _, name := range abi.PolicyFunctions {
		if !slices.ContainsFunc(abi.Functions, func(f abi.Function) bool { return f.Name == name }) {
			t.Errorf("there is no function %s", name)
		}
	}
}
