package service

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
)

func TestGuestOptionsAreNamedByTheManifest(t *testing.T) {
	for _, tt := range []struct{ protocol, option, err string }{
		{"smtp", "detectTLS=200", ""},
		{"smtp", "detecttls=200", `"guestOption = detecttls=200": the guest smtp has no option "detecttls"`},
		{"../../testdata/guests/echo.wasm", "anything=goes", ""}, // it has no manifest
	} {
		t.Run(tt.option, func(t *testing.T) {
			b := newBench(t, logging.Debug)
			conf, err := config.LoadReader("test.conf", strings.NewReader(fmt.Sprintf(
				"[x]\naccept = 127.0.0.1:0\nconnect = 127.0.0.1:1\ncert = %s\nprotocol = %s\nguestOption = %s\n",
				b.certs.Server, tt.protocol, tt.option)))
			if err != nil {
				t.Fatal(err)
			}
			set, err := Build(context.Background(), conf, Options{Log: b.log})
			if set != nil {
				set.Close(context.Background())
			}
			switch {
			case tt.err == "" && err != nil:
				t.Error(err)
			case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
				t.Errorf("error is %v, want %s", err, tt.err)
			}
		})
	}
}
