// Command compare measures stunnel-wasm side by side with stunnel and, where they
// are installed, haproxy and nginx, and holds the figures against their targets.
//
// A figure is the CPU that the proxy spends on a unit of work, in user and system
// mode, with all its threads and processes: clients, proxy and backend share the
// machine, so that rates say little. The load generator and the backend are
// processes of their own, this binary started anew. All peers get the same job in
// turn, round after round, each started afresh; a ratio is the median over rounds of
// the ratios within a round, so that what the machine does meanwhile cancels out.
//
// Everything stays on loopback. It runs on Linux alone.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Modes in which this binary starts itself.
const (
	hiddenLoad    = "load"    // ORDER in JSON
	hiddenBackend = "backend" // PEM
	hiddenServe   = "serve"   // KIND FILE
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "compare:", err)
		}
		os.Exit(1)
	}
}

func run(args []string, stdout, stderr io.Writer) error {
	switch {
	case len(args) == 2 && args[0] == hiddenLoad:
		return runLoad(args[1])
	case len(args) == 2 && args[0] == hiddenBackend:
		return runBackend(args[1])
	case len(args) == 3 && args[0] == hiddenServe:
		return serve(args[1], args[2])
	}
	flags := flag.NewFlagSet("compare", flag.ContinueOnError)
	flags.SetOutput(stderr)
	s := &suite{progress: stderr, idle: idleConns}
	wasm := flags.String("wasm", "bin/stunnel-wasm", "the daemon that is measured")
	names := flags.String("peers", "wasm,stunnel,haproxy,nginx", "proxies, as NAME or NAME=KIND:BINARY; the first is held against the targets")
	only := flags.String("tests", "", "regular expression of the tests to run")
	list := flags.Bool("list", false, "list the tests")
	file := flags.String("json", "", "file for all measurements, in JSON")
	flags.StringVar(&s.base, "base", kindStunnel, "the proxy that ratios are to")
	flags.IntVar(&s.rounds, "rounds", 4, "rounds")
	flags.DurationVar(&s.time, "time", 2*time.Second, "measured time of one test")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("argument %q is none of the flags", flags.Arg(0))
	}
	if s.rounds < 1 || s.time <= 0 {
		return errors.New("-rounds and -time must be above zero")
	}
	pattern, err := regexp.Compile(*only)
	if err != nil {
		return fmt.Errorf("-tests: %w", err)
	}
	s.only = pattern
	if *list {
		for _, name := range s.names() {
			fmt.Fprintln(stdout, name)
		}
		return nil
	}
	peers, missing, err := findPeers(*names, *wasm)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		fmt.Fprintf(stderr, "not installed, left out: %s\n", strings.Join(missing, ", "))
	}
	s.peers = peers
	if err := raiseDescriptors(); err != nil {
		return fmt.Errorf("raising the limit of descriptors: %w", err)
	}

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	o, err := s.run(ctx)
	if err != nil {
		return err
	}
	o.About = fmt.Sprintf("%d rounds of %s, %d CPUs, %s", s.rounds, s.time, runtime.NumCPU(), runtime.Version())
	if *file != "" {
		text, err := json.MarshalIndent(o, "", "\t")
		if err != nil {
			return err
		}
		if err := os.WriteFile(*file, append(text, '\n'), 0o644); err != nil {
			return err
		}
	}
	return o.write(stdout)
}
