package config

import (
	"bufio"
	"bytes"
	"os"
	"strings"
	"testing"
)

// TestTable compares the table with the list of names that the project promises, both ways.
func TestTable(t *testing.T) {
	f, err := os.Open("testdata/options.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	statuses := map[string]Status{"works": Works, "note": NoOp, "refused": Refused}
	listed := map[string]bool{}
	for sc := bufio.NewScanner(f); sc.Scan(); {
		fields := strings.Fields(sc.Text())
		if len(fields) != 3 || fields[0] == "#" {
			continue
		}
		listed[fields[0]] = true
		o, ok := Lookup(fields[0])
		if !ok {
			t.Errorf("%s is not in the table", fields[0])
			continue
		}
		if o.Scope.String() != fields[1] || o.Status != statuses[fields[2]] {
			t.Errorf("%s is %v, %v; listed as %s, %s", o.Name, o.Scope, o.Status, fields[1], fields[2])
		}
	}
	if len(listed) < 100 {
		t.Errorf("the list has %d names only", len(listed))
	}
	seen := map[string]bool{}
	for i := range Options {
		o := &Options[i]
		for _, name := range append([]string{o.Name}, o.Aliases...) {
			if !listed[name] {
				t.Errorf("%s is not in testdata/options.txt", name)
			}
			if seen[strings.ToLower(name)] {
				t.Errorf("%s is in the table twice", name)
			}
			seen[strings.ToLower(name)] = true
		}
		if o.Form == "" || o.Doc == "" || o.parse == nil {
			t.Errorf("%s lacks form, sentence or parser", o.Name)
		}
		if (o.Status == NoOp || o.Status == Refused) && o.Note == "" {
			t.Errorf("%s is %v without a reason", o.Name, o.Status)
		}
		if strings.ToUpper(o.Doc[:1]) == o.Doc[:1] && !strings.HasPrefix(o.Doc, "TLS ") &&
			!strings.HasPrefix(o.Doc, "OpenSSL ") && !strings.HasPrefix(o.Doc, "IP ") || strings.HasSuffix(o.Doc, ".") {
			t.Errorf("%s: sentence %q begins or ends like a whole one", o.Name, o.Doc)
		}
	}
}

// TestNoOpGivesNote sets every option without effect.
func TestNoOpGivesNote(t *testing.T) {
	for i := range Options {
		o := &Options[i]
		if o.Status != NoOp || !o.here() {
			continue
		}
		value := "1"
		if o.Form == "yes|no" {
			value = "yes"
		}
		c, errs := loadText(service(o.Scope, o.Name+" = "+value))
		if len(errs) > 0 || len(c.Notes) != 1 || !strings.HasPrefix(c.Notes[0].Text, o.Name+" has no effect: ") {
			t.Errorf("%s: errors %v, config %+v", o.Name, errs, c)
		}
	}
}

func TestLookup(t *testing.T) {
	for _, c := range [][2]string{{"cafile", "CAfile"}, {"CURVE", "curves"}, {"Session", "sessionCacheTimeout"},
		{"guestfuel", "guestCPU"}, {"guestClear", "guestBytes"}} {
		if o, ok := Lookup(c[0]); !ok || o.Name != c[1] {
			t.Errorf("Lookup(%q) = %v", c[0], o)
		}
	}
	if o, ok := Lookup("conect"); ok {
		t.Errorf("Lookup(conect) = %s", o.Name)
	}
}

func TestNearest(t *testing.T) {
	for _, c := range [][2]string{{"conect", "connect"}, {"conncet", "connect"}, {"CA_file", "CAfile"}, {"certs", "cert"},
		{"timeoutidel", "TIMEOUTidle"}, {"sslVersions", "sslVersion"}, {"curv", "curves"}, {"zzzzzz", ""}, {"", ""}, {"q", ""}} {
		got := ""
		if o := nearest(c[0]); o != nil {
			got = o.Name
		}
		if got != c[1] {
			t.Errorf("nearest(%q) = %q, want %q", c[0], got, c[1])
		}
	}
}

// TestTLSOptions checks the names of options = against those that stunnel 5.68 lists.
func TestTLSOptions(t *testing.T) {
	names, err := os.ReadFile("testdata/tlsoptions.txt")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, o := range TLSOptions {
		if known[o.Name] || o.Note == "" {
			t.Errorf("%s is there twice or lacks its reason", o.Name)
		}
		known[o.Name] = true
	}
	for _, name := range strings.Fields(string(names)) {
		if !known[name] {
			t.Errorf("%s is not in the table", name)
		}
	}
}

func TestHelp(t *testing.T) {
	var b bytes.Buffer
	if err := WriteHelp(&b); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"Global options:\n",
		"\n \nService-level options:\n",
		"\nforeground             = yes|quiet|no: stay",
		"\nprotocolAuthentication = type: ",
		"\npty                    = yes|no: give the program of exec a pseudo terminal\n",
	} {
		if !strings.Contains(b.String(), line) {
			t.Errorf("-help lacks %q", line)
		}
	}
	if strings.Contains(b.String(), "taskbar") != (func() bool { o, _ := Lookup("taskbar"); return o.here() })() {
		t.Error("-help lists options of another system, or not those of this one")
	}
	b.Reset()
	if err := WriteDefaults(&b); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"options                = NO_SSLv2\noptions                = NO_SSLv3\n",
		"\nTIMEOUTidle            = 43200 seconds\n", "\ndebug                  = daemon.notice\n"} {
		if !strings.Contains(b.String(), line) {
			t.Errorf("-version lacks %q", line)
		}
	}
	b.Reset()
	if err := WriteTLSOptions(&b); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(b.String(), "Supported TLS options:\noptions = ALL ") || strings.Count(b.String(), "\n") != 1+len(TLSOptions) {
		t.Errorf("-options prints %q", b.String())
	}
}

// service makes a file with a good service and one more line.
func service(scope Scope, line string) string {
	const good = "[s]\naccept = 1\nconnect = 2\nclient = yes\n"
	if scope == GlobalScope {
		return line + "\n" + good
	}
	return good + line + "\n"
}

func loadText(src string) (*Config, Errors) {
	c, err := LoadReader("3", strings.NewReader(src))
	errs, _ := err.(Errors)
	return c, errs
}

// find gives the error about an option's line.
func find(errs Errors, option string) *Error {
	for _, e := range errs {
		if strings.HasPrefix(e.Text, option+" = ") {
			return e
		}
	}
	return nil
}
