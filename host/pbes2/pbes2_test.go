package pbes2

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// TestOpenSSL decrypts what openssl encrypts, each way that it has.
func TestOpenSSL(t *testing.T) {
	openssl := testpeer.Need(t, "openssl", "openssl")
	dir := t.TempDir()
	run := func(args ...string) []byte {
		t.Helper()
		c := exec.Command(openssl, args...)
		c.Stderr = os.Stderr
		out, err := c.Output()
		if err != nil {
			t.Fatalf("openssl %q: %v", args, err)
		}
		return out
	}
	key := filepath.Join(dir, "key.pem")
	run("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
	plain, _ := pem.Decode(run("pkcs8", "-topk8", "-nocrypt", "-in", key))
	for _, flags := range []string{
		"", "-v2 aes-128-cbc", "-v2 aes-192-cbc", "-v2 aes-256-cbc", "-v2 des3", "-iter 100000",
		"-v2prf hmacWithSHA1", "-v2prf hmacWithSHA224", "-v2prf hmacWithSHA256", "-v2prf hmacWithSHA384",
		"-v2prf hmacWithSHA512", "-v2prf hmacWithSHA512-224", "-v2prf hmacWithSHA512-256", "-v2 aes256 -v2prf hmacWithSHA1", "-scrypt",
		"-scrypt -scrypt_N 1024 -scrypt_r 4 -scrypt_p 16",
	} {
		text := run(append(strings.Fields("pkcs8 -topk8 -passout pass:S\u00e9same -in "+key), strings.Fields(flags)...)...)
		p, _ := pem.Decode(text)
		got, err := Decrypt(p.Bytes, []byte("S\u00e9same"))
		if err != nil || string(got) != string(plain.Bytes) {
			t.Errorf("openssl pkcs8 %s: %v, the same key %v", flags, err, string(got) == string(plain.Bytes))
		}
		if got, err := Decrypt(p.Bytes, []byte("Sesame")); err == nil && string(got) == string(plain.Bytes) {
			t.Errorf("openssl pkcs8 %s: another passphrase opens it", flags)
		}
	}
	for _, flags := range []string{"-v1 PBE-SHA1-3DES", "-v2 camellia128"} {
		p, _ := pem.Decode(run(append(strings.Fields("pkcs8 -topk8 -passout pass:x -in "+key), strings.Fields(flags)...)...))
		var u *UnsupportedError
		if _, err := Decrypt(p.Bytes, []byte("x")); !errors.As(err, &u) {
			t.Errorf("openssl pkcs8 %s: %v", flags, err)
		}
	}
}

// marshal encodes what the tests build.
func marshal(t testing.TB, v any) []byte {
	t.Helper()
	der, err := asn1.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func algorithm(t testing.TB, oid asn1.ObjectIdentifier, v any) pkix.AlgorithmIdentifier {
	return pkix.AlgorithmIdentifier{Algorithm: oid, Parameters: asn1.RawValue{FullBytes: marshal(t, v)}}
}

// build makes an encrypted key whose derivation has the given parameters.
func build(t testing.TB, oid asn1.ObjectIdentifier, derivation any, iv, data []byte) []byte {
	t.Helper()
	return marshal(t, encrypted{algorithm(t, oidPBES2, parameters{
		algorithm(t, oid, derivation), algorithm(t, oidAES128CBC, iv)}), data})
}

// most is the greatest power of two that a parameter can be.
const most = math.MaxInt/2 + 1

func TestLimits(t *testing.T) {
	iv, data := make([]byte, 16), make([]byte, 16)
	for _, c := range []struct {
		name string
		der  []byte
		want string
	}{
		{"no iteration", build(t, oidPBKDF2, pbkdf2Parameters{Iterations: 0}, iv, data), "0 PBKDF2 iterations"},
		{"iterations without end", build(t, oidPBKDF2, pbkdf2Parameters{Iterations: 1<<31 - 1}, iv, data), "2147483647 PBKDF2 iterations"},
		{"fewer than none", build(t, oidPBKDF2, pbkdf2Parameters{Iterations: -1}, iv, data), "-1 PBKDF2 iterations"},
		{"another key length", build(t, oidPBKDF2, pbkdf2Parameters{Iterations: 1, KeyLength: 32}, iv, data), "derived key of 32 bytes, want 16"},
		{"all memory", build(t, oidScrypt, scryptParameters{Cost: 1 << 30, BlockSize: 8, Parallel: 1}, iv, data), "out of bounds"},
		{"a product that overflows", build(t, oidScrypt, scryptParameters{Cost: most, BlockSize: most, Parallel: most}, iv, data), "out of bounds"},
		{"passes without end", build(t, oidScrypt, scryptParameters{Cost: 1 << 14, BlockSize: 8, Parallel: 1 << 30}, iv, data), "out of bounds"},
		{"nothing", build(t, oidScrypt, scryptParameters{}, iv, data), "out of bounds"},
		{"a cost that is no power of two", build(t, oidScrypt, scryptParameters{Cost: 3, BlockSize: 1, Parallel: 1}, iv, data), "power of 2"},
		{"a short vector", build(t, oidPBKDF2, pbkdf2Parameters{Iterations: 1}, iv[:8], data), "initialization vector of 8 bytes"},
		{"no data", build(t, oidPBKDF2, pbkdf2Parameters{Iterations: 1}, iv, nil), "0 encrypted bytes"},
		{"half a block", build(t, oidPBKDF2, pbkdf2Parameters{Iterations: 1}, iv, data[:8]), "8 encrypted bytes"},
		{"an unknown derivation", build(t, oidAES128CBC, pbkdf2Parameters{Iterations: 1}, iv, data), "key derivation 2.16.840.1.101.3.4.1.2"},
		{"bytes behind it", append(build(t, oidPBKDF2, pbkdf2Parameters{Iterations: 1}, iv, data), 0), "1 bytes too many"},
		{"none at all", nil, "parsing an encrypted key"},
	} {
		if _, err := Decrypt(c.der, []byte("x")); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// Whatever the bytes, Decrypt ends: with an error, or with fewer bytes than it got.
func FuzzDecrypt(f *testing.F) {
	iv, data := make([]byte, 16), make([]byte, 32)
	f.Add(build(f, oidPBKDF2, pbkdf2Parameters{Salt: []byte("salt"), Iterations: 1}, iv, data))
	f.Add(build(f, oidScrypt, scryptParameters{Salt: []byte("salt"), Cost: 2, BlockSize: 1, Parallel: 1}, iv, data))
	f.Add(build(f, oidScrypt, scryptParameters{Cost: most, BlockSize: most, Parallel: most}, iv, data))
	f.Add([]byte{0x30, 0x80})
	f.Fuzz(func(t *testing.T, der []byte) {
		plain, err := Decrypt(der, []byte("x"))
		if err != nil && plain != nil {
			t.Error("bytes beside an error")
		}
		if len(plain) >= len(der) && err == nil {
			t.Errorf("%d bytes came out of %d", len(plain), len(der))
		}
	})
}
