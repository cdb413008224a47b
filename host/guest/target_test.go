package guest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
)

func TestSetTarget(t *testing.T) {
	long := strings.Repeat("a", 250)
	for text, ok := range map[string]bool{
		"example.org:443": true, "a_b-c.d:1": true, "192.0.2.1:65535": true, "[2001:db8::1]:443": true,
		"": false, "example.org": false, ":443": false, "example.org:": false, "example.org:0": false, "example.org:065": false,
		"example.org:65536": false, "example.org:+1": false, "2001:db8::1:443": false, "/var/run/x:1": false,
		"[192.0.2.1]:443": false, "[example.org]:443": false, "[a:b]:443": false, "[2001:db8::1]": false, "[::ffff:192.0.2.1]:443": true,
		"exa mple:1": false, "example.org\n:1": false, "[fe80::1%eth0]:1": false, "exämple:1": false, "user@host:1": false,
		"167772161:443": false, "0xa000001:443": false, "0XA.0.0.1:443": false, "10.1:443": false, "012.0.0.1:443": false, "10.0.0.1.:443": false,
		"10.0.0.256:443": false, "a.0x:443": false, "10.0.0.1.in-addr.arpa:443": true, "1a:443": true, "0xg:443": true, "10.0.0.a:443": true,
		long + ":443": true, long + "aaaaaaaaa:443": false,
	} {
		eachEngine(t, func(t *testing.T, r *Runtime) {
			h := &testHost{}
			_, err := calls(t, r, h, Limits{}, text, do{"set_target", []int32{0, int32(len(text))}})
			if err != nil {
				t.Fatal(err)
			}
			want := int32(abi.Inval)
			if ok {
				want = 0
			}
			if !slices.Equal(h.results, []int32{want}) || ok != (h.target == text && text != "") {
				t.Errorf("%q: %d, target %q", text, h.results, h.target)
			}
		})
	}
}

func TestSetTargetAfterConnect(t *testing.T) {
	h := &testHost{}
	h.connect = func(context.Context) (net.Conn, error) { c, _ := pair(t); return c, nil }
	_, err := calls(t, newRuntime(t, false), h, Limits{}, "a.example:1", do{"connect", nil}, do{"set_target", []int32{0, 11}})
	if err != nil || !slices.Equal(h.results, []int32{0, int32(abi.State)}) || h.target != "" {
		t.Errorf("%d, target %q, %v", h.results, h.target, err)
	}
	h = &testHost{forbids: &CodeError{abi.Denied, errors.New("no")}}
	_, err = calls(t, newRuntime(t, false), h, Limits{}, "a.example:1", do{"set_target", []int32{0, 11}})
	if err != nil || !slices.Equal(h.results, []int32{int32(abi.Denied)}) {
		t.Errorf("%d, %v", h.results, err)
	}
}

func TestResolve(t *testing.T) {
	h := &testHost{names: map[string][]netip.Addr{"a.example..": {netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}}}
	look := do{"resolve", []int32{0, 11, 100, 50}}
	program := slices.Repeat([]do{look}, maxResolves+1)
	_, err := calls(t, newRuntime(t, false), h, Limits{}, "a.example..", program...)
	want := append(slices.Repeat([]int32{int32(len("192.0.2.1\n2001:db8::1\n"))}, maxResolves), int32(abi.Limit))
	if err != nil || !slices.Equal(h.results, want) || len(h.asked) != maxResolves {
		t.Errorf("%d, asked %q, %v", h.results, h.asked, err)
	}
	h = &testHost{}
	_, err = calls(t, newRuntime(t, false), h, Limits{}, "nobody.example",
		do{"resolve", []int32{0, 14, 100, 50}}, do{"resolve", []int32{0, 0, 100, 50}})
	if err != nil || !slices.Equal(h.results, []int32{int32(abi.Host), int32(abi.Inval)}) {
		t.Errorf("%d, %v", h.results, err)
	}
}

