package config

import (
	"slices"
	"strings"
)

// keyOptions name our own certificate and key.
var keyOptions = []Option{
	{Name: "cert", Scope: ServiceScope, Form: "file", List: true,
		Doc:   "certificate chain in PEM, maybe with its key, or PKCS#12; each further line adds a certificate of another kind, such as ECDSA beside RSA",
		parse: file(func(s *Service) (*[]string, *bool) { return &s.Cert, &s.inherited.cert })},
	{Name: "engineId", Scope: ServiceScope, Form: "engine_id", Status: Pending, parse: checkFilled,
		Doc: "engine that holds the key", Note: pkcs11Later},
	{Name: "engineNum", Scope: ServiceScope, Form: "number", Status: Pending, parse: checkNumber("Illegal engine number", 1, maxNumber),
		Doc: "engine that holds the key, by number", Note: pkcs11Later},
	{Name: "key", Scope: ServiceScope, Form: "file", Default: "the file of cert", List: true,
		Doc:   "private key of a certificate, in PEM or PKCS#12; keys find their certificates in any order",
		parse: file(func(s *Service) (*[]string, *bool) { return &s.Key, &s.inherited.key })},
}

// file takes a path, empty for none; keys outside of files cannot be read yet. The
// first line in a section forgets what stands before the sections.
func file(list func(*Service) (paths *[]string, inherited *bool)) parser {
	return func(t *target, value string) *Error {
		if len(value) >= len("pkcs11:") && strings.EqualFold(value[:len("pkcs11:")], "pkcs11:") {
			return refuse(notYet, pkcs11Later)
		}
		paths, inherited := list(t.service)
		if *inherited || value == "" {
			*paths, *inherited = nil, false
		}
		if value != "" && !slices.Contains(*paths, value) {
			*paths = append(*paths, value)
		}
		return nil
	}
}
