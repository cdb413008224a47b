package config

import (
	"slices"
	"strings"
)

// A TLSOption is a name that options = can set, with what it leads to.
type TLSOption struct {
	Name   string
	Status Status
	Note   string // NoOp: why it has no effect; Refused: why it cannot be had; Works: what to know
}

// Why an option of OpenSSL has no effect here.
const (
	forOldPeers   = "it works around a fault of peers that no longer exist, and of SSL versions that do not exist here"
	forDTLS       = "it is about DTLS, which does not exist here"
	forFiniteDH   = "key exchange is by elliptic curves, with a fresh key each time"
	stillSafe     = "it asks for less safety than there is here; the safe behaviour stays"
	alwaysTrue    = "it always holds"
	noCompression = "there is no TLS compression"
	noEarlyData   = "there is no early data (0-RTT) that could be replayed"
	ownOrder      = "the order of suites is fixed by crypto/tls, which prefers what is safe and then what is fast"
	neverResumed  = "a connection that renegotiates resumes no session"
	kernelTLS     = "records are encrypted in the program, not in the kernel"
)

// TLSOptions lists the names of options =, as OpenSSL 3 knows them without SSL_OP_. It
// is never changed.
var TLSOptions = []TLSOption{
	{"ALL", NoOp, forOldPeers},
	{"ALLOW_CLIENT_RENEGOTIATION", NoOp, "a client that wants to renegotiate is cut off"},
	{"ALLOW_NO_DHE_KEX", NoOp, "sessions are resumed with a fresh key exchange"},
	{"ALLOW_UNSAFE_LEGACY_RENEGOTIATION", NoOp, stillSafe},
	{"CIPHER_SERVER_PREFERENCE", NoOp, ownOrder},
	{"CISCO_ANYCONNECT", NoOp, forDTLS},
	{"CLEANSE_PLAINTEXT", NoOp, "plain text stays in buffers of this process alone"},
	{"COOKIE_EXCHANGE", NoOp, forDTLS},
	{"CRYPTOPRO_TLSEXT_BUG", NoOp, "GOST suites do not exist here"},
	{"DISABLE_TLSEXT_CA_NAMES", NoOp, "the names of authorities are sent to clients only in the certificate request"},
	{"DONT_INSERT_EMPTY_FRAGMENTS", NoOp, "TLS 1.0 records are split to guard against BEAST, which no current peer minds"},
	{"ENABLE_KTLS", NoOp, kernelTLS},
	{"ENABLE_KTLS_TX_ZEROCOPY_SENDFILE", NoOp, kernelTLS},
	{"ENABLE_MIDDLEBOX_COMPAT", Works, alwaysTrue},
	{"EPHEMERAL_RSA", NoOp, forOldPeers},
	{"IGNORE_UNEXPECTED_EOF", NoOp, "a peer's end without close_notify is told apart whatever this says"},
	{"LEGACY_EC_POINT_FORMATS", NoOp, "points are always sent uncompressed"},
	{"LEGACY_SERVER_CONNECT", Works, "a client accepts servers without secure renegotiation, of TLS 1.2 and older"},
	{"MICROSOFT_BIG_SSLV3_BUFFER", NoOp, forOldPeers},
	{"MICROSOFT_SESS_ID_BUG", NoOp, forOldPeers},
	{"MSIE_SSLV2_RSA_PADDING", NoOp, forOldPeers},
	{"NETSCAPE_CA_DN_BUG", NoOp, forOldPeers},
	{"NETSCAPE_CHALLENGE_BUG", NoOp, forOldPeers},
	{"NETSCAPE_DEMO_CIPHER_CHANGE_BUG", NoOp, forOldPeers},
	{"NETSCAPE_REUSE_CIPHER_CHANGE_BUG", NoOp, forOldPeers},
	{"NO_ANTI_REPLAY", NoOp, noEarlyData},
	{"NO_COMPRESSION", Works, noCompression},
	{"NO_DTLS_MASK", NoOp, forDTLS},
	{"NO_DTLSv1", NoOp, forDTLS},
	{"NO_DTLSv1_2", NoOp, forDTLS},
	{"NO_ENCRYPT_THEN_MAC", NoOp, "encrypt-then-MAC does not exist here; suites with AEAD do not need it"},
	{"NO_EXTENDED_MASTER_SECRET", NoOp, stillSafe},
	{"NO_QUERY_MTU", NoOp, forDTLS},
	{"NO_RENEGOTIATION", Works, "a server that wants to renegotiate is cut off; a client always is"},
	{"NO_RESUMPTION_ON_RENEGOTIATION", Works, neverResumed},
	{"NO_RX_CERTIFICATE_COMPRESSION", Works, "certificates are never compressed"},
	{"NO_SESSION_RESUMPTION_ON_RENEGOTIATION", Works, neverResumed},
	{"NO_SSL_MASK", Refused, "it would leave no TLS version; name the ones to turn off: NO_TLSv1, NO_TLSv1_1, NO_TLSv1_2, NO_TLSv1_3"},
	{"NO_SSLv2", Works, alwaysTrue},
	{"NO_SSLv3", Works, alwaysTrue},
	{"NO_TICKET", Works, "a server keeps sessions itself, within sessionCacheSize; a TLS 1.2 client resumes none"},
	{"NO_TLSv1", Works, "raises the lowest version"},
	{"NO_TLSv1_1", Works, "raises the lowest version"},
	{"NO_TLSv1_2", Works, "raises the lowest version, or lowers the highest with NO_TLSv1_3"},
	{"NO_TLSv1_3", Works, "lowers the highest version"},
	{"NO_TX_CERTIFICATE_COMPRESSION", Works, "certificates are never compressed"},
	{"PKCS1_CHECK_1", NoOp, forOldPeers},
	{"PKCS1_CHECK_2", NoOp, forOldPeers},
	{"PREFER_NO_DHE_KEX", NoOp, stillSafe},
	{"PRIORITIZE_CHACHA", NoOp, ownOrder},
	{"SAFARI_ECDHE_ECDSA_BUG", NoOp, forOldPeers},
	{"SINGLE_DH_USE", NoOp, forFiniteDH},
	{"SINGLE_ECDH_USE", Works, alwaysTrue},
	{"SSLEAY_080_CLIENT_DH_BUG", NoOp, forOldPeers},
	{"SSLREF2_REUSE_CERT_TYPE_BUG", NoOp, forOldPeers},
	{"TLS_BLOCK_PADDING_BUG", NoOp, forOldPeers},
	{"TLS_D5_BUG", NoOp, forOldPeers},
	{"TLSEXT_PADDING", NoOp, forOldPeers},
	{"TLS_ROLLBACK_BUG", NoOp, forOldPeers},
}

