package guestcmd

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/flight"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
)

const (
	// benchRounds is how often each thing is timed; the table shows the median.
	benchRounds = 101

	// loadRounds is the same for loading, which takes a thousand times as long.
	loadRounds = 5

	// benchEnough is how long a thing is timed at most, so that the second or two of
	// loading a guest in Go is not waited for five times.
	benchEnough = 2 * time.Second
)

// bench measures a module: how long it takes to load, and what each of its transcripts
// takes.
func (t *tool) bench(args []string) error {
	if len(args) < 1 || len(args) > 2 {
		return errUsage
	}
	src, err := source(args[0])
	if err != nil {
		return err
	}
	module, free, err := t.load(src)
	if err != nil {
		return err
	}
	defer free()
	dir := filepath.Join(filepath.Dir(src.Name), "flights")
	if len(args) == 2 {
		dir = args[1]
	}
	files, err := transcripts(dir)
	if err != nil {
		return err
	}
	compile, err := t.benchLoad(src)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(t.stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintf(w, "load\t%s\n", compile.Round(10*time.Microsecond))
	instance, err := t.benchInstance(module)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "instance\t%s\n", instance.Round(100*time.Nanosecond))
	w.Flush()
	if len(files) == 0 {
		return hint(fmt.Errorf("there is no transcript in %s to measure a negotiation with", dir), "name the directory of its transcripts")
	}
	fmt.Fprintln(w, "\nFLIGHT\tTIME\tFUEL\tHOST CALLS\tMEMORY\tENDS")
	for _, file := range files {
		if err := t.benchFlight(w, module, file); err != nil {
			w.Flush()
			return err
		}
	}
	return w.Flush()
}

// benchLoad times checking, rewriting and compiling, without a cache.
func (t *tool) benchLoad(src guest.Source) (time.Duration, error) {
	return median(loadRounds, func() (time.Duration, error) {
		begin := time.Now()
		_, free, err := t.load(src)
		took := time.Since(begin)
		if err == nil {
			free()
		}
		return took, err
	})
}

// benchInstance times an instance that ends at its first instruction.
func (t *tool) benchInstance(module *guest.Module) (time.Duration, error) {
	return median(benchRounds, func() (time.Duration, error) {
		near, _ := flight.Pipe(false)
		host := flight.NewHost(flight.New(), near, near)
		begin := time.Now()
		var err error
		if module.Info.Decides {
			err = module.Decide(t.ctx, host, guest.Limits{Fuel: 1})
		} else {
			_, err = module.Negotiate(t.ctx, host, guest.Limits{Fuel: 1})
		}
		took := time.Since(begin)
		if e, ok := errors.AsType[*guest.Error](err); ok && e.Kind == guest.KindFuel || err == nil {
			return took, nil
		}
		return 0, err
	})
}

// benchFlight adds the line of one transcript. One that waits for time is left out.
func (t *tool) benchFlight(w *tabwriter.Writer, module *guest.Module, file string) error {
	script, err := readFlight(file)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(script.Talk, func(s flight.Step) bool { return s.Verb == "wait" }) {
		return nil
	}
	var report flight.Report
	play := func(l guest.Limits) error {
		return flight.Play(t.ctx, module, script, flight.Options{Limits: l, Report: &report})
	}
	took, err := median(benchRounds, func() (time.Duration, error) {
		err := play(guest.Limits{})
		return report.Time, err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	calls, memory := "-", "-"
	if report.Calls > 0 {
		calls, memory = fmt.Sprint(report.Calls), fmt.Sprintf("%d KiB", report.Pages*64)
	}
	last := script.Talk[len(script.Talk)-1]
	fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\n", strings.TrimSuffix(filepath.Base(file), ".txtar"),
		took.Round(100*time.Nanosecond), leastFuel(play), calls, memory, strings.TrimSuffix(last.Verb, ":"))
	return nil
}

// leastFuel finds the smallest budget with which a transcript passes, which is what it
// spends.
func leastFuel(play func(guest.Limits) error) uint64 {
	low, high := uint64(1), uint64(guest.DefaultFuel)
	for low < high {
		middle := (low + high) / 2
		if play(guest.Limits{Fuel: middle}) == nil {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low
}

// median runs something several times, or for as long as is enough, and gives the median
// of what it took.
func median(rounds int, run func() (time.Duration, error)) (time.Duration, error) {
	var all []time.Duration
	for begin := time.Now(); len(all) < rounds && (len(all) == 0 || time.Since(begin) < benchEnough); {
		took, err := run()
		if err != nil {
			return 0, err
		}
		all = append(all, took)
	}
	slices.Sort(all)
	return all[len(all)/2], nil
}
