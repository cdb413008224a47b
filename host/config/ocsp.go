package config

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// OCSP says how it is found out, by asking, whether the peer's certificates were revoked.
type OCSP struct {
	URL     string // OCSP =: asked about each certificate; empty: none
	AIA     bool   // OCSPaia: ask the responders that the certificates name
	Flags   OCSPFlags
	Nonce   bool
	Require bool          // refuse the peer when nobody gives a conclusive answer
	Timeout time.Duration // TIMEOUTocsp: for each responder
}

// OCSPFlags take checks of responses away, one each, as OpenSSL's flags of these names do.
type OCSPFlags uint

// The flags that have an effect. NOCHAIN, NOEXPLICIT and TRUSTOTHER would take away, or
// give, what is never done here: a signer's certificate comes straight from the issuer.
const (
	OCSPNoIntern OCSPFlags = 1 << iota // leave out the certificates that come with a response
	OCSPNoSigs                         // do not check the response's signature
	OCSPNoVerify                       // believe any certificate that comes with a response
	OCSPNoChecks                       // let other certificates of the same authorities sign
)

// ocspFlags are the values of OCSPflag.
var ocspFlags = []struct {
	name string
	flag OCSPFlags
	note string // why there is no effect, or none that a user would want
}{
	{"nocerts", 0, "it is about making responses"},
	{"nointern", OCSPNoIntern, ""},
	{"nosigs", OCSPNoSigs, ""},
	{"nochain", 0, "the signer's certificate comes straight from the issuer anyway"},
	{"noverify", OCSPNoVerify, ""},
	{"noexplicit", 0, "explicit trust is never taken for the issuer's word"},
	{"nocasign", 0, "OpenSSL ignores it too"},
	{"nodelegated", 0, "OpenSSL ignores it too"},
	{"nochecks", OCSPNoChecks, ""},
	{"trustother", 0, "no other certificates are given to trust"},
	{"respid_key", 0, "it is about making responses"},
	{"notime", 0, "it is about making responses"},
}

func ocspFlagNames() []string {
	var names []string
	for _, f := range ocspFlags {
		names = append(names, f.name)
	}
	return names
}

// setOCSPFlag adds a flag. Each is told: without effect, or because somebody on the
// way to the responder can let a revoked certificate pass.
func setOCSPFlag(t *target, i int) {
	f := ocspFlags[i]
	name := strings.ToUpper(f.name)
	switch {
	case f.flag == 0:
		t.note("OCSPflag = " + name + " has no effect: " + f.note)
	case f.flag != OCSPNoIntern:
		t.note("OCSPflag = " + name + " lets others than the issuer of a certificate say that it is good")
	}
	t.service.OCSP.Flags |= f.flag
}

// ErrResponderTLS is ResponderURL's error for https, which would need a verification of
// its own.
var ErrResponderTLS = errors.New("TLS not supported for OCSP - an additional stunnel service needs to be defined")

// ErrResponder is ResponderURL's error for what is no address of a responder.
//
//lint:ignore ST1005 the words are stunnel's
var ErrResponder = errors.New("Failed to parse the OCSP URL")

// ResponderURL reads the address of a responder: [http://]HOST[:PORT][/PATH]. A user's name
// is refused, since addresses are logged.
func ResponderURL(text string) (*url.URL, error) {
	if !strings.Contains(text, "://") {
		text = "http://" + text // as OpenSSL reads it
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, ErrResponder
	}
	if u.Scheme == "https" {
		return nil, ErrResponderTLS
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return nil, ErrResponder
		}
	}
	if u.Scheme != "http" || u.Hostname() == "" || u.User != nil {
		return nil, ErrResponder
	}
	return u, nil
}

func parseOCSP(t *target, value string) *Error {
	u, err := ResponderURL(value)
	if err != nil {
		hint := "write http://HOST[:PORT][/PATH], without a user"
		if errors.Is(err, ErrResponderTLS) {
			hint = "write http: a response is signed, it needs no TLS"
		}
		return refuse(err.Error(), hint)
	}
	t.service.OCSP.URL = u.String()
	return nil
}

// checkOCSP refuses a service that asks about a chain and does not look at it. What
// stands before the first section is for the services that do.
func checkOCSP(s *Service, st *state) *Error {
	if s.VerifyChain || st.refused("verify", "verifychain") {
		return nil
	}
	for _, name := range []string{"OCSP", "OCSPaia"} {
		if _, here := st.lines[strings.ToLower(name)]; here && (name == "OCSP" || s.OCSP.AIA) {
			return s.Errorf(name, `"verifyChain" has to be enabled`).
				WithHint("set verifyChain = yes: whether a certificate was revoked is asked of its issuer, which the chain leads to")
		}
	}
	return nil
}
