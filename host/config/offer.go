package config

import (
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/host/suite"
)

// An Offer is what a service brings into a handshake besides certificates and versions.
type Offer struct {
	Suites       []*suite.Suite // what ciphers chooses at the security level, best first, also what crypto/tls lacks
	CipherSuites []uint16       // those of them that crypto/tls is to use
	Groups       []tls.CurveID  // nil: those of crypto/tls
	Warnings     []string       // what is left out of what was asked, each to be logged once

	ciphers      string // as written; empty: stunnel's default
	ciphersuites string // empty: not said
	curves       string // empty: not said
}

// The defaults of stunnel's ciphers, of 5.68, of 5.28 and of FIPS mode. A file that states
// them asks for what is done without the line.
const (
	stunnelCiphers    = "HIGH:!aNULL:!SSLv2:!DH:!kDHEPSK"
	stunnelOldCiphers = "HIGH:+3DES:+DH:!aNULL:!SSLv2"
	stunnelFIPS       = "FIPS:!DH:!kDHEPSK"
)

// stunnelCurves is the default of its curves.
const stunnelCurves = "X25519:P-256:X448:P-521:P-384"

// DefaultSecurityLevel is OpenSSL's on Debian, and stunnel's.
const DefaultSecurityLevel = 2

const ciphersHint = "openssl ciphers 'LIST' shows what a list means; without the line the suites are stunnel's own"

const orderNote = "the order that the ciphers have in the list has no effect: " + ownOrder

func parseCiphers(t *target, value string) *Error {
	l, err := suite.Parse(value)
	switch {
	case errors.Is(err, suite.ErrNone):
		return refuse("no cipher match: "+nothing(value, l.Unknown), ciphersHint)
	case err != nil:
		return refuse(err.Error(), ciphersHint)
	}
	t.service.Offer.ciphers = value
	if l.Ordered && value != stunnelOldCiphers {
		t.note(orderNote)
	}
	return nil
}

// nothing says why a list of names is worth nothing.
func nothing(value string, unknown []string) string {
	if len(unknown) > 0 {
		return "no suite is called " + few(unknown)
	}
	return fmt.Sprintf("%q leaves no suite", value)
}

const suites13Hint = "name all three of TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256, " +
	"remove the line, or do without TLS 1.3: sslVersionMax = TLSv1.2"

func parseCiphersuites(t *target, value string) *Error {
	if value == "" {
		return refuse("without a suite there is no TLS 1.3", "write that as sslVersionMax = TLSv1.2, or remove the line")
	}
	if _, err := suite.ParseTLS13(value); err != nil {
		return refuse(err.Error()+": "+nothing(value, strings.Split(value, ":")), suites13Hint)
	}
	t.service.Offer.ciphersuites = value
	return nil
}

func parseCurves(t *target, value string) *Error {
	if _, err := suite.ParseGroups(value); err != nil {
		return refuse("Invalid groups list in 'curves': "+strings.TrimPrefix(err.Error(), suite.ErrGroups.Error()+": "),
			"put colons between names out of "+suite.GroupNames)
	}
	t.service.Offer.curves = value
	return nil
}

// settleOffer turns the lists into what crypto/tls is told, when the section ends, and
// settles its security level.
func settleOffer(s *Service) Errors {
	var errs Errors
	add := func(e *Error) {
		if e != nil {
			errs = append(errs, e)
		}
	}
	s.Offer.Warnings = nil
	add(s.settleCiphers())
	add(s.settleGroups())
	return errs
}

func (s *Service) warn(format string, args ...any) {
	s.Offer.Warnings = append(s.Offer.Warnings, "Service ["+s.Name+"] "+fmt.Sprintf(format, args...))
}

