package flight_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/flight"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
	"github.com/stunnel-wasm/stunnel-wasm/stdproto"
)

// TestRecord records every transcript of every bundled guest while it is played, and
// plays what was recorded: it goes the same way, and no secret is in it.
func TestRecord(t *testing.T) {
	for _, name := range stdproto.Names() {
		files, err := filepath.Glob("../../testdata/flights/" + name + "/*.txtar")
		if err != nil {
			t.Fatal(err)
		}
		module := load(t, name)
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			script, err := flight.Parse(string(text))
			if err != nil {
				t.Fatal(err)
			}
			if name == "connect" && script.Config["protocolauthentication"] == "ntlm" {
				continue // which hashes the password
			}
			if strings.Contains(string(text), "\nL~ ") {
				continue // a random number is another one the next time
			}
			t.Run(name+"/"+strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
				recordAndReplay(t, module, script)
			})
		}
	}
}

func recordAndReplay(t *testing.T, module *guest.Module, script *flight.Flight) {
	synctest.Test(t, func(t *testing.T) {
		var recorder *flight.Recorder
		var report flight.Report
		err := flight.Play(t.Context(), module, script, flight.Options{Patience: time.Hour, Report: &report,
			Lend: func(h guest.Host) guest.Host { recorder = flight.NewRecorder(h); return recorder }})
		if err != nil {
			t.Fatal(err)
		}
		text := recorder.Transcript("Recorded.", report.Outcome, report.Err)
		for _, secret := range script.Secrets {
			for line := range strings.SplitSeq(secret, "\n") {
				if _, password, ok := strings.Cut(line, ":"); ok {
					line = password
				}
				encoded := base64.StdEncoding.EncodeToString([]byte(line))
				alone := regexp.MustCompile(`\b` + regexp.QuoteMeta(line) + `\b`)
				if len(line) >= 4 && (alone.MatchString(text) || strings.Contains(text, encoded)) {
					t.Errorf("the secret %q is in it", line)
				}
			}
		}
		again, err := flight.Parse(text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if err := flight.Play(t.Context(), module, again, flight.Options{Patience: time.Hour}); err != nil {
			t.Errorf("%v\n%s", err, text)
		}
	})
}
