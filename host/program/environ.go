package program

import (
	"runtime"
	"slices"
	"strings"
)

// ownVariables belong to this process: what sets its runtime up, and what a service
// manager hands to it alone. A program that took them for its own would answer in our
// name, or run in a mode that was meant for us.
var ownVariables = []string{
	"GODEBUG", "GOGC", "GOMAXPROCS", "GOMEMLIMIT", "GOTRACEBACK",
	"LISTEN_FDNAMES", "LISTEN_FDS", "LISTEN_PID", "LISTEN_PIDFDID",
	"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC",
}

// ownPrefix begins the names of what this program hands over to itself.
const ownPrefix = "_STUNNEL_WASM_"

// A Peer is what a program is told about whoever it serves.
type Peer struct {
	Host, Port string // empty: it has no address
	// Subject and Issuer are the names in its certificate, in OpenSSL's one-line form;
	// empty: it showed none.
	Subject, Issuer string
}

// Environ is the environment of a program: the peer's variables, then the inherited ones.
// None of the peer's is inherited, be it set here or not: of two that are called
// SSL_CLIENT_DN shells take the last, and one from where this process was started would
// pass for the name of a peer that has shown no certificate.
func Environ(inherited []string, p Peer) []string {
	about := []struct{ name, value string }{
		{"REMOTE_HOST", p.Host},
		{"REMOTE_PORT", p.Port},
		{"SSL_CLIENT_DN", p.Subject},
		{"SSL_CLIENT_I_DN", p.Issuer},
	}
	env := make([]string, 0, len(about)+len(inherited))
	hidden := slices.Clone(ownVariables)
	for _, v := range about {
		hidden = append(hidden, v.name)
		if v.value != "" {
			env = append(env, v.name+"="+v.value)
		}
	}
	for _, v := range inherited {
		name, _, _ := strings.Cut(v, "=")
		// There case makes no other name: Ssl_Client_DN would be found in place of the peer's.
		if runtime.GOOS == "windows" {
			name = strings.ToUpper(name)
		}
		if !slices.Contains(hidden, name) && !strings.HasPrefix(name, ownPrefix) {
			env = append(env, v)
		}
	}
	return env
}
