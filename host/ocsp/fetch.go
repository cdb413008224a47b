package ocsp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"syscall"

	"github.com/stunnel-wasm/stunnel-wasm/host/dial"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
)

// A poster sends requests to responders. Each has a connection of its own, so that no
// state of one service or peer is left for another; no proxy of the environment gets
// to know which peers there are; and nobody is led elsewhere by a redirect.
type poster struct {
	client *http.Client
}

// errElsewhere is the error for an address that only the configuration may name.
var errElsewhere = errors.New("a certificate must not lead to this machine or its links; name the responder with OCSP =")

// newPoster makes a poster. A guarded one is for addresses that a peer's certificate
// names: a CA that lets its customers choose that address would otherwise have us POST to
// what listens on this machine for its own users alone, or to a cloud's metadata service.
func newPoster(guarded bool) *poster {
	d := &net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: false}}
	d.SetMultipathTCP(false)
	if guarded {
		reach := &dial.Reach{Rules: dial.Anywhere}
		// The address that is connected to, whatever the name led to when somebody last looked.
		d.Control = func(_, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil || !reach.Allows(address, to.Addr(), to.Port()) {
				return errElsewhere
			}
			return nil
		}
	}
	return &poster{&http.Client{
		Transport: &http.Transport{
			DialContext:            d.DialContext,
			DisableKeepAlives:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: maxHeader,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// post sends a request and gives the response (RFC 6960, appendix A.1).
func (p *poster) post(ctx context.Context, u *url.URL, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/ocsp-request")
	req.Header.Set("User-Agent", "") // none
	resp, err := p.client.Do(req)
	if err != nil {
		return nil, plain(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("HTTP status %d", resp.StatusCode)
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse+1))
	if err != nil {
		return nil, plain(err)
	}
	if len(raw) > maxResponse {
		return nil, fmt.Errorf("the response is longer than %d KiB", maxResponse>>10)
	}
	return raw, nil
}

// plain words what happened without the address, which stands in the line before.
func plain(err error) error {
	var netErr net.Error
	var wrapped *url.Error
	switch {
	case errors.Is(err, errElsewhere):
		return errElsewhere
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return errTimeout
	}
	if text, ok := logging.Errno(err); ok {
		return errors.New(text)
	}
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// errTimeout is the error when a responder does not answer in time.
var errTimeout = errors.New("s_poll_wait: TIMEOUTocsp exceeded")
