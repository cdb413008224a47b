package dial

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// A zone is a name server on loopback: each question of a name for IPv4 addresses takes
// the next of its answers, the last for ever. Other questions have no answer.
type zone struct {
	mu      sync.Mutex
	answers map[string][][]netip.Addr
	asked   map[string]int
}

// serveZone answers the questions of net.DefaultResolver until the test ends.
func serveZone(t *testing.T, answers map[string][][]netip.Addr) *zone {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	z := &zone{answers: answers, asked: map[string]int{}}
	var served sync.WaitGroup
	served.Go(func() {
		buf := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if reply := z.reply(buf[:n]); reply != nil {
				_, _ = conn.WriteTo(reply, from) // one that is lost is asked again
			}
		}
	})
	before := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
	t.Cleanup(func() {
		net.DefaultResolver = before
		conn.Close()
		served.Wait()
	})
	return z
}

// reply answers a question (RFC 1035, section 4).
func (z *zone) reply(query []byte) []byte {
	const header, typeA = 12, 1
	var labels []string
	at := header
	for at < len(query) && query[at] != 0 {
		end := at + 1 + int(query[at])
		if end > len(query) {
			return nil
		}
		labels = append(labels, string(query[at+1:end]))
		at = end
	}
	end := at + 5 // the root's label, type and class
	if end > len(query) {
		return nil
	}
	name := strings.ToLower(strings.Join(labels, "."))
	var addrs []netip.Addr
	z.mu.Lock()
	all, known := z.answers[name]
	if binary.BigEndian.Uint16(query[at+1:]) == typeA {
		z.asked[name]++
		if known {
			addrs = all[min(z.asked[name], len(all))-1]
		}
	}
	z.mu.Unlock()
	reply := slices.Clone(query[:end])
	reply[2] |= 0x80 // a response
	reply[3] = 0x80  // recursion is available
	if !known {
		reply[3] |= 3 // no such name
	}
	binary.BigEndian.PutUint16(reply[6:], uint16(len(addrs)))
	clear(reply[8:header])
	for _, a := range addrs {
		reply = append(reply, 0xc0, header, 0, typeA, 0, 1, 0, 0, 0, 0, 0, 4)
		reply = append(reply, a.AsSlice()...)
	}
	return reply
}

// times says how often a name was asked for.
func (z *zone) times(name string) int {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.asked[name]
}

func addrs(texts ...string) (all []netip.Addr) {
	for _, text := range texts {
		all = append(all, netip.MustParseAddr(text))
	}
	return all
}

// choose dials a target within rules and gives the address that was connected.
func choose(t *testing.T, target string, r *Reach, log *record) (string, error) {
	t.Helper()
	d := New(context.Background(), nil, options(config.Priority), log.ui())
	c, err := d.DialChosen(context.Background(), target, r, log.ui())
	if err != nil {
		return "", err
	}
	defer c.Close()
	return c.RemoteAddr().String(), nil
}

// loopback allows one port of some loopback addresses: what tests can reach.
func loopback(port string, prefixes ...string) *Reach {
	r := &Reach{}
	for _, p := range prefixes {
		rule := prefixRule(p, 1, 65535)
		if _, err := fmt.Sscan(port, &rule.From); err != nil {
			panic(err)
		}
		rule.To = rule.From
		r.Rules = append(r.Rules, rule)
	}
	return r
}

