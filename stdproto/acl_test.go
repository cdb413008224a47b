package stdproto_test

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/flight"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
)

// stages are what is known at each stage of a server without a protocol.
var stages = map[string]string{
	"accept":    "info.stage=accept",
	"handshake": "info.stage=handshake;info.tls_version=TLSv1.3;info.peer_verified=no",
	"dial":      "info.stage=dial;info.tls_version=TLSv1.3;info.peer_verified=no;info.target=localhost:25\\n",
}

// certified is a client's certificate.
const certified = "info.peer_verified=yes;info.peer_cert=" + shaA + ";info.peer_spki=" + shaB +
	`;info.peer_subject=C=PL, O="Foo, Inc.", OU=ops, OU=dev \"a\"b, CN=alice` +
	";info.peer_issuer=CN=Test CA;info.peer_san=DNS:www.example.org\\nemail:al@example.org\\nIP:192.0.2.7\\nIP:2001:db8::7\\nURI:spiffe://x/ns/prod/sa/web\\n"

const (
	shaA = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	shaB = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
)

// The wanted outcomes that are no reason of a denial.
const (
	left  = "left" // allowed at this stage, by no rule
	rule1 = "rule 1"
	rule2 = "rule 2"
	none  = "no rule allows it"
)

// aclCases are rules, the facts at a stage, and what comes of them.
var aclCases = []struct {
	rules []string
	stage string
	facts string // separated by semicolons
	want  string
}{
	// Addresses.
	{[]string{"allow from 10.0.0.0/8"}, "accept", "info.peer_addr=10.255.0.1:1", rule1},
	{[]string{"allow from 10.0.0.0/8"}, "accept", "info.peer_addr=11.0.0.1:1", none},
	{[]string{"allow from 10.0.0.0/8"}, "accept", "info.peer_addr=::ffff:10.0.0.1:1", rule1},
	{[]string{"allow from ::ffff:10.0.0.0/104"}, "accept", "info.peer_addr=10.0.0.1:1", rule1},
	{[]string{"allow from 192.0.2.7,2001:db8::/33"}, "accept", "info.peer_addr=2001:db8:7fff::1:1", rule1},
	{[]string{"allow from 192.0.2.7,2001:db8::/33"}, "accept", "info.peer_addr=2001:db8:8000::1:1", none},
	{[]string{"allow from 192.0.2.7,2001:db8::/33"}, "accept", "info.peer_addr=192.0.2.7:1", rule1},
	{[]string{"allow from 192.0.2.7,2001:db8::/33"}, "accept", "info.peer_addr=192.0.2.8:1", none},
	{[]string{"allow from ::/0"}, "accept", "info.peer_addr=192.0.2.7:1", none},
	{[]string{"allow from 0.0.0.0/0"}, "accept", "info.peer_addr=192.0.2.7:1", rule1},
	{[]string{"allow from 0.0.0.0/0"}, "accept", "info.peer_addr=2001:db8::1:1", none},
	{[]string{"allow from fe80::/10"}, "accept", "info.peer_addr=fe80::1%eth0:1", rule1},
	{[]string{"allow from ::1"}, "accept", "info.peer_addr=::1:25", rule1},
	{[]string{"allow from 1::8"}, "accept", "info.peer_addr=1:0:0:0:0:0:0:8:25", rule1},
	{[]string{"allow from 64:ff9b::192.0.2.1"}, "accept", "info.peer_addr=64:ff9b::c000:201:25", rule1},
	{[]string{"allow from 0.0.0.0/0,::/0"}, "accept", "info.peer_addr=unix:socket", none},
	{[]string{"deny not from 10.0.0.0/8"}, "accept", "info.peer_addr=unix:socket", `rule 1 denies it: "deny not from 10.0.0.0/8"`},
	{[]string{"deny from 10.0.0.0/8"}, "accept", "info.peer_addr=10.0.0.1:1", `rule 1 denies it: "deny from 10.0.0.0/8"`},
	{[]string{"deny from 10.0.0.0/8"}, "accept", "info.peer_addr=192.0.2.1:1", left},
	// The first rule that holds decides, and an open one that allows waits.
	{[]string{"deny from 10.0.0.1", "allow from 10.0.0.0/8"}, "accept", "info.peer_addr=10.0.0.1:1", `rule 1 denies it: "deny from 10.0.0.1"`},
	{[]string{"deny from 10.0.0.1", "allow from 10.0.0.0/8"}, "accept", "info.peer_addr=10.0.0.2:1", rule2},
	{[]string{"allow sni a", "deny"}, "accept", "", left},
	{[]string{"allow sni a", "deny"}, "handshake", "info.sni=b", `rule 2 denies it: "deny"`},
	{[]string{"allow from 10.0.0.1 sni a"}, "accept", "info.peer_addr=10.0.0.2:1", none},
	{[]string{"deny sni a", "allow from 10.0.0.1"}, "accept", "info.peer_addr=10.0.0.2:1", none},
	{[]string{"deny sni a", "allow"}, "accept", "", rule2},
	{[]string{"deny sni a", "allow"}, "handshake", "info.sni=a", `rule 1 denies it: "deny sni a"`},
	{[]string{"deny not sni a", "allow"}, "handshake", "", `rule 1 denies it: "deny not sni a"`},
	// What TLS tells.
	{[]string{"allow sni *.Example.org"}, "handshake", "info.sni=a.b.example.ORG", rule1},
	{[]string{"allow sni *.example.org"}, "handshake", "info.sni=example.org", none},
	{[]string{"allow sni *.example.org"}, "handshake", "info.sni=x.example.org.evil.test", none},
	{[]string{"allow sni a*b*c"}, "handshake", "info.sni=aXbXbYc", rule1},
	{[]string{"allow alpn h2,http/1.1"}, "handshake", "info.alpn=http/1.1", rule1},
	{[]string{"allow alpn h2"}, "handshake", "", none},
	// Certificates.
	{[]string{"allow cert any"}, "handshake", "", none},
	{[]string{"allow cert none"}, "handshake", "", rule1},
	{[]string{"allow cert verified"}, "handshake", certified, rule1},
	{[]string{"allow cert verified"}, "handshake", certified + ";info.peer_verified=no", none},
	{[]string{`allow cert.subject 'C=PL, O="Foo, Inc.", OU=ops, OU=dev \"a\"b, CN=alice'`}, "handshake", certified, rule1},
	{[]string{`allow cert.subject CN=alice`}, "handshake", certified, none},
	{[]string{`allow cert.issuer "CN=Test CA"`}, "handshake", certified, rule1},
	{[]string{`allow cert.cn al*`}, "handshake", certified, rule1},
	{[]string{`allow cert.cn Alice`}, "handshake", certified, none},
	{[]string{`allow cert.ou ops`}, "handshake", certified, rule1},
	{[]string{`allow cert.ou 'dev "a"b'`}, "handshake", certified, rule1},
	{[]string{`allow cert.ou admin`}, "handshake", `info.peer_subject=CN="x, OU=admin"`, none},
	{[]string{`allow cert.ou admin`}, "handshake", `info.peer_subject=CN=x\", OU=admin`, rule1},
	{[]string{`allow cert.ou admin`}, "handshake", `info.peer_subject=CN="x\", OU=admin"`, none},
	{[]string{`allow cert.ou admin`}, "handshake", `info.peer_subject=`, none},
	{[]string{`allow cert.san DNS:*.example.org`}, "handshake", certified, rule1},
	{[]string{`allow cert.san email:al@example.org`}, "handshake", certified, rule1},
	{[]string{`allow cert.san IP:192.0.2.0/24`}, "handshake", certified, rule1},
	{[]string{`allow cert.san IP:2001:db8::/32`}, "handshake", certified, rule1},
	{[]string{`allow cert.san IP:192.0.2.8`}, "handshake", certified, none},
	{[]string{`allow cert.san DNS:192.0.2.7`}, "handshake", certified, none},
	{[]string{`allow cert.san URI:spiffe://x/*`}, "handshake", certified, none}, // a star ends at a slash
	{[]string{`allow cert.san URI:spiffe://x/**`}, "handshake", certified, rule1},
	{[]string{`allow cert.san URI:spiffe://x/ns/*/sa/*`}, "handshake", certified, rule1},
	{[]string{`allow cert.san URI:spiffe://x/ns/*/web`}, "handshake", certified, none},
	{[]string{`allow cert.san URI:**/sa/w*`}, "handshake", certified, rule1},
	{[]string{`allow cert.san URI:spiffe://y/**,DNS:www.example.org`}, "handshake", certified, rule1},
	{[]string{"allow cert.sha256 " + shaA}, "handshake", certified, rule1},
	{[]string{"allow cert.sha256 " + shaB}, "handshake", certified, none},
	{[]string{"allow cert.spki sha256:BA:" + shaB[2:]}, "handshake", certified, rule1},
	// Keys.
	{[]string{"allow psk alice,bob"}, "handshake", "info.peer_psk=bob", rule1},
	{[]string{"allow psk office-*"}, "handshake", "info.peer_psk=office-7", rule1},
	{[]string{"allow psk alice"}, "handshake", "info.peer_psk=Alice", none},
	{[]string{"allow psk alice"}, "handshake", certified, none},
	{[]string{"allow cert verified"}, "handshake", "info.peer_psk=alice", none},
	{[]string{"allow psk alice"}, "accept", "info.peer_addr=192.0.2.7:1", left},
	{[]string{"deny not psk alice"}, "handshake", "", `rule 1 denies it: "deny not psk alice"`},
	// Targets and what a protocol found out.
	{[]string{"allow target *.example.org:443"}, "handshake", "", left},
	{[]string{"allow target *.example.org:443"}, "dial", "info.target=db.example.org:443", rule1},
	{[]string{"allow target *.example.org:443"}, "dial", "info.target=db.example.org.:443", rule1},
	{[]string{"allow target *.example.org:443"}, "dial", "info.target=db.example.org:444", none},
	{[]string{"allow target 10.0.0.0/8:1-1023"}, "dial", "info.target=10.1.2.3:1023", rule1},
	{[]string{"allow target 10.0.0.0/8:1-1023"}, "dial", "info.target=10.1.2.3:1024", none},
	{[]string{"allow target 10.0.0.0/8:*"}, "dial", "info.target=10.example.org:1", none},
	{[]string{"allow target [2001:db8::]/32:*"}, "dial", "info.target=[2001:db8::1]:443", rule1},
	{[]string{"deny target [fe80::]/10:*", "allow"}, "dial", "info.target=[fe80::1%eth0]:443", `rule 1 denies it: "deny target [fe80::]/10:*"`},
	{[]string{"deny target 10.0.0.0/8:*", "allow"}, "dial", "info.target=10.1.2.3.:443", `rule 1 denies it: "deny target 10.0.0.0/8:*"`},
	{[]string{"allow target *:*"}, "dial", "info.target=/run/socket", none},
	{[]string{"allow target a:1"}, "dial", `info.target=a:1\nb:1\n`, none},
	{[]string{"deny target a:1", "allow"}, "dial", `info.target=a:1\nb:1\n`, `rule 1 denies it: "deny target a:1"`},
	{[]string{"allow target a:1,b:1"}, "dial", `info.target=a:1\nb:1\n`, rule1},
	{[]string{"allow not target a:1"}, "dial", `info.target=a:1\nb:1\n`, none},
	{[]string{"allow fact.user joe,jim"}, "handshake", "", left},
	{[]string{"allow fact.user joe,jim"}, "dial", "fact.user=jim", rule1},
	{[]string{"allow fact.user joe,jim"}, "dial", "fact.user=jims", none},
	{[]string{"allow fact.user joe,jim"}, "dial", "", none},
	// With smtp in server mode the dial comes first, and its handshake is last.
	{[]string{"allow fact.ehlo mx.*"}, "accept", "info.stage=dial;info.target=a:1", left},
	{[]string{"allow fact.ehlo mx.*"}, "dial", "info.stage=handshake", none},
	// Routes.
	{[]string{"route db1:5432 sni one"}, "handshake", "info.sni=one", "target db1:5432"},
	{[]string{"route db1:5432 sni one"}, "handshake", "info.sni=two", none},
	{[]string{"route db1:5432"}, "dial", "info.stage=handshake", `the connection was made before it could be routed to "db1:5432"`},
	{[]string{"route db1:5432"}, "dial", `info.stage=handshake;info.target=DB1:5432\n`, rule1},
	// Broken ones that get past configure all the same.
	{[]string{"allow sny x"}, "accept", "", `guestOption rule 1: column 7: "sny" is no condition`},
	{nil, "accept", "", "there is no rule"},
}

