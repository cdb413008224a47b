package ocsp

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/verify"
)

// A fake is a responder that answers each request as it is told, by path.
type fake struct {
	*httptest.Server
	asked atomic.Int64
}

func serve(t testing.TB, answer func(w http.ResponseWriter, r *http.Request)) *fake {
	t.Helper()
	f := &fake{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.asked.Add(1)
		answer(w, r)
	}))
	t.Cleanup(f.Close)
	return f
}

// always answers with the same bytes.
func always(raw []byte) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { w.Write(raw) }
}

// checker makes a Checker at noon.
func checker(conf config.OCSP) *Checker {
	if conf.Timeout == 0 {
		conf.Timeout = time.Minute
	}
	c := New(conf, time.Minute)
	c.now = atNoon
	return c
}

// reason is what a verdict gives for its reason; empty: accepted.
func reason(err error) string {
	var v *verify.Error
	switch {
	case err == nil:
		return ""
	case !errors.As(err, &v) || v.Cert == nil:
		return "not an error of verification: " + err.Error()
	}
	return fmt.Sprintf("%s at %d", v.Reason, v.Depth)
}

const (
	revoked = "certificate revoked at 0"
	unclear = "revocation status unknown at 0"
)

// TestResponders has a responder misbehave in every way, and OCSPrequire both ways.
func TestResponders(t *testing.T) {
	p := newPKI(t)
	chain := []*x509.Certificate{p.leaf.cert, p.middle.cert}
	good := p.newReply(nil).make(t)
	elsewhere := serve(t, always(good))
	for _, c := range []struct {
		name   string
		answer func(http.ResponseWriter, *http.Request)
		want   string // with OCSPrequire = yes
		always string // with OCSPrequire = no
	}{
		{"good", always(good), "", ""},
		{"revoked", always(p.newReply(func(r *reply) { r.says = Revoked }).make(t)), revoked, revoked},
		{"unknown", always(p.newReply(func(r *reply) { r.says = Unknown }).make(t)), unclear, ""},
		{"expired", always(p.newReply(func(r *reply) { r.next = noon.Add(-time.Hour) }).make(t)), unclear, ""},
		{"by a sibling", always(p.newReply(func(r *reply) { r.by = p.sibling; r.certs = []*party{p.sibling} }).make(t)), unclear, ""},
		{"revoked by a sibling", always(p.newReply(func(r *reply) { r.says = Revoked; r.by = p.sibling; r.certs = []*party{p.sibling} }).make(t)), unclear, ""},
		{"nothing", always(nil), unclear, ""},
		{"garbage", always([]byte(strings.Repeat("\x30\x80", 1000))), unclear, ""},
		{"cut", always(good[:len(good)-1]), unclear, ""},
		{"more", always(append(good[:len(good):len(good)], 0)), unclear, ""},
		{"endless", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(good); err != nil {
					return
				}
			}
		}, unclear, ""},
		{"long header", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 2*maxHeader))
			w.Write(good)
		}, unclear, ""},
		{"error with a good body", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			w.Write(good)
		}, unclear, ""},
		{"redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		}, unclear, ""},
		{"hangs up", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, unclear, ""},
		{"another nonce", always(p.newReply(func(r *reply) { r.nonce = newNonce() }).make(t)), "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := serve(t, c.answer)
			for require, want := range map[bool]string{true: c.want, false: c.always} {
				k := checker(config.OCSP{URL: f.URL, Require: require})
				if got := reason(k.Check(t.Context(), chain, nil, nil)); got != want {
					t.Errorf("require %v: %q, want %q", require, got, want)
				}
			}
			if f.asked.Load() != 2 {
				t.Errorf("asked %d times", f.asked.Load())
			}
		})
	}
	if elsewhere.asked.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

// TestRequest looks at what a responder gets: nothing but the question.
func TestRequest(t *testing.T) {
	p := newPKI(t)
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1/") // nobody is there
	var body []byte
	var header http.Header
	f := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ = io.ReadAll(r.Body)
		header = r.Header
		if r.Method != http.MethodPost || r.URL.RequestURI() != "/a?b" {
			t.Errorf("%s %s", r.Method, r.URL)
		}
		w.Write(p.newReply(nil).make(t))
	})
	k := checker(config.OCSP{URL: f.URL + "/a?b", Require: true})
	if err := k.Check(t.Context(), []*x509.Certificate{p.leaf.cert, p.middle.cert}, nil, nil); err != nil {
		t.Fatal(err)
	}
	want, err := p.question().request(nil)
	if err != nil || string(body) != string(want) {
		t.Errorf("the body is %x, %v", body, err)
	}
	header.Del("Content-Length")
	header.Del("Connection")
	if len(header) != 1 || header.Get("Content-Type") != "application/ocsp-request" {
		t.Errorf("the header is %v", header)
	}
}

