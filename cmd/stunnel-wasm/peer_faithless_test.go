package main

import (
	"bytes"
	"encoding/base64"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// A faithless server speaks its protocol until the client asks for TLS, agrees, and does
// not do it.
type faithless struct {
	local  string      // what the local client says at once, a password with it
	talk   [][2]string // what the server says, and what it then hears to its end
	agrees string
	option string
}

// plaintext is what no local client may get to read: the server says it where TLS is due.
const plaintext = "words of nobody"

const (
	ldapStartTLS = "0\x1d\x02\x01\x01w\x18\x80\x161.3.6.1.4.1.1466.20037"
	login        = "protocolUsername = joe\nprotocolPassword = swordfish\n"
)

// faithlessServers has one for each protocol that has a client mode.
func faithlessServers() map[string]faithless {
	const mysqlHead = "\n10.11\x00\x07\x00\x00\x00abcdefgh\x00\xfe\xff-\x02\x00\xbf\x81\x15\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00ijklmnopqrst\x00mysql_native_password\x00"
	const mysqlFixed = "\xa6\xbe\x00\x00\x00\x00\x01-\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	mysqlLogin := "\x85" + mysqlFixed + "joe\x00\x09swordfishmysql_native_password\x00"
	mysqlPacket := func(number byte, payload string) string {
		return string([]byte{byte(len(payload)), 0, 0, number}) + payload
	}
	return map[string]faithless{
		"smtp": {"EHLO a\r\nAUTH PLAIN swordfish\r\n",
			[][2]string{{"220 mx\r\n", "EHLO localhost\r\n"}, {"250-mx\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n", "STARTTLS\r\n"}}, "220 go\r\n", login},
		"lmtp": {"LHLO a\r\nAUTH PLAIN swordfish\r\n",
			[][2]string{{"220 mx\r\n", "LHLO localhost\r\n"}, {"250-mx\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n", "STARTTLS\r\n"}}, "220 go\r\n", login},
		"imap":    {"a login joe swordfish\r\n", [][2]string{{"* OK ready\r\n", "stunnel STARTTLS\r\n"}}, "stunnel OK go\r\n", ""},
		"pop3":    {"USER joe\r\nPASS swordfish\r\n", [][2]string{{"+OK ready\r\n", "STLS\r\n"}}, "+OK go\r\n", ""},
		"nntp":    {"AUTHINFO PASS swordfish\r\n", [][2]string{{"200 ready\r\n", "STARTTLS\r\n"}}, "382 go\r\n", ""},
		"ftp":     {"USER joe\r\nPASS swordfish\r\n", [][2]string{{"220 ready\r\n", "AUTH TLS\r\n"}}, "234 go\r\n", ""},
		"sieve":   {"AUTHENTICATE \"PLAIN\" \"swordfish\"\r\n", [][2]string{{"\"STARTTLS\"\r\nOK\r\n", "STARTTLS\r\n"}}, "OK\r\n", ""},
		"ldap":    {"0\x1a\x02\x01\x01`\x15\x02\x01\x03\x04\x05cn=jo\x80\x09swordfish", [][2]string{{"", ldapStartTLS}}, "0\x0c\x02\x01\x01x\x07\n\x01\x00\x04\x00\x04\x00", ""},
		"pgsql":   {"\x00\x00\x00\x1b\x00\x03\x00\x00user\x00swordfish\x00\x00\x00\x00", [][2]string{{"", "\x00\x00\x00\x08\x04\xd2\x16\x2f"}}, "S", ""},
		"cifs":    {"\x81\x00\x00\x09swordfish", [][2]string{{"", "\x81\x00\x00\x00"}}, "\x83\x00\x00\x01\x8e", ""},
		"mysql":   {mysqlPacket(1, mysqlLogin), [][2]string{{mysqlPacket(0, mysqlHead), mysqlPacket(1, "\x85\xae\xbe"+mysqlFixed[2:])}}, "", ""},
		"connect": {"swordfish\r\n", [][2]string{{"", "\r\n\r\n"}}, "HTTP/1.1 200 OK\r\n\r\n", "protocolHost = a.example:443\n"},
		"socks":   {"swordfish\r\n", nil, "", "protocolHost = a.example:443\n" + login},
		"proxy":   {"swordfish\r\n", [][2]string{{"", "\r\n"}}, "", ""},
		"xmpp": {xmppHeader + "<auth>swordfish</auth>", [][2]string{{"", "streams'>"},
			{xmppHeader + "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>", "xmpp-tls'/>"}},
			"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", ""},
	}
}

// breaches are what such a server does behind its agreement: at once, or once it has the
// beginning of a handshake.
var breaches = map[string]struct {
	atOnce bool
	says   string
}{
	"closes":          {atOnce: true},
	"speaks at once":  {atOnce: true, says: plaintext + "\r\n"},
	"closes late":     {},
	"goes on clearly": {says: plaintext + "\r\n"},
	"says garbage":    {says: "\x00\xff\x16\x03" + plaintext},
	"alerts":          {says: "\x15\x03\x03\x00\x02\x02\x28" + plaintext},
	"stops midway":    {says: "\x16\x03\x03\x40\x00\x02\x00"},
	"sends data":      {says: "\x17\x03\x03\x00\x0f" + plaintext},
}

// serve plays a server, and gives all that it heard behind its agreement.
func (f faithless) serve(t *testing.T, c net.Conn, breach string, heard chan<- []byte) {
	var after []byte
	defer func() { heard <- after }()
	c.SetDeadline(time.Now().Add(time.Minute))
	for _, turn := range f.talk {
		io.WriteString(c, turn[0])
		var line []byte
		for b := make([]byte, 1); !bytes.HasSuffix(line, []byte(turn[1])); line = append(line, b[0]) {
			if _, err := io.ReadFull(c, b); err != nil {
				t.Errorf("heard %q where %q was due", line, turn[1])
				return
			}
		}
	}
	does := breaches[breach]
	if does.atOnce {
		io.WriteString(c, f.agrees+does.says)
	} else {
		io.WriteString(c, f.agrees)
		after = make([]byte, 5)
		if n, err := io.ReadFull(c, after); err != nil {
			t.Errorf("%v behind the agreement, after %q", err, after[:n])
			return
		}
		io.WriteString(c, does.says)
	}
	c.(*net.TCPConn).CloseWrite()
	rest, _ := io.ReadAll(c) // a reset is as good an end
	after = append(after, rest...)
}

// TestFaithlessServers has the client mode of each protocol meet servers that agree to
// TLS and do something else. The local client must get none of it, and the server none of
// what TLS was to protect.
func TestFaithlessServers(t *testing.T) {
	t.Parallel()
	conf := "client = yes\n"
	heard := map[string]chan []byte{}
	for protocol, f := range faithlessServers() {
		for breach := range breaches {
			name := protocol + " " + breach
			all := make(chan []byte, 1)
			heard[name] = all
			addr := testpeer.Serve(t, func(c net.Conn) { f.serve(t, c, breach, all) })
			conf += "[" + name + "]\naccept = 127.0.0.1:0\nconnect = " + addr + "\nprotocol = " + protocol + "\n" + f.option
		}
	}
	d := start(t, conf)
	secrets := []string{"swordfish", base64.StdEncoding.EncodeToString([]byte("\x00joe\x00swordfish")), base64.StdEncoding.EncodeToString([]byte("swordfish"))}
	for protocol, f := range faithlessServers() {
		for breach := range breaches {
			name := protocol + " " + breach
			t.Run(name, func(t *testing.T) {
				c, err := net.Dial("tcp", d.Addr(name))
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				c.SetDeadline(time.Now().Add(time.Minute))
				io.WriteString(c, f.local)
				got, err := io.ReadAll(c)
				if e, ok := err.(net.Error); ok && e.Timeout() {
					t.Error("the local client's connection does not end")
				}
				if strings.Contains(string(got), plaintext) {
					t.Errorf("the local client gets %q", got)
				}
				after := <-heard[name]
				if len(after) > 0 && !bytes.HasPrefix(after, []byte("\x16\x03")) {
					t.Errorf("the server hears %q where TLS was due", after)
				}
				for _, secret := range secrets {
					if bytes.Contains(after, []byte(secret)) {
						t.Errorf("the server hears a password: %q", after)
					}
				}
			})
		}
	}
	for _, secret := range secrets {
		if n := d.Count(secret); n != 0 {
			t.Errorf("%d lines of the log hold %q", n, secret)
		}
	}
}
