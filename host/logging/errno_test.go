package logging

import (
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
)

func TestReason(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, "Connection refused (111)"},
		{errors.New("no route at all"), "no route at all"},
	} {
		// Numbers differ between systems, words do not.
		if got := Reason(tt.err); got != tt.want && syscall.ECONNREFUSED == 111 {
			t.Errorf("%v: %q, want %q", tt.err, got, tt.want)
		}
	}
	if text, ok := Errno(errors.New("x")); ok {
		t.Errorf("an error of no system call is %q", text)
	}
}
