package stunnel_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	stunnel "github.com/stunnel-wasm/stunnel-wasm/sdk/go"
)

func TestReading(t *testing.T) {
	stunnel.Use(&stunnel.Fake{In: [2][]byte{[]byte("one\r\ntwo\nthree"), []byte("x")}})
	side := stunnel.Accepted
	buf := make([]byte, 8)
	for _, want := range []string{"one", "two"} {
		if line, err := side.ReadLine(buf); err != nil || string(stunnel.Chomp(line)) != want {
			t.Errorf("got %q, %v, want %q", line, err, want)
		}
	}
	if b, ok, err := side.PeekByte(); b != 't' || !ok || err != nil {
		t.Errorf("peeked %q, %v, %v", b, ok, err)
	}
	if line, err := side.ReadLine(buf[:4]); err != stunnel.TooLong || len(line) != 0 {
		t.Errorf("got %q, %v", line, err)
	}
	if _, err := side.ReadLine(buf); err != stunnel.EOF || !errors.Is(err, io.EOF) {
		t.Errorf("a line without end: %v", err)
	}
	if err := side.ReadFull(buf[:2]); err != nil || string(buf[:2]) != "th" {
		t.Errorf("got %q, %v", buf[:2], err)
	}
	if rest, err := io.ReadAll(side); err != nil || string(rest) != "ree" {
		t.Errorf("got %q, %v", rest, err)
	}
	if _, ok, err := side.PeekByte(); ok || err != nil {
		t.Errorf("at the end: %v, %v", ok, err)
	}
	if _, err := stunnel.Outgoing.Write(buf); err != stunnel.State {
		t.Errorf("not connected: %v", err)
	}
	if err := stunnel.Connect(); err != nil {
		t.Error(err)
	}
	if accepted, outgoing, err := stunnel.WaitBoth(0); accepted || !outgoing || err != nil {
		t.Errorf("readable: %v, %v, %v", accepted, outgoing, err)
	}
}

func TestValues(t *testing.T) {
	long := strings.Repeat("x", 1000)
	stunnel.Use(&stunnel.Fake{Config: map[string]string{"client": "yes", "option.long": long, "option.empty": ""}})
	if v, err := stunnel.Config("option.long"); v != long || err != nil {
		t.Errorf("%d bytes, %v", len(v), err)
	}
	if v, ok := stunnel.Option("empty"); v != "" || !ok {
		t.Errorf("got %q, %v", v, ok)
	}
	if _, ok := stunnel.Option("other"); ok || !stunnel.IsClient() {
		t.Error("an option is set that is not, or the service is no client")
	}
	if _, err := stunnel.Info(stunnel.InfoSNI); err != stunnel.None {
		t.Error(err)
	}
	stunnel.Annotate("user", "joe")
	if v, err := stunnel.Fact("user"); v != "joe" || err != nil {
		t.Errorf("got %q, %v", v, err)
	}
	for text, want := range map[string][]string{"": nil, "a": {"a"}, "a\nb": {"a", "b"}, "a\n\nb\n": {"a", "", "b"}} {
		if got := stunnel.Lines(text); !slices.Equal(got, want) {
			t.Errorf("%q has lines %q, want %q", text, got, want)
		}
	}
}

func TestStatus(t *testing.T) {
	for _, tt := range []struct {
		err      error
		class    stunnel.Class
		sentence string
	}{
		{stunnel.Refuse(stunnel.ClassPolicy, "no"), stunnel.ClassPolicy, "no"},
		{fmt.Errorf("more: %w", stunnel.Refuse(stunnel.ClassConfig, "no")), stunnel.ClassConfig, "no"},
		{stunnel.Doing("connecting", stunnel.Refused), stunnel.ClassPeer, "connecting: connection refused"},
		{stunnel.Doing("connecting", stunnel.State), stunnel.ClassInternal, "connecting: not in this state"},
		{stunnel.Doing("again", stunnel.Doing("reading", io.EOF)), stunnel.ClassPeer, "reading: connection closed"},
		{stunnel.Doing("sorting", errors.New("odd")), stunnel.ClassInternal, "sorting: odd"},
		{stunnel.TLS, stunnel.ClassPeer, "TLS handshake failed"},
		{errors.New("odd"), stunnel.ClassInternal, "odd"},
	} {
		f := &stunnel.Fake{}
		stunnel.Use(f)
		if status := stunnel.Status(tt.err); status != 1 || f.Failed == nil || *f.Failed != (stunnel.Refusal{Class: tt.class, Sentence: tt.sentence}) {
			t.Errorf("%v: status %d, told %+v", tt.err, status, f.Failed)
		}
	}
	f := &stunnel.Fake{}
	stunnel.Use(f)
	if stunnel.Status(stunnel.Doing("x", nil)) != 0 || f.Failed != nil {
		t.Errorf("success told %+v", f.Failed)
	}
}

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{"": `""`, `a"b\`: `"a'b\"`, strings.Repeat("x", 161): `"` + strings.Repeat("x", 160) + `..."`} {
		if got := stunnel.Quote(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}
