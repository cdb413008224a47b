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
	Protocol Role = iota // it exports negotiate, or the half for each of its modes
	Policy               // it exports decide
	AnyRole              // whichever it exports: to look at a module, before it is known what it is
)

// Modes are a set of those that services have: [abi.KeyClient] is "no" or "yes". Zero
// stands for both.
type Modes int

const (
	ServerMode Modes = 1 << iota
	ClientMode
)

// modeOf is the mode of a service by its config for guests.
func modeOf(config func(key string) (string, bool)) Modes {
	if v, _ := config(abi.KeyClient); v == "yes" {
		return ClientMode
	}
	return ServerMode
}

// uncalled lists the exports that a module is not loaded for: they are not compiled.
func uncalled(role Role, modes Modes) []string {
	switch {
	case role == AnyRole:
		return nil
	case role == Policy:
		return abi.Negotiations
	case modes == ServerMode:
		return []string{abi.ExportDecide, abi.ExportNegotiateClient}
	case modes == ClientMode:
		return []string{abi.ExportDecide, abi.ExportNegotiateServer}
	}
	return []string{abi.ExportDecide}
}

// negotiation is the export that is called in a mode: its half, or else negotiate.
func (m *Module) negotiation(mode Modes) (string, *Error) {
	export, other, line := abi.ExportNegotiateServer, abi.ExportNegotiateClient, "client = yes"
	if mode == ClientMode {
		export, other, line = other, export, "client = no"
	}
	if !slices.Contains(m.Info.Exports, export) {
		export = abi.ExportNegotiate
	}
	switch {
	case slices.Contains(m.uncalled, export):
		return "", m.errorf(KindInternal, "it was loaded without %q", export)
	case !slices.Contains(m.Info.Exports, export):
		return "", m.errorf(KindLoad, "of the protocol it exports %q alone: it is for services with %q", other, line)
	}
	return export, nil
}

// CheckMode refuses a protocol that a service of this mode cannot have. The error is an
// *[Error].
func (m *Module) CheckMode(mode Modes) error {
	if _, err := m.negotiation(mode); err != nil {
		return err
	}
	return nil
}

// checkRole refuses a module that does not export what its role needs, and says which
// role it has instead.
func (m *Module) checkRole(role Role, facts *meter.Module) error {
	negotiation := exported(facts, abi.Negotiations...)
	negotiates, decides := negotiation != "", exported(facts, abi.ExportDecide) != ""
	switch {
	case role == Protocol && !negotiates && decides:
		return m.errorf(KindLoad, "it exports %q and not %q: it is a policy, for the option policy", abi.ExportDecide, abi.ExportNegotiate)
	case role == Policy && !decides && negotiates:
		return m.errorf(KindLoad, "it exports %q and not %q: it is a protocol, for the option protocol", negotiation, abi.ExportDecide)
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

// exported is the first of some names that a module exports; empty: it exports none.
func exported(facts *meter.Module, names ...string) string {
	for _, name := range names {
		if _, ok := facts.Export(name); ok {
			return name
		}
	}
	return ""
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
