// Package ocsp asks responders whether certificates were revoked (RFC 6960), and
// keeps a response about a server's own certificate to staple (RFC 6066, section 8).
//
// A [Checker] is what a service asks about the chain of a peer: the stapled response,
// the configured responder, and those that the certificates name. A [Stapler] fetches for
// the service's own certificate. Both believe a response only after the checks of
// judge: a response comes over plain http, from whoever sits on the way.
package ocsp

import (
	"fmt"
	"time"
)

// A Status is what a responder says of a certificate.
type Status int

const (
	Unknown Status = iota // nothing conclusive, also where nobody answered
	Good
	Revoked
)

func (s Status) String() string { return [...]string{"unknown", "good", "revoked"}[s] }

// An Answer is a response that was checked, about one certificate.
type Answer struct {
	Status     Status
	ThisUpdate time.Time
	NextUpdate time.Time // zero: newer information is there all the time
	RevokedAt  time.Time // for Revoked
	Reason     int       // of the revocation, RFC 5280 section 5.3.1; -1: not said

	raw []byte // the whole response, kept for stapling alone
}

// reasons are the names of RFC 5280's reason codes.
var reasons = map[int]string{
	0: "unspecified", 1: "keyCompromise", 2: "cACompromise", 3: "affiliationChanged", 4: "superseded",
	5: "cessationOfOperation", 6: "certificateHold", 8: "removeFromCRL", 9: "privilegeWithdrawn", 10: "aACompromise",
}

// revocation words a revocation for the log, as stunnel does.
func (a *Answer) revocation() string {
	if a.Reason < 0 {
		return "OCSP: Certificate revoked"
	}
	name, ok := reasons[a.Reason]
	if !ok {
		name = "(UNKNOWN)"
	}
	return fmt.Sprintf("OCSP: Certificate revoked: %d: %s", a.Reason, name)
}

// Bounds of what a peer's certificate or a responder can make us do.
const (
	// maxResponse is the longest response, in bytes, as in OpenSSL. Real ones have up to 5 KiB.
	maxResponse = 100 << 10
	// maxHeader is the longest header of a responder's HTTP answer, in bytes.
	maxHeader = 16 << 10
	// maxResponders is how many responders of one certificate are asked: a CA names one,
	// seldom two. Each may take TIMEOUTocsp.
	maxResponders = 4
	// maxURL is the longest address of a responder, in bytes.
	maxURL = 1 << 10
	// maxSigners is how many certificates of a response are looked at.
	maxSigners = 16
	// maxAnswers is how many answers a service keeps, a few hundred bytes each.
	maxAnswers = 1024
)

// How far the clocks of responders may be off, as in stunnel, and how old answers may be.
const (
	slack       = 60 * time.Second
	stapleSlack = 30 * time.Second // a server has its time to renew a staple

	// maxAge is how long a "good" without nextUpdate counts. Its responder says that it always
	// has something newer (RFC 6960, section 4.2.2.1). Browsers give it a day too.
	maxAge = 24 * time.Hour
)