// port is a backend's.
func port(t *testing.T, addr string) string {
	t.Helper()
	_, p, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestRebinding has a name server that answers the first question with an address that is
// allowed, and every later one with one that is not, where somebody listens too: the
// second answer must never be asked for.
func TestRebinding(t *testing.T) {
	ln, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	testpeer.ServeOn(t, ln, testpeer.Say("reached"))
	p := port(t, ln.Addr().String())
	z := serveZone(t, map[string][][]netip.Addr{"turn.test": {addrs("127.0.0.2"), addrs("127.0.0.3")}})
	log := newRecord()
	reach := loopback(p, "127.0.0.2/32")
	got, err := choose(t, "turn.test:"+p, reach, log)
	if err != nil || got != "127.0.0.2:"+p {
		t.Errorf("connected to %q, %v", got, err)
	}
	if n := z.times("turn.test"); n != 1 {
		t.Errorf("the name was asked for %d times, not once", n)
	}
	// The next connection asks anew, and is refused.
	if got, err := choose(t, "turn.test:"+p, reach, log); !errors.Is(err, ErrDenied) {
		t.Errorf("connected to %q, %v", got, err)
	}
	log.has(t, "target turn.test (127.0.0.3) port "+p+": guestDial does not allow it", 1)
}

// TestChosenAddresses has names with several addresses, of which some are allowed.
func TestChosenAddresses(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	testpeer.ServeOn(t, ln, testpeer.Say("reached"))
	p := port(t, ln.Addr().String())
	var many []netip.Addr
	for i := range 2 * maxChosen {
		many = append(many, netip.AddrFrom4([4]byte{127, 1, 0, byte(i)}))
	}
	z := serveZone(t, map[string][][]netip.Addr{
		"mixed.test": {addrs("127.0.0.9", "127.0.0.2", "10.0.0.1")},
		"dead.test":  {addrs("127.0.0.4", "127.0.0.2")}, // nobody listens at the first
		"never.test": {addrs("127.0.0.9", "169.254.169.254")},
		"none.test":  {nil},
		"many.test":  {many},
	})
	reach := loopback(p, "127.0.0.2/32", "127.0.0.4/32", "127.1.0.0/16")
	for _, test := range []struct {
		target string
		want   string // an address without port; empty: refused with
		err    error
	}{
		{"mixed.test", "127.0.0.2", nil},
		{"MIXED.test.", "127.0.0.2", nil},
		{"dead.test", "127.0.0.2", nil},
		{"127.0.0.2", "127.0.0.2", nil},
		{"never.test", "", ErrDenied},
		{"127.0.0.9", "", ErrDenied},
		{"[::1]", "", ErrDenied},
		{"[::ffff:127.0.0.2]", "127.0.0.2", nil},
		{"[::ffff:127.0.0.9]", "", ErrDenied},
		{"many.test", "", ErrNoTarget}, // allowed, and nobody listens
	} {
		t.Run(test.target, func(t *testing.T) {
			log := newRecord()
			got, err := choose(t, test.target+":"+p, reach, log)
			if !errors.Is(err, test.err) || got != "" != (test.err == nil) {
				t.Fatalf("connected to %q, %v", got, err)
			}
			if got != "" && got != test.want+":"+p {
				t.Errorf("connected to %s", got)
			}
			if test.target == "never.test" {
				log.has(t, "guestDial does not allow it: this machine and its links take a rule with the address", 2)
			}
			if test.target == "many.test" {
				log.has(t, "s_connect: connecting", maxChosen)
			}
		})
	}
	for _, name := range []string{"none.test", "unknown.test"} {
		var dns *net.DNSError
		if got, err := choose(t, name+":"+p, reach, newRecord()); !errors.As(err, &dns) {
			t.Errorf("%s: connected to %q, %v, which is no error of the resolver", name, got, err)
		}
	}
	// Names that no rule can allow are not looked up: their owner would learn of it.
	for _, target := range []string{"mixed.test:1", "secret.test:1"} {
		before := z.times("mixed.test")
		if _, err := choose(t, target, reach, newRecord()); !errors.Is(err, ErrDenied) {
			t.Errorf("%s: %v", target, err)
		}
		if z.times("mixed.test") != before || z.times("secret.test") != 0 {
			t.Errorf("%s was looked up", target)
		}
	}
	// As resolve has it: of any port.
	d := New(context.Background(), nil, options(config.Priority), newRecord().ui())
	got, err := d.ResolveChosen(context.Background(), "mixed.test", 0, reach, newRecord().ui())
	if err != nil || !slices.Equal(got, addrs("127.0.0.2")) {
		t.Errorf("mixed.test resolves to %v, %v", got, err)
	}
}

// TestChosenMalformed has targets that are none.
func TestChosenMalformed(t *testing.T) {
	everywhere := &Reach{Rules: []config.DialRule{patternRule("*", 1, 65535), prefixRule("127.0.0.0/8", 1, 65535)}}
	for _, target := range []string{"", "a", ":1", "a:", "a:0", "a:65536", "a:http", "a:-1", "::1:1", "[::1]", "/run/socket"} {
		if got, err := choose(t, target, everywhere, newRecord()); err == nil {
			t.Errorf("%q: connected to %s", target, got)
		}
	}
}

// TestNoTargets has a service without connect, whose guest chose no target.
func TestNoTargets(t *testing.T) {
	log := newRecord()
	d := New(context.Background(), nil, options(config.Priority), log.ui())
	if c, err := d.Dial(context.Background(), log.ui()); !errors.Is(err, ErrNoTarget) || c != nil {
		t.Errorf("got %v, %v", c, err)
	}
}

// TestDialledItself has a target that no list of addresses foretold to be this machine.
func TestDialledItself(t *testing.T) {
	p := port(t, testpeer.Serve(t, testpeer.Say("reached")))
	raw, err := net.Dial("tcp", "127.0.0.1:"+p)
	if err != nil {
		t.Fatal(err)
	}
	number := loopback(p, "127.0.0.1/32").Rules[0].From
	// A machine that does not know the address for its own.
	named := &Reach{Rules: Anywhere, Own: func() []netip.Addr { return nil }}
	if err := named.checkDialled("a.example", number, raw); !errors.Is(err, ErrDenied) {
		t.Errorf("got %v", err)
	}
	if _, err := raw.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the connection is still open: %v", err)
	}
	other, err := net.Dial("tcp", "127.0.0.1:"+p)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := loopback(p, "127.0.0.0/8").checkDialled("127.0.0.1", number, other); err != nil {
		t.Errorf("a rule that names the address does not allow it: %v", err)
	}
}
