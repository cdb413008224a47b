package service

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/token"
)

// tokens are the keys of one Set that are in PKCS#11 tokens: what tlsconf asks for what
// is in no file. They are closed with the Set; modules and logins that the next Set uses
// as well stay as they are.
type tokens struct {
	global *config.Global
	log    *logging.Logger
	ask    func(token string) (string, error) // nil: nobody can be asked for a PIN
	keys   []*token.Key
}

// check refuses engines and providers in a build that cannot have them, whether a service
// uses them or not.
func (t *tokens) check() config.Errors {
	if token.Available {
		return nil
	}
	var errs config.Errors
	for _, e := range slices.Concat(t.global.Engines, t.global.Providers) {
		errs = append(errs, e.Place.Errorf("%v", token.ErrNoCgo))
	}
	return errs
}

// Holds tells whether a value of cert, key, CAengine or CAstore names an object in a
// token. The forms of old need an engine, as in stunnel: without one they are file names.
func (t *tokens) Holds(s *config.Service, value string) bool {
	return token.IsURI(value) || s.Engine > 0 && token.IsID(value)
}

// find gives what a value names, and where it is.
func (t *tokens) find(s *config.Service, value string) (token.Source, token.URI, error) {
	parse := token.ParseID
	if token.IsURI(value) {
		parse = token.ParseURI
	}
	u, err := parse(value)
	if err != nil {
		return token.Source{}, u, err
	}
	e, err := t.engine(s, u)
	if err != nil {
		return token.Source{}, u, err
	}
	src := token.Source{Module: e.Module, InitArgs: e.InitArgs, PIN: e.PIN, Login: e.Login, Ask: t.ask,
		Log: func(text string) { t.log.Noticef("%s", text) }}
	if e.PINSource != "" && u.PIN == "" && u.PINSource == "" {
		u.PINSource = e.PINSource
	}
	return src, u, nil
}

// engine is what engineId says, or the only one that there is. A URI's own module gets the
// PIN of an engine alone that is about the same module: others might lock a token with it.
func (t *tokens) engine(s *config.Service, u token.URI) (config.Engine, error) {
	all := slices.Concat(t.global.Engines, t.global.Providers)
	if s.Engine > 0 {
		all = t.global.Engines[s.Engine-1 : s.Engine]
	}
	if u.ModulePath != "" {
		all = slices.DeleteFunc(slices.Clone(all), func(e config.Engine) bool {
			return e.Module != "" && filepath.Clean(e.Module) != filepath.Clean(u.ModulePath)
		})
	}
	switch {
	case len(all) == 1 || len(all) > 1 && u.ModulePath != "":
		return all[0], nil
	case len(all) > 1:
		return config.Engine{}, errors.New("several engines are defined: say which with engineId or engineNum")
	}
	return config.Engine{}, nil
}

// Certificates gives those that a value of cert stands for. A key needs none: what lies
// beside it in the token may be older than the file that cert names.
func (t *tokens) Certificates(s *config.Service, value string) ([][]byte, error) {
	if !slices.Contains(s.Cert, value) {
		return nil, nil
	}
	src, u, err := t.find(s, value)
	if err != nil {
		return nil, err
	}
	certs, err := src.Certificates(u)
	if err != nil {
		return nil, hinted(err, src, u)
	}
	chain := chainOf(certs)
	if chain == nil {
		return nil, fmt.Errorf("%d certificates fit %v: say which with id= or object=", len(certs), u)
	}
	return chain, nil
}

// chainOf puts certificates in a row, the leaf first, each issuer after what it issued;
// nil: they are of more than one leaf.
func chainOf(certs []*x509.Certificate) [][]byte {
	issued := func(by, c *x509.Certificate) bool { return by != c && bytes.Equal(by.RawSubject, c.RawIssuer) }
	var leaf *x509.Certificate
	for _, c := range certs {
		if slices.ContainsFunc(certs, func(other *x509.Certificate) bool { return issued(c, other) }) {
			continue
		}
		if leaf != nil {
			return nil
		}
		leaf = c
	}
	var chain [][]byte
	for range certs { // no more, also where two issued each other
		if leaf == nil {
			break
		}
		chain = append(chain, leaf.Raw)
		i := slices.IndexFunc(certs, func(c *x509.Certificate) bool { return issued(c, leaf) })
		if i < 0 {
			break
		}
		leaf = certs[i]
	}
	return chain
}

// Trusted gives the certificates that a value of CAengine or CAstore stands for.
func (t *tokens) Trusted(s *config.Service, value string) ([]*x509.Certificate, error) {
	src, u, err := t.find(s, value)
	if err != nil {
		return nil, err
	}
	certs, err := src.Certificates(u)
	return certs, hinted(err, src, u)
}

// Key opens a private key.
func (t *tokens) Key(s *config.Service, value string, candidates []crypto.PublicKey) (crypto.Signer, error) {
	src, u, err := t.find(s, value)
	if err != nil {
		return nil, err
	}
	if u.Type == "cert" && slices.Contains(s.Cert, value) {
		u.Type = "" // key takes after cert where it says nothing itself
	}
	if u.PINSource != "" && token.Exposed(u.PINSource) {
		t.log.Warnf("Insecure file permissions on %s", u.PINSource)
	}
	k, err := src.Key(u, candidates)
	if errors.Is(err, token.ErrPIN) && t.ask != nil {
		// Nobody should type the wrong one once more for each service, until the token locks.
		t.ask = func(string) (string, error) { return "", errors.New("a PIN was refused before") }
	}
	if err != nil {
		return nil, hinted(err, src, u)
	}
	t.keys = append(t.keys, k)
	return k, nil
}

// hinted tells how to see what a token has, where it has not what was asked for.
func hinted(err error, src token.Source, u token.URI) error {
	if !errors.Is(err, token.ErrNotFound) {
		return err
	}
	return (&config.Error{Reason: err.Error()}).WithHint("p11tool --provider %s --list-all prints what there is, with --login the private keys too",
		cmp.Or(u.ModulePath, src.Module, "MODULE"))
}

// close gives the keys up. Nobody may sign any more.
func (t *tokens) close() {
	for _, k := range t.keys {
		k.Close()
	}
	t.keys = nil
}

// looksLikeID is a hint for a file that is not there because its name is an object's.
func looksLikeID(s *config.Service) bool {
	return s.Engine == 0 && slices.ContainsFunc(slices.Concat(s.Cert, s.Key), func(v string) bool {
		return token.IsID(v) && !strings.ContainsAny(v, `/\.`)
	})
}
