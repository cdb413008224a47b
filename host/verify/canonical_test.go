package verify

import (
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// An attribute of a name with the tag of its value.
type attributeValue struct {
	oid   asn1.ObjectIdentifier
	tag   tags.Tag
	value string
}

// rawName makes a name of sets of attributes.
func rawName(sets ...[]attributeValue) []byte {
	var b cryptobyte.Builder
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, set := range sets {
			b.AddASN1(tags.SET, func(b *cryptobyte.Builder) {
				for _, a := range set {
					b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1ObjectIdentifier(a.oid)
						b.AddASN1(a.tag, func(b *cryptobyte.Builder) { b.AddBytes([]byte(a.value)) })
					})
				}
			})
		}
	})
	return b.BytesOrPanic()
}

var (
	commonName   = asn1.ObjectIdentifier{2, 5, 4, 3}
	organization = asn1.ObjectIdentifier{2, 5, 4, 10}
	emailAddress = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}
	uniqueID     = asn1.ObjectIdentifier{2, 5, 4, 45}
)

func cn(tag tags.Tag, value string) []byte {
	return rawName([]attributeValue{{commonName, tag, value}})
}

// oddNames are names on which a careless hash differs from OpenSSL's.
var oddNames = map[string][]byte{
	"empty":           rawName(),
	"plain":           cn(tags.PrintableString, "Some CA"),
	"UTF-8":           cn(tags.UTF8String, "Zażółć Gęślą"),
	"blanks":          cn(tags.UTF8String, "  Two \t\n blanks  "),
	"only blanks":     cn(tags.UTF8String, "   "),
	"no-break space":  cn(tags.UTF8String, "\u00a0A\u00a0"),
	"T61":             cn(tags.T61String, "M\xfcnchen"),
	"IA5":             rawName([]attributeValue{{emailAddress, tags.IA5String, "CA@Example.ORG"}}),
	"BMP":             cn(tags.Tag(30), "\x00C\x00A\x01\x7b"),
	"surrogates":      cn(tags.Tag(30), "\x00C\x00A"),
	"Universal":       cn(universalString, "\x00\x00\x00C\x00\x01\xf6\x00"),
	"bits":            rawName([]attributeValue{{uniqueID, tags.BIT_STRING, "\x00\x05"}}),
	"several in one":  rawName([]attributeValue{{organization, tags.PrintableString, "B"}, {commonName, tags.UTF8String, "A"}}),
	"in other order":  rawName([]attributeValue{{commonName, tags.UTF8String, "A"}, {organization, tags.PrintableString, "B"}}),
	"of equal length": rawName([]attributeValue{{commonName, tags.UTF8String, "zz"}, {commonName, tags.UTF8String, "A"}}),
	"two sets":        rawName([]attributeValue{{organization, tags.PrintableString, "Org"}}, []attributeValue{{commonName, tags.PrintableString, "CA"}}),
	"an empty value":  cn(tags.UTF8String, ""),
	"a long value":    cn(tags.UTF8String, strings.Repeat("Long ", 60)),
}

// TestHashesAreOpenSSLs compares with openssl x509 -hash.
func TestHashesAreOpenSSLs(t *testing.T) {
	openssl := testpeer.Need(t, "openssl", "openssl")
	dir := t.TempDir()
	for name, raw := range oddNames {
		if name == "Universal" || name == "bits" {
			continue // crypto/x509 reads no such certificate
		}
		c := issue(t, "x", nil, func(c *x509.Certificate) { c.RawSubject = raw })
		path := filepath.Join(dir, "c.pem")
		text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.cert.Raw})
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		want, err := exec.Command(openssl, "x509", "-in", path, "-noout", "-hash").Output()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := Hash(raw)
		if text := fmt.Sprintf("%08x\n", got); err != nil || text != string(want) {
			t.Errorf("%s: %s%v, openssl has %s", name, text, err, want)
		}
	}
}

func TestNamesThatAreTheSame(t *testing.T) {
	plain := cn(tags.PrintableString, "Some CA")
	for name, raw := range map[string][]byte{
		"case": cn(tags.PrintableString, "SOME ca"), "blanks": cn(tags.PrintableString, " Some  CA "), "UTF-8": cn(tags.UTF8String, "Some CA"),
		"BMP": cn(tags.Tag(30), "\x00S\x00o\x00m\x00e\x00 \x00C\x00A"),
	} {
		a, err := canonical(plain)
		b, err2 := canonical(raw)
		if err != nil || err2 != nil || a != b {
			t.Errorf("%s: %q and %q differ: %v, %v", name, a, b, err, err2)
		}
	}
	for name, raw := range map[string][]byte{
		"another": cn(tags.UTF8String, "Some CB"), "no blank": cn(tags.UTF8String, "SomeCA"), "more": rawName(
			[]attributeValue{{commonName, tags.UTF8String, "Some CA"}}, []attributeValue{{commonName, tags.UTF8String, "x"}}),
		"type": rawName([]attributeValue{{organization, tags.UTF8String, "Some CA"}}),
	} {
		a, _ := canonical(plain)
		if b, err := canonical(raw); err != nil || a == b {
			t.Errorf("%s is the same: %v", name, err)
		}
	}
	for _, bad := range [][]byte{nil, {0x30, 1}, {0x31, 0}, {0x30, 2, 0x30, 0}, append(plain, 0),
		cn(tags.UTF8String, "\xff"), cn(tags.Tag(30), "x"), cn(universalString, "\x00\x11\x00\x00")} {
		if _, err := canonical(bad); err == nil {
			t.Errorf("% x is a name", bad)
		}
	}
}

// FuzzCanonical wants the canonical form of a canonical name to be itself: two names are
// the same in both directions or not at all.
func FuzzCanonical(f *testing.F) {
	for _, raw := range oddNames {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		text, err := canonical(raw)
		valuesOf(raw, oidCommonName)
		if err != nil {
			return
		}
		var b cryptobyte.Builder
		b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes([]byte(text)) })
		wrapped, err := b.Bytes()
		if err != nil {
			return // longer than ASN.1 lengths here go
		}
		if again, err := canonical(wrapped); err != nil || again != text {
			t.Errorf("%x becomes %x: %v", text, again, err)
		}
	})
}
