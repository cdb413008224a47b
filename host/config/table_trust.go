package config

// trustOptions say which certificates of the peer are accepted.
var trustOptions = []Option{
	{Name: "CAfile", Scope: ServiceScope, Form: "file", Doc: "trusted certificates, in PEM; empty for none",
		parse: text(func(t *target, v string) { t.service.CAfile = v })},
	{Name: "CApath", Scope: ServiceScope, Form: "directory", Doc: "directory with trusted certificates under hashed names; empty for none",
		parse: text(func(t *target, v string) { t.service.Trust.CApath = v })},
	{Name: "checkEmail", Scope: ServiceScope, Form: "address", List: true, Doc: "e-mail address that the peer's certificate may have",
		parse: nonEmpty(func(t *target, v string) { t.service.Trust.CheckEmail = append(t.service.Trust.CheckEmail, v) })},
	{Name: "checkHost", Scope: ServiceScope, Form: "host", List: true,
		Doc:   "host name that the peer's certificate may have",
		parse: nonEmpty(func(t *target, v string) { t.service.CheckHost = append(t.service.CheckHost, v) })},
	{Name: "checkIP", Scope: ServiceScope, Form: "IP", List: true, Doc: "IP address that the peer's certificate may have",
		parse: nonEmpty(func(t *target, v string) { t.service.Trust.CheckIP = append(t.service.Trust.CheckIP, v) })},
	{Name: "requireCert", Scope: ServiceScope, Form: "yes|no", Default: "no", Doc: "require a certificate of the client",
		parse: yesNo(func(t *target, yes bool) {
			t.service.RequireCert = yes
			t.service.RequestCert = t.service.RequestCert || yes
		})},
	{Name: "verify", Scope: ServiceScope, Form: "0-4", Default: "none",
		Doc: "what is asked of the peer's certificate: 0 and 1 take a peer without one; 1, 2 and 3 check the chain; 3 and 4 want a listed copy", parse: parseVerify},
	{Name: "verifyChain", Scope: ServiceScope, Form: "yes|no", Default: "no", Doc: "require a certificate with a chain to a trusted one",
		parse: yesNo(func(t *target, yes bool) {
			t.service.VerifyChain = yes
			if yes {
				t.service.RequestCert, t.service.RequireCert = true, true
			}
		})},
	{Name: "verifyPeer", Scope: ServiceScope, Form: "yes|no", Default: "no",
		Doc: "require a certificate of whose subject and public key CAfile or CApath holds one",
		parse: yesNo(func(t *target, yes bool) {
			t.service.VerifyPeer = yes
			if yes {
				t.service.RequestCert, t.service.RequireCert = true, true
			}
		})},
}
