package logging

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/sirupsen/logrus"
)

func format(t testing.TB, f logrus.Formatter, r *record) string {
	t.Helper()
	line, err := f.Format(&logrus.Entry{Context: r})
	if err != nil {
		t.Fatal(err)
	}
	return string(line)
}

func TestFormats(t *testing.T) {
	when := time.Date(2026, time.November, 2, 3, 4, 5, 678_900_000, time.Local)
	zone := when.Format("Z07:00")
	r := &record{time: when, level: Notice, id: "12", service: `a"b`, text: []byte(`Service [a"b] \ über`)}
	tests := []struct {
		name   string
		format logrus.Formatter
		want   string
	}{
		{"text", lineFormatter(Options{}), `2026.11.02 03:04:05 LOG5[12]: Service [a"b] \ über` + "\n"},
		{"json", lineFormatter(Options{JSON: true}), `{"time":"2026-11-02T03:04:05.678` + zone +
			`","level":"notice","severity":5,"id":"12","service":"a\"b","msg":"Service [a\"b] \\ über"}` + "\n"},
		{"syslog", newSyslogFormat(3, "", 42), `<29>Nov  2 03:04:05 stunnel[42]: LOG5[12]: Service [a"b] \ über` + "\n"},
		{"syslog local7", newSyslogFormat(23, "mail\ntls", 42), `<189>Nov  2 03:04:05 mail.tls[42]: LOG5[12]: Service [a"b] \ über` + "\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for range 2 { // the second time from the clock's memory
				if got := format(t, test.format, r); got != test.want {
					t.Errorf("got  %q\nwant %q", got, test.want)
				}
			}
		})
	}
}

func TestClockFollowsTime(t *testing.T) {
	f := lineFormatter(Options{})
	r := &record{time: time.Date(2026, time.December, 31, 23, 59, 59, 0, time.Local), id: "ui"}
	format(t, f, r)
	r.time = r.time.Add(time.Second)
	if got, want := format(t, f, r), "2027.01.01 00:00:00 LOG0[ui]: \n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestEscapeAndCut(t *testing.T) {
	long := strings.Repeat("x", maxText-1)
	tests := []struct{ name, in, want string }{
		{"plain", "Accepting new connections", "Accepting new connections"},
		{"forged line", "a\r\n2026.11.02 LOG5[0]: b", "a..2026.11.02 LOG5[0]: b"},
		{"tab, nul, del", "a\tb\x00c\x7f", "a.b.c."},
		{"escape sequence", "\x1b[31mred", ".[31mred"},
		{"C1 as UTF-8", "a\u009b31mé", "a.31mé"},
		{"C1 as a byte", "a\x9b31m", "a.31m"},
		{"Latin-1 stays", "caf\xe9", "caf\xe9"},
		{"UTF-8 stays", "日本 ü", "日本 ü"},
		{"at the limit", long + "y", long + "y"},
		{"over the limit", long + "yz", long + "y"},
		{"cut before a character", long + "é", long},
		{"cut among stray bytes", strings.Repeat("\x80", maxText+1), strings.Repeat(".", maxText-utf8.UTFMax)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := string(escape(cut([]byte(test.in)))); got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

// FuzzLine checks that no text can break out of its line, in either format.
func FuzzLine(f *testing.F) {
	f.Add("plain", "12", "smtp")
	f.Add("a\nb\x9b\xc2\x9b\"\\", "\x00", "é\xff")
	f.Add(strings.Repeat("é", maxText), "", "")
	f.Fuzz(func(t *testing.T, text, id, service string) {
		cleaned := escape(cut([]byte(text)))
		if len(cleaned) > maxText {
			t.Fatalf("%d bytes left", len(cleaned))
		}
		if i := bytes.IndexFunc(cleaned, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }); i >= 0 {
			t.Fatalf("control character at %d of %q", i, cleaned)
		}
		r := &record{level: Info, id: id, service: service, text: cleaned}
		line := format(t, jsonFormat{}, r)
		if strings.Count(line, "\n") != 1 || !utf8.ValidString(line) {
			t.Fatalf("not one line of UTF-8: %q", line)
		}
		var got struct{ ID, Service, Msg string }
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		want := func(s string) string { return string([]rune(s)) } // invalid bytes as U+FFFD
		if got.ID != want(id) || got.Service != want(service) || got.Msg != want(string(cleaned)) {
			t.Fatalf("got %q from %q %q %q", got, id, service, cleaned)
		}
	})
}

func TestParseLevel(t *testing.T) {
	for i, name := range []string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"} {
		for _, s := range []string{name, strings.ToUpper(name), string(rune('0' + i))} {
			if got, err := ParseLevel(s); err != nil || got != Level(i) {
				t.Errorf("ParseLevel(%q) = %v, %v", s, got, err)
			}
		}
		if got := Level(i).String(); got != name {
			t.Errorf("Level(%d) = %q, want %q", i, got, name)
		}
	}
	for _, s := range []string{"", "8", "-1", "07", "error", "warn"} {
		if got, err := ParseLevel(s); err == nil {
			t.Errorf("ParseLevel(%q) = %v, want an error", s, got)
		}
	}
}

func TestParseFacility(t *testing.T) {
	for s, want := range map[string]int{"kern": 0, "daemon": 3, "Auth": 4, "authpriv": 10, "ftp": 11, "local0": 16, "LOCAL7": 23} {
		if got, err := ParseFacility(s); err != nil || got != want {
			t.Errorf("ParseFacility(%q) = %d, %v, want %d", s, got, err, want)
		}
	}
	for _, s := range []string{"", "3", "local8", "ntp"} {
		if got, err := ParseFacility(s); err == nil {
			t.Errorf("ParseFacility(%q) = %d, want an error", s, got)
		}
	}
}

func TestNewID(t *testing.T) {
	seen := make(map[string]bool)
	letters := make(map[rune]bool)
	for range 500 {
		id := NewID()
		if len(id) != 22 || seen[id] {
			t.Fatalf("NewID gave %q, seen before: %v", id, seen[id])
		}
		seen[id] = true
		for _, r := range id {
			letters[r] = true
		}
	}
	if len(letters) != 62 {
		t.Errorf("%d different characters in 500 ids, want 62", len(letters))
	}
}
