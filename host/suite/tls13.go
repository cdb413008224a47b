package suite

import (
	"crypto/tls"
	"strings"
)

// tls13 are OpenSSL's suites of TLS 1.3; true: crypto/tls has it.
var tls13 = map[string]bool{
	"TLS_AES_256_GCM_SHA384": true, "TLS_AES_128_GCM_SHA256": true, "TLS_CHACHA20_POLY1305_SHA256": true,
	"TLS_AES_128_CCM_SHA256": false, "TLS_AES_128_CCM_8_SHA256": false,
}

// A List13 is what a list of TLS 1.3 suites says.
type List13 struct {
	Missing []string // suites of crypto/tls that it leaves out
	Dropped []string // suites that crypto/tls does not have
	Unknown []string // names of nothing, which OpenSSL passes over
	Known   int      // suites that OpenSSL has
}

// ParseTLS13 reads a list with colons between, as SSL_CTX_set_ciphersuites(3) does.
// ErrNone: nothing in a list that is not empty has a meaning.
func ParseTLS13(text string) (*List13, error) {
	l := &List13{}
	seen := map[string]bool{}
	if text != "" {
		for name := range strings.SplitSeq(text, ":") {
			name = strings.TrimSpace(name)
			exists, known := tls13[name]
			switch {
			case !known:
				l.Unknown = append(l.Unknown, name)
			case !exists:
				l.Dropped = append(l.Dropped, name)
			}
			if known {
				seen[name] = true
			}
		}
		if l.Known = len(seen); l.Known == 0 {
			return nil, ErrNone
		}
	}
	for _, s := range tls.CipherSuites() {
		if s.SupportedVersions[0] == tls.VersionTLS13 && !seen[s.Name] {
			l.Missing = append(l.Missing, s.Name)
		}
	}
	return l, nil
}
