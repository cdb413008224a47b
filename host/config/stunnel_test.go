package config

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

var stunnelError = regexp.MustCompile(`(?m)^\[!\] ((?:0:\d+: |Service \[|Inetd mode: |Global options: ).*)$`)

// TestLikeStunnel has the installed stunnel read files and compares its first complaint
// with ours. Each file ends with a line that neither takes, so that stunnel never starts.
func TestLikeStunnel(t *testing.T) {
	stunnel := testpeer.Need(t, "stunnel4", "stunnel4")
	const good = "[s]\nclient = yes\naccept = 1\nconnect = 2\n"
	for _, src := range []string{
		// Lines.
		"", "\xef\xbb\xbf", "\xef\xbb\xbffoo = 1\n", "\n\n  \n# x\n\t; y\n", "stack = 1 ; x\n", "\v\f stack\t=\t65536 \n", "st\rack = 65536\r\n",
		"STACK=65536\n", "stack\n", "stack : 1\n", "\"stack\" = 1\n", "= 1\n", "[a\n", "[a] ; c\n", "a]\n", "\u00a0stack = 65536\n",
		"service = x\\\nstack = 65536\n", "service = \"\"\"x\n", "service = `x\n", "service = %(x)s\n", "service = 'x'\n",
		// Values, wherever they stand.
		"foreground = maybe\n", "log = x\n", "syslog = 1\n", "debug = 8\n", "debug = mail.9\n", "debug = x.info\n", "debug = MAIL.Info\n",
		"RNDbytes = x\n", "RNDoverwrite = x\n", "compression = x\n", "iconIdle = x\n", "client = 1\n", "failover = x\n", "logId = x\n",
		"verify = 5\n", "verify = x\n", "sslVersion = SSLv2\n", "sslVersion = x\n", "options = x\n", "options =\n", "options = no_ticket\n",
		"options = -NO_TICKET\n", "socket = x\n", "socket = x:SO_DEBUG=1\n", "socket = a:so_debug=1\n", "socket = a:SO_DEBUG=x\n",
		"socket = a:SO_DEBUG=1\n", "socket = l:SO_LINGER=1:60\n", "socket = r:SO_RCVTIMEO=10\n", "socket = r:SO_RCVBUF=1x\n", "stack = x\n",
		"TIMEOUTbusy = x\n", "TIMEOUTclose = x\n", "TIMEOUTconnect =\n", "TIMEOUTidle = 1s\n", "retry = x\n", "delay = x\n", "libwrap = x\n",
		"transparent = x\n", "session = x\n", "sessionCacheSize = x\n", "securityLevel = 6\n", "OCSPflag = x\n", "setuid =\n",
		"renegotiation = x\n", "include = /nonexistent\n", "options = NO_TLSv1, NO_TLSv1_1\n",
		// Sections.
		good, good + "pid = x\n", good + "foreground = yes\n", good + "debug = mail.info\n", good + "debug = 7\n", good + "[t]\nx = 1\n",
		good + "verify = 2\n[t]\n", good + "checkHost = x\n[t]\n", good + "sslVersionMin = TLSv1.3\nsslVersionMax = TLSv1.2\n[t]\n",
		good + "service = other\nverifyChain = yes\n[t]\n", "[s]\naccept = 1\nconnect = 2\n[t]\n", "[s]\nclient = yes\naccept = 1\n[t]\n",
		"[]\n[t]\n", "[ a b ]\n[t]\n", "client = yes\naccept = 1\nconnect = 2\n[s]\nno-such = 1\n",
	} {
		src += "no-such-option = 1\n"
		cmd := exec.Command(stunnel, "-fd", "0")
		cmd.Stdin = strings.NewReader(src)
		out, err := cmd.CombinedOutput()
		if err == nil {
			t.Errorf("stunnel accepts %q", src)
			continue
		}
		m := stunnelError.FindSubmatch(out)
		_, errs := loadText(src)
		if m == nil || len(errs) == 0 {
			t.Errorf("%q: stunnel says %q, we say %v", src, m, errs)
			continue
		}
		// We print lines trimmed, and the name of the descriptor is the test's.
		got := strings.Replace(errs[0].Error(), "3:", "0:", 1)
		want := lineText.ReplaceAllString(string(m[1]), "$1$2$3")
		if got != want {
			t.Errorf("%q:\nstunnel %s\nwe      %s", src, want, got)
		}
	}
}

// lineText is an error that quotes a line, with the blanks and the mark around the text.
var lineText = regexp.MustCompile(`^(0:\d+: ")(?:\x{feff}|[ \t\v\f])*(.*?)[ \t\v\f]*(": .*)$`)
