package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// answer runs a responder of the test's own.
func answer(t *testing.T, f http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Content-Type", "application/ocsp-response")
		f(w, q)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/"
}

// askResponder passes a request on to another responder, and gives its response.
func askResponder(req *http.Request, url string) ([]byte, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	resp, err := http.Post(url, "application/ocsp-request", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

// signed makes a good response about the server and the client alike, for the request.
func signed(t *testing.T, r *testpeer.Revocable, this, next time.Time) http.HandlerFunc {
	_, root, key := r.Parts()
	return func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		asked, err := ocsp.ParseRequest(body)
		if err != nil {
			t.Error(err)
			return
		}
		der, err := ocsp.CreateResponse(root, root, ocsp.Response{Status: ocsp.Good, SerialNumber: asked.SerialNumber, ThisUpdate: this, NextUpdate: next}, key)
		if err != nil {
			t.Error(err)
		}
		w.Write(der)
	}
}

// replaying passes the first request on and answers all later ones with its response.
func replaying(t *testing.T, url string) http.HandlerFunc {
	var mu sync.Mutex
	var kept []byte
	return func(w http.ResponseWriter, req *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if kept == nil {
			var err error
			if kept, err = askResponder(req, url); err != nil {
				t.Error(err)
			}
		}
		w.Write(kept)
	}
}

// An ocspCase is a responder, options, and what both programs have to make of it.
type ocspCase struct {
	name    string
	options string
	good    bool
	log     bool // both write the same lines
	ours    bool // an option that 5.68 lacks
}

func ocspCases(t *testing.T, r *testpeer.Revocable) []ocspCase {
	slow := answer(t, func(_ http.ResponseWriter, q *http.Request) {
		io.Copy(io.Discard, q.Body)
		<-q.Context().Done() // until the other side has had enough
	})
	good := r.Responder(t, "good", r.Root)
	sibling := r.Responder(t, "good", r.Sibling)
	unknown := r.Responder(t, "unknown", r.Root)
	expired := answer(t, signed(t, r, testpeer.Ago(2*time.Hour), testpeer.Ago(time.Hour)))
	gone := "http://127.0.0.1:" + testpeer.FreePort(t) + "/"
	replay := answer(t, replaying(t, good))
	// It has answered somebody else's nonce before.
	testpeer.Run(t, testpeer.Need(t, "openssl", "openssl"), "ocsp", "-issuer", r.Root, "-cert", r.Server, "-url", replay, "-noverify").WaitLine(": good$")
	at := func(url string) string { return "OCSP = " + url + "\n" }
	return []ocspCase{
		{name: "good", options: at(good), good: true, log: true},
		{name: "revoked", options: at(r.Responder(t, "revoked", r.Root)), log: true},
		{name: "unknown", options: at(unknown), log: true},
		{name: "good-until", options: at(answer(t, signed(t, r, testpeer.Ago(time.Hour), testpeer.Ago(-time.Hour)))), good: true, log: true},
		{name: "delegate", options: at(r.Responder(t, "good", r.Delegate)), good: true, log: true},
		{name: "delegate-revoked", options: at(r.Responder(t, "revoked", r.Delegate)), log: true},
		{name: "key-id", options: at(r.Responder(t, "good", r.Delegate, "-resp_key_id")), good: true, log: true},
		{name: "no-certs", options: at(r.Responder(t, "good", r.Root, "-resp_no_certs")), good: true, log: true},
		{name: "sibling", options: at(sibling)},
		{name: "nonce", options: at(good) + "OCSPnonce = yes\n", good: true, log: true},
		{name: "replay", options: at(replay) + "OCSPnonce = yes\n"},
		{name: "no-nonce", options: at(answer(t, signed(t, r, testpeer.Ago(time.Hour), testpeer.Ago(-time.Hour)))) + "OCSPnonce = yes\n"},
		{name: "expired", options: at(expired)},
		{name: "early", options: at(answer(t, signed(t, r, testpeer.Ago(-time.Hour), testpeer.Ago(-2*time.Hour))))},
		{name: "garbage", options: at(answer(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, strings.Repeat("x", 1000)) }))},
		{name: "empty", options: at(answer(t, func(http.ResponseWriter, *http.Request) {}))},
		{name: "long", options: at(answer(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, 1<<20)) }))},
		{name: "redirect", options: at(answer(t, func(w http.ResponseWriter, q *http.Request) { http.Redirect(w, q, good, http.StatusTemporaryRedirect) }))},
		{name: "error", options: at(answer(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }))},
		{name: "unreachable", options: at(gone)},
		{name: "slow", options: at(slow) + "TIMEOUTocsp = 1\n", ours: true},
		{name: "nochecks", options: at(sibling) + "OCSPflag = NOCHECKS\n", good: true, log: true},
		{name: "noverify", options: at(sibling) + "OCSPflag = NOVERIFY\n", good: true, log: true},
		{name: "nointern", options: at(r.Responder(t, "good", r.Delegate)) + "OCSPflag = NOINTERN\n"},
		{name: "nodelegated", options: at(r.Responder(t, "good", r.Delegate)) + "OCSPflag = NODELEGATED\n", good: true, log: true},
		{name: "nocasign", options: at(good) + "OCSPflag = NOCASIGN\nOCSPflag = TRUSTOTHER\nOCSPflag = NOEXPLICIT\n", good: true, log: true},
		{name: "aia-without-address", options: "OCSPaia = yes\n", good: true, log: true},
		{name: "not-required-unknown", options: at(unknown) + "OCSPrequire = no\n", good: true, ours: true},
		{name: "not-required-unreachable", options: at(gone) + "OCSPrequire = no\n", good: true, ours: true},
		{name: "not-required-sibling", options: at(sibling) + "OCSPrequire = no\n", good: true, ours: true},
		{name: "not-required-revoked", options: at(r.Responder(t, "revoked", r.Root)) + "OCSPrequire = no\n", ours: true},
	}
}

