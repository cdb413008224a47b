package dial

import (
	"strings"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
)

// A record is a log that a test can read.
type record struct {
	*logging.Log
	text strings.Builder
}

func newRecord() *record { return &record{Log: logging.New()} }

func (r *record) ui() *logging.Logger { return r.Logger("ui") }

// has checks that the log holds a text so many times.
func (r *record) has(t *testing.T, text string, times int) {
	t.Helper()
	r.DumpBuffer(&r.text)
	if n := strings.Count(r.text.String(), text); n != times {
		t.Errorf("the log has %q %d times, want %d:\n%s", text, n, times, r.text.String())
	}
}

func options(f config.Failover) Options {
	return Options{Failover: f, Timeout: 10 * time.Second}
}
