package config

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// loadOn loads a section with lines on a system.
func loadOn(system string, lines ...string) (*Config, Errors) {
	c, err := load("3", "3", strings.NewReader(service(ServiceScope, strings.Join(lines, "\n"))), system)
	var errs Errors
	errors.As(err, &errs)
	return c, errs
}

// TestSocketPlatforms sets every socket option on every system: it is refused just where
// it does not exist, and what is said names where it does.
func TestSocketPlatforms(t *testing.T) {
	values := map[SocketType]string{SocketFlag: "no", SocketInt: "1", SocketLinger: "1:60", SocketTimeval: "10:0", SocketString: "x"}
	for _, system := range systems {
		for _, o := range SocketOptions {
			_, errs := loadOn(system, "socket = r:"+o.Name+"="+values[o.Type])
			e := find(errs, "socket")
			if (e == nil) != o.On(system) || e != nil && (len(errs) > 1 || e.Reason != "Illegal socket option" ||
				!strings.HasSuffix(e.Hint, o.Name+" exists on "+o.Only()+" alone") || strings.Contains(e.Hint, "  ")) {
				t.Errorf("%s on %s: %v", o.Name, system, errs)
			}
		}
	}
	for name, want := range map[string]string{"SO_MARK": "Linux", "SO_REUSEPORT": "Unix", "TCP_KEEPIDLE": "Linux and Windows", "SO_DEBUG": ""} {
		i := slices.IndexFunc(SocketOptions, func(o SocketOptionType) bool { return o.Name == name })
		if got := SocketOptions[i].Only(); got != want {
			t.Errorf("%s is on %q", name, got)
		}
	}
}

// TestSocketDefaultsOnWindows has stunnel's sample lines for Windows, beside the option
// that every listener gets there.
func TestSocketDefaultsOnWindows(t *testing.T) {
	const exclusive = "a:SO_EXCLUSIVEADDRUSE="
	for _, c := range []struct {
		system string
		lines  string
		want   string
	}{
		{"windows", "", exclusive + "yes"},
		{"linux", "", ""},
		{"windows", "l:TCP_NODELAY=1 r:TCP_NODELAY=1", exclusive + "yes l:TCP_NODELAY=1 r:TCP_NODELAY=1"},
		{"windows", "a:SO_REUSEADDR=no a:SO_EXCLUSIVEADDRUSE=1", exclusive + "1 a:SO_REUSEADDR=no"},
		{"windows", "a:SO_REUSEADDR=yes a:SO_EXCLUSIVEADDRUSE=no", exclusive + "no a:SO_REUSEADDR=yes"},
		{"windows", "r:SO_REUSEADDR=yes", exclusive + "yes r:SO_REUSEADDR=yes"},
		{"windows", "a:SO_REUSEADDR=1 a:SO_REUSEADDR=0", exclusive + "yes a:SO_REUSEADDR=1 a:SO_REUSEADDR=0"},
		{"linux", "a:SO_REUSEADDR=yes", "a:SO_REUSEADDR=yes"},
	} {
		var lines []string
		for o := range strings.FieldsSeq(c.lines) {
			lines = append(lines, "socket = "+o)
		}
		conf, errs := loadOn(c.system, lines...)
		if errs != nil {
			t.Errorf("%s: %v", c.lines, errs)
			continue
		}
		var got []string
		for _, o := range conf.Services[0].Socket {
			got = append(got, string(o.Scope)+":"+o.Name+"="+o.Value)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s on %s: %v, want %s", c.lines, c.system, got, c.want)
		}
	}
	for _, o := range SocketOptions {
		if got := o.AcceptDefault("windows"); (got == "yes") != (o.Name == "SO_EXCLUSIVEADDRUSE") {
			t.Errorf("-sockets says of %s: %q", o.Name, got)
		}
	}
}

// A file for Unix may say SO_REUSEADDR, which there lets a daemon start again. On Windows
// another program could then listen in the service's place.
func TestSharedPortIsRefusedOnWindows(t *testing.T) {
	for _, line := range []string{"socket = a:SO_REUSEADDR=yes", "socket = a:SO_EXCLUSIVEADDRUSE=yes\nsocket = a:SO_REUSEADDR=1"} {
		_, errs := loadOn("windows", line)
		if len(errs) != 1 || !strings.Contains(errs[0].Text, "SO_REUSEADDR") || !strings.Contains(errs[0].Reason, "SO_EXCLUSIVEADDRUSE, which is the default on Windows") {
			t.Errorf("%s: %v", line, errs)
		}
	}
	// Before the sections it is told once.
	_, err := load("3", "3", strings.NewReader("socket = a:SO_REUSEADDR=1\nclient = yes\n[a]\naccept = 1\nconnect = 2\n[b]\naccept = 3\nconnect = 2\n"), "windows")
	var errs Errors
	if errors.As(err, &errs); len(errs) != 1 {
		t.Errorf("got %v", err)
	}
}
