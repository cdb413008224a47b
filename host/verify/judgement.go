package verify

import (
	"crypto/tls"
	"crypto/x509"
	"slices"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
)

// Reasons that are forgiven about the peer's own certificate where it only has to be the
// one that is listed.
const (
	reasonSelfSigned = "self-signed certificate"
	reasonNoIssuer   = "unable to get local issuer certificate"
	reasonNoLeaf     = "unable to verify the first certificate"
	reasonBadSigned  = "certificate signature failure"
)

// A judgement is one run of a Verifier over a connection's certificates. Its steps and
// their order are OpenSSL's, with stunnel's callback in fail and pass, so that the first
// reason and the lines in the log are theirs. Two steps come earlier: name constraints,
// so that nothing is said to be accepted that is refused after, and before both these and
// revocation lists the signatures, so that a peer who only copies a CA's name cannot make us
// hash that CA's list or compare thousands of names.
type judgement struct {
	*Verifier
	log     *logging.Logger
	time    time.Time
	version uint16 // of TLS
	path    *path
	good    []int8 // of each signature: 0 not checked, 1 good, -1 bad
}

func (j *judgement) run(certs []*x509.Certificate) error {
	sent := make([]*node, 0, len(certs))
	for i, c := range certs {
		if slices.ContainsFunc(sent, func(n *node) bool { return n.Equal(c) }) {
			continue
		}
		n, err := newNode(c)
		if err == nil {
			sent = append(sent, n)
		} else if i == 0 {
			j.path = &path{certs: []*node{{Certificate: c}}, untrusted: 1}
			return j.reject(0, badSyntax)
		}
	}
	j.path = &path{certs: sent[:1], untrusted: 1}
	sent[0].rejected = j.store.distrusts(sent[0])
	if weakKey(sent[0], j.Level) {
		if err := j.fail(0, "EE certificate key too weak"); err != nil {
			return err
		}
	}
	j.path = j.store.build(sent, j.time)
	j.good = make([]int8, len(j.path.certs))
	for _, step := range []func() error{j.anchor, j.usages, j.weakness, j.revoked, j.constrained, j.signatures, j.signing} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (j *judgement) anchor() error {
	if j.path.trusted {
		return nil
	}
	return j.fail(len(j.path.certs)-1, j.path.unanchored())
}

func (j *judgement) usages() error { return j.path.usages(j.Server, j.fail) }

func (j *judgement) weakness() error { return j.path.weakness(j.Level, j.fail) }

func (j *judgement) constrained() error {
	if j.hopeless() {
		return nil
	}
	return j.path.nameConstraints(j.fail)
}

func (j *judgement) revoked() error {
	if j.crls == nil || j.hopeless() {
		return nil
	}
	if reason := j.crls.judge(j.path, j.time); reason != "" {
		return j.fail(0, reason)
	}
	return nil
}

// hopeless says whether a bad signature, which signatures reports, refuses anyway. So does,
// where the chain is of no matter, a certificate that is not listed: anybody can make a CA of
// any name, whose list would be hashed and whose constraints compared. It goes down, so that of
// a chain that only begins at a name of ours one signature is checked, and not a hundred.
func (j *judgement) hopeless() bool {
	top := len(j.path.certs) - 2
	if !j.Chain {
		if !j.listed() {
			return true
		}
		top = min(top, 0) // above the peer's own they are of no matter
	}
	for depth := top; depth >= 0; depth-- {
		if !j.signed(depth) {
			return true
		}
	}
	return false
}

// signed says whether the certificate at a depth is signed by the next one's key.
func (j *judgement) signed(depth int) bool {
	if j.good[depth] == 0 {
		c, issuer := j.path.certs[depth], j.path.certs[depth+1]
		j.good[depth] = 1
		if issuer.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) != nil {
			j.good[depth] = -1
		}
	}
	return j.good[depth] > 0
}

// signatures goes down the path, checks signatures and times, and accepts each
// certificate. A self-signature proves nothing and is not looked at. Where the chain is of no
// matter only the peer's own is: it would be forgiven what is above, a hundred signatures of its
// own choice.
func (j *judgement) signatures() error {
	certs := j.path.certs
	top := len(certs) - 1
	if !certs[top].selfSigned() {
		// The issuer is not at hand.
		if top > 0 {
			top--
		} else if err := j.fail(0, reasonNoLeaf); err != nil {
			return err
		}
	}
	if !j.Chain {
		top = 0
	}
	for depth := top; depth >= 0; depth-- {
		if depth < len(certs)-1 {
			if err := j.link(depth); err != nil {
				return err
			}
		}
		if reason := validity(certs[depth], j.time); reason != "" {
			if err := j.fail(depth, reason); err != nil {
				return err
			}
		}
		if err := j.pass(depth); err != nil {
			return err
		}
	}
	return nil
}

