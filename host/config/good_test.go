package config

import (
	"fmt"
	"github.com/stunnel-wasm/stunnel-wasm/host/suite"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

func loadGood(t *testing.T, name string) *Config {
	t.Helper()
	c, err := Load(filepath.Join("testdata", "good", name))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// compare reports a difference between what was loaded and what should have been.
func compare(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}

func TestWebServer(t *testing.T) {
	c := loadGood(t, "webserver.conf")
	compare(t, "global", c.Global, Global{Pid: "/var/run/stunnel.pid", Output: "/var/log/stunnel.log",
		Syslog: true, Ident: "stunnel", Facility: 19, Debug: 6, Sandbox: newSandbox()})
	if c.Inetd || len(c.Services) != 2 || c.Path != "testdata/good/webserver.conf" {
		t.Fatalf("%+v", c)
	}
	https, https6 := c.Services[0], c.Services[1]
	compare(t, "name", https.Name, "https")
	compare(t, "line", https.Line, 12)
	compare(t, "accept", https.Accept, []Address{{Port: "443"}})
	compare(t, "connect", https.Connect, []Address{{Port: "80"}})
	compare(t, "key", https.Key, []string{"/etc/stunnel/stunnel.pem"})
	compare(t, "timeouts", []time.Duration{https.TimeoutBusy, https.TimeoutClose, https.TimeoutConnect, https.TimeoutIdle},
		[]time.Duration{300 * time.Second, 0, 10 * time.Second, time.Minute})
	compare(t, "debug", https.Debug, 6)
	compare(t, "verify", https.Verify, -1)
	compare(t, "reset", https.Reset, true)
	compare(t, "sockets", fmt.Sprint(https.Socket[0].Name, https.Socket[1].Value, string(https.Socket[1].Scope)), "TCP_NODELAY1r")
	compare(t, "versions", []Version{https.MinVersion, https.MaxVersion}, []Version{0, 0})

	compare(t, "accept", https6.Accept, []Address{{Host: "::", Port: "8443"}})
	compare(t, "connect", https6.Connect, []Address{{Host: "::1", Port: "80"}, {Host: "127.0.0.1", Port: "80"}})
	compare(t, "failover", https6.Failover, Priority)
	compare(t, "key", https6.Key, []string{"/etc/stunnel/other.key"})
	compare(t, "debug", https6.Debug, 7)
	compare(t, "idle", https6.TimeoutIdle, 43200*time.Second)

	place := https6.Pos["failover"]
	compare(t, "place", fmt.Sprintf("%s:%d:%s", filepath.Base(place.File), place.Line, place.Text), "webserver.conf:21:failover = prio")
	compare(t, "inherited place", https6.Pos["cert"].Line, 9)
	if !filepath.IsAbs(place.File) {
		t.Errorf("%q is not absolute", place.File)
	}
}

func TestClient(t *testing.T) {
	c := loadGood(t, "client.conf")
	pop3, imap := c.Services[0], c.Services[1]
	compare(t, "foreground", c.Global.Foreground, ForegroundYes)
	compare(t, "syslog", c.Global.Syslog, false)
	compare(t, "client", []bool{pop3.Client, pop3.VerifyChain, pop3.RequireCert, pop3.RequestCert}, []bool{true, true, true, true})
	compare(t, "checkHost", pop3.CheckHost, []string{"pop.gmail.com"})
	compare(t, "checkHost", imap.CheckHost, []string{"imap.gmail.com", "mail.google.com"})
	compare(t, "versions", []Version{imap.MinVersion, imap.MaxVersion}, []Version{TLS12, TLS12})
	compare(t, "sni", []any{pop3.SNISet, imap.SNISet, imap.SNI}, []any{false, true, ""})
	compare(t, "notes", len(c.Notes), 0)
}

// TestFailoverNote has services with several targets: one says nothing of failover.
func TestFailoverNote(t *testing.T) {
	const two = "client = yes\naccept = 1\nconnect = 2\nconnect = 3\n"
	conf, errs := loadText("[a]\n" + two + "[b]\n" + two + "failover = prio\n[c]\nclient = yes\naccept = 1\nconnect = 2\n")
	if len(errs) > 0 || len(conf.Notes) != 1 || conf.Notes[0].Line != 5 || !strings.Contains(conf.Notes[0].Text, "failover = rr") {
		t.Errorf("%v, %+v", errs, conf.Notes)
	}
	conf, errs = loadText("failover = rr\n[a]\n" + two)
	if len(errs) > 0 || len(conf.Notes) != 0 {
		t.Errorf("%v, %+v", errs, conf.Notes)
	}
}

func TestSMTP(t *testing.T) {
	c := loadGood(t, "smtp.conf")
	out, in := c.Services[0], c.Services[1]
	compare(t, "values", out.ProtocolValues, map[string]string{"protocolusername": "alice",
		"protocolpassword": `a = "b" ; c # d`, "protocolauthentication": "plain"})
	compare(t, "option's line", out.Guest.Options[0].Place.Text, "guestOption = detectTLS=200")
	out.Guest.Options[0].Place = Place{}
	compare(t, "guest", out.Guest, Guest{Options: []KeyValue{{Key: "detectTLS", Value: "200"}}, Allow: []string{"secret"},
		Memory: 2, Timeout: 1500 * time.Millisecond, CPU: 1000000, Bytes: 4096,
		Hash: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"})
	compare(t, "protocol", out.Protocol, "smtp")
	compare(t, "password's line", out.Pos["protocolpassword"].Text, "protocolPassword = <redacted>")
	compare(t, "alias", out.Pos["guestcpu"].Text, "guestFuel = 1000000")

	compare(t, "protocol", in.Protocol, "./guests/own.wasm")
	compare(t, "connect", in.Connect, []Address{{Unix: "/run/mail.sock"}})
	compare(t, "ciphers", suite.Names(in.Offer.Suites), []string{"ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"})
	compare(t, "ticket", []bool{in.NoTicket, out.NoTicket}, []bool{true, false})
	compare(t, "own values", in.ProtocolValues, map[string]string{})
	if len(c.Notes) != 0 {
		t.Errorf("notes %+v", c.Notes)
	}
}

func TestInclude(t *testing.T) {
	c := loadGood(t, "include.conf")
	compare(t, "foreground", c.Global.Foreground, ForegroundQuiet)
	var got []string
	for _, s := range c.Services {
		got = append(got, fmt.Sprint(s.Name, " ", s.Client, s.Accept, s.Connect, " ", filepath.Base(s.File), ":", s.Line))
	}
	// The second file ends the section that the first began, and the line after the
	// include belongs to the section that the last one began.
	want := []string{
		"one true [1] [2] 10-one:2", "two true [3] [33] 20-two~:2", "one true [4] [5 9] 9-comes-last:2",
	}
	compare(t, "sections", got, want)
}

// TestIncludeLimits has directories that include themselves and each other.
func TestIncludeLimits(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("self/a", "include = "+root+"/self\n")
	for i := range MaxIncludeDepth + 1 {
		write(fmt.Sprintf("deep%d/a", i), fmt.Sprintf("include = %s/deep%d\n", root, i+1))
	}
	// 100 files that each include 100 files: too many together.
	for i := range 100 {
		write(fmt.Sprintf("many/%d", i), "include = "+root+"/leaves\n")
		write(fmt.Sprintf("leaves/%d", i), "; nothing\n")
	}
	for _, c := range []struct{ dir, reason, hint string }{
		{"self", "Failed to include directory", "being included already"},
		{"deep0", "Failed to include directory", "more than 10 deep"},
		{"many", "Too many included files", "at most 4096 files"},
	} {
		_, errs := loadText("include = " + filepath.Join(root, c.dir) + "\n")
		if len(errs) == 0 || errs[0].Reason != c.reason || !strings.Contains(errs[0].Hint, c.hint) {
			t.Errorf("%s: %v", c.dir, errs)
		}
	}
}

func TestLoadFileErrors(t *testing.T) {
	dir := t.TempDir()
	for name, data := range map[string]string{
		"utf16.conf": "\xff\xfef\x00o\x00",
		"long.conf":  "debug = " + strings.Repeat("x", MaxLine) + "\n",
		"large.conf": strings.Repeat("#\n", MaxFileSize/2+1),
		"nul.conf":   "debug\x00 = 7\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range [][2]string{
		{"utf16.conf", "UTF-16"}, {"long.conf", "Line too long"}, {"large.conf", "is larger than"},
		{"nul.conf", "NUL byte"}, {"missing.conf", "no such file"}, {".", "is a directory"},
	} {
		_, err := Load(filepath.Join(dir, c[0]))
		errs, _ := err.(Errors)
		if len(errs) != 1 || !strings.Contains(errs[0].Reason, c[1]) {
			t.Errorf("%s: %v", c[0], err)
		}
	}
	path := filepath.Join(dir, "link.conf")
	if err := os.Symlink("nul.conf", path); err != nil {
		t.Fatal(err)
	}
	_, err := Load(path)
	if errs, _ := err.(Errors); len(errs) != 1 || errs[0].File != filepath.Join(dir, "nul.conf") {
		t.Errorf("the error does not name the file behind the link: %v", err)
	}
}

// TestErrorFlood loads what is no configuration at all.
func TestErrorFlood(t *testing.T) {
	for _, line := range []string{"x\n", "x = y\n", "[x]\n"} {
		_, errs := loadText(strings.Repeat(line, 100*MaxErrors))
		if len(errs) < MaxErrors/2 || len(errs) > 2*MaxErrors {
			t.Errorf("%q: %d errors", line, len(errs))
		}
	}
}

// TestSectionsDoNotShare changes one section's lists and looks at the other's.
func TestSectionsDoNotShare(t *testing.T) {
	c, errs := loadText("client = yes\naccept = 1\nconnect = 2\nprotocolHost = a\nsocket = a:SO_DEBUG=0\noptions = NO_TICKET\n" +
		"[a]\nconnect = 3\nprotocolHost = b\nsocket = l:SO_DEBUG=1\noptions = -NO_TICKET\n[b]\n")
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	a, b := c.Services[0], c.Services[1]
	compare(t, "a's targets", a.Connect, []Address{{Port: "2"}, {Port: "3"}})
	compare(t, "b's targets", b.Connect, []Address{{Port: "2"}})
	compare(t, "b's values", b.ProtocolValues["protocolhost"], "a")
	compare(t, "b's socket options", len(b.Socket), 1)
	compare(t, "tickets", []bool{a.NoTicket, b.NoTicket}, []bool{false, true})
	if i := slices.Index(a.TLSOptions, "-NO_TICKET"); i != 1 {
		t.Errorf("a's TLS options %v", a.TLSOptions)
	}
}

// TestTransparent has the modes of transparent, which counts as an end of the service.
func TestTransparent(t *testing.T) {
	if runtime.GOOS != "linux" {
		if _, errs := loadText("[a]\nclient = yes\naccept = 1\ntransparent = destination\n"); len(errs) == 0 {
			t.Error("another system than Linux has transparent proxying")
		}
		return
	}
	for text, want := range map[string]Transparent{
		"connect = 2\ntransparent = none\n":   {},
		"connect = 2\ntransparent = no\n":     {},
		"connect = 2\ntransparent = Source\n": {Source: true},
		"connect = 2\ntransparent = yes\n":    {Source: true},
		"transparent = destination\n":         {Destination: true},
		"transparent = both\n":                {true, true},
	} {
		conf, errs := loadText("[a]\nclient = yes\naccept = 1\n" + text)
		if len(errs) > 0 {
			t.Errorf("%q: %v", text, errs)
			continue
		}
		compare(t, text, conf.Services[0].Transparent, want)
	}
	for text, reason := range map[string]string{
		"connect = 2\ntransparent = destination\n": "Each service must define two endpoints",
		"transparent = source\n":                   "Each service must define two endpoints",
		"connect = 2\ntransparent = x\n":           "Selected transparent proxy mode is not available",
	} {
		if _, errs := loadText("[a]\nclient = yes\naccept = 1\n" + text); len(errs) != 1 || errs[0].Reason != reason {
			t.Errorf("%q: %v", text, errs)
		}
	}
}

// TestSocketTimes has options that do nothing noted.
func TestSocketTimes(t *testing.T) {
	conf, errs := loadText("[a]\nclient = yes\naccept = 1\nconnect = 2\nsocket = l:SO_RCVTIMEO=10:0\nsocket = r:SO_SNDTIMEO=10\nsocket = r:SO_SNDBUF=10000\n")
	if len(errs) > 0 || len(conf.Notes) != 2 || !strings.HasPrefix(conf.Notes[0].Text, "SO_RCVTIMEO has no effect") || conf.Notes[1].Line != 6 {
		t.Errorf("%v, notes %+v", errs, conf.Notes)
	}
}