func (s *Service) settleCiphers() *Error {
	o := &s.Offer
	text := o.ciphers
	stated := text != "" && !slices.Contains([]string{stunnelCiphers, stunnelOldCiphers, stunnelFIPS}, text)
	if !stated {
		text = stunnelCiphers
	}
	l, err := suite.Parse(text)
	if err != nil {
		return s.Errorf("ciphers", "%v", err).WithHint(ciphersHint)
	}
	if l.Level >= 0 {
		s.SecurityLevel = l.Level
	}
	_, secrets := s.Pos["psksecrets"]
	o.Suites, o.CipherSuites = nil, []uint16{}
	var dropped []*suite.Suite
	var timed []*suite.Suite
	psk := false
	for _, c := range l.Suites {
		if !c.AllowedAt(s.SecurityLevel) {
			continue
		}
		o.Suites = append(o.Suites, c)
		switch {
		case c.PSK():
			psk = true
		case c.Exists() && c.TimesMAC() && !l.Named(c):
			timed = append(timed, c)
		case c.Exists():
			o.CipherSuites = append(o.CipherSuites, c.ID)
		case c.Usable():
			dropped = append(dropped, c)
		}
	}
	switch {
	case len(o.Suites) == 0:
		return s.Errorf("ciphers", "no cipher match: security level %d leaves nothing of %s", s.SecurityLevel, few(suite.Names(l.Suites))).
			WithHint("lower securityLevel, or choose stronger suites")
	case len(o.CipherSuites) == 0 && !(psk && secrets):
		hint := "choose some of these, or remove the line: the suites are stunnel's own then"
		if psk && !slices.ContainsFunc(o.Suites, func(c *suite.Suite) bool { return !c.PSK() }) {
			hint = "suites with PSK need PSKsecrets = FILE; else " + hint
		}
		return s.Errorf("ciphers", "no cipher match: here is none of %s; there are %s",
			few(suite.Names(o.Suites)), strings.Join(existingAt(s.SecurityLevel), ", ")).WithHint("%s", hint)
	}
	if !stated {
		return nil
	}
	if len(l.Unknown) > 0 {
		s.warn("ciphers names what does not exist: %s", strings.Join(l.Unknown, ", "))
	}
	if len(dropped) > 0 {
		s.warn("ciphers that do not exist here are left out: %s", few(suite.Names(dropped)))
	}
	if len(timed) > 0 {
		s.warn("ciphers that leak by the time they take (Lucky Thirteen) are used only if each is named: %s", few(suite.Names(timed)))
	}
	return nil
}

// few joins names, and leaves out most of many: what was asked stands in its line, and
// openssl ciphers tells all of it.
func few(names []string) string {
	const most = 8
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// existingAt names the suites of crypto/tls that a level admits.
func existingAt(level int) []string {
	all, err := suite.Parse("ALL:ECDHE-ECDSA-RC4-SHA:ECDHE-RSA-RC4-SHA:RC4-SHA:ECDHE-RSA-DES-CBC3-SHA:DES-CBC3-SHA")
	if err != nil {
		return nil
	}
	return suite.Names(slices.DeleteFunc(all.Suites, func(c *suite.Suite) bool { return !c.Exists() || !c.AllowedAt(level) }))
}

func (s *Service) settleGroups() *Error {
	o := &s.Offer
	o.Groups = nil
	if o.curves == "" || o.curves == stunnelCurves {
		if s.SecurityLevel > 3 {
			o.Groups = suite.StrongGroups(s.SecurityLevel)
		}
		return nil
	}
	list, err := suite.ParseGroups(o.curves)
	if err != nil {
		return s.Errorf("curves", "Invalid groups list in 'curves': %v", err).WithHint("put colons between names out of %s", suite.GroupNames)
	}
	var dropped []string
	for _, g := range list {
		switch {
		case g.ID == 0:
			dropped = append(dropped, g.Name)
		case g.Bits >= suite.MinBits(s.SecurityLevel):
			o.Groups = append(o.Groups, g.ID)
		}
	}
	if len(o.Groups) == 0 {
		reason := "none of the groups in 'curves' exists here"
		if len(dropped) < len(list) {
			reason = fmt.Sprintf("security level %d leaves none of the groups in 'curves'", s.SecurityLevel)
		}
		return s.Errorf("curves", "%s", reason).WithHint("choose some of %s", suite.GroupNames)
	}
	if len(dropped) > 0 {
		s.warn("curves that do not exist here are left out: %s", strings.Join(dropped, ", "))
	}
	return nil
}

// settleTLS13 refuses what would restrict the suites of TLS 1.3: crypto/tls takes all
// three whatever it is told, so that the line would promise what does not hold.
func (s *Service) settleTLS13() *Error {
	if s.MaxVersion != 0 && s.MaxVersion < TLS13 {
		return nil
	}
	if s.SecurityLevel > 3 {
		option := "securityLevel"
		if _, ok := s.Pos["securitylevel"]; !ok {
			option = "ciphers"
		}
		return s.Errorf(option, "security level %d is not possible with TLS 1.3: its suites cannot be restricted, and TLS_AES_128_GCM_SHA256 is too weak", s.SecurityLevel).
			WithHint("add sslVersionMax = TLSv1.2, or lower the level to 3")
	}
	if s.Offer.ciphersuites == "" {
		return nil
	}
	l, err := suite.ParseTLS13(s.Offer.ciphersuites)
	switch {
	case err != nil:
		return s.Errorf("ciphersuites", "%v", err).WithHint(suites13Hint)
	case len(l.Missing) > 0:
		return s.Errorf("ciphersuites", "the suites of TLS 1.3 cannot be restricted here: %s would be used all the same", strings.Join(l.Missing, ", ")).
			WithHint(suites13Hint)
	}
	if left := slices.Concat(l.Dropped, l.Unknown); len(left) > 0 {
		s.warn("ciphersuites that do not exist here are left out: %s", strings.Join(left, ", "))
	}
	return nil
}