// signing refuses what OpenSSL's client refuses behind the chain: in TLS 1.2 an ECDSA
// certificate may be one for a fixed Diffie-Hellman key, which signs nothing (RFC 8422
// section 5.3).
func (j *judgement) signing() error {
	leaf := j.path.certs[0]
	if j.Server && j.version <= tls.VersionTLS12 && leaf.PublicKeyAlgorithm == x509.ECDSA &&
		leaf.extension(oidKeyUsage) != nil && leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return j.reject(0, "ecc cert not for signing")
	}
	return nil
}

// link checks what joins a certificate to the one above it.
func (j *judgement) link(depth int) error {
	issuer := j.path.certs[depth+1]
	if issuer.extension(oidKeyUsage) != nil && issuer.KeyUsage&x509.KeyUsageCertSign == 0 {
		if err := j.fail(depth+1, "key usage does not include certificate signing"); err != nil {
			return err
		}
	}
	if !j.signed(depth) {
		return j.fail(depth, reasonBadSigned)
	}
	return nil
}

// fail is what stunnel does about an error of OpenSSL's: with verifyChain it is one. With
// verifyPeer alone the peer's own certificate must be in order but for what leads to its
// issuer, and those above it are nobody's concern: a peer could have a hundred of them fill
// the log.
func (j *judgement) fail(depth int, reason string) error {
	if !j.Chain && depth > 0 {
		return nil
	}
	j.started(depth)
	if j.Chain || reason != reasonNoIssuer && reason != reasonNoLeaf {
		return j.reject(depth, reason)
	}
	j.log.Infof("CERT: Pre-verification error ignored: %s", reason)
	if err := j.own(); err != nil {
		return err
	}
	j.accepted(depth)
	return nil
}

// pass is what stunnel does about a good certificate. That the peer's own is accepted is
// said by Check, when nobody else objects.
func (j *judgement) pass(depth int) error {
	j.started(depth)
	j.log.Debugf("CERT: Pre-verification succeeded")
	if depth == 0 {
		return j.own()
	}
	j.accepted(depth)
	return nil
}

// own checks what is asked of the peer's own certificate beside its chain.
func (j *judgement) own() error {
	if err := j.subject(); err != nil {
		return err
	}
	if j.Peer && !j.local() {
		j.log.Warnf("CERT: Certificate not found in local repository")
		return j.refuse(0, "certificate not found in local repository", false)
	}
	return nil
}

func (j *judgement) accepted(depth int) {
	level := logging.Info
	if depth == 0 {
		level = logging.Notice
	}
	if j.log.Enabled(level) {
		j.log.Logf(level, "Certificate accepted at depth=%d: %s", depth, j.name(depth))
	}
}

func (j *judgement) subject() error {
	if !j.namesPeer() {
		j.log.Infof("CERT: No subject checks configured")
		return nil
	}
	m := j.match(j.path.certs[0], j.path.holdsDNS())
	if m == nil {
		j.log.Warnf("CERT: Subject checks failed")
		return j.refuse(0, "Subject checks failed", true)
	}
	switch m.kind {
	case "host":
		j.log.Infof("CERT: Host name \"%s\" matched with \"%s\"", m.asked, clean(m.found))
	case "email":
		j.log.Infof("CERT: Email address \"%s\" matched", m.asked)
	case "ip":
		j.log.Infof("CERT: IP address \"%s\" matched", m.asked)
	}
	return nil
}

// local says whether a certificate of the peer's subject and public key is listed.
func (j *judgement) local() bool {
	if !j.listed() {
		return false
	}
	j.log.Infof("CERT: Locally installed certificate matched")
	return true
}

func (j *judgement) listed() bool {
	leaf := j.path.certs[0]
	return slices.ContainsFunc(j.store.named(leaf.subject), func(n *node) bool {
		return !n.rejected && n.sameKey(leaf)
	})
}

func (j *judgement) started(depth int) {
	if j.log.Enabled(logging.Debug) {
		j.log.Debugf("Verification started at depth=%d: %s", depth, j.name(depth))
	}
}

func (j *judgement) reject(depth int, reason string) error {
	j.log.Warnf("CERT: Pre-verification error: %s", reason)
	return j.refuse(depth, reason, false)
}

func (j *judgement) refuse(depth int, reason string, subject bool) error {
	j.log.Warnf("Rejected by CERT at depth=%d: %s", depth, j.name(depth))
	return &Error{Reason: reason, Depth: depth, Cert: j.path.certs[depth].Certificate, Subject: subject}
}

func (j *judgement) name(depth int) string { return Name(j.path.certs[depth].Subject) }
