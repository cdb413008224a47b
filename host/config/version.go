package config

import (
	"fmt"
	"slices"
	"strings"
)

var versions = []Version{TLS10, TLS11, TLS12, TLS13}

// String gives the name that a configuration file uses; "all" for 0.
func (v Version) String() string {
	switch v {
	case 0:
		return "all"
	case TLS10:
		return "TLSv1"
	case TLS11, TLS12, TLS13:
		return fmt.Sprintf("TLSv1.%d", v-TLS10)
	}
	return fmt.Sprintf("0x%04x", uint16(v))
}

// version takes a protocol version by its name, in any case of letters.
func version(store func(t *target, v Version)) parser {
	return func(t *target, value string) *Error {
		switch strings.ToLower(value) {
		case "all":
			store(t, 0)
		case "tlsv1", "tlsv1.0":
			store(t, TLS10)
		case "tlsv1.1":
			store(t, TLS11)
		case "tlsv1.2":
			store(t, TLS12)
		case "tlsv1.3":
			store(t, TLS13)
		case "sslv2", "sslv3":
			return refuse("Invalid protocol version", "SSLv2 and SSLv3 do not exist here; the lowest version is TLSv1")
		default:
			return refuse("Invalid protocol version", "one of: all, TLSv1, TLSv1.1, TLSv1.2, TLSv1.3")
		}
		return nil
	}
}

// settleTLS joins what a section says of the handshake.
func settleTLS(s *Service) Errors {
	errs := settleOffer(s)
	settleRenegotiation(s)
	if e := settleVersions(s); e != nil {
		errs = append(errs, e)
	}
	if e := s.settleTLS13(); e != nil {
		errs = append(errs, e)
	}
	return errs
}

// noVersion are the options that turn versions off, in the order of versions.
var noVersion = []string{"NO_TLSv1", "NO_TLSv1_1", "NO_TLSv1_2", "NO_TLSv1_3"}

// tlsOption tells whether an option is set. As in stunnel, clearing wins over setting
// wherever the lines stand.
func (s *Service) tlsOption(name string) bool {
	return slices.Contains(s.TLSOptions, name) && !slices.Contains(s.TLSOptions, "-"+name)
}

// settleRenegotiation tells servers that what they allow does not happen, and clients which
// servers they may have.
func settleRenegotiation(s *Service) {
	if _, said := s.Pos["renegotiation"]; said && s.Renegotiation && !s.Client {
		s.warn("cuts off clients that want to renegotiate, in spite of renegotiation = yes")
	}
	s.Renegotiation = s.Renegotiation && s.Client && !s.tlsOption("NO_RENEGOTIATION")
	s.LegacyServers = s.tlsOption("LEGACY_SERVER_CONNECT")
}

// settleVersions joins the version options of a section with its NO_ options and its
// security level.
func settleVersions(s *Service) *Error {
	var disabled []Version
	s.NoTicket = s.tlsOption("NO_TICKET")
	for i, name := range noVersion {
		if s.tlsOption(name) {
			disabled = append(disabled, versions[i])
		}
	}
	floor := DefaultMinVersion
	if s.SecurityLevel == 0 {
		floor = TLS10
	}
	low, high, problem := narrow(s.MinVersion, s.MaxVersion, disabled, floor)
	if problem != "" {
		return s.Errorf("", "%s", problem).
			WithHint("let sslVersionMin, sslVersionMax and the NO_TLSv1 options leave versions that follow each other")
	}
	switch {
	case s.MinVersion != 0 && s.MinVersion < floor && low >= floor:
		s.warn("allows nothing below %v: older versions need securityLevel = 0", floor)
	case low != 0 && low < DefaultMinVersion:
		s.warn("allows %v, which is weak", low)
	}
	s.MinVersion, s.MaxVersion = low, high
	return nil
}

// narrow makes one range of versions from what sslVersion, sslVersionMin, sslVersionMax
// and the NO_TLSv1 options ask; crypto/tls knows no other shape. Versions below the
// floor, which is the security level's, are in the range only if nothing else is left of
// what was asked: a file that says sslVersionMin = TLSv1 has never got less than the floor
// from a stunnel with OpenSSL 3. Nothing asked stays 0. A problem is a reason for an [Error].
func narrow(lowest, highest Version, disabled []Version, floor Version) (low, high Version, problem string) {
	top := highest
	if top == 0 {
		top = DefaultMaxVersion
	}
	var left []Version
	for _, v := range versions {
		if v >= lowest && v <= top && !slices.Contains(disabled, v) {
			left = append(left, v)
		}
	}
	if i := slices.IndexFunc(left, func(v Version) bool { return v >= floor }); i > 0 {
		left = left[i:]
	}
	if len(left) == 0 {
		return 0, 0, "Invalid protocol version range"
	}
	low, high = left[0], left[len(left)-1]
	if int(high-low) != len(left)-1 {
		return 0, 0, fmt.Sprintf("TLS versions %v to %v with a gap between them are not possible", low, high)
	}
	if lowest == 0 && low == DefaultMinVersion {
		low = 0
	}
	if highest == 0 && high == DefaultMaxVersion {
		high = 0
	}
	return low, high, ""
}
