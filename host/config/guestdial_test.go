package config

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

// loadDial loads a service with one guestDial.
func loadDial(value string) ([]DialRule, Errors) {
	c, errs := loadText("[a]\nclient = yes\naccept = 1\nconnect = 2\nprotocol = smtp\nguestDial = " + value + "\n")
	if len(errs) > 0 {
		return nil, errs
	}
	return c.Services[0].Guest.Dial, nil
}

func TestGuestDial(t *testing.T) {
	prefix := func(text string, from, to uint16) DialRule {
		return DialRule{Prefix: netip.MustParsePrefix(text), From: from, To: to}
	}
	for value, want := range map[string]DialRule{
		"*:*":                        {Pattern: "*", From: 1, To: 65535},
		"*.Example.ORG:443":          {Pattern: "*.example.org", From: 443, To: 443},
		"example.org.:1-65535":       {Pattern: "example.org", From: 1, To: 65535},
		"db_1:5432-5433":             {Pattern: "db_1", From: 5432, To: 5433},
		"1.in-addr.arpa:1":           {Pattern: "1.in-addr.arpa", From: 1, To: 1},
		"10.0.0.0/8:1024-65535":      prefix("10.0.0.0/8", 1024, 65535),
		"0.0.0.0/0:443":              prefix("0.0.0.0/0", 443, 443),
		"127.0.0.1:80":               prefix("127.0.0.1/32", 80, 80),
		"[2001:db8::]/32:*":          prefix("2001:db8::/32", 1, 65535),
		"[2001:db8::/32]:*":          prefix("2001:db8::/32", 1, 65535),
		"2001:db8::/32:443":          prefix("2001:db8::/32", 443, 443),
		"[::1]:443":                  prefix("::1/128", 443, 443),
		"::1:443":                    prefix("::1/128", 443, 443), // split at the last colon, as everywhere
		"[::ffff:192.0.2.1]:443":     prefix("192.0.2.1/32", 443, 443),
		"[::ffff:192.0.2.0]/120:443": prefix("192.0.2.0/24", 443, 443),
	} {
		got, errs := loadDial(value)
		if len(errs) > 0 || len(got) != 1 || got[0] != want {
			t.Errorf("guestDial = %s is %+v, %v, want %+v", value, got, errs, want)
		}
	}
}

func TestBadGuestDial(t *testing.T) {
	form, cidr := "a host pattern or CIDR", "a pattern is for names"
	for value, hint := range map[string]string{
		"example.org":          form,
		"443":                  form,
		":443":                 form,
		"example.org:":         form,
		"example.org:0":        form,
		"example.org:65536":    form,
		"example.org:-1":       form,
		"example.org:5-":       form,
		"example.org:6-5":      form,
		"example.org:0-5":      form,
		"example.org:http":     form,
		"example.org:1-2-3":    form,
		"exa mple.org:1":       form,
		"ex?mple.org:1":        form,
		"exämple.org:1":        form,
		"https://a.example:1":  form,
		"[example.org]:443":    form,
		"[192.0.2.1]:443":      form,
		"[2001:db8::1:443":     form,
		"2001:db8::1]:443":     form,
		"[2001:db8::]x/32:443": form,
		"[[2001:db8::]]:443":   form,
		"10.0.0.0/33:443":      form,
		"10.0.0.1/8:443":       "the address has bits beyond its prefix; write 10.0.0.0/8",
		"[fe80::1%eth0]:443":   "an address here has no zone",
		"10.*:443":             cidr,
		"10.0.0:443":           cidr,
		"192.168.*.*:443":      cidr,
		"*.*:443":              cidr,
		"LocalHost.:443":       "a pattern never allows this machine",
		"2130706433:443":       cidr,
	} {
		rules, errs := loadDial(value)
		var bad *Error
		if len(errs) != 1 || !errors.As(errs[0], &bad) || bad.Line != 6 || bad.Reason != "Illegal guestDial" || !strings.Contains(bad.Hint, hint) {
			t.Errorf("guestDial = %s is %+v, %v, want the hint %q", value, rules, errs, hint)
		}
	}
}

// TestGuestDialSections has a section's lines follow those before the first section,
// and not reach the next section.
func TestGuestDialSections(t *testing.T) {
	c, errs := loadText("client = yes\naccept = 1\nconnect = 2\nprotocol = smtp\nguestDial = a:1\nguestDial = b:1\n" +
		"[x]\nguestDial = c:1\n[y]\nguestDial = d:1\n")
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for i, want := range []string{"a b c", "a b d"} {
		var patterns []string
		for _, rule := range c.Services[i].Guest.Dial {
			patterns = append(patterns, rule.Pattern)
		}
		if got := strings.Join(patterns, " "); got != want {
			t.Errorf("service %d has %s, want %s", i, got, want)
		}
	}
}
