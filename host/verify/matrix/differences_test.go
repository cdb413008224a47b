package matrix

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// A difference is one that is meant: the row of docs/differences.md and the runs that
// show it. All runs that one of its patterns matches in full have to differ, in its way.
type difference struct {
	what, stunnel, here, why string
	accepted                 bool // here, while stunnel refuses
	runs                     []string
}

// toolDiffers are the runs where stunnel refuses beyond what openssl verify looks at: in
// TLS 1.2 the handshake wants an ECDSA certificate of a server to be one for signatures.
var toolDiffers = regexp.MustCompile(`^server: key usage (keyEncipherment|keyAgreement) alone, (self-signed )?leaf$`)

var differences = []difference{
	{
		what:    "certificates that crypto/tls cannot read: an unknown version, an extension twice, an address of 5 octets, a host that is not ASCII, a bad URI, malformed policies or access information, UniversalString, path lengths beyond 64 bits, and name constraints that are empty, end in a dot, or have a mask with holes or of the wrong length",
		stunnel: "accepted where OpenSSL does not look",
		here:    "refused",
		why:     "RFC 5280 forbids all of them, and what two programs read differently is what attackers use",
		runs: []string{
			`(server|client): version 4, .*`,
			`(server|client): unknown extension twice, .*`,
			`(server|client): alternative names, (address of 5 octets|not ASCII|bad URI), .*`,
			`(server|client): policies (garbage|twice the same), .*`,
			`(server|client): access information garbage, .*`,
			`(server|client): path length beyond 64 bits`,
			`(server|client): two algorithms named, root`,
			`(server|client): issuer's name, UniversalString for UTF8String(, no key ids)?`,
			`server: checkHost leaf: CN as UniversalString`,
			`server: name constraint, permitted DNS with a dot behind: (address .*|URI|other name)`,
			`server: name constraint, permitted address, mask with holes: (host|two hosts|wildcard|CN another host|address inside|subject of Acme|URI|other name)`,
			`server: name constraint, permitted address of 5 octets: (host|two hosts|wildcard|CN another host|subject of Acme|URI|other name)`,
			`server: name constraint, empty: .*`,
		},
	},
	{
		what:    "CA certificates of version 1 or 2 that have extensions nevertheless",
		stunnel: "the extensions count",
		here:    "they do not, so it is no CA, but for a root of version 1",
		why:     "crypto/x509; version 3 came with the extensions",
		runs: []string{
			`(server|client): version [12] with extensions, (its issuer|upper CA)`,
			`(server|client): version 2 with extensions, root`,
		},
	},
	{
		what:    "critical address blocks (RFC 3779) in a certificate",
		stunnel: "checked",
		here:    "refused",
		why:     "they are about routing, not about TLS peers",
		runs: []string{
			`(server|client): addresses \(RFC 3779\) critical, .*`,
		},
	},
	{
		what:    "name constraints with a minimum or maximum",
		stunnel: "refused where a name of their kind occurs",
		here:    "refused",
		why:     "RFC 5280 section 4.2.1.10 has neither",
		runs: []string{
			`server: name constraint, with a (minimum|maximum): (address .*|URI|other name)`,
		},
	},
	{
		what:    "`TRUSTED CERTIFICATE` in CAfile with purposes",
		stunnel: "trusted for those, an intermediate too",
		here:    "skipped with a warning; one that is rejected for a purpose is so for all",
		why:     "an anchor for code signing must not become one for servers; `openssl x509 -clrtrust` writes a plain one",
		runs: []string{
			`(server|client): trust settings, root trusted for (both|anything)`,
			`(server|client): trust settings, intermediate trusted for both`,
		},
	},
	{
		what:    "signatures with MD5 or SHA-224, at any `securityLevel`",
		stunnel: "accepted at level 0; SHA-224 up to level 2",
		here:    "refused",
		why:     "crypto/x509 has neither; MD5 is broken and nobody uses SHA-224",
		runs: []string{
			`server: level 0, signed with rsa-md5, (leaf|its issuer|upper CA)`,
			`server: level [012], signed with ecdsa-sha224, (leaf|its issuer|upper CA)`,
			`(server|client): CRL signed with rsa-md5`,
		},
	},
	{
		what:    "a revocation list that is only a delta",
		stunnel: "taken for a complete one",
		here:    "refused",
		why:     "whoever was revoked before the delta would pass",
		runs: []string{
			`(server|client): CRL, delta alone`,
		},
	},
	{
		what:    "a revocation list with an entry about another issuer's certificate, in a list that is not an indirect one",
		stunnel: "the entry is ignored",
		here:    "the list refuses",
		why:     "a list that contradicts itself acquits nobody",
		runs: []string{
			`(server|client): CRL, entry of another issuer, not indirect`,
		},
	},
	{
		what:    "a serial number that a revocation list has twice, once as taken back",
		stunnel: "the first entry decides",
		here:    "revoked",
		why:     "the order of entries means nothing",
		runs: []string{
			`(server|client): CRL, revoked twice, first removed`,
		},
	},
	{
		what:    "a revocation list with a malformed number, key identifier or distribution point",
		stunnel: "accepted",
		here:    "refused, the first two when the file is read",
		why:     "as with certificates",
		runs: []string{
			`(server|client): CRL, (number|key id|distribution point) garbage`,
		},
	},
	{
		what:     "a certificate in CAfile whose content cannot be read",
		stunnel:  "none of the file counts: the start fails, with `No trusted certificates found`",
		here:     "it is skipped with a warning; damaged PEM is an error",
		why:      "the operator lists the others all the same, and crypto/x509 cannot read some that OpenSSL can",
		accepted: true,
		runs: []string{
			`(server|client): CAfile, unreadable certificate (before|behind) the root`,
		},
	},
	{
		what:     "a server's ECDSA certificate whose key usage lacks digitalSignature, in TLS 1.2, at a level that checks no chain",
		stunnel:  "the handshake fails",
		here:     "accepted",
		why:      "nothing is asked of the certificate at that level, so an impostor has any other; with `verifyChain` or `verifyPeer` it is refused",
		accepted: true,
		runs: []string{
			`server: (verify = 0|requireCert = yes), (wrong key usage, listed alone|root listed and sent as the peer)`,
		},
	},
}

