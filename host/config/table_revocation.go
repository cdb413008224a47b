package config

import "time"

// revocationOptions say how it is found out that a certificate was revoked.
var revocationOptions = []Option{
	{Name: "CRLfile", Scope: ServiceScope, Form: "file", Doc: "revocation lists, in PEM; empty for none",
		parse: text(func(t *target, v string) { t.service.Trust.CRLfile = v })},
	{Name: "CRLpath", Scope: ServiceScope, Form: "directory", Doc: "directory with revocation lists under hashed names; empty for none",
		parse: text(func(t *target, v string) { t.service.Trust.CRLpath = v })},
	{Name: "OCSP", Scope: ServiceScope, Form: "URL", Doc: "responder that is asked about the peer's certificates, by http", parse: parseOCSP},
	{Name: "OCSPaia", Scope: ServiceScope, Form: "yes|no", Default: "no", Doc: "ask the responders that the peer's certificates name",
		parse: yesNo(func(t *target, yes bool) { t.service.OCSP.AIA = yes })},
	{Name: "OCSPflag", Scope: ServiceScope, Form: "flag", List: true, Doc: "check of a response to leave out, by OpenSSL's name",
		parse: keyword("Illegal OCSP flag", ocspFlagNames(), setOCSPFlag)},
	{Name: "OCSPnonce", Scope: ServiceScope, Form: "yes|no", Default: "no", Doc: "send a nonce with each OCSP request and require it back",
		parse: yesNo(func(t *target, yes bool) { t.service.OCSP.Nonce = yes })},
	{Name: "OCSPrequire", Scope: ServiceScope, Form: "yes|no", Default: "yes", Doc: "refuse the peer when no responder gives a conclusive answer",
		parse: yesNo(func(t *target, yes bool) { t.service.OCSP.Require = yes })},
	{Name: "TIMEOUTocsp", Scope: ServiceScope, Form: "seconds", Default: "5 seconds", Doc: "how long to wait for an OCSP responder",
		parse: seconds("OCSP", func(t *target, d time.Duration) { t.service.OCSP.Timeout = d })},
}
