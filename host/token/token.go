// Package token signs with keys that stay in a PKCS#11 token: a smart card, an HSM, or
// SoftHSM. A [Source] is a module (the library that talks to tokens) with its PIN; a [URI]
// names an object on a token. Source.Key gives a [Key], a crypto.Signer for crypto/tls, and
// Source.Certificates the certificates beside it.
//
// A module is loaded and initialised once in a process and stays, since C_Initialize and
// the login belong to the process (PKCS#11 2.40, sections 5.4 and 5.6): a second user that
// finalised it would end the sessions of all. What a service holds is a Key. Its last one
// closes the token's sessions, and logs out. After a module is loaded, signing reads no
// file of ours, so it goes on in a chroot; what the module itself opens is its own affair.
//
// A token that was reset or taken out and put back is found again by its serial number and
// label, and logged in to again, a bounded number of times. A PIN that a token refused is
// never sent to it a second time: three tries lock most tokens.
//
// PKCS#11 modules are C libraries, so all this needs cgo. Without it the package builds,
// and Source refuses with ErrNoCgo.
package token

import (
	"errors"
	"time"
)

const (
	// maxSessions bounds the sessions that are open with one token, each of which can sign
	// beside the others: an HSM in the network, with 5 ms a signature, gives 12,800
	// signatures a second through them. A thread of the system waits in each.
	maxSessions = 64

	// maxWait bounds the wait for a session while all are busy. Whoever waited that long
	// is behind thousands of signatures.
	maxWait = 30 * time.Second

	// maxAttempts is how often one signature is tried, with a new login in between.
	maxAttempts = 3

	// repairPause is how long a token that could not be logged in to again is left
	// alone, so that a flood of handshakes does not keep it from coming back.
	repairPause = time.Second

	// repairGap is the least time between two logins. A key that the token never takes
	// for logged in must not keep the sessions of all others from working.
	repairGap = 250 * time.Millisecond

	// doubtPause is how long after a login an error that may mean anything does not lead
	// to the next one. A login ends everybody's sessions, and one bad key must not have
	// its peers do that to the services beside it.
	doubtPause = 10 * time.Second

	// maxObjects is how many certificates one URI can stand for: a CA store in a token
	// has dozens.
	maxObjects = 1024
)

// ErrNoCgo says that the program was built without what modules need.
var ErrNoCgo = errors.New("this program is a static build without cgo, and cannot load PKCS#11 modules; build it with CGO_ENABLED=1")

// ErrPIN is for a PIN that the token refused, or would refuse. It is final.
var ErrPIN = errors.New("the token refuses the PIN, which is not sent again lest it locks")

// ErrNotFound is for a token or an object that is not there.
var ErrNotFound = errors.New("not found")

// A Source is where keys and certificates come from: what the options of an engine or a
// provider say.
type Source struct {
	Module   string // path of the module, or a name for the system's loader
	InitArgs string // given to C_Initialize; NSS takes some
	PIN      string // empty: Ask, unless the URI has one
	Login    bool   // log in before certificates are looked for too

	// Ask gives a PIN that no option has; nil: none can be had. It is called with the
	// token's label, once for a token.
	Ask func(token string) (string, error)

	// Log takes lines of what happens to the token later; nil: nobody. It is the first
	// user's that counts.
	Log func(text string)
}
