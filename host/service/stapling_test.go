package service

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// TestStaplingEnds has the responder hold every question: a reload to a configuration
// without it, and the Server's end, do not wait for it.
func TestStaplingEnds(t *testing.T) {
	asked, left := make(chan struct{}, 10), make(chan struct{}, 10)
	var late sync.WaitGroup
	responder := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		late.Add(1)
		defer late.Done()
		io.Copy(io.Discard, r.Body)
		asked <- struct{}{}
		<-r.Context().Done() // the question is given up
		left <- struct{}{}
	}))
	defer responder.Close()
	r := testpeer.NewRevocable(t, responder.URL)
	stapled := "[s]\naccept = 127.0.0.1:0\nconnect = 127.0.0.1:1\nTIMEOUTocsp = 100000\nCAfile = " + r.Root + "\ncert = " + r.Named + "\n"

	b := newBench(t, logging.Debug)
	first := b.apply(stapled)
	<-asked
	b.apply("[s]\naccept = 127.0.0.1:0\nconnect = 127.0.0.1:1\ncert = {server}\n")
	<-left
	first.stapling.wg.Wait()

	// What is only built, as by the check command, asks nobody.
	b.build(stapled).Close(t.Context())

	b.apply(stapled)
	<-asked
	b.stop()
	<-left
	late.Wait()
	if len(asked) != 0 {
		t.Errorf("%d more questions", len(asked))
	}
}
