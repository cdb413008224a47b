package config

import "strings"

// keyOptions name our own certificate and key.
var keyOptions = []Option{
	{Name: "cert", Scope: ServiceScope, Form: "file", Doc: "certificate chain, leaf first, in PEM; the key may be in it too",
		parse: file(func(t *target, v string) { t.service.Cert = v })},
	{Name: "engineId", Scope: ServiceScope, Form: "engine_id", Status: Pending, parse: checkFilled,
		Doc: "engine that holds the key", Note: pkcs11Later},
	{Name: "engineNum", Scope: ServiceScope, Form: "number", Status: Pending, parse: checkNumber("Illegal engine number", 1, maxNumber),
		Doc: "engine that holds the key, by number", Note: pkcs11Later},
	{Name: "key", Scope: ServiceScope, Form: "file", Default: "the file of cert", Doc: "private key of the certificate, in PEM",
		parse: file(func(t *target, v string) { t.service.Key = v })},
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
