//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package passphrase

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// Terminal asks on the terminal that the process belongs to, whatever its standard input
// and output are, and does not show what is typed.
func Terminal(prompt string) ([]byte, error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, ErrNoTerminal
	}
	defer tty.Close()
	fd := int(tty.Fd()) // and with that in blocking mode: some systems cannot poll it
	old, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return nil, ErrNoTerminal
	}
	silent := *old
	silent.Lflag &^= unix.ECHO
	silent.Lflag |= unix.ICANON | unix.ISIG | unix.ECHONL
	restore := func() { unix.IoctlSetTermios(fd, setTermios, old) }
	defer restoreOnSignal(restore)()
	if err := unix.IoctlSetTermios(fd, setTermios, &silent); err != nil {
		return nil, fmt.Errorf("asking on the terminal: %w", err)
	}
	defer restore()
	if _, err := io.WriteString(tty, prompt); err != nil {
		return nil, fmt.Errorf("asking on the terminal: %w", err)
	}
	return readLine(tty)
}

// restoreOnSignal puts the terminal right before a signal ends the process: a shell
// would not show what is typed into it. It returns the function that ends this.
func restoreOnSignal(restore func()) (stop func()) {
	// A signal that was ignored from the start stays so.
	var watched []os.Signal
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			watched = append(watched, s)
		}
	}
	if len(watched) == 0 {
		return func() {}
	}
	signals := make(chan os.Signal, 1)
	done := make(chan struct{})
	signal.Notify(signals, watched...)
	go func() {
		select {
		case s := <-signals:
			restore()
			signal.Reset(s)
			syscall.Kill(os.Getpid(), s.(syscall.Signal))
		case <-done:
		}
	}()
	return func() {
		signal.Stop(signals)
		close(done)
	}
}
