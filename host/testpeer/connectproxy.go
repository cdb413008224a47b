package testpeer

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// A ConnectProxy is an HTTP proxy for CONNECT that takes NTLM alone, both messages of
// which have to come on one connection.
type ConnectProxy struct {
	Addr string
	NTLM *NTLM
	// Chunked sends the body of the challenge in chunks, else with its length.
	Chunked bool

	mu      sync.Mutex
	refused []error
}

// challengeBody is what browsers would show.
const challengeBody = "<html>Log in, please.</html>\n"

// Serve runs the proxy until the test ends.
func (p *ConnectProxy) Serve(t testing.TB) *ConnectProxy {
	t.Helper()
	p.Addr = Serve(t, p.handle)
	return p
}

// Refused says why logins were refused so far.
func (p *ConnectProxy) Refused() []error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]error(nil), p.refused...)
}

func (p *ConnectProxy) handle(c net.Conn) {
	r := bufio.NewReader(c)
	var negotiate, challenge []byte
	for {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		if req.Method != http.MethodConnect {
			fmt.Fprint(c, "HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
			return
		}
		token, _ := strings.CutPrefix(req.Header.Get("Proxy-Authorization"), "NTLM ")
		message, _ := base64.StdEncoding.DecodeString(token)
		switch NTLMKind(message) {
		case 1:
			negotiate, challenge = message, p.NTLM.Challenge()
			p.ask(c, "NTLM "+base64.StdEncoding.EncodeToString(challenge))
		case 3:
			if err := p.NTLM.Check(negotiate, challenge, message); err != nil {
				p.mu.Lock()
				p.refused = append(p.refused, err)
				p.mu.Unlock()
				p.ask(c, "NTLM")
				return
			}
			p.tunnel(c, r, req.Host)
			return
		default:
			p.ask(c, "NTLM")
		}
	}
}

// ask sends a 407.
func (p *ConnectProxy) ask(w io.Writer, challenge string) {
	fmt.Fprintf(w, "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: %s\r\n", challenge)
	if p.Chunked {
		fmt.Fprintf(w, "Transfer-Encoding: chunked\r\n\r\n%x;ext=\"1\"\r\n%s\r\n0\r\nX-Trailer: t\r\n\r\n", len(challengeBody), challengeBody)
		return
	}
	fmt.Fprintf(w, "Content-Length: %d\r\n\r\n%s", len(challengeBody), challengeBody)
}

// tunnel joins the client to a target until both have ended.
func (p *ConnectProxy) tunnel(c net.Conn, r io.Reader, target string) {
	out, err := net.Dial("tcp", target)
	if err != nil {
		fmt.Fprint(c, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
		return
	}
	defer out.Close()
	fmt.Fprint(c, "HTTP/1.1 200 Connection established\r\n\r\n")
	var both sync.WaitGroup
	both.Go(func() {
		io.Copy(out, r)
		out.(halfCloser).CloseWrite()
	})
	both.Go(func() {
		io.Copy(c, out)
		c.(halfCloser).CloseWrite()
	})
	both.Wait()
}