// ocspLines are what a daemon wrote about revocation for one connection, without times,
// what comes from OpenSSL, and the option that 5.68 lacks.
func ocspLines(d *testpeer.Daemon, id string) []string {
	var out []string
	mine := regexp.MustCompile(`(LOG[3-6])\[` + id + `\]: ((?:OCSP: |Rejected by OCSP).*)$`)
	for _, l := range d.Lines() {
		if m := mine.FindStringSubmatch(l); m != nil && !strings.Contains(l, "(OCSPrequire = yes)") {
			text := regexp.MustCompile(`: \w\w\w [ \d]\d \d\d:\d\d:\d\d \d{4} GMT`).ReplaceAllString(m[2], ": TIME")
			out = append(out, m[1]+" "+text)
		}
	}
	return out
}

// passes tells whether an echo comes back through a service.
func passes(t *testing.T, address string) bool {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		return false // a reset before Dial returned
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(testpeer.Patience))
	if _, err := io.WriteString(c, "hello"); err != nil {
		return false
	}
	got := make([]byte, 5)
	_, err = io.ReadFull(c, got)
	return err == nil && string(got) == "hello"
}

// judgeOCSP has a program take each case in a service of its own and gives what it wrote.
// Through gives the address that leads to a service.
func judgeOCSP(t *testing.T, cases []ocspCase, program, common string, through func(d *testpeer.Daemon, service string) string) map[string][]string {
	t.Helper()
	conf := common
	ours := program == self(t)
	for _, c := range cases {
		if ours || !c.ours {
			conf += "[" + c.name + "]\naccept = 127.0.0.1:0\n" + c.options
		}
	}
	d := testpeer.Start(t, program, conf)
	lines := map[string][]string{}
	n := 0
	for _, c := range cases {
		if c.ours && !ours {
			continue
		}
		if got := passes(t, through(d, c.name)); got != c.good {
			t.Errorf("%s, %s: passes %v", program, c.name, got)
		}
		// Ids count connections.
		id := d.WaitLines(`LOG5\[(\d+)\]: Connection (?:closed|reset)`, n+1)[n]
		n++
		lines[c.name] = ocspLines(d, id)
	}
	return lines
}

// sameLines compares what both programs wrote.
func sameLines(t *testing.T, cases []ocspCase, ours, theirs map[string][]string) {
	t.Helper()
	for _, c := range cases {
		if a, b := strings.Join(ours[c.name], "\n"), strings.Join(theirs[c.name], "\n"); c.log && a != b {
			t.Errorf("%s: we write\n%s\nstunnel writes\n%s", c.name, a, b)
		}
	}
}

