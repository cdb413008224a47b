package config

import "slices"

// keyOptions name our own certificate and key.
var keyOptions = []Option{
	{Name: "cert", Scope: ServiceScope, Form: "file|URI", List: true,
		Doc:   "certificate chain in PEM, maybe with its key, or PKCS#12, or an object in a token; each further line adds a certificate of another kind, such as ECDSA beside RSA",
		parse: file(func(s *Service) (*[]string, *bool) { return &s.Cert, &s.inherited.cert })},
	{Name: "key", Scope: ServiceScope, Form: "file|URI", Default: "the file of cert", List: true,
		Doc:   "private key of a certificate, in PEM or PKCS#12, or in a token; keys find their certificates in any order",
		parse: file(func(s *Service) (*[]string, *bool) { return &s.Key, &s.inherited.key })},
	{Name: "keyPassphraseFile", Scope: ServiceScope, Form: "file",
		Doc:   "file whose first line is the passphrase of encrypted keys; empty: it is asked for on the terminal (not in stunnel)",
		parse: text(func(t *target, v string) { t.service.KeyPassphraseFile = v })},
}

// file takes a path, empty for none, or the name of what is kept elsewhere. The first line in a section forgets what stands before the sections.
func file(list func(*Service) (paths *[]string, inherited *bool)) parser {
	return func(t *target, value string) *Error {
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
