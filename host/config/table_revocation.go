package config

// revocationOptions say how it is found out that a certificate was revoked.
var revocationOptions = []Option{
	{Name: "CRLfile", Scope: ServiceScope, Form: "file", Doc: "revocation lists, in PEM; empty for none",
		parse: text(func(t *target, v string) { t.service.Trust.CRLfile = v })},
	{Name: "CRLpath", Scope: ServiceScope, Form: "directory", Doc: "directory with revocation lists under hashed names; empty for none",
		parse: text(func(t *target, v string) { t.service.Trust.CRLpath = v })},
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
	{Name: "TIMEOUTocsp", Scope: ServiceScope, Form: "seconds", Default: "5 seconds", Status: Pending, same: []string{"5"},
		parse: checkNumber("Illegal OCSP timeout", 0, maxNumber), Doc: "how long to wait for an OCSP responder"},
}
