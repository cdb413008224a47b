package suite

import (
	"errors"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// names gives what Parse chooses, with OpenSSL's separator.
func names(text string) (string, error) {
	l, err := Parse(text)
	if err != nil {
		return "", err
	}
	return strings.Join(Names(l.Suites), ":"), nil
}

// randomLists makes cipher lists out of everything that the grammar has, and some that
// it has not.
func randomLists(n int) []string {
	r := rand.New(rand.NewPCG(1, 2))
	var words []string
	for a := range aliases {
		words = append(words, a)
	}
	for a := range empty {
		words = append(words, a)
	}
	slices.Sort(words)
	common := len(words)
	for i := range table {
		words = append(words, table[i].Name)
	}
	word := func() string {
		if r.IntN(3) > 0 {
			return words[r.IntN(common)]
		}
		return words[r.IntN(len(words))]
	}
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	var lists []string
	for range n {
		var b strings.Builder
		if r.IntN(4) == 0 {
			b.WriteString(pick("DEFAULT", "DEFAULT:", "DEFAULTX:", "DEFAULT+AES:", "DEFAULT-AES:", "DEFAULT:@STRENGTH:"))
		}
		for i := range 1 + r.IntN(6) {
			if i > 0 {
				b.WriteString(pick(":", ":", ":", ":", ",", ";", " ", "::", ", "))
			}
			switch r.IntN(24) {
			case 0:
				b.WriteString("@STRENGTH")
			case 1:
				b.WriteString("@SECLEVEL=" + strconv.Itoa(r.IntN(7)))
			case 2:
				b.WriteString(pick("@", "@strength", "!", "+", "-", "BOGUS", "aes", "AES+", "+AES+", "AES++SHA", "AES!", "AES@STRENGTH",
					"AES@SECLEVEL=1x", "AES*", "\t", "AES/SHA", "BOGUS+AES", "AES+BOGUS+SHA", "!ALL", "AES!SHA", "@STRENGTH+AES", "é"))
			default:
				b.WriteString(pick("", "", "", "", "!", "-", "+") + word())
				for r.IntN(4) == 0 {
					b.WriteString("+" + word())
				}
			}
		}
		lists = append(lists, b.String())
	}
	return lists
}

// TestLikeOpenSSL compares each alias, and lists of them, with openssl ciphers.
func TestLikeOpenSSL(t *testing.T) {
	openssl := testpeer.Need(t, "openssl", "openssl")
	lists := []string{"", ":", "DEFAULT", "HIGH:!aNULL:!SSLv2:!DH:!kDHEPSK", "HIGH:+3DES:+DH:!aNULL:!SSLv2", "FIPS:!DH:!kDHEPSK", "FIPS+HIGH", "HIGH+FIPS", "COMPLEMENTOFDEFAULT+HIGH",
		"HIGH+COMPLEMENTOFDEFAULT", "COMPLEMENTOFDEFAULT+AES128-SHA", "AES128-SHA+COMPLEMENTOFDEFAULT", "HIGH+NULL", "HIGH+NULL-SHA", "TLSv1.2+SSLv3",
		"AES128-SHA+AES128-SHA256", "TLSv1.2+AES128-SHA", "AES128+AES256", "ALL:COMPLEMENTOFALL"}
	for a := range aliases {
		lists = append(lists, a)
	}
	for _, list := range append(lists, randomLists(60)...) {
		if strings.HasPrefix(list, "-") {
			continue // an option to the program
		}
		out, err := exec.Command(openssl, "ciphers", "-ciphersuites", "", list).Output()
		want := strings.TrimSpace(string(out))
		got, ourErr := names(list)
		if (err == nil) != (ourErr == nil) || err == nil && got != want {
			t.Errorf("%q:\nopenssl %s %v\nwe      %s %v", list, want, err, got, ourErr)
		}
	}
}

// askPython prints what libssl makes of each line, or what it says of it.
const askPython = `
import ssl, sys
for line in sys.stdin.buffer:
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    c.set_ciphers("ALL:@SECLEVEL=0")
    try:
        c.set_ciphers(line[:-1].decode())
        print(":".join(s["name"] for s in c.get_ciphers() if s["protocol"] != "TLSv1.3"), c.security_level)
    except ssl.SSLError as e:
        print("!")
`

// TestLikeLibssl compares thousands of lists with the library behind openssl ciphers,
// in one process.
func TestLikeLibssl(t *testing.T) {
	python := testpeer.Need(t, "/usr/bin/python3", "python3")
	lists := randomLists(4000)
	cmd := exec.Command(python, "-c", askPython)
	cmd.Stdin = strings.NewReader(strings.Join(lists, "\n") + "\n")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	answers := strings.Split(strings.TrimRight(string(out), "\n"), "\n")
	if len(answers) != len(lists) {
		t.Fatalf("%d answers to %d lists", len(answers), len(lists))
	}
	accepted := 0
	for i, list := range lists {
		want := answers[i]
		got := "!"
		if l, err := Parse(list); err == nil {
			n, _ := names(list)
			got = n + " " + strconv.Itoa(max(l.Level, 0))
			accepted++
		} else if !errors.Is(err, ErrNone) && !errors.Is(err, ErrCommand) {
			t.Errorf("%q: %v", list, err)
		}
		if got != want {
			t.Errorf("%q:\nlibssl %s\nwe     %s", list, want, got)
		}
	}
	if accepted < len(lists)/2 {
		t.Errorf("only %d of %d lists are good", accepted, len(lists))
	}
}

// TestLevelsLikeOpenSSL compares what each level leaves of all suites.
func TestLevelsLikeOpenSSL(t *testing.T) {
	openssl := testpeer.Need(t, "openssl", "openssl")
	for level := 0; level <= MaxLevel; level++ {
		list := "ALL:COMPLEMENTOFALL:@SECLEVEL=" + strconv.Itoa(level)
		out, err := exec.Command(openssl, "ciphers", "-s", "-psk", "-srp", "-tls1_2", "-ciphersuites", "", list).Output()
		if err != nil {
			t.Fatal(err)
		}
		all, err := Parse(list)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range all.Suites {
			if s.AllowedAt(all.Level) {
				got = append(got, s.Name)
			}
		}
		if want := strings.TrimSpace(string(out)); strings.Join(got, ":") != want {
			t.Errorf("level %d:\nopenssl %s\nwe      %s", level, want, strings.Join(got, ":"))
		}
	}
}

// TestGroupsLikeOpenSSL has openssl read each name that we know.
func TestGroupsLikeOpenSSL(t *testing.T) {
	openssl := testpeer.Need(t, "openssl", "openssl")
	known := func(name string) bool {
		// The port is none: the answer is that, or what is wrong with the name.
		out, _ := exec.Command(openssl, "s_client", "-groups", name, "-connect", "127.0.0.1:none").CombinedOutput()
		return !strings.Contains(string(out), "SSL_CONF_cmd")
	}
	for _, name := range []string{"P-256", "secp256r1", "prime256v1", "P-384", "secp384r1", "P-521", "secp521r1", "X25519", "x25519",
		"X448", "P-224", "prime192v1", "secp256k1", "B-571", "brainpoolP256r1", "ffdhe2048", "P-256:X448", "X25519:P-256:X448:P-521:P-384",
		"FOO", "P-256:", ":", "", "P-256::P-384", "X25519:X25519", "P-256:prime256v1", " P-256", "P-256,P-384", "X448:X448", "ED25519"} {
		_, err := ParseGroups(name)
		if want := known(name); (err == nil) != want {
			t.Errorf("%q: openssl takes it: %v; we say %v", name, want, err)
		}
	}
}
