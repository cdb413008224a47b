package ident

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"net"
)

func TestParse(t *testing.T) {
	for _, c := range []struct{ reply, user, err string }{
		{"6193, 23 : USERID : UNIX : stjohns", "stjohns", ""},
		{"6193,23:USERID:UNIX:stjohns", "stjohns", ""},
		{" 6193 , 23 : USERID : UNIX, UTF-8 : a b:c ", "a b:c ", ""},
		{"6193, 23 : ERROR : NO-USER", "", `ident server: "NO-USER"`},
		{"6193, 24 : USERID : UNIX : root", "", "for other ports"},
		{"23, 6193 : USERID : UNIX : root", "", "for other ports"},
		{"6193 : USERID : UNIX : root", "", "for other ports"},
		{"6193, 65559 : USERID : UNIX : root", "", "for other ports"},
		{"6193, 23 : userid : UNIX : root", "", "incorrect ident reply type"},
		{"6193, 23 : USERID : UNIX : ", "", "no user"},
		{"6193, 23 : USERID : root", "", "no user"},
		{"6193, 23 : USERID", "", "malformed"},
		{"", "", "malformed"},
	} {
		user, err := parse(c.reply, 6193, 23)
		if user != c.user || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%q: %q, %v; want %q, %q", c.reply, user, err, c.user, c.err)
		}
	}
}

// answer is an ident server's connection: what it says, and what it was asked.
type answer struct {
	io.Reader
	bytes.Buffer
}

func (a *answer) Read(b []byte) (int, error) { return a.Reader.Read(b) }

func TestAsk(t *testing.T) {
	a := &answer{Reader: strings.NewReader("5, 6 : USERID : UNIX : me\r\nmore")}
	if user, err := ask(a, 5, 6); user != "me" || err != nil || a.Buffer.String() != "5 , 6\r\n" {
		t.Errorf("%q, %v, asked %q", user, err, a.Buffer.String())
	}
	long := &answer{Reader: strings.NewReader(strings.Repeat("x", 2*maxReply) + "\n")}
	if _, err := ask(long, 5, 6); err == nil || !strings.Contains(err.Error(), "longer") {
		t.Errorf("an endless reply: %v", err)
	}
	if _, err := ask(&answer{Reader: strings.NewReader("5, 6 : USERID : UNIX : me")}, 5, 6); !errors.Is(err, io.EOF) {
		t.Errorf("a reply without an end: %v", err)
	}
	c, _ := net.Pipe()
	defer c.Close()
	c.SetDeadline(time.Unix(1, 0))
	if _, err := ask(c, 5, 6); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a silent server: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("6193, 23 : USERID : UNIX : stjohns")
	f.Add("6193, 23 : ERROR : NO-USER")
	f.Fuzz(func(t *testing.T, reply string) {
		if user, err := parse(reply, 6193, 23); (user == "") == (err == nil) {
			t.Errorf("%q: %q, %v", reply, user, err)
		}
	})
}