// row is the difference as docs/differences.md has it.
func (d *difference) row() string {
	return "| " + strings.Join([]string{d.what, d.stunnel, d.here, d.why}, " | ") + " |"
}

// compare holds the verdicts against each other and against the list.
func compare(t *testing.T, rs []*run, here, real []verdict, said map[string][]string) {
	t.Helper()
	docs, err := os.ReadFile("../../../docs/differences.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := make([]int, len(rs))
	for _, d := range differences {
		if !strings.Contains(string(docs), d.row()+"\n") {
			t.Errorf("docs/differences.md lacks the row\n%s", d.row())
		}
		for _, p := range d.runs {
			re := regexp.MustCompile(`^(?:` + p + `)$`)
			found := false
			for i, r := range rs {
				if !re.MatchString(r.plain()) {
					continue
				}
				found = true
				listed[i]++
				if here[i].ok == real[i].ok || here[i].ok != d.accepted {
					t.Errorf("%s: here %s, stunnel %s: not as listed under %q", r.title(), here[i], real[i], d.what)
				}
			}
			if !found {
				t.Errorf("no run is named %q, which is listed under %q", p, d.what)
			}
		}
	}
	for i, r := range rs {
		switch {
		case listed[i] > 1:
			t.Errorf("%s: listed %d times", r.title(), listed[i])
		case here[i].ok != real[i].ok && listed[i] == 0:
			t.Errorf("%s: here %s, stunnel %s: %s", r.title(), here[i], real[i], strings.Join(said[r.id], " / "))
		}
	}
}
