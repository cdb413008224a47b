package config

import (
	"errors"
	"strings"
	"testing"
)

// systems are those that the program is built for.
var systems = []string{"linux", "darwin", "freebsd", "windows"}

// Every name of the list is an option, and every system's name can be told.
func TestPlatforms(t *testing.T) {
	for name, system := range platforms {
		if o, ok := Lookup(name); !ok || o.Name != name || o.Platform != system || systemNames[system] == "" {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

// TestOtherSystems sets every option on every system: it is unknown, in stunnel's words,
// just where it does not exist, and then nothing but that line is wrong.
func TestOtherSystems(t *testing.T) {
	for _, system := range systems {
		refused := 0
		for i := range Options {
			o := &Options[i]
			_, err := load("3", "3", strings.NewReader(service(o.Scope, o.Name+" = value")), system)
			var errs Errors
			errors.As(err, &errs)
			e := find(errs, o.Name)
			unknown := e != nil && e.Reason == notHere
			if unknown == o.On(system) {
				t.Errorf("%s on %s: %v", o.Name, system, errs)
			}
			if unknown {
				refused++
				if len(errs) > 1 || !strings.HasSuffix(e.Hint, o.Name+" exists on "+systemNames[o.Platform]+" alone") {
					t.Errorf("%s on %s: %v, hint %q", o.Name, system, errs, e.Hint)
				}
			}
		}
		if refused == 0 {
			t.Errorf("%s has every option", system)
		}
	}
}

// TestWindowsPaths has a log file beside the configuration, as its samples have.
func TestWindowsPaths(t *testing.T) {
	const text = "output = stunnel.log\n[x]\nclient = yes\naccept = 1\nconnect = 2\nCAfile = C:\\stunnel\\config\\ca.pem\n"
	for system, ok := range map[string]bool{"windows": true, "linux": false} {
		c, err := load("3", "3", strings.NewReader(text), system)
		if (err == nil) != ok {
			t.Errorf("%s: %v", system, err)
		}
		if ok && c.Services[0].CAfile != `C:\stunnel\config\ca.pem` {
			t.Errorf("CAfile %q", c.Services[0].CAfile)
		}
	}
}

// TestInetdElsewhere has a file without a section, for a system without inetd.
func TestInetdElsewhere(t *testing.T) {
	const text = "client = yes\nconnect = 2\n"
	for _, system := range systems {
		_, err := load("3", "3", strings.NewReader(text), system)
		if (err != nil) != (system == "windows") {
			t.Errorf("%s: %v", system, err)
		}
	}
}
