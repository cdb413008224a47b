package matrix

import (
	"crypto/sha256"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A trial is one peer's certificates before one configuration.
type trial struct {
	name    string
	trusted []*cert  // CAfile
	sent    []*cert  // the peer's own certificate first
	lists   [][]byte // CRLfile, in DER; none: no such option
	options string   // further lines of the service
	level   string   // the options of verification; empty: verifyChain = yes
	extra   string   // text in CAfile before the certificates
	only    string   // the peer's role, if one is enough
	hashed  bool     // CApath and CRLpath in place of CAfile and CRLfile
}

// Both roles are tried, unless the name says otherwise.
const (
	ofServer = "server: " // the peer is a server: the judges are clients
	ofClient = "client: "
)

// A run is a trial in one role.
type run struct {
	*trial
	id     string // its service's name
	server bool   // the peer is a server
	ca     string // path of CAfile
	crl    string // path of CRLfile, or empty
	chain  string // path of what was sent beside the peer's own certificate
	own    string // path of the peer's own certificate

	authorities, crls string // directories, if the trial is hashed
}

// name says what the run tries, with the peer's role in front.
func (r *run) title() string {
	if r.server {
		return ofServer + r.name
	}
	return ofClient + r.name
}

// plain is the title without what says that directories stand for files: the lists of
// differences hold for both.
func (r *run) plain() string { return strings.Replace(r.title(), inDirectories, "", 1) }

const inDirectories = "directories, "

// A verdict is a judge's word.
type verdict struct {
	ok     bool
	reason string // why not; for people
}

func (v verdict) String() string {
	if v.ok {
		return "accepted"
	}
	return "refused (" + v.reason + ")"
}

// A store writes each content once.
type store struct {
	t       testing.TB
	openssl string
	dir     string
	hashed  []string // directories
}

func (s *store) file(text string) string {
	path := filepath.Join(s.dir, fmt.Sprintf("%x.pem", sha256.Sum256([]byte(text))))
	if _, err := os.Stat(path); err == nil {
		return path
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

func certificates(cs []*cert) string {
	var b strings.Builder
	for _, c := range cs {
		pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.der})
	}
	return b.String()
}

func lists(ls [][]byte) string {
	var b strings.Builder
	for _, l := range ls {
		pem.Encode(&b, &pem.Block{Type: "X509 CRL", Bytes: l})
	}
	return b.String()
}

// runs are the trials in their roles, with their files.
func runs(t testing.TB, openssl string, trials []*trial) []*run {
	t.Helper()
	s := &store{t: t, openssl: openssl, dir: t.TempDir()}
	var all []*run
	seen := map[string]bool{}
	for _, tr := range trials {
		if seen[tr.name] {
			t.Fatalf("two trials are named %q", tr.name)
		}
		seen[tr.name] = true
		for _, server := range []bool{true, false} {
			r := &run{trial: tr, id: fmt.Sprintf("run%d", len(all)), server: server}
			if !strings.HasPrefix(r.title(), tr.only) || server && len(tr.sent) == 0 {
				continue // a server always has a certificate
			}
			r.ca = s.file(tr.extra + certificates(tr.trusted))
			if len(tr.sent) > 0 {
				r.own, r.chain = s.file(certificates(tr.sent[:1])), s.file(certificates(tr.sent[1:]))
			}
			if tr.lists != nil {
				r.crl = s.file(lists(tr.lists))
			}
			if tr.hashed {
				r.authorities, r.crls = s.directory(tr.extra+certificates(tr.trusted)), s.directory(lists(tr.lists))
			}
			all = append(all, r)
		}
	}
	s.rehash()
	return all
}

// directory gives each block of a PEM text a file.
func (s *store) directory(text string) string {
	dir := filepath.Join(s.dir, fmt.Sprintf("hashed%d", len(s.hashed)))
	if err := os.Mkdir(dir, 0o700); err != nil {
		s.t.Fatal(err)
	}
	rest := []byte(text)
	for i := 0; ; i++ {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			break
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.pem", i)), pem.EncodeToMemory(b), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	s.hashed = append(s.hashed, dir)
	return dir
}

// rehash lets openssl name the directories' files: our hashes have to be the same.
func (s *store) rehash() {
	if out, err := exec.Command(s.openssl, append([]string{"rehash"}, s.hashed...)...).CombinedOutput(); err != nil {
		s.t.Fatalf("openssl rehash: %v: %s", err, out)
	}
}

// conf is what both kinds of stunnel are told of the peer's certificate.
func (r *run) conf() string {
	level := r.level
	if level == "" {
		level = "verifyChain = yes"
	}
	text := level + "\nCAfile = " + r.ca + "\n"
	if r.hashed {
		text = level + "\nCApath = " + r.authorities + "\n"
	}
	switch {
	case r.crl == "":
	case r.hashed:
		text += "CRLpath = " + r.crls + "\n"
	default:
		text += "CRLfile = " + r.crl + "\n"
	}
	return text + r.options
}

// option gives the values of an option among the further ones.
func (r *run) option(name string) []string {
	var values []string
	for line := range strings.Lines(r.options) {
		if k, v, ok := strings.Cut(strings.TrimSpace(line), "="); ok && strings.TrimSpace(k) == name {
			values = append(values, strings.TrimSpace(v))
		}
	}
	return values
}
