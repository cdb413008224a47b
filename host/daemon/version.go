package daemon

import (
	"crypto/fips140"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/stdproto"
)

// Version is this program's. The release build sets it with -ldflags -X.
var Version = "0.1.0"

// compatible is the release of stunnel whose options and log lines this program
// has. Tools read it from the first word and number of the banner.
const compatible = "5.75"

// Banner is the line that -version and the log begin with.
func Banner() string {
	return fmt.Sprintf("stunnel %s stunnel-wasm %s on %s-%s platform", compatible, Version, runtime.GOARCH, runtime.GOOS)
}

// features is the line that stunnel gives on what was built in.
func features() string {
	return fmt.Sprintf("Threading:GOROUTINE Sockets:%s TLS:1.0-1.3,FIPS Guests:%s", poller(), strings.Join(append(stdproto.Names(), stdproto.Policies()...), ","))
}

func poller() string {
	switch runtime.GOOS {
	case "linux":
		return "EPOLL,IPv6,SYSTEMD"
	case "windows":
		return "IOCP,IPv6"
	}
	return "KQUEUE,IPv6"
}

// wazeroVersion is the version of the module that runs guests.
func wazeroVersion() string {
	if bi, ok := debug.ReadBuildInfo(); ok {
		for _, m := range bi.Deps {
			if m.Path == "github.com/tetratelabs/wazero" {
				return m.Version
			}
		}
	}
	return "unknown"
}

// WriteVersion prints what -version does.
func WriteVersion(w io.Writer) error {
	fmt.Fprintln(w, Banner())
	fmt.Fprintf(w, "Compiled with %s (crypto/tls)\n", runtime.Version())
	fmt.Fprintf(w, "Running  with wazero %s\n", wazeroVersion())
	fmt.Fprintf(w, "Go Cryptographic Module %s (FIPS 140-3), FIPS mode %s\n", fips140.Version(), fipsMode())
	fmt.Fprintln(w, features())
	fmt.Fprintln(w, " ")
	return config.WriteDefaults(w)
}
