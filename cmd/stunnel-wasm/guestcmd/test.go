package guestcmd

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/host/flight"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
	"github.com/stunnel-wasm/stunnel-wasm/host/probe"
)

// strictFlag has test probe the module too.
const strictFlag = "--strict"

// test plays transcripts against a module.
func (t *tool) test(args []string) error {
	strict := slices.Contains(args, strictFlag)
	args = slices.DeleteFunc(slices.Clone(args), func(a string) bool { return a == strictFlag })
	if len(args) == 0 {
		return errUsage
	}
	src, err := source(args[0])
	if err != nil {
		return err
	}
	flights := args[1:]
	if len(flights) == 0 {
		if flights, err = flightsOf(src.Name); err != nil {
			return err
		}
	}
	module, free, err := t.load(src)
	if err != nil {
		return err
	}
	defer free()
	failed := 0
	scripts := map[string]*flight.Flight{}
	for _, name := range flights {
		script, err := readFlight(name)
		if err == nil {
			scripts[name] = script
			err = t.play(module, script)
		}
		if err != nil {
			failed++
			fmt.Fprintf(t.stdout, "FAIL  %s\n%s\n", name, indent(err.Error()))
			continue
		}
		fmt.Fprintf(t.stdout, "ok    %s\n", name)
	}
	fmt.Fprintf(t.stdout, "%d flights, %d failed\n", len(flights), failed)
	if failed > 0 {
		return errFailed
	}
	if strict {
		return t.strict(module, flights, scripts)
	}
	return nil
}

// strict probes the module along its transcripts.
func (t *tool) strict(module *guest.Module, names []string, scripts map[string]*flight.Flight) error {
	report := probe.Run(t.ctx, module, names, scripts)
	for _, f := range report.Faults {
		fmt.Fprintf(t.stdout, "FAIL  %s\n%s\n", f.Flight, indent(f.Probe+":\n"+f.Err))
	}
	for _, name := range report.LeftOut {
		fmt.Fprintf(t.stdout, "left out of the probes, since it waits for more than a second: %s\n", name)
	}
	fmt.Fprintf(t.stdout, "%d probes, %d faults\n", report.Probes, len(report.Faults))
	if len(report.Faults) > 0 {
		return errFailed
	}
	return nil
}

func readFlight(file string) (*flight.Flight, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return flight.Parse(string(text))
}

// play plays a flight twice, the second time byte by byte.
func (t *tool) play(module *guest.Module, script *flight.Flight) error {
	if err := knownOptions(module, script); err != nil {
		return err
	}
	if err := flight.Play(t.ctx, module, script, flight.Options{}); err != nil {
		return err
	}
	if err := flight.Play(t.ctx, module, script, flight.Options{Single: true}); err != nil {
		return fmt.Errorf("with reads of one byte: %w", err)
	}
	return nil
}

// knownOptions refuses a guestOption that the module's manifest does not name, as the
// daemon would.
func knownOptions(module *guest.Module, script *flight.Flight) error {
	known, told := module.Info.Options()
	if !told {
		return nil
	}
	for _, m := range []map[string]string{script.Config, script.Secrets} {
		for key := range m {
			if name, ok := strings.CutPrefix(key, "option."); ok && !slices.Contains(known, name) {
				return fmt.Errorf("the guest's manifest has no line \"option: guestOption = %s=...\"", name)
			}
		}
	}
	return nil
}

// flightsOf finds the transcripts of a module: flights/*.txtar beside it.
func flightsOf(module string) ([]string, error) {
	pattern := filepath.Join(filepath.Dir(module), "flights", "*.txtar")
	all, err := filepath.Glob(pattern)
	if err == nil && len(all) == 0 {
		err = hint(fmt.Errorf("there is no transcript %s", pattern),
			"docs/flights.md describes them, and \"stunnel-wasm guest record\" writes one")
	}
	return all, err
}

// indent puts text under a line that it belongs to.
func indent(text string) string {
	return "      " + strings.ReplaceAll(text, "\n", "\n      ")
}
