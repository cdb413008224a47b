package config

import (
	"path/filepath"
	"slices"
	"strings"
)

// negotiationOptions choose and feed the conversation before TLS.
var negotiationOptions = []Option{
	{Name: "protocol", Scope: ServiceScope, Form: "name|path",
		Doc: "negotiation before or after the handshake: a built-in one, or a guest of your own", parse: parseProtocol},
	{Name: "protocolAuthentication", Scope: ServiceScope, Form: "type", Default: "basic",
		Doc: "how the protocol logs in", parse: protocolValue("protocolAuthentication")},
	{Name: "protocolDomain", Scope: ServiceScope, Form: "domain",
		Doc: "domain for the protocol's login", parse: protocolValue("protocolDomain")},
	{Name: "protocolHeader", Scope: ServiceScope, Form: "header", List: true, Secret: true,
		Doc:   "header line that the protocol sends along",
		parse: nonEmpty(func(t *target, v string) { t.service.ProtocolHeader = append(t.service.ProtocolHeader, v) })},
	{Name: "protocolHost", Scope: ServiceScope, Form: "host:port",
		Doc: "host that the protocol names to its peer", parse: protocolValue("protocolHost")},
	{Name: "protocolPassword", Scope: ServiceScope, Form: "password", Secret: true,
		Doc: "password for the protocol's login", parse: protocolValue("protocolPassword")},
	{Name: "protocolUsername", Scope: ServiceScope, Form: "username",
		Doc: "user name for the protocol's login", parse: protocolValue("protocolUsername")},
}

func protocolValue(name string) parser {
	key := strings.ToLower(name)
	return text(func(t *target, v string) { t.service.ProtocolValues[key] = v })
}

// stunnelProtocols are the names that stunnel compares without case. Other names are
// those of files and keep theirs.
var stunnelProtocols = []string{"capwin", "capwinctrl", "cifs", "connect", "imap", "ldap", "nntp", "pgsql",
	"pop3", "proxy", "smtp", "socks"}

// IsStunnelProtocol tells whether stunnel knows a protocol by this name.
func IsStunnelProtocol(name string) bool { return slices.Contains(stunnelProtocols, name) }

// parseProtocol takes a name or a path.
func parseProtocol(t *target, value string) *Error {
	name, ok := guestName(value)
	if !ok {
		return refuse("Protocol not supported",
			"write the name of a protocol, or the path of a .wasm file with a slash in it")
	}
	t.service.Protocol = name
	return nil
}

// IsPath tells whether a guest is named by a path: it has a slash in it, or a backslash
// where files have those.
func IsPath(name string) bool { return strings.ContainsAny(name, "/"+string(filepath.Separator)) }

// Label is what other lines call a guest: its name, or its file's without .wasm.
func Label(name string) string { return strings.TrimSuffix(filepath.Base(name), ".wasm") }

// guestName takes a guest's name or a path. A name becomes part of a file name, so it has
// no separator of any system.
func guestName(value string) (string, bool) {
	if IsPath(value) {
		return value, true
	}
	if strings.Trim(value, letters+".-") != "" || strings.HasPrefix(value, ".") || value == "" {
		return "", false
	}
	if lower := strings.ToLower(value); slices.Contains(stunnelProtocols, lower) {
		return lower, true
	}
	return value, true
}
