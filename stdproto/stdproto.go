// Package stdproto holds the bundled guests: the protocols that a config names
// without shipping a module of its own.
//
// The modules are built from guests/ by Debian's Rust compiler and committed, so
// that building the program needs Go alone. They get no privilege from being
// bundled: each runs as any other guest does, with the capabilities that this
// table grants it, where a guest from elsewhere needs guestAllow.
package stdproto

import (
	_ "embed"
	"maps"
	"slices"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
)

//go:embed acl.wasm
var acl []byte

//go:embed cifs.wasm
var cifs []byte

//go:embed connect.wasm
var connect []byte

//go:embed ftp.wasm
var ftp []byte

//go:embed imap.wasm
var imap []byte

//go:embed ldap.wasm
var ldap []byte

//go:embed lmtp.wasm
var lmtp []byte

//go:embed mysql.wasm
var mysql []byte

//go:embed nntp.wasm
var nntp []byte

//go:embed pgsql.wasm
var pgsql []byte

//go:embed pop3.wasm
var pop3 []byte

//go:embed proxy.wasm
var proxy []byte

//go:embed sieve.wasm
var sieve []byte

//go:embed smtp.wasm
var smtp []byte

//go:embed socks.wasm
var socks []byte

//go:embed xmpp.wasm
var xmpp []byte

// A guest is a bundled module and what it may do beyond the conversation.
type guest struct {
	wasm   []byte
	grants []abi.Capability
}

// guests is the one place that a protocol is added to, by its name in lower case.
func guests() map[string]guest {
	return map[string]guest{
		"acl":  {acl, []abi.Capability{abi.Clock, abi.Target, abi.Peer}}, // a policy: times, routes, certificates
		"cifs": {cifs, nil},
		// A login at a proxy, NTLM's proofs, and the targets that clients choose.
		"connect": {connect, []abi.Capability{abi.Secret, abi.Target, abi.Crypto, abi.Random, abi.Clock}},

		"ftp":   {ftp, nil},
		"imap":  {imap, nil},
		"ldap":  {ldap, nil},
		"lmtp":  {lmtp, []abi.Capability{abi.Secret}}, // as smtp
		"mysql": {mysql, nil},
		"nntp":  {nntp, nil},
		"pgsql": {pgsql, nil},
		"pop3":  {pop3, nil},
		"proxy": {proxy, []abi.Capability{abi.Peer}}, // tls=yes tells the backend the client's name
		"sieve": {sieve, nil},
		"smtp":  {smtp, []abi.Capability{abi.Secret}},              // AUTH after STARTTLS sends protocolPassword
		"socks": {socks, []abi.Capability{abi.Secret, abi.Target}}, // its clients choose; passwords of users
		"xmpp":  {xmpp, []abi.Capability{abi.Random}},              // identifiers of streams
	}
}

// Lookup finds the module of a protocol. Case does not matter, as for stunnel. The
// bytes are shared: callers must not change them.
func Lookup(name string) (wasm []byte, ok bool) {
	g, ok := guests()[strings.ToLower(name)]
	return g.wasm, ok
}

// Names lists the bundled protocols in alphabetical order.
func Names() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(guests())), IsPolicy)
}

// Policies lists the bundled policies.
func Policies() []string { return []string{"acl"} }

// IsPolicy tells whether a bundled guest decides, and does not negotiate.
func IsPolicy(name string) bool { return slices.Contains(Policies(), strings.ToLower(name)) }

// ChoosesTarget tells whether the clients of a bundled protocol's server choose the
// target, so that guestDial bounds it and connect does not.
func ChoosesTarget(name string) bool {
	switch strings.ToLower(name) {
	case "socks", "connect":
		return true
	}
	return false
}

// TLSFirst tells whether the server mode of a bundled protocol begins with the handshake and
// is spoken inside TLS, so that a service which a client's name chose can have it.
func TLSFirst(name string) bool {
	switch strings.ToLower(name) {
	case "socks", "proxy":
		return true
	}
	return false
}

// Grants lists what a bundled guest may do without guestAllow; nothing for a name
// that is not bundled.
func Grants(name string) []abi.Capability {
	return guests()[strings.ToLower(name)].grants
}
