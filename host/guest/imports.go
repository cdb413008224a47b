package guest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/meter"
)

// checkImports compares what a module asks for with what version 1 has and what the
// config grants. It returns a sentence for each import that is refused: whoever
// writes the config learns of all of them at once, with the line to add.
func checkImports(imports []meter.Import, allow []abi.Capability, prefix string) (needs []abi.Capability, refused []string) {
	for _, i := range imports {
		name := printable(i.Module+"."+i.Name, maxReason)
		if i.Kind != meter.KindFunction {
			refused = append(refused, fmt.Sprintf("import %s is a %s, and only functions can be imported", name, i.Kind))
			continue
		}
		if i.Module == wasiModule {
			if sentence := checkWASI(i); sentence != "" {
				refused = append(refused, sentence)
			}
			continue
		}
		if i.Module != abi.ImportModule {
			refused = append(refused, fmt.Sprintf("import %s: %s", name, otherModule(i.Module)))
			continue
		}
		at := slices.IndexFunc(abi.Functions, func(f abi.Function) bool { return f.Name == i.Name })
		if at < 0 {
			refused = append(refused, fmt.Sprintf("import %s: there is no such function", name))
			continue
		}
		f := abi.Functions[at]
		if got, want := meter.Signature(i.Params, i.Results), meter.Signature(types(f.Params), types(f.Results)); got != want {
			refused = append(refused, fmt.Sprintf("import %s has type %s, want %s", name, got, want))
			continue
		}
		if f.Needs == abi.Conversation {
			continue
		}
		if !slices.Contains(allow, f.Needs) {
			refused = append(refused, fmt.Sprintf("import %s needs capability %s: add \"guestAllow = %s%s\"", name, f.Needs, prefix, f.Needs))
			continue
		}
		if !slices.Contains(needs, f.Needs) {
			needs = append(needs, f.Needs)
		}
	}
	return needs, refused
}

// otherModule says why a module name cannot be imported from.
func otherModule(name string) string {
	if strings.HasPrefix(name, strings.TrimRight(abi.ImportModule, "0123456789")) {
		return fmt.Sprintf("the guest was built for another version of the interface, this program has %q", abi.ImportModule)
	}
	if strings.HasPrefix(name, "wasi") {
		return fmt.Sprintf("of WASI only %q is offered; other imports come from %q", wasiModule, abi.ImportModule)
	}
	return fmt.Sprintf("imports come from %q only", abi.ImportModule)
}

// types spells out a signature of abi's table.
func types(letters string) []meter.ValueType {
	var ts []meter.ValueType
	for _, l := range letters {
		t := meter.I32
		if l == 'I' {
			t = meter.I64
		}
		ts = append(ts, t)
	}
	return ts
}
