package dial

import (
	"net/netip"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

// patternRule and prefixRule make rules as guestDial does.
func patternRule(pattern string, from, to uint16) config.DialRule {
	return config.DialRule{Pattern: pattern, From: from, To: to}
}

func prefixRule(prefix string, from, to uint16) config.DialRule {
	return config.DialRule{Prefix: netip.MustParsePrefix(prefix), From: from, To: to}
}

// machine is a machine that has two addresses of its own.
func machine(rules ...config.DialRule) *Reach {
	return &Reach{Rules: rules, Own: func() []netip.Addr {
		return []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}
	}}
}

func TestReach(t *testing.T) {
	anywhere := machine(Anywhere...)
	all := machine(prefixRule("0.0.0.0/0", 1, 65535), prefixRule("::/0", 1, 65535))
	names := machine(patternRule("*.example.org", 443, 443), patternRule("db", 5432, 5433))
	addresses := machine(prefixRule("10.0.0.0/8", 80, 90), prefixRule("127.0.0.1/32", 25, 25),
		prefixRule("2001:db8::/32", 1, 65535))
	for _, test := range []struct {
		name  string
		reach *Reach
		host  string
		addr  string
		port  uint16
		want  bool
	}{
		{"no rules", machine(), "a.example", "198.51.100.1", 443, false},

		{"anywhere", anywhere, "a.example", "198.51.100.1", 443, true},
		{"anywhere by address", anywhere, "198.51.100.1", "198.51.100.1", 1, true},
		{"anywhere by IPv6", anywhere, "2001:db8::2", "2001:db8::2", 65535, true},
		{"private", anywhere, "a.example", "10.1.2.3", 443, true},
		{"loopback", anywhere, "127.0.0.1", "127.0.0.1", 443, false},
		{"loopback by name", anywhere, "a.example", "127.0.0.1", 443, false},
		{"all of loopback", anywhere, "a.example", "127.255.3.4", 443, false},
		{"loopback of IPv6", anywhere, "a.example", "::1", 443, false},
		{"loopback mapped", anywhere, "a.example", "::ffff:127.0.0.1", 443, false},
		{"loopback with a zone", anywhere, "a.example", "::1%lo", 443, false},
		{"unspecified", anywhere, "a.example", "0.0.0.0", 443, false},
		{"this network", anywhere, "a.example", "0.1.2.3", 443, false},
		{"unspecified of IPv6", anywhere, "a.example", "::", 443, false},
		{"unspecified mapped", anywhere, "a.example", "::ffff:0.0.0.0", 443, false},
		{"link-local", anywhere, "a.example", "169.254.169.254", 80, false},
		{"link-local of IPv6", anywhere, "a.example", "fe80::1%eth0", 80, false},
		{"site-local", anywhere, "a.example", "fec0::1", 80, false},
		{"multicast", anywhere, "a.example", "224.0.0.1", 80, false},
		{"multicast of IPv6", anywhere, "a.example", "ff05::1", 80, false},
		{"interface-local", anywhere, "a.example", "ff01::1", 80, false},
		{"broadcast", anywhere, "a.example", "255.255.255.255", 80, false},
		{"own", anywhere, "a.example", "192.0.2.1", 80, false},
		{"own mapped", anywhere, "a.example", "::ffff:192.0.2.1", 80, false},
		{"own of IPv6", anywhere, "a.example", "2001:db8::1", 80, false},
		{"NAT64 of loopback", anywhere, "a.example", "64:ff9b::7f00:1", 80, false},
		{"NAT64 of link-local", anywhere, "a.example", "64:ff9b::a9fe:a9fe", 80, false},
		{"NAT64 of own", anywhere, "a.example", "64:ff9b::c000:201", 80, false},
		{"NAT64 of another", anywhere, "a.example", "64:ff9b::c633:6401", 80, true},
		{"local NAT64 of loopback", anywhere, "a.example", "64:ff9b:1::7f00:1", 80, false},
		{"6to4 of loopback", anywhere, "a.example", "2002:7f00:1::1", 80, false},
		{"6to4 of another", anywhere, "a.example", "2002:c633:6401::1", 80, true},
		{"compatible loopback", anywhere, "a.example", "::127.0.0.1", 80, false},
		{"translated loopback", anywhere, "a.example", "::ffff:0:7f00:1", 80, false},

		{"all addresses", all, "a.example", "198.51.100.1", 443, true},
		{"all addresses of IPv6", all, "a.example", "2001:db8::2", 443, true},
		{"loopback of all addresses", all, "127.0.0.1", "127.0.0.1", 443, false},
		{"IPv6 loopback of all addresses", all, "::1", "::1", 443, false},
		{"own of all addresses", all, "192.0.2.1", "192.0.2.1", 443, false},

		{"pattern", names, "www.example.org", "198.51.100.1", 443, true},
		{"pattern in another case", names, "WWW.Example.ORG", "198.51.100.1", 443, true},
		{"pattern with the root's dot", names, "www.example.org.", "198.51.100.1", 443, true},
		{"pattern over two labels", names, "a.b.example.org", "198.51.100.1", 443, true},
		{"pattern of another port", names, "www.example.org", "198.51.100.1", 444, false},
		{"pattern without its label", names, "example.org", "198.51.100.1", 443, false},
		{"pattern within a name", names, "www.example.org.evil.test", "198.51.100.1", 443, false},
		{"pattern behind other letters", names, "wwwexample.org", "198.51.100.1", 443, false},
		{"pattern that leads home", names, "www.example.org", "127.0.0.1", 443, false},
		{"address of a pattern's name", names, "198.51.100.1", "198.51.100.1", 443, false},
		{"name alone", names, "db", "10.0.0.1", 5433, true},
		{"name alone, low", names, "db", "10.0.0.1", 5431, false},
		{"name alone, high", names, "db", "10.0.0.1", 5434, false},
		{"name and more", names, "db.evil.test", "10.0.0.1", 5432, false},
		{"any port", names, "db", "10.0.0.1", 0, true},
		{"any port of another", names, "dc", "10.0.0.1", 0, false},

		{"prefix", addresses, "10.255.0.1", "10.255.0.1", 80, true},
		{"prefix by any name", addresses, "whatever.test", "10.0.0.1", 90, true},
		{"prefix mapped", addresses, "a.example", "::ffff:10.0.0.1", 80, true},
		{"prefix of another port", addresses, "10.0.0.1", "10.0.0.1", 91, false},
		{"beside the prefix", addresses, "11.0.0.1", "11.0.0.1", 80, false},
		{"NAT64 is no prefix", addresses, "a.example", "64:ff9b::a00:1", 80, false},
		{"loopback that is named", addresses, "localhost", "127.0.0.1", 25, true},
		{"loopback beside it", addresses, "localhost", "127.0.0.2", 25, false},
		{"loopback of another port", addresses, "localhost", "127.0.0.1", 26, false},
		{"own within a prefix", addresses, "2001:db8::1", "2001:db8::1", 22, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			addr := netip.MustParseAddr(test.addr)
			if got := test.reach.Allows(test.host, addr, test.port); got != test.want {
				t.Errorf("Allows(%q, %s, %d) is %v", test.host, addr, test.port, got)
			}
			// What is asked before a look-up never refuses what is allowed after it.
			if test.want && !test.reach.mayAllow(test.host, test.port) {
				t.Errorf("mayAllow(%q, %d) is false", test.host, test.port)
			}
		})
	}
}