// TestOCSPClient has a client service ask about its server.
func TestOCSPClient(t *testing.T) {
	t.Parallel()
	stunnel := testpeer.Need(t, "stunnel4", "stunnel4")
	r := testpeer.NewRevocable(t, "http://127.0.0.1:1/")
	cases := ocspCases(t, r)
	common := "client = yes\nverifyChain = yes\nsessionResume = no\nCAfile = " + r.Root + "\nconnect = " + echoTLS(t, r.Server) + "\n"
	direct := func(d *testpeer.Daemon, service string) string { return d.Addr(service) }
	ours := judgeOCSP(t, cases, self(t), strings.Replace(common, "sessionResume = no\n", "", 1), direct)
	theirs := judgeOCSP(t, cases, stunnel, common, direct)
	sameLines(t, cases, ours, theirs)
}

// TestOCSPServer has a server service ask about its client.
func TestOCSPServer(t *testing.T) {
	t.Parallel()
	stunnel := testpeer.Need(t, "stunnel4", "stunnel4")
	r := testpeer.NewRevocable(t, "http://127.0.0.1:1/")
	cases := ocspCases(t, r)
	common := "verifyChain = yes\nCAfile = " + r.Root + "\ncert = " + r.Server + "\nconnect = " + testpeer.Serve(t, testpeer.Echo) + "\n"
	through := func(d *testpeer.Daemon, service string) string {
		c := testpeer.Start(t, stunnel, "[c]\nclient = yes\naccept = 127.0.0.1:0\ncert = "+r.Client+"\nconnect = "+d.Addr(service)+"\n")
		return c.Addr("c")
	}
	ours := judgeOCSP(t, cases, self(t), common, through)
	theirs := judgeOCSP(t, cases, stunnel, common, through)
	sameLines(t, cases, ours, theirs)
}

// TestOCSPAIA has the server's certificate name a responder on this machine, which only the
// configuration may vouch for.
func TestOCSPAIA(t *testing.T) {
	t.Parallel()
	var target string
	front := answer(t, func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path != "/aia" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		response, err := askResponder(q, target)
		if err != nil {
			t.Error(err)
		}
		w.Write(response)
	})
	r := testpeer.NewRevocable(t, front+"aia")
	for _, c := range []struct {
		status, options string
		good            bool
		log             string
	}{
		{"good", "", false, `LOG3\[0\]: OCSP: a certificate must not lead to this machine`},
		{"good", "OCSP = " + front + "none\n", true, `LOG5\[0\]: OCSP: Certificate accepted$`},
		{"revoked", "OCSP = " + front + "none\n", false, `LOG3\[0\]: OCSP: Certificate revoked: 1: keyCompromise$`},
	} {
		target = r.Responder(t, c.status, r.Delegate)
		d := start(t, "[c]\nclient = yes\naccept = 127.0.0.1:0\nverifyChain = yes\nCAfile = "+r.Root+"\nOCSPaia = yes\n"+c.options+
			"connect = "+echoTLS(t, r.Named)+"\n")
		if got := passes(t, d.Addr("c")); got != c.good {
			t.Errorf("%s, %q: passes %v", c.status, c.options, got)
		}
		d.WaitLine(`LOG5\[0\]: OCSP: Connecting the AIA responder "` + regexp.QuoteMeta(front+"aia") + `"$`)
		d.WaitLine(c.log)
	}
}

// echoTLS runs an echo behind stunnel's server with a certificate and gives its address.
func echoTLS(t *testing.T, cert string) string {
	t.Helper()
	stunnel := testpeer.Need(t, "stunnel4", "stunnel4")
	return testpeer.Start(t, stunnel, "[s]\naccept = 127.0.0.1:0\nconnect = "+testpeer.Serve(t, testpeer.Echo)+"\ncert = "+cert+"\n").Addr("s")
}

// TestOCSPResumed has a server's certificate revoked between two connections: the session
// that it gave before is worth nothing then.
func TestOCSPResumed(t *testing.T) {
	t.Parallel()
	var target atomic.Pointer[string]
	front := answer(t, func(w http.ResponseWriter, q *http.Request) {
		response, err := askResponder(q, *target.Load())
		if err != nil {
			t.Error(err)
		}
		w.Write(response)
	})
	r := testpeer.NewRevocable(t, front)
	good, revoked := r.Responder(t, "good", r.Root), r.Responder(t, "revoked", r.Root)
	for _, v := range versions {
		target.Store(&good)
		d := start(t, "[c]\nclient = yes\naccept = 127.0.0.1:0\nverifyChain = yes\nCAfile = "+r.Root+"\nOCSP = "+front+"\nconnect = "+echoTLS(t, r.Server)+
			"\nsslVersion = "+v.log+"\n")
		for id, how := range []string{"new session negotiated", "previous session reused"} {
			if !passes(t, d.Addr("c")) {
				t.Errorf("%s, connection %d does not pass", v.log, id)
			}
			d.WaitLine(fmt.Sprintf(`LOG6\[%d\]: TLS connected: %s$`, id, how))
		}
		target.Store(&revoked)
		if passes(t, d.Addr("c")) {
			t.Errorf("%s: passes with a revoked certificate", v.log)
		}
		d.WaitLine(`LOG4\[2\]: Rejected by OCSP at depth=0: O=Test, CN=server$`)
	}
}