func TestDigest(t *testing.T) {
	for _, tt := range []struct {
		alg  abi.DigestAlg
		key  string
		want string // RFC 1320, RFC 1321, FIPS 180-2 and RFC 2202, of "abc" or "Hi There"
	}{
		{abi.DigestMD4, "", "a448017aaf21d8525fc10ae87aa6729d"},
		{abi.DigestMD5, "", "900150983cd24fb0d6963f7d28e17f72"},
		{abi.DigestSHA1, "", "a9993e364706816aba3e25717850c26c9cd0d89d"},
		{abi.DigestSHA256, "", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{abi.DigestSHA384, "", "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"},
		{abi.DigestMD5, strings.Repeat("\x0b", 16), "9294727a3638bb1c13f48ef8158bfc9d"},
		{abi.DigestSHA1, strings.Repeat("\x0b", 20), "b617318655057264e28bc0b6fb378c8ef146be00"},
	} {
		text := "abc"
		if tt.key != "" {
			text = "Hi There"
		}
		h := &testHost{}
		var peer net.Conn
		h.accepted, peer = pair(t)
		size := int32(len(tt.want) / 2)
		_, err := calls(t, newRuntime(t, false), h, Limits{}, tt.key+text,
			do{"digest", []int32{int32(tt.alg), 0, int32(len(tt.key)), int32(len(tt.key)), int32(len(text)), 200, 64}},
			do{"write", []int32{0, 200, size}})
		if err != nil || !slices.Equal(h.results, []int32{size, size}) {
			t.Fatalf("%d: %d, %v", tt.alg, h.results, err)
		}
		got := make([]byte, size)
		if _, err := io.ReadFull(peer, got); err != nil || hex.EncodeToString(got) != tt.want {
			t.Errorf("algorithm %d with key %x: %x, %v, want %s", tt.alg, tt.key, got, err, tt.want)
		}
	}
	h := &testHost{}
	_, err := calls(t, newRuntime(t, false), h, Limits{}, "abc", do{"digest", []int32{7, 0, 0, 0, 3, 200, 64}}, do{"digest", []int32{-1, 0, 0, 0, 3, 200, 64}})
	if err != nil || !slices.Equal(h.results, []int32{int32(abi.Inval), int32(abi.Inval)}) {
		t.Errorf("%d, %v", h.results, err)
	}
}

// Digests of much text take the guest's budget: a guest could else have the host hash
// for as long as it likes.
func TestDigestIsCharged(t *testing.T) {
	h := &testHost{}
	program := slices.Repeat([]do{{"digest", []int32{4, 0, 0, 0, 262144, 200, 32}}}, 200)
	h.accepted, _ = pair(t)
	_, err := calls(t, newRuntime(t, false), h, Limits{Fuel: 1_000_000}, "", program...)
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Kind != KindFuel {
		t.Errorf("got %v", err)
	}
}

// A hash that notes how much it is given at once.
type notedHash struct {
	hash.Hash
	most *int
}

func (h notedHash) Write(b []byte) (int, error) {
	*h.most = max(*h.most, len(b))
	return h.Hash.Write(b)
}

// TestDigestInParts hashes a long text and a long key: no more at once than lets others
// run, with the result of the whole.
func TestDigestInParts(t *testing.T) {
	long := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	for _, key := range [][]byte{nil, []byte("key"), long[:1<<19]} {
		most := 0
		n := load(t, newRuntime(t, false), "echo").newNegotiation(Limits{})
		defer n.pause()
		got := n.digest(func() hash.Hash { return notedHash{sha256.New(), &most} }, key, long)
		want := sha256.New()
		if key != nil {
			want = hmac.New(sha256.New, key)
		}
		want.Write(long)
		if string(got) != string(want.Sum(nil)) {
			t.Errorf("a key of %d bytes: %x", len(key), got)
		}
		if most > workPart {
			t.Errorf("%d bytes at once, want at most %d", most, workPart)
		}
	}
}

func TestSetALPN(t *testing.T) {
	h := &testHost{}
	h.accepted, _ = pair(t)
	h.startTLS = func(context.Context, abi.Side, []byte) (net.Conn, error) { return h.accepted, nil }
	data := "postgresql\nh2\n" + "\n\n" + "a\nb\nc\nd\ne"
	_, err := calls(t, newRuntime(t, false), h, Limits{}, data,
		do{"set_alpn", []int32{14, 2}}, do{"set_alpn", []int32{16, 9}}, do{"set_alpn", []int32{0, 14}}, do{"starttls", []int32{0}})
	if err != nil || !slices.Equal(h.results, []int32{int32(abi.Inval), int32(abi.Inval), 0, 0}) {
		t.Errorf("%d, %v", h.results, err)
	}
	if !slices.Equal(h.alpn, []string{"postgresql", "h2"}) {
		t.Errorf("the host was asked for %q", h.alpn)
	}
}

func TestFact(t *testing.T) {
	h := &testHost{facts: map[string]string{"user": "joe"}}
	_, err := calls(t, newRuntime(t, false), h, Limits{}, "usernone", do{"fact", []int32{0, 4, 100, 50}}, do{"fact", []int32{4, 4, 100, 50}})
	if err != nil || !slices.Equal(h.results, []int32{3, int32(abi.None)}) {
		t.Errorf("%d, %v", h.results, err)
	}
}
