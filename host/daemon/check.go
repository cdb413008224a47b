package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/passphrase"
	"github.com/stunnel-wasm/stunnel-wasm/host/service"
	"github.com/stunnel-wasm/stunnel-wasm/host/tlsconf"
)

// Check reads a configuration with its certificates and guests, binds nothing,
// and prints either everything that is wrong with it, a hint each, or a table of
// its services. The status is 0 or 1.
func Check(src *Source, stdout, stderr io.Writer) int {
	conf, err := src.Load()
	if err != nil {
		return complain(stderr, err)
	}
	setEnvironment(conf)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	clock := time.AfterFunc(buildTime, cancel)
	defer clock.Stop()
	log := logging.New()
	PutOffCollection() // the process ends with it
	set, err := service.Build(ctx, conf, service.Options{Log: log, TLS: tlsconf.Options{
		Passphrases: &passphrase.Keeper{
			Ask: func(prompt string) ([]byte, error) {
				clock.Stop()
				defer clock.Reset(buildTime)
				return passphrase.Terminal(prompt)
			},
			Wrong: func() { fmt.Fprintln(stderr, "Wrong passphrase: retrying") },
		},
	}})
	if err != nil {
		return complain(stderr, err)
	}
	defer set.Close(ctx)
	for _, n := range conf.Notes {
		fmt.Fprintf(stdout, "%s:%d: note: %s\n", n.File, n.Line, n.Text)
	}
	for _, w := range set.Warnings() {
		fmt.Fprintf(stdout, "warning: %s\n", w)
	}
	for _, n := range set.Notices() {
		fmt.Fprintf(stdout, "note: %s\n", n)
	}
	w := tabwriter.NewWriter(stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "SERVICE\tMODE\tACCEPT\tCONNECT\tPROTOCOL\tCERTIFICATE\tPEER")
	for _, s := range set.Services {
		fmt.Fprintln(w, strings.Join(s.Summary(), "\t"))
	}
	w.Flush()
	fmt.Fprintln(stdout, "Configuration successful")
	return 0
}

func complain(w io.Writer, err error) int {
	var errs config.Errors
	if !errors.As(err, &errs) {
		fmt.Fprintln(w, err)
	}
	for _, e := range errs {
		if e.Part == config.PartService && e.Line > 0 {
			// The log has stunnel's words alone, in which a section has no place.
			fmt.Fprintf(w, "%s:%d: ", e.File, e.Line)
		}
		fmt.Fprintln(w, e)
		if e.Hint != "" {
			fmt.Fprintf(w, "    %s\n", e.Hint)
		}
	}
	fmt.Fprintln(w, "Configuration failed")
	return 1
}
