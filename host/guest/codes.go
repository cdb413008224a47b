package guest

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/fault"
)

// A CodeError is an error of a [Host] with the code that the guest is told, for
// what the net package's errors do not say: a target that the config forbids is
// abi.Denied.
type CodeError struct {
	Code abi.Code
	Err  error
}

func (e *CodeError) Error() string { return e.Err.Error() }

func (e *CodeError) Unwrap() error { return e.Err }

// DialCode is the code for an error of Connect. A guest passes it on in its own
// protocol (a SOCKS reply, an HTTP status), so that it has to be true.
func DialCode(err error) abi.Code {
	if e, ok := errors.AsType[*CodeError](err); ok {
		return e.Code
	}
	if fault.Is(err, syscall.ECONNREFUSED) {
		return abi.Refused
	}
	if fault.Is(err, syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.ENETDOWN, syscall.EHOSTDOWN) {
		return abi.Net
	}
	// Before time-outs: a resolver that does not answer is a name that does not resolve.
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return abi.Host
	}
	if isTimeout(err) {
		return abi.Timeout
	}
	return abi.IO
}

func isTimeout(err error) bool {
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

// codeName names the code that negotiate returned, for a guest that says no more.
func codeName(c abi.Code) string {
	names := map[abi.Code]string{
		abi.EOF: "end of file", abi.TooLong: "line too long", abi.Inval: "invalid argument", abi.State: "not now",
		abi.Inject: "plaintext unread before TLS", abi.Timeout: "timeout", abi.Refused: "connection refused",
		abi.Net: "network unreachable", abi.Host: "name does not resolve", abi.Denied: "not allowed", abi.TLS: "handshake failed",
		abi.Limit: "limit reached", abi.None: "no such value", abi.IO: "input or output failed", abi.Internal: "internal error",
	}
	return names[c]
}
