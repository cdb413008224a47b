package guest

import (
	"fmt"
	"slices"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/meter"
)

// A Role is what a module is loaded for.
type Role int

const (
	Protocol Role = iota // it exports negotiate
	Policy               // it exports decide
	AnyRole              // whichever it exports: to look at a module, before it is known what it is
)

// checkRole refuses a module that does not export what its role needs, and says which
// role it has instead.
func (m *Module) checkRole(role Role, facts *meter.Module) error {
	_, negotiates := facts.Export(abi.ExportNegotiate)
	_, decides := facts.Export(abi.ExportDecide)
	switch {
	case role == Protocol && !negotiates && decides:
		return m.errorf(KindLoad, "it exports %q and not %q: it is a policy, for the option policy", abi.ExportDecide, abi.ExportNegotiate)
	case role == Policy && !decides && negotiates:
		return m.errorf(KindLoad, "it exports %q and not %q: it is a protocol, for the option protocol", abi.ExportNegotiate, abi.ExportDecide)
	case role == Policy && !decides:
		return m.errorf(KindLoad, "it does not export %q", abi.ExportDecide)
	case role == Protocol && !negotiates:
		return m.errorf(KindLoad, "it does not export %q", abi.ExportNegotiate)
	case !negotiates && !decides:
		return m.errorf(KindLoad, "it exports neither %q nor %q", abi.ExportNegotiate, abi.ExportDecide)
	}
	if role == Policy || !negotiates {
		return m.checkStreams(facts.Imports)
	}
	return nil
}

// checkStreams refuses a policy that could talk: it decides on what others found out,
// and one that waited for a peer would be a second negotiation.
func (m *Module) checkStreams(imports []meter.Import) error {
	for _, i := range imports {
		if i.Module == wasiModule {
			continue // which has no streams either
		}
		if !slices.Contains(abi.PolicyFunctions, i.Name) {
			return m.errorf(KindImport, "import %s: a policy has no streams and no resolver, it only decides",
				printable(fmt.Sprintf("%s.%s", i.Module, i.Name), maxReason))
		}
	}
	return nil
}