// TestOCSPStapled has openssl's server staple responses of every kind to a client that asks
// nobody itself.
func TestOCSPStapled(t *testing.T) {
	t.Parallel()
	r := testpeer.NewRevocable(t, "http://127.0.0.1:1/")
	for _, v := range versions {
		for _, c := range []struct {
			status, signer string
			good           bool
			log            string
		}{
			{"good", r.Root, true, `LOG5\[0\]: OCSP: Certificate accepted$`},
			{"good", r.Delegate, true, `LOG5\[0\]: OCSP: Certificate accepted$`},
			{"revoked", r.Root, false, `LOG4\[0\]: Rejected by OCSP at depth=0: O=Test, CN=server$`},
			{"revoked", r.Sibling, true, `LOG4\[0\]: OCSP: Stapled response: missing ocspsigning usage$`},
			{"unknown", r.Root, true, `LOG4\[0\]: OCSP: Unknown verification status$`},
		} {
			to := sServer(t, v.openssl, "-cert", r.Server, "-key", r.Server, "-status_file", r.Staple(t, c.status, c.signer))
			d := start(t, "[c]\nclient = yes\naccept = 127.0.0.1:0\nverifyChain = yes\nCAfile = "+r.Root+"\nconnect = "+to+"\n")
			text, err := page(t, d, "c")
			if got := err == nil && strings.Contains(text, "s_server"); got != c.good {
				t.Errorf("%s %s by %s: passes %v, %v", v.log, c.status, c.signer, got, err)
			}
			d.WaitLine(c.log)
		}
	}
}

// TestOCSPStapling has openssl's client look at what a server service staples, which comes
// without the service being made anew.
func TestOCSPStapling(t *testing.T) {
	t.Parallel()
	openssl := testpeer.Need(t, "openssl", "openssl")
	var target atomic.Pointer[string]
	front := answer(t, func(w http.ResponseWriter, q *http.Request) {
		response, err := askResponder(q, *target.Load())
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
		}
		w.Write(response)
	})
	r := testpeer.NewRevocable(t, front)
	for _, c := range []struct{ status, signer, cert, options, log, want string }{
		{"good", r.Delegate, r.Named, "", `LOG6\[cron\]: OCSP: Status: good`, "Cert Status: good"},
		{"good", r.Root, r.Server, "OCSP = " + front + "\n", `LOG6\[cron\]: OCSP: Status: good`, "Cert Status: good"},
		{"revoked", r.Root, r.Named, "", `LOG3\[cron\]: OCSP: Certificate revoked: 1: keyCompromise`, "Cert Status: revoked"},
		{"unknown", r.Root, r.Named, "", `LOG4\[cron\]: OCSP: Unknown verification status`, "OCSP response: no response sent"},
		{"good", r.Sibling, r.Named, "", `LOG4\[cron\]: OCSP: No response to staple: .*missing ocspsigning usage`, "OCSP response: no response sent"},
		{"none", r.Root, r.Server, "", `Accepting new connections`, "OCSP response: no response sent"},
	} {
		if c.status != "none" {
			responder := r.Responder(t, c.status, c.signer, "-nmin", "10")
			target.Store(&responder)
		}
		// A service that asks for no certificates may have a responder for its own alone.
		d := start(t, c.options+"[s]\naccept = 127.0.0.1:0\nCAfile = "+r.Root+"\ncert = "+c.cert+"\nconnect = "+testpeer.Serve(t, testpeer.Echo)+"\n")
		d.WaitLine(c.log)
		for _, v := range versions {
			p := testpeer.Run(t, openssl, "s_client", "-connect", d.Addr("s"), v.openssl, "-status", "-CAfile", r.Root)
			p.WaitLine(c.want)
			p.Stdin.Close()
			p.Wait()
		}
	}
}
