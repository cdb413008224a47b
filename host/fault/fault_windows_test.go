package fault

import (
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"
)

// The numbers of winsock2.h and winerror.h, written out once more.
func TestMeanings(t *testing.T) {
	for number, name := range map[syscall.Errno]syscall.Errno{
		10013: syscall.EADDRINUSE, 10048: syscall.EADDRINUSE, 10061: syscall.ECONNREFUSED,
		10053: syscall.ECONNRESET, 10054: syscall.ECONNRESET, 64: syscall.ECONNRESET,
		10064: syscall.EHOSTDOWN, 10065: syscall.EHOSTUNREACH, 10050: syscall.ENETDOWN, 10051: syscall.ENETUNREACH,
		10058: syscall.EPIPE, 109: syscall.EPIPE, 232: syscall.EPIPE,
	} {
		err := fmt.Errorf("x: %w", &net.OpError{Op: "read", Err: os.NewSyscallError("wsarecv", number)})
		for other := range meanings {
			if Is(err, other) != (other == name) {
				t.Errorf("%d is %v: %v", int(number), other, !(other == name))
			}
		}
	}
}