// TestACL asks for one decision after the other.
func TestACL(t *testing.T) {
	module := load(t, "acl")
	for _, c := range aclCases {
		f := flight.New()
		facts := "info.peer_addr=192.0.2.1:999;" + stages[c.stage] + ";" + c.facts
		for line := range strings.SplitSeq(facts, ";") {
			if line == "" {
				continue
			}
			if err := f.Set(line); err != nil {
				t.Fatal(err)
			}
		}
		for _, rule := range c.rules {
			if err := f.Set("guestOption=rule=" + rule); err != nil {
				t.Fatal(err)
			}
		}
		if got := decided(t, module, f); !strings.HasPrefix(got, c.want) || c.want == none && got != none {
			t.Errorf("%q with %s: %s, want %s", c.rules, c.facts, got, c.want)
		}
	}
}

// decided is the outcome in the table's words.
func decided(t *testing.T, module *guest.Module, f *flight.Flight) string {
	t.Helper()
	host := flight.NewHost(f, nil, nil)
	if err := module.Decide(t.Context(), host, guest.Limits{}); err != nil {
		e, ok := errors.AsType[*guest.Error](err)
		if !ok || e.Kind != guest.KindRefusal || e.Class != abi.FailPolicy && e.Class != abi.FailConfig {
			t.Fatal(err)
		}
		return e.Reason
	}
	notes := host.Notes()
	if _, target, ok := strings.Cut(notes, "target "); ok {
		target, _, _ = strings.Cut(target, "\n")
		return "target " + strings.Trim(target, `"`)
	}
	if number, ok := strings.CutPrefix(notes, `log 7 "rule `); ok {
		return "rule " + strings.TrimSuffix(number, ` allows it"`)
	}
	return left
}

