// Command quickstart runs stunnel-wasm to try it out: it makes throw-away
// certificates, starts two backends of its own (a web page and a mail sink),
// writes a configuration that puts a TLS service and an SMTP STARTTLS service in
// front of them, and starts the daemon with it. All of it is on loopback.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	bin := flag.String("daemon", "bin/stunnel-wasm", "the daemon's binary")
	dir := flag.String("dir", ".quickstart", "folder for certificates and configuration")
	web := flag.String("https", "127.0.0.1:8443", "address of the TLS service")
	mail := flag.String("smtp", "127.0.0.1:2525", "address of the SMTP STARTTLS service")
	flag.Parse()
	log.SetFlags(0)
	log.SetPrefix("quickstart: ")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *bin, *dir, *web, *mail); err != nil {
		log.Fatal(err)
	}
}

const page = "Hello through stunnel-wasm: the TLS that carried this was not mine.\n"

func run(ctx context.Context, bin, dir, web, mail string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if err := writeCertificates(dir); err != nil {
		return fmt.Errorf("making certificates: %w", err)
	}
	pages, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	srv := &http.Server{
		ReadHeaderTimeout: 10 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, page)
		}),
	}
	go srv.Serve(pages)
	defer srv.Close()
	sink, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer sink.Close()
	go serveMail(sink)

	conf := filepath.Join(dir, "stunnel.conf")
	text := fmt.Sprintf(config, web, pages.Addr(), dir, mail, sink.Addr(), dir)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return err
	}
	// Not CommandContext, which would kill: the daemon ends by SIGTERM, as it should.
	daemon := exec.Command(bin, conf)
	out := &watcher{say: fmt.Sprintf(hints, conf, web, dir, port(web), dir, web, mail, dir, port(mail), dir, mail)}
	daemon.Stdout, daemon.Stderr = os.Stdout, out
	apart(daemon) // ^C comes here alone
	if err := daemon.Start(); err != nil {
		return fmt.Errorf("starting the daemon: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- daemon.Wait() }()
	select {
	case err := <-ended:
		return fmt.Errorf("the daemon ended: %v", err)
	case <-ctx.Done():
	}
	if err := end(daemon.Process); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return <-ended
}

// A watcher passes the daemon's log on, and says what to try once it accepts.
type watcher struct {
	say  string
	said bool
}

func (w *watcher) Write(p []byte) (int, error) {
	n, err := os.Stderr.Write(p)
	if !w.said && bytes.Contains(p, []byte("Accepting new connections")) {
		w.said = true
		fmt.Print(w.say)
	}
	return n, err
}

func port(addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	return port
}

// config is a plain stunnel.conf: stunnel itself runs it too.
const config = `; written by quickstart
foreground = yes
debug = info
pid =
syslog = no

[https]
accept = %s
connect = %s
cert = %s/server.pem

[smtp]
protocol = smtp
accept = %s
connect = %s
cert = %s/server.pem
`

const hints = `
Running with %s
Try in another terminal; ^C here ends it.

The TLS service on %s:
  curl --cacert %s/ca.pem https://localhost:%s/
  openssl s_client -CAfile %s/ca.pem -crlf -quiet -connect %s      (type: GET / HTTP/1.0, and Enter twice)

The SMTP service with STARTTLS on %s:
  curl --cacert %s/ca.pem --ssl-reqd smtp://localhost:%s --mail-from a@example.org --mail-rcpt b@example.org -T README.md
  openssl s_client -CAfile %s/ca.pem -starttls smtp -crlf -quiet -connect %s      (type: EHLO me)

`
