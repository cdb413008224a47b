package config

import (
	"slices"
	"strings"
)

// Trust holds the options about the peer's certificate that have no field of their own in
// Service.
type Trust struct {
	CApath     string   // directory with certificates under hashed names; empty: none
	CRLfile    string   // empty: none
	CRLpath    string   // directory with revocation lists under hashed names; empty: none
	CAengine   []string // names of certificates in tokens
	CAstore    string   // pkcs11: or file: URI, a path, or SystemStore; empty: none
	CheckEmail []string
	CheckIP    []string // as written; what is no address never matches
}

func (t Trust) clone() Trust {
	t.CAengine = slices.Clone(t.CAengine)
	t.CheckEmail, t.CheckIP = slices.Clone(t.CheckEmail), slices.Clone(t.CheckIP)
	return t
}

// Verifies says whether the service judges the certificate of a peer that has one.
func (s *Service) Verifies() bool { return s.VerifyChain || s.VerifyPeer }

// NamesPeer says whether the service asks for a name in the peer's certificate.
func (s *Service) NamesPeer() bool {
	return len(s.CheckHost)+len(s.Trust.CheckEmail)+len(s.Trust.CheckIP) > 0
}

// anchored says whether any option tells which certificates are trusted.
func (t *Trust) anchored(s *Service) bool {
	return s.CAfile != "" || t.CApath != "" || len(t.CAengine) > 0 || t.CAstore != ""
}

// checkTrust returns what a section lacks for verifying its peers.
func checkTrust(s *Service, st *state) Errors {
	var errs Errors
	missing := func(reason, hint string) { errs = append(errs, s.Errorf("", "%s", reason).WithHint("%s", hint)) }
	if s.Verifies() && !s.Trust.anchored(s) && !st.refused("cafile", "caengine", "capath", "castore") {
		hint := "add CAfile = FILE with the certificates of the authorities you trust"
		if !s.VerifyChain {
			hint = "add CAfile = FILE with the certificates of the peers you trust"
		}
		missing(`Either "CAengine", "CAfile" or "CApath" has to be configured`, hint)
	}
	if s.NamesPeer() && !s.Verifies() && !st.refused("verify", "verifychain", "verifypeer") {
		missing(`Either "verifyChain" or "verifyPeer" has to be enabled`, "set verifyChain = yes")
	}
	return append(errs, checkUndone(s, st)...)
}

// checkUndone refuses a yes that the level in a line below it takes back. stunnel goes by the
// level; who reads the section believes that the yes holds.
func checkUndone(s *Service, st *state) (errs Errors) {
	for _, o := range []struct {
		name string
		held bool
	}{{"verifyChain", s.VerifyChain}, {"verifyPeer", s.VerifyPeer}, {"requireCert", s.RequireCert}} {
		name, part := strings.ToLower(o.name), st
		_, level := st.lines["verify"]
		if _, here := st.lines[name]; !here && !level && st.above != nil {
			part = st.above
			_, level = part.lines["verify"]
		}
		if !o.held && level && strings.EqualFold(part.lines[name], "yes") {
			errs = append(errs, s.Errorf(o.name, "the level of verify behind it takes it back").
				WithHint("remove one of the two lines, or let verify come first"))
		}
	}
	return errs
}

// parseVerify sets what each level of the older option stands for. A level replaces
// what the lines before it asked.
func parseVerify(t *target, value string) *Error {
	if len(value) != 1 || value[0] < '0' || value[0] > '4' {
		return refuse("Bad verify level", "one of: 0, 1, 2, 3, 4")
	}
	s, level := t.service, int(value[0]-'0')
	s.Verify, s.RequestCert = level, true
	s.VerifyChain = level >= 1 && level <= 3
	s.RequireCert = level >= 2
	s.VerifyPeer = level >= 3
	return nil
}