// TestNonce has a responder that sends back the nonce, and one that replays.
func TestNonce(t *testing.T) {
	p := newPKI(t)
	chain := []*x509.Certificate{p.leaf.cert, p.middle.cert}
	var first []byte
	f := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		nonce := body[len(body)-2-nonceLength:]
		raw := p.newReply(func(r *reply) { r.nonce = nonce }).make(t)
		if first == nil {
			first = raw
		}
		if r.URL.Path == "/replay" {
			raw = first
		}
		w.Write(raw)
	})
	k := checker(config.OCSP{URL: f.URL, Nonce: true, Require: true})
	for range 3 {
		if got := reason(k.Check(t.Context(), chain, nil, nil)); got != "" {
			t.Error(got)
		}
	}
	if f.asked.Load() != 3 {
		t.Errorf("asked %d times: an answer to a nonce is for one question", f.asked.Load())
	}
	k = checker(config.OCSP{URL: f.URL + "/replay", Nonce: true, Require: true})
	if got := reason(k.Check(t.Context(), chain, nil, nil)); got != unclear {
		t.Errorf("replayed: %q", got)
	}
}

// TestOrder has a staple, a configured responder and two that the certificate names, and
// says who is asked until it is known.
func TestOrder(t *testing.T) {
	p := newPKI(t)
	answers := map[string][]byte{
		"good":    p.newReply(nil).make(t),
		"revoked": p.newReply(func(r *reply) { r.says = Revoked }).make(t),
		"unknown": p.newReply(func(r *reply) { r.says = Unknown }).make(t),
		"expired": p.newReply(func(r *reply) { r.next = noon.Add(-time.Hour) }).make(t),
	}
	var asked []string
	f := serve(t, func(w http.ResponseWriter, r *http.Request) {
		where, what, _ := strings.Cut(r.URL.Path[1:], "-")
		asked = append(asked, where)
		w.Write(answers[what])
	})
	for _, c := range []struct {
		staple, url string
		aia         []string
		nonce       bool
		want        string
		asked       string
	}{
		{want: ""},
		{staple: "good", want: ""},
		{staple: "revoked", want: revoked},
		{staple: "unknown", want: ""}, // nobody asked to know
		{staple: "expired", want: ""},
		{staple: "good", url: "revoked", aia: []string{"revoked"}, want: ""},
		{staple: "revoked", url: "good", want: revoked},
		{staple: "expired", url: "good", want: "", asked: "url"},
		{staple: "expired", url: "revoked", want: revoked, asked: "url"},
		{staple: "expired", url: "unknown", want: unclear, asked: "url"},
		{url: "good", aia: []string{"revoked"}, want: "", asked: "url"},
		{url: "revoked", aia: []string{"good"}, want: revoked, asked: "url"},
		{url: "unknown", aia: []string{"good"}, want: "", asked: "url aia0"},
		{url: "unknown", aia: []string{"expired", "revoked"}, want: revoked, asked: "url aia0 aia1"},
		{url: "unknown", aia: []string{"unknown"}, want: unclear, asked: "url aia0"},
		{url: "unknown", aia: []string{"unknown", "unknown", "unknown", "unknown", "good"}, want: unclear, asked: "url aia0 aia1 aia2 aia3"},
		// With nonces a staple may be from before a revocation, but never from before its end.
		{staple: "good", url: "good", nonce: true, want: unclear, asked: "url"},
		{staple: "revoked", url: "good", nonce: true, want: revoked},
		{staple: "good", nonce: true, want: ""},
	} {
		asked = nil
		conf := config.OCSP{Require: true, Nonce: c.nonce}
		if c.url != "" {
			conf.URL = f.URL + "/url-" + c.url
		}
		leaf := *p.leaf.cert
		for i, a := range c.aia {
			conf.AIA = true
			leaf.OCSPServer = append(leaf.OCSPServer, fmt.Sprintf("%s/aia%d-%s", f.URL, i, a))
		}
		err := checker(conf).Check(t.Context(), []*x509.Certificate{&leaf, p.middle.cert}, answers[c.staple], nil)
		if got := reason(err); got != c.want || strings.Join(asked, " ") != c.asked {
			t.Errorf("%+v: %q, asked %v", c, got, asked)
		}
	}
}

