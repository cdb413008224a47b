package resolve

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

const hostsText = `127.0.0.1	localhost loop.example
::1 localhost ip6-localhost
# 192.0.2.9 commented
192.0.2.1 Db.Example. db alias # behind
2001:db8::1 six
nonsense here
`

// keepFrom is what Keep makes, of files of a test.
func keepFrom(t *testing.T, servers string) (k *kept, r *net.Resolver) {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	k = &kept{
		servers:  readServers(write("resolv.conf", servers)),
		hosts:    readHosts(write("hosts", hostsText)),
		resolver: filepath.Join(dir, "gone"), file: filepath.Join(dir, "gone"),
	}
	return k, &net.Resolver{PreferGo: true, Dial: k.dial}
}

func TestServers(t *testing.T) {
	k, _ := keepFrom(t, "# nameserver 192.0.2.1\nnameserver 192.0.2.2\n; x\nnameserver 2001:db8::3 # three\nnameserver name\nsearch a b\n")
	if want := []string{"192.0.2.2:53", "[2001:db8::3]:53"}; !slices.Equal(k.servers, want) {
		t.Errorf("%q, want %q", k.servers, want)
	}
	if none, _ := keepFrom(t, "options ndots:2\n"); !slices.Equal(none.servers, []string{defaultServer}) {
		t.Errorf("without a server: %q", none.servers)
	}
}

// Names of the hosts file are found by Go's resolver through answers of our own.
func TestHosts(t *testing.T) {
	_, r := keepFrom(t, "")
	ctx := context.Background()
	for name, want := range map[string][]string{
		"loop.example.": {"127.0.0.1"},
		"DB.example.":   {"192.0.2.1"},
		"alias.":        {"192.0.2.1"},
		"six.":          {"2001:db8::1"},
	} {
		ips, err := r.LookupNetIP(ctx, "ip", name)
		var got []string
		for _, ip := range ips {
			got = append(got, ip.Unmap().String())
		}
		slices.Sort(got)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v; want %v", name, got, err, want)
		}
	}
}

func TestReverse(t *testing.T) {
	k, _ := keepFrom(t, "")
	for question, want := range map[string]string{
		"1.2.0.192.in-addr.arpa.": "Db.Example.",
		"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.": "six.",
		"9.2.0.192.in-addr.arpa.": "",
	} {
		if got := k.hosts.names[question]; got != want {
			t.Errorf("%s: %q, want %q", question, got, want)
		}
	}
	m := k.hosts.answer(ask(t, "1.2.0.192.in-addr.arpa.", typePTR))
	if want := "\x02Db\x07Example\x00"; len(m) < len(want) || string(m[len(m)-len(want):]) != want {
		t.Errorf("the answer is %q", m)
	}
}

// ask is a question as a resolver sends it.
func ask(t *testing.T, name string, kind uint16) []byte {
	t.Helper()
	text, ok := packName(name)
	if !ok {
		t.Fatal(name)
	}
	m := append([]byte{1, 2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1}, text...)
	m = binary.BigEndian.AppendUint16(m, kind)
	return binary.BigEndian.AppendUint16(m, classIN)
}

// What the file does not know goes to the server that was kept.
func TestServerAsked(t *testing.T) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	asked := make(chan string, 16)
	go func() {
		b := make([]byte, 512)
		for {
			n, from, err := pc.ReadFrom(b)
			if err != nil {
				return
			}
			name, end, ok := parseName(b[:n])
			if !ok {
				continue
			}
			select {
			case asked <- name:
			default:
			}
			m := append([]byte(nil), b[:end+4]...)
			m[2], m[3] = 0x84, 0x83 // no such name
			clear(m[6:headerSize])
			pc.WriteTo(m, from)
		}
	}()
	k, r := keepFrom(t, "")
	k.servers = []string{pc.LocalAddr().String()}
	_, err = r.LookupNetIP(context.Background(), "ip", "elsewhere.example.")
	var dns *net.DNSError
	if !errors.As(err, &dns) || !dns.IsNotFound {
		t.Errorf("the error is %v", err)
	}
	if name := <-asked; name != "elsewhere.example." {
		t.Errorf("the server was asked for %q", name)
	}
}

// A jail's own files count.
func TestJailFirst(t *testing.T) {
	k, _ := keepFrom(t, "nameserver 127.0.0.2\n")
	own := filepath.Join(t.TempDir(), "own")
	if err := os.WriteFile(own, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ resolver, hosts, server string }{
		{"/gone", "/gone", "127.0.0.2:53"},
		{own, "/gone", "127.0.0.3:53"},
		{own, own, "127.0.0.3:53"},
	} {
		k.resolver, k.file = c.resolver, c.hosts
		conn, err := k.dial(context.Background(), "udp", "127.0.0.3:53")
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		if got := conn.RemoteAddr().String(); got != c.server {
			t.Errorf("%+v: it asks %s", c, got)
		}
		if _, ours := conn.(*questionConn); ours != (c.hosts == "/gone") {
			t.Errorf("%+v: kept hosts are used: %v", c, ours)
		}
	}
}

// A foreign program may ask anything: whatever it is, it is answered whole or passed on.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte("\x01\x02\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x09localhost\x00\x00\x01\x00\x01"))
	f.Add([]byte("\x01\x02\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\xc0\x0c\x00\x01\x00\x01"))
	h := hosts{addrs: map[string][]netip.Addr{"localhost.": {netip.MustParseAddr("127.0.0.1")}}}
	f.Fuzz(func(t *testing.T, question []byte) {
		if m := h.answer(question); m != nil && (m[2]&0x80 == 0 || string(m[:2]) != string(question[:2])) {
			t.Errorf("%q is answered by %q", question, m)
		}
	})
}
