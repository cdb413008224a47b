package tlsconf

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

// openssl maps OpenSSL's names to the suites of TLS 1.0 to 1.2 that crypto/tls
// has, those that it calls insecure among them: naming one is asking for it.
var openssl = map[string]uint16{
	"ECDHE-ECDSA-AES128-GCM-SHA256": tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	"ECDHE-ECDSA-AES256-GCM-SHA384": tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	"ECDHE-ECDSA-CHACHA20-POLY1305": tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	"ECDHE-RSA-AES128-GCM-SHA256":   tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	"ECDHE-RSA-AES256-GCM-SHA384":   tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	"ECDHE-RSA-CHACHA20-POLY1305":   tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	"ECDHE-ECDSA-AES128-SHA":        tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
	"ECDHE-ECDSA-AES256-SHA":        tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
	"ECDHE-ECDSA-AES128-SHA256":     tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
	"ECDHE-RSA-AES128-SHA":          tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
	"ECDHE-RSA-AES256-SHA":          tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
	"ECDHE-RSA-AES128-SHA256":       tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
	"ECDHE-RSA-DES-CBC3-SHA":        tls.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA,
	"ECDHE-RSA-RC4-SHA":             tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA,
	"ECDHE-ECDSA-RC4-SHA":           tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA,
	"AES128-GCM-SHA256":             tls.TLS_RSA_WITH_AES_128_GCM_SHA256,
	"AES256-GCM-SHA384":             tls.TLS_RSA_WITH_AES_256_GCM_SHA384,
	"AES128-SHA":                    tls.TLS_RSA_WITH_AES_128_CBC_SHA,
	"AES256-SHA":                    tls.TLS_RSA_WITH_AES_256_CBC_SHA,
	"AES128-SHA256":                 tls.TLS_RSA_WITH_AES_128_CBC_SHA256,
	"DES-CBC3-SHA":                  tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA,
	"RC4-SHA":                       tls.TLS_RSA_WITH_RC4_128_SHA,
}

// CipherNames lists the suites that the ciphers option can name, by OpenSSL's names.
func CipherNames() []string {
	var names []string
	for n := range openssl {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// cipherSuite finds a suite by OpenSSL's name or the RFCs'.
func cipherSuite(name string) (uint16, bool) {
	if id, ok := openssl[strings.ToUpper(name)]; ok {
		return id, true
	}
	for _, id := range openssl {
		if strings.EqualFold(tls.CipherSuiteName(id), name) {
			return id, true
		}
	}
	return 0, false
}

// SuiteName gives a suite's name as OpenSSL prints it, and its key length in
// bits, for the log line of a handshake.
func SuiteName(id uint16) (name string, bits int) {
	name = tls.CipherSuiteName(id)
	for n, o := range openssl {
		if o == id {
			name = n
		}
	}
	switch {
	case strings.Contains(name, "256-GCM"), strings.Contains(name, "AES256"), strings.Contains(name, "AES_256"), strings.Contains(name, "CHACHA20"):
		bits = 256
	case strings.Contains(name, "3DES"), strings.Contains(name, "DES-CBC3"):
		bits = 168
	default:
		bits = 128
	}
	return name, bits
}

// VersionName gives a protocol version's name as OpenSSL prints it.
func VersionName(v uint16) string {
	switch v {
	case tls.VersionTLS10:
		return "TLSv1"
	case tls.VersionTLS11:
		return "TLSv1.1"
	case tls.VersionTLS12:
		return "TLSv1.2"
	case tls.VersionTLS13:
		return "TLSv1.3"
	}
	return "unknown"
}

// chooseCiphers takes a plain list of TLS 1.2 suites. Go decides the order.
func (c *Context) chooseCiphers(s *config.Service) error {
	if s.Ciphers == nil {
		return nil
	}
	var dropped []string
	for _, name := range s.Ciphers {
		if id, ok := cipherSuite(name); ok {
			c.Config.CipherSuites = append(c.Config.CipherSuites, id)
		} else {
			dropped = append(dropped, name)
		}
	}
	if len(c.Config.CipherSuites) == 0 {
		return s.Errorf("ciphers", "no cipher match: none of %s exists here; there are %s",
			strings.Join(s.Ciphers, ", "), strings.Join(CipherNames(), ", "))
	}
	if len(dropped) > 0 {
		c.Warnings = append(c.Warnings, fmt.Sprintf("Service [%s] ciphers that do not exist here are left out: %s", s.Name, strings.Join(dropped, ", ")))
	}
	return nil
}