// nearestTLSOption gives the name that a wrong one was meant for, as NO_TLSv1_1 for
// NO_TLSv1.1; empty if none is one letter off. Another digit is another version, not a
// slip.
func nearestTLSOption(name string) string {
	if len(name) > 64 {
		return ""
	}
	for _, o := range TLSOptions {
		if distance(strings.ToUpper(name), strings.ToUpper(o.Name)) == 1 && digits(name) == digits(o.Name) {
			return o.Name
		}
	}
	return ""
}

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// parseTLSOption takes a name, in any case of letters, or one to clear with a minus
// before it. What is set and cleared is settled when the section ends.
func parseTLSOption(t *target, value string) *Error {
	name, minus := strings.CutPrefix(value, "-")
	i := slices.IndexFunc(TLSOptions, func(o TLSOption) bool { return strings.EqualFold(o.Name, name) })
	if i < 0 {
		hint := "-options lists the names; each line sets one"
		if bare, ok := strings.CutPrefix(strings.ToUpper(name), "SSL_OP_"); ok {
			hint = "write the name without SSL_OP_: " + bare
		} else if near := nearestTLSOption(name); near != "" {
			hint = "did you mean " + near + "? " + hint
		}
		return refuse("Illegal TLS option", hint)
	}
	o := TLSOptions[i]
	sign := ""
	switch {
	case minus:
		sign = "-"
		if o.Status == Works && !narrowsOrTicket(o.Name) {
			t.note("options = -" + o.Name + " has no effect: " + o.Name + " always holds")
		}
	case o.Status == Refused:
		return refuse("TLS option "+o.Name+" is not supported", o.Note)
	case o.Status == NoOp:
		t.note("options = " + o.Name + " has no effect: " + o.Note)
	}
	t.service.TLSOptions = append(t.service.TLSOptions, sign+o.Name)
	return nil
}

// narrowsOrTicket tells the options that are more than a statement of what holds.
func narrowsOrTicket(name string) bool {
	return name == "NO_TICKET" || name == "NO_RENEGOTIATION" || name == "LEGACY_SERVER_CONNECT" || strings.HasPrefix(name, "NO_TLSv1")
}