// TestACLTimes moves through a week. A bubble begins on Saturday, the first of January 2000.
func TestACLTimes(t *testing.T) {
	module := load(t, "acl")
	const monday = 48 * time.Hour
	for _, c := range []struct {
		rule, zone string
		at         time.Duration
		allowed    bool
	}{
		{"time sat", "", 0, true},
		{"time sat", "UTC", 24*time.Hour - time.Minute, true},
		{"time sat", "", 24 * time.Hour, false},
		{"time sat", "+00:01", 24*time.Hour - time.Minute, false},
		{"time fri", "-00:01", 0, true},
		{"time mon-fri 08:00-18:00", "", monday + 8*time.Hour - 1, false},
		{"time mon-fri 08:00-18:00", "", monday + 8*time.Hour, true},
		{"time mon-fri 08:00-18:00", "", monday + 18*time.Hour - 1, true},
		{"time mon-fri 08:00-18:00", "", monday + 18*time.Hour, false},
		{"time mon-fri 08:00-18:00", "", 9 * time.Hour, false},
		{"time 08:00-12:00,13:00-17:00", "", 12*time.Hour + time.Minute, false},
		{"time 08:00-12:00,13:00-17:00", "", 13 * time.Hour, true},
		{"time fri-sun", "", 30 * time.Hour, true},
		{"time mon,wed", "", monday + 48*time.Hour, true},
		{"time mon,wed", "", monday + 24*time.Hour, false},
		// Over midnight a span belongs to the day on which it begins.
		{"time sat 22:00-06:00", "", 23 * time.Hour, true},
		{"time sat 22:00-06:00", "", 29 * time.Hour, true},
		{"time sat 22:00-06:00", "", 5 * time.Hour, false},
		{"time 18:00-24:00", "", 23*time.Hour + 59*time.Minute, true},
		{"not time sat", "", 0, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := flight.New()
			zone := cmp.Or(c.zone, "UTC")
			for _, line := range []string{"info.stage=accept", "guestOption=rule=allow " + c.rule, "guestOption=zone=" + zone} {
				if err := f.Set(line); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(c.at)
			if got := decided(t, module, f); (got == rule1) != c.allowed {
				t.Errorf("%s in zone %q after %v: %s", c.rule, c.zone, c.at, got)
			}
		})
	}
}

