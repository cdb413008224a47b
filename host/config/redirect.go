package config

import (
	"slices"
	"strings"
)

// redirectsNever are the protocols whose server mode connects to the target before the
// handshake: when the certificate is seen it is too late to lead the client elsewhere.
var redirectsNever = []string{"smtp", "pop3", "imap", "nntp", "ldap", "mysql", "ftp", "lmtp", "sieve", "xmpp"}

// checkRedirect looks at redirect, which says what happens to a client whose certificate
// was looked at and did not pass. What is wrong is worded as in stunnel.
func checkRedirect(s *Service, st *state) *Error {
	switch {
	case len(s.Redirect) == 0:
	case s.Client && !st.refused("client"):
		return s.Errorf("redirect", `"redirect" is unsupported in client sections`).
			WithHint("remove the line, or client = yes")
	case slices.Contains(redirectsNever, strings.ToLower(s.Protocol)):
		return s.Errorf("redirect", `"redirect" is incompatible with the specified protocol negotiation`).
			WithHint("protocol = %s connects before the client's certificate is known: remove one of the two", s.Protocol)
	case !s.Verifies() && !st.refused("verify", "verifychain", "verifypeer"):
		return s.Errorf("redirect", `Either "verifyChain" or "verifyPeer" has to be enabled for "redirect" to work`).
			WithHint("add verifyChain = yes with a CAfile, or remove the line")
	}
	return nil
}
