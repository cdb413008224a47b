package config

// tlsServiceOptions shape the TLS side of a service, certificates and sessions apart.
var tlsServiceOptions = []Option{
	{Name: "ciphers", Scope: ServiceScope, Form: "suite[:suite...]", Default: "the suites of crypto/tls",
		Doc: "cipher suites for TLS 1.2 or older", parse: parseCiphers},
	{Name: "ciphersuites", Scope: ServiceScope, Form: "suite[:suite...]", Default: defaultCipherSuites, Status: Pending,
		same: []string{"tls_aes_256_gcm_sha384:tls_aes_128_gcm_sha256:tls_chacha20_poly1305_sha256",
			"tls_chacha20_poly1305_sha256:tls_aes_256_gcm_sha384:tls_aes_128_gcm_sha256"},
		Doc: "cipher suites for TLS 1.3", Note: "all three suites of TLS 1.3 are always offered", parse: checkFilled},
	{Name: "config", Scope: ServiceScope, Form: "command[:parameter]", List: true, Status: Pending, parse: checkFilled,
		Doc: "OpenSSL configuration command"},
	{Name: "curves", Aliases: []string{"curve"}, Scope: ServiceScope, Form: "curve[:curve...]", Status: Pending,
		same: []string{"x25519:p-256:x448:p-521:p-384"}, parse: checkFilled,
		Doc: "groups for the key exchange"},
	{Name: "options", Scope: ServiceScope, Form: "[-]NAME", Default: "NO_SSLv2, NO_SSLv3", List: true,
		Doc: "OpenSSL option to set, or to clear with a minus sign before it", parse: parseTLSOption},
	{Name: "renegotiation", Scope: ServiceScope, Form: "yes|no", Default: "no", Doc: "let the peer renegotiate",
		parse: yesNo(func(t *target, yes bool) {
			if yes {
				t.note("renegotiation = yes has no effect: a peer that wants to renegotiate is cut off")
			}
		})},
	{Name: "securityLevel", Scope: ServiceScope, Form: "0-5", Default: "2", Status: Pending, same: []string{"2"},
		parse: checkNumber("Illegal security level", 0, 5), Doc: "OpenSSL security level"},
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