// TestConfigureACL has each thing that can be wrong with a rule, and its place.
func TestConfigureACL(t *testing.T) {
	module := load(t, "acl")
	for rule, refusal := range map[string]string{
		"allow": "", "deny": "", "allow not cert any": "", "allow time mon-fri sni a": "",
		`allow from 10.0.0.0/8 sni *.example.org cert.san URI:spiffe://x/* time mon-fri 08:00-18:00`: "",
		"route db:1": "", "route [2001:DB8::1]:1 sni a": "",
		"":                             `column 1: "" is none of allow, deny and route`,
		"permit":                       `column 1: "permit" is none of allow, deny and route`,
		"allow from":                   `column 7: "from" lacks a value`,
		"allow from 10.0.0.0/33":       `column 12: "10.0.0.0/33" is no IP address or network`,
		"allow from 10.0.0.1/8":        `column 12: "10.0.0.1/8" has bits beyond its prefix`,
		"allow from 10.0.0.256":        `column 12: "10.0.0.256" is no IP`,
		"allow from 10.0.0.010":        `column 12: "10.0.0.010" is no IP`,
		"allow from 10.0.0":            `column 12: "10.0.0" is no IP`,
		"allow from 1.2.3.4.5":         `column 12: "1.2.3.4.5" is no IP`,
		"allow from ::1::2":            `column 12: "::1::2" is no IP`,
		"allow from 1:2:3":             `column 12: "1:2:3" is no IP`,
		"allow from 1:2:3:4:5:6:7:8:9": `column 12: "1:2:3:4:5:6:7:8:9" is no IP`,
		"allow from 12345::":           `column 12: "12345::" is no IP`,
		"allow from 10.0.0.1,":         `column 21: "" lacks a value`,
		"allow from 1.1.1.1,x":         `column 20: "x" is no IP`,
		"allow sny x":                  `column 7: "sny" is no condition`,
		"allow fact. x":                `column 7: "fact." is no condition`,
		"allow not":                    `column 10: "" is no condition`,
		`allow sni "a`:                 `column 11: "'a" has a quote without an end`,
		`allow sni "a"b`:               `column 11: "'a'b" goes on after its quotes`,
		`allow sni a"b"`:               `column 11: "a'b'" has a quote within`,
		"allow cert yes":               `column 12: "yes" is none of any, none and verified`,
		"allow cert.san x":             `column 16: "x" begins with none of DNS:`,
		"allow cert.san dns:x":         `column 16: "dns:x" begins with none of DNS:`,
		"allow cert.san IP:x":          `column 16: "IP:x" is no IP`,
		"allow cert.san URI:":          `column 16: "URI:" begins with none of`,
		"allow cert.spki 00":           `column 17: "00" is not the 64 hex digits`,
		"allow time noon":              `column 12: "noon" is no day`,
		"allow time mon-tue-wed":       `column 12: "mon-tue-wed" is no day`,
		"allow time 8:00-18:00":        `column 12: "8:00-18:00" is no time of day`,
		"allow time 08:00-25:00":       `column 12: "08:00-25:00" is no time of day`,
		"allow time mon 08:00-08:00":   `column 16: "08:00-08:00" is no time of day`,
		"allow target x":               `column 14: "x" is no target`,
		"allow target x:0-":            `column 14: "x:0-" is no target`,
		"allow target x:2-1":           `column 14: "x:2-1" is no target`,
		"allow target 10.0.0.1/8:*":    `column 14: "10.0.0.1/8:*" has bits beyond`,
		"route":                        `column 6: "" lacks a value`,
		"route other:1":                `column 7: "other:1" is no connect target of this service`,
	} {
		refused(t, module, []string{"guestOption=rule=" + rule}, "guestOption rule 1: ", refusal)
	}
	refused(t, module, []string{"guestOption=rule=allow", "guestOption=rule=forbid"}, "guestOption rule 2: ", `column 1: "forbid"`)
	refused(t, module, []string{"guestOption=rule=allow", "guestOption=zone=CET"}, "guestOption zone: ", `"CET" is no zone`)
	refused(t, module, []string{"guestOption=rule=allow", "guestOption=zone=+15:00"}, "guestOption zone: ", `"+15:00" is no zone`)
	refused(t, module, []string{"guestOption=rule=allow", "guestOption=default=yes"}, "guestOption default: ", `"yes" is neither allow nor deny`)
	refused(t, module, []string{"client=yes", "guestOption=rule=route db:1 sni a"}, "guestOption rule 1: ", `column 12: "sni" cannot choose the target in client mode`)
	refused(t, module, []string{"guestOption=rule=" + strings.Repeat("x", 21<<10)}, "guestOption rule: ", "all rules together are longer than 20480 bytes")
	refused(t, module, nil, "", "there is no rule")
}

