package scm

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		args  string
		slash bool
		want  Request
		ok    bool
	}{
		{"", true, Request{}, false},
		{"-help", true, Request{File: "-help"}, false},
		{"stunnel.conf", true, Request{File: "stunnel.conf"}, false},
		{"stunnel.conf -install", true, Request{File: "stunnel.conf"}, false},
		{"-install", false, Request{Command: "-install"}, true},
		{"-Reload", false, Request{Command: "-reload"}, true},
		{"-quiet -STOP", false, Request{Command: "-stop", Quiet: true}, true},
		{`-install -quiet C:\x.conf`, true, Request{Command: "-install", Quiet: true, File: `C:\x.conf`}, true},
		{"-quiet x.conf", false, Request{Quiet: true, File: "x.conf"}, true},
		{"-service x.conf", false, Request{Command: "-service", File: "x.conf"}, true},
		{"/start /quiet", true, Request{Command: "-start", Quiet: true}, true},
		{"/start", false, Request{File: "/start"}, false},
	} {
		if got, ok := Parse(strings.Fields(c.args), c.slash); got != c.want || ok != c.ok {
			t.Errorf("%s: %+v, %v", c.args, got, ok)
		}
	}
}
