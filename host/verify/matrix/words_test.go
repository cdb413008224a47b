package matrix

import (
	"regexp"
	"strings"
	"testing"
)

var (
	stunnelReason   = regexp.MustCompile(`^CERT: Pre-verification error: (.*)$`)
	stunnelRejected = regexp.MustCompile(`^Rejected by CERT (at depth=\d+: .*)$`)
)

// reject gives the reason for which stunnel has refused a certificate, as an Error of
// package verify has it; empty where it was not the certificate's check that refused.
func reject(words []string) string {
	reason := ""
	for _, w := range words {
		switch m := stunnelReason.FindStringSubmatch(w); {
		case m != nil:
			reason = m[1]
		case w == "CERT: Subject checks failed":
			reason = "Subject checks failed"
		case w == "CERT: Certificate not found in local repository":
			reason = "certificate not found in local repository"
		}
		if m := stunnelRejected.FindStringSubmatch(w); m != nil {
			return "certificate verify failed: " + reason + " " + m[1]
		}
	}
	return ""
}

// compareWords holds the reasons of refusals against each other: operators look for
// OpenSSL's words. What crypto/tls or the reading of a file refuses is not in those.
func compareWords(t *testing.T, rs []*run, here, real []verdict, said map[string][]string) {
	t.Helper()
	same, other := 0, 0
	for i, r := range rs {
		if real[i].ok {
			continue
		}
		if len(said[r.id]) == 0 {
			t.Errorf("%s: stunnel does not say why it has refused: %s", r.title(), real[i])
		}
		theirs := reject(said[r.id])
		if here[i].ok || theirs == "" || strings.HasPrefix(here[i].reason, "parsing: ") || strings.HasPrefix(here[i].reason, "configuration: ") {
			continue
		}
		differ := here[i].reason != theirs
		switch listed := otherWords.MatchString(r.plain()); {
		case differ && !listed:
			t.Errorf("%s: refused here for %q, by stunnel for %q", r.title(), here[i].reason, theirs)
		case !differ && listed:
			t.Errorf("%s: refused for the same reason, against otherWords", r.title())
		case differ:
			other++
		default:
			same++
		}
	}
	t.Logf("%d refusals have the same reason, depth and name, %d others", same, other)
}

// otherWords are refused for another reason, or at another depth: a root that crypto/x509
// cannot read is none here, what is malformed may be so here before or after an issuer is
// looked for, several flaws at once are found in another order, and stunnel cannot print a
// name without parts.
var otherWords = regexp.MustCompile(`^(server|client): (` + strings.Join([]string{
	`(time with a zone|GeneralizedTime without seconds|time with a fraction|no month 13|access information critical), root`,
	`nsCertType garbage, leaf`,
	`(key usage empty|proxy certificate), .*`,
	`trust settings, root trusted for code signing`,
	`name constraint, excluded DNS.*: empty subject`,
	`name constraint, permitted (other )?directory: CN with a NUL`,
	`name constraint, with a (minimum|maximum): (host|two hosts|wildcard|CN another host|subject of Acme)`,
	`CRL, (indirect, entry of another issuer|only of users and CAs)`,
	`CRL at level 4, good, issuer not sent`,
	`checkHost .*: no name at all`,
}, "|") + `)$`)
