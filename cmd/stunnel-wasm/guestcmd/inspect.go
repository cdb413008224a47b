package guestcmd

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
	"github.com/stunnel-wasm/stunnel-wasm/host/service"
	"github.com/stunnel-wasm/stunnel-wasm/stdproto"
)

// inspect tells what a module is, and what a config makes of it.
func (t *tool) inspect(args []string) error {
	if len(args) < 1 || len(args) > 2 {
		return errUsage
	}
	src, err := source(args[0])
	if err != nil {
		return err
	}
	begin := time.Now()
	module, free, err := t.load(src)
	if err != nil {
		return err
	}
	defer free()
	t.describe(module, src.Name, time.Since(begin))
	if len(args) == 1 {
		return nil
	}
	option := "protocol"
	if !module.Info.Negotiates {
		option = "policy"
	}
	return t.against(args[1], option, src)
}

// describe prints what a module is that has been found under a name.
func (t *tool) describe(m *guest.Module, name string, took time.Duration) {
	info := &m.Info
	w := tabwriter.NewWriter(t.stdout, 0, 8, 2, ' ', 0)
	// A module that would forge a line of this, to look harmless, must not.
	row := func(field, format string, args ...any) {
		fmt.Fprintf(w, "%s\t%s\n", field, printable(fmt.Sprintf(format, args...)))
	}
	row("guest", "%s", name)
	row("kind", "%s", kind(info))
	row("hash", "sha256:%s", m.Hash)
	pin, prefix := "guestHash =", ""
	if !info.Negotiates {
		pin, prefix = "policy = "+protocolOf(name), config.Label(name)+"."
	}
	row("pin it", "%s sha256:%s", pin, m.Hash)
	row("size", "%d bytes, %d functions", info.Size, info.Functions)
	row("memory", "%d KiB at the start, %s", info.MinPages*64, growth(info))
	row("features", "%s", cmp.Or(strings.Join(info.Features, ", "), "none beyond WebAssembly 1.0"))
	row("compiling", "%s here, %.2g %% of the cost that is allowed", took.Round(100*time.Microsecond), 100*info.CompileCost)
	row("imports", "%s", strings.Join(info.Imports, ", "))
	for _, name := range info.WASI {
		row("WASI", "%s: %s", name, guest.WASIDoc(name, nil))
	}
	if info.Initializes {
		row("start-up", "%s", startUp(info))
	}
	row("exports", "%s", strings.Join(info.Exports, ", "))
	if len(info.Capabilities) == 0 {
		row("may", "nothing beyond the conversation")
	}
	bundled := stdproto.Grants(name)
	for _, c := range info.Capabilities {
		row("may", "%s", meaning(c))
		if bundled == nil {
			row("needs", "guestAllow = %s%s", prefix, c)
		}
	}
	switch {
	case !slices.Contains(info.Imports, "info"):
	case slices.Contains(bundled, abi.Peer):
		row("may ask", "info: facts of the connection and of the peer's certificate")
	default:
		row("may ask", "info: facts of the connection; those of the peer's certificate with guestAllow = %s%s", prefix, abi.Peer)
	}
	for line := range strings.Lines(string(info.Manifest)) {
		// What it says of itself, not what it is: that is in the lines above.
		switch field, text, _ := strings.Cut(strings.TrimSpace(line), ": "); field {
		case "summary", "option", "note":
			row(field, "%s", text)
		}
	}
	if len(info.Manifest) == 0 {
		row("option", "it has no manifest: guestOption takes any name")
	}
	w.Flush()
}

// printable keeps what a module says of itself on its line, and legible there.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}

func kind(info *guest.Info) string {
	checks := ""
	if info.Configures {
		checks = ", checks its options when the config is read"
	}
	switch {
	case info.Negotiates && info.Decides:
		return protocolKind(info) + " and policy (decide)" + checks
	case info.Decides:
		return "policy (decide)" + checks
	}
	return protocolKind(info) + checks
}

// protocolKind tells what negotiates in which mode.
func protocolKind(info *guest.Info) string {
	if slices.Contains(info.Exports, abi.ExportNegotiate) {
		return "protocol (negotiate)"
	}
	server, client := slices.Contains(info.Exports, abi.ExportNegotiateServer), slices.Contains(info.Exports, abi.ExportNegotiateClient)
	switch {
	case server && client:
		return "protocol (negotiate_server, negotiate_client)"
	case server:
		return "protocol for server mode alone (negotiate_server)"
	}
	return "protocol for client mode alone (negotiate_client)"
}

// startUp tells what _initialize costs a connection.
func startUp(info *guest.Info) string {
	if info.Plain != "" {
		return "runs for each connection: " + info.Plain
	}
	return "runs once, and connections begin from its image"
}

func growth(info *guest.Info) string {
	if info.MaxPages >= guest.MaxPages {
		return "grows to guestMemory"
	}
	return fmt.Sprintf("never more than %d KiB", info.MaxPages*64)
}

// meaning is a capability in words, with the imports that it stands for.
func meaning(c abi.Capability) string {
	var names []string
	for _, f := range abi.Functions {
		if f.Needs == c {
			names = append(names, f.Name)
		}
	}
	for _, known := range abi.Capabilities {
		if known.Name == c {
			return fmt.Sprintf("%s (%s): %s", c, strings.Join(names, ", "), known.Doc)
		}
	}
	return string(c)
}

// against tells whether the services of a config that name the module would load it.
func (t *tool) against(file, option string, src guest.Source) error {
	conf, err := config.Load(t.locate(file))
	var wrong config.Errors
	if errors.As(err, &wrong) {
		for _, e := range wrong {
			t.refusal(e)
		}
		return errFailed
	}
	if err != nil {
		return err
	}
	rt, err := guest.NewRuntime(t.ctx, guest.RuntimeOptions{})
	if err != nil {
		return err
	}
	defer rt.Close(t.ctx)
	named, refused := 0, 0
	for _, sc := range conf.Services {
		for _, found := range service.FindGuests(conf, sc) {
			if found.Err != nil || !bytes.Equal(found.Source.Wasm, src.Wasm) {
				continue
			}
			named++
			faults := service.InspectGuest(t.ctx, rt, found)
			if len(faults) == 0 {
				fmt.Fprintf(t.stdout, "service [%s] would load it\n", sc.Name)
				continue
			}
			refused++
			fmt.Fprintf(t.stdout, "service [%s] would not load it:\n", sc.Name)
			for _, e := range faults {
				t.refusal(e)
			}
		}
	}
	if named == 0 {
		return hint(fmt.Errorf("no service of %s runs this module", file), "%s = %s in a service does", option, protocolOf(src.Name))
	}
	if refused > 0 {
		return errFailed
	}
	return nil
}

func (t *tool) refusal(e *config.Error) {
	fmt.Fprintf(t.stdout, "  %v\n", e)
	if e.Hint != "" {
		fmt.Fprintf(t.stdout, "      %s\n", e.Hint)
	}
}

// protocolOf is what a config calls a module that is found under a name.
func protocolOf(name string) string {
	if _, bundled := stdproto.Lookup(name); bundled || config.IsPath(name) {
		return name
	}
	return "./" + name
}
