// Package socket sets socket options by the names that stunnel's socket option
// uses, and reads them back for -sockets.
package socket

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

// ErrUnknown is the error for an option that this system does not have.
var ErrUnknown = errors.New("this system has no such socket option")

// Set gives a socket an option. The value has been checked for the option's type
// by package config. Options of TCP and IP are left alone on a Unix socket, which
// has none of them, and so are those of IPv4 alone on an IPv6 socket: one socket line
// serves services of all kinds.
func Set(network string, rc syscall.RawConn, name, value string) error {
	o, ok := lookup(name)
	if !ok {
		return fmt.Errorf("%s: %w", name, ErrUnknown)
	}
	if strings.HasPrefix(network, "unix") && !o.unixHas() {
		return nil
	}
	var err error
	if cerr := rc.Control(func(fd uintptr) { err = o.set(fd, typeOf(name), value) }); cerr != nil {
		return cerr
	}
	if err != nil {
		return fmt.Errorf("setting %s: %w", name, err)
	}
	return nil
}

// Get reads an option of a socket, in the form of -sockets.
func Get(rc syscall.RawConn, t config.SocketOptionType) string {
	o, ok := lookup(t.Name)
	if !ok {
		return "none"
	}
	text := unknown
	rc.Control(func(fd uintptr) { text = o.get(fd, t.Type) })
	return text
}

// WriteTable prints the options with stunnel's defaults and this system's, as
// stunnel -sockets does.
func WriteTable(w io.Writer) {
	fmt.Fprintln(w, "Socket option defaults:")
	fmt.Fprintln(w, "    Option Name             |  Accept  |   Local  |  Remote  |OS default")
	fmt.Fprintln(w, "    ------------------------+----------+----------+----------+----------")
	cell := func(s string) string {
		if s == "" {
			return "    --    "
		}
		return fmt.Sprintf("%10s", s)
	}
	for _, o := range config.SocketOptions {
		if o.On(runtime.GOOS) {
			fmt.Fprintf(w, "    %-24s|%s|%s|%s|%10s\n", o.Name,
				cell(o.AcceptDefault(runtime.GOOS)), cell(o.Local), cell(o.Remote), systemDefault(o))
		}
	}
}

// systemDefault reads an option off a fresh socket, in the form of -sockets.
func systemDefault(t config.SocketOptionType) string {
	o, ok := lookup(t.Name)
	if !ok {
		return "none"
	}
	text := unknown
	// No socket of IPv6 where the system has none.
	_ = fresh(o.level == protoIPv6, func(fd uintptr) { text = o.get(fd, t.Type) })
	return text
}

func typeOf(name string) config.SocketType {
	for _, o := range config.SocketOptions {
		if o.Name == name {
			return o.Type
		}
	}
	return config.SocketInt
}

// numbers splits a checked value: a flag, a number, or two with a colon.
func numbers(value string) (a, b int) {
	switch strings.ToLower(value) {
	case "yes":
		return 1, 0
	case "no":
		return 0, 0
	}
	first, second, _ := strings.Cut(value, ":")
	a, _ = strconv.Atoi(first)
	b, _ = strconv.Atoi(second)
	return a, b
}
