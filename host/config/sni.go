package config

import "strings"

// SplitSNI reads the sni of a server: SERVICE:PATTERN.
func (s *Service) SplitSNI() (primary, pattern string, ok bool) {
	if s.Client || !s.SNISet {
		return "", "", false
	}
	return strings.Cut(s.SNI, ":")
}

// checkSNI looks at sni, whose meaning depends on the side that speaks TLS.
func checkSNI(s *Service) *Error {
	if !s.SNISet || s.Client {
		return nil
	}
	if _, _, ok := s.SplitSNI(); !ok {
		return s.Errorf("", "Invalid SNI parameter format").
			WithHint("in server mode write sni = SERVICE:PATTERN; for the name that a client asks for add client = yes")
	}
	return nil
}

// checkPrimary finds the section that a secondary service hangs on, which comes before
// it, as in stunnel.
func checkPrimary(s *Service, before []*Service) *Error {
	name, _, ok := s.SplitSNI()
	if !ok {
		return nil
	}
	for _, p := range before {
		if p.Name != name {
			continue
		}
		if _, _, second := p.SplitSNI(); second || p.Client {
			return s.Errorf("sni", "SNI section name not found").
				WithHint("[%s] is no server with an accept of its own", name)
		}
		return nil
	}
	return s.Errorf("sni", "SNI section name not found").
		WithHint("write sni = SERVICE:PATTERN with the name of a section above this one")
}
