package config

import "strings"

// trustOptions name our certificate and say which of the peer's are accepted.
var trustOptions = []Option{
	{Name: "CAengine", Scope: ServiceScope, Form: "engine-specific id", List: true, Status: Pending, parse: checkFilled,
		Doc: "trusted certificate in an engine", Note: pkcs11Later},
	{Name: "CAfile", Scope: ServiceScope, Form: "file", Doc: "trusted certificates, in PEM; empty for none",
		parse: text(func(t *target, v string) { t.service.CAfile = v })},
	{Name: "CApath", Scope: ServiceScope, Form: "directory", Status: Pending, same: []string{""}, parse: checkNothing,
		Doc: "directory with trusted certificates under hashed names", Note: "put the certificates into one file for CAfile; Debian has that of /etc/ssl/certs in it, as ca-certificates.crt"},
	{Name: "CAstore", Scope: ServiceScope, Form: "URI", Status: Pending, parse: checkFilled,
		Doc: "trusted certificates in an OpenSSL store", Note: "put the certificates into one file for CAfile"},
	{Name: "cert", Scope: ServiceScope, Form: "file", Doc: "certificate chain, leaf first, in PEM; the key may be in it too",
		parse: file(func(t *target, v string) { t.service.Cert = v })},
	{Name: "checkEmail", Scope: ServiceScope, Form: "address", List: true, Status: Pending, parse: checkFilled,
		Doc: "e-mail address that the peer's certificate may have", Note: guards},
	{Name: "checkHost", Scope: ServiceScope, Form: "host", List: true,
		Doc:   "host name that the peer's certificate may have",
		parse: nonEmpty(func(t *target, v string) { t.service.CheckHost = append(t.service.CheckHost, v) })},
	{Name: "checkIP", Scope: ServiceScope, Form: "IP", List: true, Status: Pending, parse: checkFilled,
		Doc: "IP address that the peer's certificate may have", Note: guards},
	{Name: "CRLfile", Scope: ServiceScope, Form: "file", Status: Pending, same: []string{""}, parse: checkNothing,
		Doc: "revocation lists, in PEM", Note: guards},
	{Name: "CRLpath", Scope: ServiceScope, Form: "directory", Status: Pending, same: []string{""}, parse: checkNothing,
		Doc: "directory with revocation lists under hashed names", Note: guards},
	{Name: "engineId", Scope: ServiceScope, Form: "engine_id", Status: Pending, parse: checkFilled,
		Doc: "engine that holds the key", Note: pkcs11Later},
	{Name: "engineNum", Scope: ServiceScope, Form: "number", Status: Pending, parse: checkNumber("Illegal engine number", 1, maxNumber),
		Doc: "engine that holds the key, by number", Note: pkcs11Later},
	{Name: "key", Scope: ServiceScope, Form: "file", Default: "the file of cert", Doc: "private key of the certificate, in PEM",
		parse: file(func(t *target, v string) { t.service.Key = v })},
	{Name: "OCSP", Scope: ServiceScope, Form: "URL", Status: Pending, parse: checkFilled,
		Doc: "responder that is asked about the peer's certificates", Note: guards},
	{Name: "OCSPaia", Scope: ServiceScope, Form: "yes|no", Default: "no", Status: Pending, same: []string{"no"}, parse: checkYesNo,
		Doc: "ask the responders that the certificates name", Note: guards},
	{Name: "OCSPflag", Scope: ServiceScope, Form: "flag", List: true, Status: Pending,
		parse: checkKeyword("Illegal OCSP flag", "nocerts", "nointern", "nosigs", "nochain", "noverify", "noexplicit",
			"nocasign", "nodelegated", "nochecks", "trustother", "respid_key", "notime"),
		Doc: "how a responder's answer is checked"},
	{Name: "OCSPnonce", Scope: ServiceScope, Form: "yes|no", Default: "no", Status: Pending, same: []string{"no"}, parse: checkYesNo,
		Doc: "send and check a nonce with each OCSP request"},
	{Name: "OCSPrequire", Scope: ServiceScope, Form: "yes|no", Default: "yes", Status: Pending, same: []string{"yes"}, parse: checkYesNo,
		Doc: "refuse the peer when no responder gives an answer"},
	{Name: "requireCert", Scope: ServiceScope, Form: "yes|no", Default: "no", Doc: "require a certificate of the client",
		parse: yesNo(func(t *target, yes bool) {
			t.service.RequireCert = yes
			t.service.RequestCert = t.service.RequestCert || yes
		})},
	{Name: "TIMEOUTocsp", Scope: ServiceScope, Form: "seconds", Default: "5 seconds", Status: Pending, same: []string{"5"},
		parse: checkNumber("Illegal OCSP timeout", 0, maxNumber), Doc: "how long to wait for an OCSP responder"},
	{Name: "verify", Scope: ServiceScope, Form: "0-4", Default: "none",
		Doc: "what is asked of the peer's certificate: 0 and 1 take a peer without one, 2 does not; 1 and 2 check the chain", parse: parseVerify},
	{Name: "verifyChain", Scope: ServiceScope, Form: "yes|no", Default: "no", Doc: "require a certificate with a chain to a trusted one",
		parse: yesNo(func(t *target, yes bool) {
			t.service.VerifyChain = yes
			if yes {
				t.service.RequestCert, t.service.RequireCert = true, true
			}
		})},
	{Name: "verifyPeer", Scope: ServiceScope, Form: "yes|no", Default: "no", Status: Pending, same: []string{"no"}, parse: checkYesNo,
		Doc: "require a certificate of which CAfile holds a copy", Note: "verifyChain = yes with a CAfile that holds the issuer works"},
}

// parseVerify sets what each level of the older option stands for. A level replaces
// what the lines before it asked.
func parseVerify(t *target, value string) *Error {
	s := t.service
	switch value {
	case "0":
		s.Verify, s.RequestCert, s.VerifyChain, s.RequireCert = 0, true, false, false
	case "1":
		s.Verify, s.RequestCert, s.VerifyChain, s.RequireCert = 1, true, true, false
	case "2":
		s.Verify, s.RequestCert, s.VerifyChain, s.RequireCert = 2, true, true, true
	case "3", "4":
		return refuse(notYet, "levels 0, 1 and 2 work; verify = 2 checks the chain to a certificate in CAfile")
	default:
		return refuse("Bad verify level", "one of: 0, 1, 2, 3, 4")
	}
	return nil
}

// file takes a path, empty for none; keys outside of files cannot be read yet.
func file(store func(t *target, path string)) parser {
	return func(t *target, value string) *Error {
		if len(value) >= len("pkcs11:") && strings.EqualFold(value[:len("pkcs11:")], "pkcs11:") {
			return refuse(notYet, pkcs11Later)
		}
		store(t, value)
		return nil
	}
}