func TestMayAllow(t *testing.T) {
	reach := machine(patternRule("*.example.org", 443, 443), prefixRule("10.0.0.0/8", 80, 80))
	for _, test := range []struct {
		host string
		port uint16
		want bool
	}{
		{"www.example.org", 443, true},
		{"www.example.org", 80, true}, // it may lead to 10/8
		{"www.evil.test", 443, false},
		{"www.evil.test", 80, true},
		{"www.evil.test", 0, true},
		{"10.1.1.1", 80, true},
		{"::ffff:10.1.1.1", 80, true},
		{"11.1.1.1", 80, false},
		{"10.1.1.1", 443, false},
	} {
		if got := reach.mayAllow(test.host, test.port); got != test.want {
			t.Errorf("mayAllow(%q, %d) is %v", test.host, test.port, got)
		}
	}
	if machine().mayAllow("www.example.org", 0) {
		t.Error("no rules allow something")
	}
}

func TestMatch(t *testing.T) {
	for _, test := range []struct {
		pattern, text string
		want          bool
	}{
		{"*", "", true},
		{"*", "a.b", true},
		{"a", "a", true},
		{"a", "ab", false},
		{"a", "", false},
		{"a*", "a", true},
		{"*a", "a", true},
		{"*a", "ab", false},
		{"a*a", "a", false}, // the two letters are not one
		{"a*a", "aa", true},
		{"a*b*c", "aXbYc", true},
		{"a*b*c", "acb", false},
		{"a*bc*c", "abc", false},
		{"*.a.*", "x.a.y", true},
		{"*.a.*", "x.b.y", false},
		{"**", "a", true},
	} {
		if got := match(test.pattern, test.text); got != test.want {
			t.Errorf("match(%q, %q) is %v", test.pattern, test.text, got)
		}
	}
}

// TestInterfaces checks that the addresses of this machine are found without being told.
func TestInterfaces(t *testing.T) {
	reach := &Reach{Rules: Anywhere}
	for _, a := range interfaces.addresses() {
		if reach.Allows(a.String(), a, 80) {
			t.Errorf("a guest may reach this machine at %s", a)
		}
	}
	if len(interfaces.addresses()) == 0 {
		t.Error("this machine has no address, not even loopback's")
	}
}
