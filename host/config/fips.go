package config

import (
	"crypto/tls"
	"slices"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/host/suite"
)

// FIPS says what fips asks for.
type FIPS int

const (
	FIPSUnset FIPS = iota // as the build and the environment have it
	FIPSNo
	FIPSYes
)

func (f FIPS) String() string { return [...]string{"unset", "no", "yes"}[f] }

// What crypto/tls negotiates in FIPS mode (crypto/tls/defaults_fips140.go): the approved
// suites of TLS 1.2 and groups. Those of TLS 1.3 leave two suites in any case.
var (
	fipsSuites = []uint16{
		tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
	}
	fipsGroups = []tls.CurveID{
		tls.X25519MLKEM768, tls.SecP256r1MLKEM768, tls.SecP384r1MLKEM1024,
		tls.CurveP256, tls.CurveP384, tls.CurveP521,
	}
)

// checkFIPS refuses what a service asks for that FIPS mode does not have: each of its
// handshakes would fail, or its secrets would go through other algorithms.
func checkFIPS(s *Service) Errors {
	var errs Errors
	refuse := func(option, reason, hint string) {
		errs = append(errs, s.Errorf(option, "fips = yes: %s", reason).WithHint("%s", hint))
	}
	if strings.EqualFold(s.ProtocolValues["protocolauthentication"], "ntlm") {
		refuse("protocolAuthentication", "NTLM is made of MD4, MD5 and DES", "use another method, or set fips = no")
	}
	if s.MaxVersion != 0 && s.MaxVersion < TLS12 {
		refuse("", "no version is left: TLS 1.0 and 1.1 are not approved", "let sslVersionMax and options leave TLSv1.2 or TLSv1.3")
	}
	approved := func(id uint16) bool { return slices.Contains(fipsSuites, id) }
	if s.MaxVersion == TLS12 && !slices.ContainsFunc(s.Offer.CipherSuites, approved) && !s.approvedKeys() {
		refuse("ciphers", "none of the suites is approved", "choose suites with ECDHE and AES-GCM, or remove the line")
	}
	if s.Offer.Groups != nil && !slices.ContainsFunc(s.Offer.Groups, func(g tls.CurveID) bool { return slices.Contains(fipsGroups, g) }) {
		refuse("curves", "none of the groups is approved", "add P-256 or P-384, or remove the line")
	}
	return errs
}

// approvedKeys says whether a service has pre-shared keys and a suite of TLS 1.2 for them
// whose cipher is AES-GCM, as host/psk has them.
func (s *Service) approvedKeys() bool {
	return s.PSK.Secrets != "" && slices.ContainsFunc(s.Offer.Suites, func(c *suite.Suite) bool {
		return c.Name == "PSK-AES128-GCM-SHA256" || c.Name == "PSK-AES256-GCM-SHA384"
	})
}