func refused(t *testing.T, module *guest.Module, conf []string, prefix, refusal string) {
	t.Helper()
	f := flight.New()
	for _, line := range append(conf, "connect=db:1\\n2001:db8::1:1") {
		if err := f.Set(line); err != nil {
			t.Fatal(err)
		}
	}
	host := flight.NewHost(f, nil, nil)
	config := func(key string) (string, bool) {
		v, ok := host.Config(key)
		return strings.ReplaceAll(v, `\n`, "\n"), ok
	}
	err := module.Configure(t.Context(), config, host.Log, guest.Limits{})
	got := ""
	if e, ok := errors.AsType[*guest.Error](err); ok {
		if got = e.Reason; e.Kind != guest.KindRefusal || e.Class != abi.FailConfig {
			t.Errorf("%q: %v", conf, err)
		}
	}
	if refusal == "" && got != "" || refusal != "" && !strings.HasPrefix(got, prefix+refusal) {
		t.Errorf("%q: %q, want %q", conf, got, prefix+refusal)
	}
}

// FuzzACL gives rules and facts of any text. What configure takes must decide, by a
// rule or by the default: it never traps, and finds no fault in a rule that it took.
func FuzzACL(f *testing.F) {
	for _, c := range aclCases {
		f.Add(strings.Join(c.rules, "\n"), `C=PL, O="Foo, Inc.", OU=x`, "DNS:a\nURI:b://c/d", "192.0.2.1:1", "a.b:1\n[::1]:2\n")
	}
	module := load(f, "acl")
	f.Fuzz(func(t *testing.T, rules, subject, names, peer, target string) {
		fl := flight.New()
		fl.Config["option.rule"], fl.Config["connect"] = rules, target
		fl.Info[abi.InfoPeerAddr], fl.Info[abi.InfoStage], fl.Info[abi.InfoTLSVersion] = peer, "dial", "TLSv1.3"
		fl.Info[abi.InfoPeerSubject], fl.Info[abi.InfoPeerSAN], fl.Info[abi.InfoTarget] = subject, names, target
		fl.Info[abi.InfoSNI], fl.Info[abi.InfoPeerCertHash] = subject, shaA
		host := flight.NewHost(fl, nil, nil)
		verdict := func(err error) *guest.Error {
			e, ok := errors.AsType[*guest.Error](err)
			if err != nil && (!ok || e.Kind != guest.KindRefusal || e.Class == abi.FailInternal) {
				t.Fatal(err)
			}
			return e
		}
		taken := verdict(module.Configure(t.Context(), host.Config, host.Log, guest.Limits{})) == nil
		e := verdict(module.Decide(t.Context(), host, guest.Limits{}))
		if taken && e != nil && e.Class != abi.FailPolicy {
			t.Errorf("rules that were taken: %v", e)
		}
	})
}

// BenchmarkACL asks for one decision, by the last of so many rules.
func BenchmarkACL(b *testing.B) {
	module := load(b, "acl")
	for _, rules := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("%d rules", rules), func(b *testing.B) {
			f := flight.New()
			for line := range strings.SplitSeq("info.peer_addr=192.0.2.1:999;"+stages["handshake"]+";"+certified, ";") {
				if err := f.Set(line); err != nil {
					b.Fatal(err)
				}
			}
			for i := range rules {
				if err := f.Set(fmt.Sprintf("guestOption=rule=allow from 0.0.0.0/0 cert.san URI:spiffe://x/ns/*/sa/web%d", rules-1-i)); err != nil {
					b.Fatal(err)
				}
			}
			f.Info[abi.InfoPeerSAN] = "URI:spiffe://x/ns/prod/sa/web0\n"
			b.ReportAllocs()
			for b.Loop() {
				if err := module.Decide(b.Context(), flight.NewHost(f, nil, nil), guest.Limits{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