// TestWhichAreAsked has a chain of three: all but the anchor are asked about, from above.
func TestWhichAreAsked(t *testing.T) {
	p := newPKI(t)
	middle := func(edit func(*reply)) []byte {
		return p.newReply(func(r *reply) {
			r.by, r.issuer, r.serial = p.root, p.root.cert, p.middle.cert.SerialNumber
			if edit != nil {
				edit(r)
			}
		}).make(t)
	}
	leaf := p.newReply(nil).make(t)
	for _, c := range []struct {
		name    string
		answers [][]byte
		want    string
	}{
		{"good", [][]byte{middle(nil), leaf}, ""},
		{"the CA revoked", [][]byte{middle(func(r *reply) { r.says = Revoked })}, "certificate revoked at 1"},
		{"the CA unknown", [][]byte{middle(func(r *reply) { r.says = Unknown })}, "revocation status unknown at 1"},
		{"answers exchanged", [][]byte{leaf}, "revocation status unknown at 1"},
	} {
		f := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Write(c.answers[0])
			c.answers = c.answers[1:]
		})
		k := checker(config.OCSP{URL: f.URL, Require: true})
		if got := reason(k.Check(t.Context(), p.chain(), nil, nil)); got != c.want || len(c.answers) != 0 {
			t.Errorf("%s: %q, %d answers left", c.name, got, len(c.answers))
		}
	}
	f := serve(t, always(leaf))
	k := checker(config.OCSP{URL: f.URL, Require: true})
	if err := k.Check(t.Context(), []*x509.Certificate{p.root.cert}, nil, nil); err != nil || f.asked.Load() != 0 {
		t.Errorf("the anchor itself: %v, asked %d times", err, f.asked.Load())
	}
}

// TestOwnAddresses has a certificate name a responder on this machine, which a customer
// of the CA may have chosen.
func TestOwnAddresses(t *testing.T) {
	p := newPKI(t)
	f := serve(t, always(p.newReply(nil).make(t)))
	_, port, _ := strings.Cut(strings.TrimPrefix(f.URL, "http://"), ":")
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "169.254.169.254"} {
		leaf := *p.leaf.cert
		leaf.OCSPServer = []string{"http://" + host + ":" + port + "/"}
		k := checker(config.OCSP{AIA: true, Require: true, Timeout: 5 * time.Second})
		if got := reason(k.Check(t.Context(), []*x509.Certificate{&leaf, p.middle.cert}, nil, nil)); got != unclear {
			t.Errorf("%s: %q", host, got)
		}
	}
	leaf := *p.leaf.cert
	for _, text := range []string{"https://127.0.0.1:" + port, "ldap://127.0.0.1:" + port, "http://" + strings.Repeat("a", maxURL), "http://user:password@127.0.0.1:" + port, ""} {
		leaf.OCSPServer = []string{text}
		k := checker(config.OCSP{AIA: true, Require: true})
		if got := reason(k.Check(t.Context(), []*x509.Certificate{&leaf, p.middle.cert}, nil, nil)); got != unclear {
			t.Errorf("%s: %q", text, got)
		}
	}
	if f.asked.Load() != 0 {
		t.Errorf("asked %d times", f.asked.Load())
	}
	// Another path of the machine and port that the configuration names.
	leaf.OCSPServer = []string{f.URL + "/aia"}
	k := checker(config.OCSP{URL: f.URL + "/configured", AIA: true, Require: true})
	if err := k.Check(t.Context(), []*x509.Certificate{&leaf, p.middle.cert}, nil, nil); err != nil || f.asked.Load() != 1 {
		t.Errorf("%v, asked %d times", err, f.asked.Load())
	}
}

// TestSlow has a responder that never answers: TIMEOUTocsp ends one question, the
// connection's end and TIMEOUTbusy all of them.
func TestSlow(t *testing.T) {
	p := newPKI(t)
	hold := make(chan struct{})
	reached := make(chan struct{}, 10)
	f := serve(t, func(http.ResponseWriter, *http.Request) { reached <- struct{}{}; <-hold })
	defer close(hold)
	chain := []*x509.Certificate{p.leaf.cert, p.middle.cert}
	k := checker(config.OCSP{URL: f.URL, Require: true, Timeout: time.Millisecond})
	if got := reason(k.Check(t.Context(), chain, nil, nil)); got != unclear {
		t.Errorf("TIMEOUTocsp: %q", got)
	}
	k = checker(config.OCSP{URL: f.URL, Require: true})
	k.busy = time.Millisecond
	if got := reason(k.Check(t.Context(), chain, nil, nil)); got != unclear {
		t.Errorf("TIMEOUTbusy: %q", got)
	}
	for len(reached) > 0 {
		<-reached
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-reached
		cancel()
	}()
	k = checker(config.OCSP{URL: f.URL, Require: true})
	if got := reason(k.Check(ctx, chain, nil, nil)); got != unclear {
		t.Errorf("the connection's end: %q", got)
	}
	if len(k.answers.flights) != 0 {
		t.Error("a question goes on for nobody")
	}
}
