package flight

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
)

func TestParse(t *testing.T) {
	f, err := Parse("About it.\nReal stunnel does the same.\n-- conf --\nclient = yes\nprotocolPassword = pw\n" +
		"guestOption = allow=a\nguestOption = allow=b\nguestOption = thePassword=x\n" +
		"info.peer_addr = 192.0.2.7:999\nfact.user = joe\nresolve.mx = 192.0.2.1 2001:db8::1\n" +
		"-- talk --\nS: \"ab\"*3\nL< hello\nunread L: x\n")
	if err != nil {
		t.Fatal(err)
	}
	if !f.Stunnel || f.About != "About it.\nReal stunnel does the same.\n" {
		t.Errorf("about is %q, held against stunnel: %v", f.About, f.Stunnel)
	}
	for got, want := range map[string]string{
		f.Config["client"]:                    "yes",
		f.Config["option.allow"]:              "a\nb",
		f.Secrets["protocolpassword"]:         "pw",
		f.Secrets["option.thePassword"]:       "x",
		f.Info[abi.InfoPeerAddr]:              "192.0.2.7:999",
		f.Facts["user"]:                       "joe",
		f.Names["mx"][1].String():             "2001:db8::1",
		f.Talk[0].Text:                        "ababab",
		f.Talk[1].Text:                        "hello\r\n",
		f.Talk[2].Verb + " " + f.Talk[2].Text: "unread L: x\r\n",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if f.Talk[0].Side() != abi.Outgoing || f.Talk[2].Side() != abi.Accepted {
		t.Error("sides are mixed up")
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                                     "no talk",
		"-- talk --\n\nrelay\n":                `line 2: there is no step ""`,
		"-- talk --\nL: x\n":                   `line 2: the talk does not say how it ends: with "relay" or "close: CLASS REASON" (a policy with "allow" or "deny: CLASS REASON")`,
		"-- talk --\nsay x\nrelay\n":           `line 2: there is no step "say"`,
		"-- talk --\ntls X\nrelay\n":           `line 2: step tls cannot be "X"`,
		"-- talk --\nS~ 0\nrelay\n":            `line 2: step S~ cannot be "0"`,
		"-- talk --\nwait -1\nrelay\n":         `line 2: step wait cannot be "-1"`,
		"-- talk --\nconnect maybe\nrelay\n":   `line 2: step connect cannot be "maybe"`,
		"-- talk --\nL: \"x\nrelay\n":          `line 2: reading "\"x": invalid syntax`,
		"-- talk --\nL: \"x\" y\nrelay\n":      `line 2: reading "\"x\" y": what follows the quotes is no *N`,
		"-- talk --\nL: \"xx\"*9999999\nrelay": `line 2: reading "\"xx\"*9999999": what follows the quotes is no *N`,
		"-- conf --\nx\n":                      `line 2: conf: "x" is no option`,
		"-- conf --\ninfo.x = 1\n":             `line 2: conf: no fact info.x`,
		"-- speech --\nx\n":                    `line 2: unknown section "speech"`,
		"-- talk --\nrelay\nS< x\n":            "line 3: S< stands behind the end: only unread may",
		"-- talk --\nrelay\n-- bytes --\nL: x": `line 4: the talk does not say how it ends: with "relay" or "close: CLASS REASON" (a policy with "allow" or "deny: CLASS REASON")`,
	} {
		if _, err := Parse(text); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("../../testdata/flights/*/*.txtar")
	if err != nil || len(files) == 0 {
		f.Fatal("no flights: ", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		flight, err := Parse(text)
		if err != nil {
			return
		}
		for _, s := range flight.Talk {
			if len(s.Text) > maxText+len(text) {
				t.Errorf("line %d says %d bytes", s.Line, len(s.Text))
			}
			// What a step says can be written again.
			if again, err := unquote(Quote([]byte(s.Text))); s.Text != "" && (err != nil || again != s.Text) {
				t.Errorf("line %d: %q reads back as %q, %v", s.Line, s.Text, again, err)
			}
		}
	})
}

func TestQuote(t *testing.T) {
	for text, want := range map[string]string{
		"EHLO x\r\n": "EHLO x", "\r\n": "", "a\n": `"a\n"`, "a\r\nb\r\n": `"a\r\nb\r\n"`, "\"a\r\n": `"\"a\r\n"`,
		"\x16": `"\x16"`, "\xff\r\n": `"\xff\r\n"`,
	} {
		if got := Quote([]byte(text)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if back, err := unquote(want); err != nil || back != text {
			t.Errorf("%s reads back as %q, %v", want, back, err)
		}
	}
	if !strings.Contains(Quote([]byte("é\r\n")), `\u00e9`) {
		t.Error("letters beyond ASCII stand as they are")
	}
}
