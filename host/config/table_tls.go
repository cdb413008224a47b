package config

import "github.com/stunnel-wasm/stunnel-wasm/host/suite"

// tlsServiceOptions shape the TLS side of a service, certificates and sessions apart.
var tlsServiceOptions = []Option{
	{Name: "ciphers", Scope: ServiceScope, Form: "OpenSSL cipher list", Default: stunnelCiphers,
		Doc: "cipher suites for TLS 1.2 or older", parse: parseCiphers},
	{Name: "ciphersuites", Scope: ServiceScope, Form: "suite[:suite...]", Default: defaultCipherSuites,
		Doc: "cipher suites for TLS 1.3, all three of which are always offered", parse: parseCiphersuites},
	{Name: "config", Scope: ServiceScope, Form: "command[:parameter]", List: true, parse: parseCommand,
		Doc: "OpenSSL configuration command"},
	{Name: "curves", Aliases: []string{"curve"}, Scope: ServiceScope, Form: "group[:group...]", Default: suite.DefaultGroups,
		Doc: "groups for the key exchange", parse: parseCurves},
	{Name: "options", Scope: ServiceScope, Form: "[-]NAME", Default: "NO_SSLv2, NO_SSLv3", List: true,
		Doc: "OpenSSL option to set, or to clear with a minus sign before it", parse: parseTLSOption},
	{Name: "renegotiation", Scope: ServiceScope, Form: "yes|no", Default: "yes", Doc: "let a server renegotiate, up to TLS 1.2; clients cannot",
		parse: yesNo(func(t *target, yes bool) { t.service.Renegotiation = yes })},
	{Name: "securityLevel", Scope: ServiceScope, Form: "0-5", Default: "2", Doc: "OpenSSL security level",
		parse: number("Illegal security level", 0, suite.MaxLevel, func(t *target, n int) { t.service.SecurityLevel = n })},
	{Name: "sni", Scope: ServiceScope, Form: "name|SERVICE:PATTERN", Default: "the first connect host",
		Doc: "client mode: server name to ask for, empty for none; server mode: SERVICE:PATTERN",
		parse: text(func(t *target, v string) {
			t.service.SNI, t.service.SNISet = v, true
		})},
	{Name: "sslVersion", Scope: ServiceScope, Form: "all|TLSv1|TLSv1.1|TLSv1.2|TLSv1.3", Default: "all",
		Doc:   "the one TLS version to speak",
		parse: version(func(t *target, v Version) { t.service.MinVersion, t.service.MaxVersion = v, v })},
	{Name: "sslVersionMax", Scope: ServiceScope, Form: "all|TLSv1|TLSv1.1|TLSv1.2|TLSv1.3", Default: "all",
		Doc:   "highest TLS version",
		parse: version(func(t *target, v Version) { t.service.MaxVersion = v })},
	{Name: "sslVersionMin", Scope: ServiceScope, Form: "all|TLSv1|TLSv1.1|TLSv1.2|TLSv1.3", Default: "TLSv1.2",
		Doc:   "lowest TLS version",
		parse: version(func(t *target, v Version) { t.service.MinVersion = v })},
}

const defaultCipherSuites = "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"
