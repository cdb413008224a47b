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
		out, err := testpeer.CombinedOutput(t, cmd)
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

// TestOptionsLikeStunnel compares what -options prints with the installed stunnel: each of
// its names is there, with what it leads to.
func TestOptionsLikeStunnel(t *testing.T) {
	stunnel := testpeer.Need(t, "stunnel4", "stunnel4")
	out, err := exec.Command(stunnel, "-options").CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := WriteTLSOptions(&b); err != nil {
		t.Fatal(err)
	}
	ours := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^options = (\S+) +(?:works|note|refused): \S`).FindAllStringSubmatch(b.String(), -1) {
		ours[m[1]] = true
	}
	names := regexp.MustCompile(`(?m)^options = (\S+)`).FindAllSubmatch(out, -1)
	for _, m := range names {
		if !ours[string(m[1])] {
			t.Errorf("%s is not listed", m[1])
		}
	}
	if len(names) < 50 {
		t.Errorf("stunnel lists %d names: %s", len(names), out)
	}
}

// TestCommandsLikeStunnel has stunnel take values of config = and compares whether it does.
func TestCommandsLikeStunnel(t *testing.T) {
	stunnel := testpeer.Need(t, "stunnel4", "stunnel4")
	certs := testpeer.Certs(t)
	for _, role := range []string{"client = no\ncert = " + certs.Server + "\n", "client = yes\n"} {
		for _, line := range []string{
			"Foo", "Foo:x", "MinProtocol", "MinProtocol:", "MinProtocol:TLSv1.2", "minprotocol:TLSv1.3", "MinProtocol:tlsv1.2", "MinProtocol:TLSv1.0",
			"MinProtocol:None", "MinProtocol: TLSv1.2", "MinProtocol :TLSv1.2", "SSL_MinProtocol:TLSv1.2", "-min_protocol:TLSv1.2", "MaxProtocol:TLSv1.2",
			"Protocol:", "Protocol:-TLSv1.1", "Protocol:ALL,-TLSv1.3", "Protocol:-ALL,TLSv1.2", "Protocol: +tlsv1.2 , -tlsv1.3", "Protocol:None",
			"CipherString:FOO", "CipherString:HIGH:!aNULL", "CipherString:", "cipher:HIGH", "Ciphersuites:FOO",
			"Curves:P-256", "Groups:P-256:X25519", "Curves:", "Curves:FOO", "ECDHParameters:P-256", "ECDHParameters:P-256:P-384",
			"Options:SessionTicket", "Options:-SessionTicket,Bugs", "Options: Bugs , +Compression", "Options:bugs", "Options:", "Options:Foo", "Options:Bugs,,Bugs",
			"Options:ServerPreference", "Options:NoRenegotiation", "VerifyMode:", "VerifyMode:x",
			"RecordPadding:512", "RecordPadding:99999", "NumTickets:2", "NumTickets:-1", "AntiReplay:on", "DHParameters:/nowhere",
			"SignatureAlgorithms:FOO", "ClientCAFile:" + certs.Root, "RequestCAFile:" + certs.Root, "ChainCAFile:" + certs.Root,
		} {
			conf := "foreground = yes\nsyslog = no\npid =\n[s]\naccept = 127.0.0.1:0\nconnect = 1\n" + role + "config = " + line + "\n"
			_, errs := loadText(conf)
			// The second service ends stunnel when the first is good.
			cmd := exec.Command(stunnel, "-fd", "0")
			cmd.Stdin = strings.NewReader(conf + "[end]\nno-such-option = 1\n")
			out, err := testpeer.CombinedOutput(t, cmd)
			if err == nil {
				t.Fatalf("stunnel started on %q", line)
			}
			taken := strings.Contains(string(out), "no-such-option")
			if taken != (len(errs) == 0) {
				t.Errorf("%q %s: stunnel takes it: %v; we say %v", role[:12], line, taken, errs)
			}
			const unknown = "was not recognised"
			if !taken && strings.Contains(string(out), unknown) != strings.Contains(errs.Error(), unknown) {
				t.Errorf("%q %s: we say %v, stunnel otherwise", role[:12], line, errs)
			}
		}
	}
}
