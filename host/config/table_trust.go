package config

// trustOptions say which certificates of the peer are accepted.
var trustOptions = []Option{
	{Name: "CAengine", Scope: ServiceScope, Form: "engine-specific id", List: true, Status: Pending, parse: checkFilled,
		Doc: "trusted certificate in an engine", Note: pkcs11Later},
	{Name: "CAfile", Scope: ServiceScope, Form: "file", Doc: "trusted certificates, in PEM; empty for none",
		parse: text(func(t *target, v string) { t.service.CAfile = v })},
	{Name: "CApath", Scope: ServiceScope, Form: "directory", Status: Pending, same: []string{""}, parse: checkNothing,
		Doc: "directory with trusted certificates under hashed names", Note: "put the certificates into one file for CAfile; Debian has that of /etc/ssl/certs in it, as ca-certificates.crt"},
	{Name: "CAstore", Scope: ServiceScope, Form: "URI", Status: Pending, parse: checkFilled,
		Doc: "trusted certificates in an OpenSSL store", Note: "put the certificates into one file for CAfile"},
	{Name: "checkEmail", Scope: ServiceScope, Form: "address", List: true, Status: Pending, parse: checkFilled,
		Doc: "e-mail address that the peer's certificate may have", Note: guards},
	{Name: "checkHost", Scope: ServiceScope, Form: "host", List: true,
		Doc:   "host name that the peer's certificate may have",
		parse: nonEmpty(func(t *target, v string) { t.service.CheckHost = append(t.service.CheckHost, v) })},
	{Name: "checkIP", Scope: ServiceScope, Form: "IP", List: true, Status: Pending, parse: checkFilled,
		Doc: "IP address that the peer's certificate may have", Note: guards},
	{Name: "requireCert", Scope: ServiceScope, Form: "yes|no", Default: "no", Doc: "require a certificate of the client",
		parse: yesNo(func(t *target, yes bool) {
			t.service.RequireCert = yes
			t.service.RequestCert = t.service.RequestCert || yes
		})},
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
