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

var differences = []difference{}

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
				if !re.MatchString(r.title()) {
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
