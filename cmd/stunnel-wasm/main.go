// Command stunnel-wasm is a TLS offloading proxy that runs a stunnel
// configuration file unchanged. Its manual is in docs.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/cmd/stunnel-wasm/guestcmd"
	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/daemon"
	"github.com/stunnel-wasm/stunnel-wasm/host/manual"
	"github.com/stunnel-wasm/stunnel-wasm/host/scm"
	"github.com/stunnel-wasm/stunnel-wasm/host/socket"
)

func main() { os.Exit(run(os.Args[1:])) }

// run reads the arguments as stunnel does: without case, one dash, and whatever
// is none of them is a file.
func run(args []string) int {
	if r, ok := scm.Parse(args, slashes); ok {
		return manage(r)
	}
	first := ""
	if len(args) > 0 {
		first = dashed(args[0])
	}
	switch first {
	case "-help":
		if len(args) > 1 {
			return help(args[1])
		}
		return inform(func(w io.Writer) error {
			fmt.Fprintln(w, daemon.Banner())
			fmt.Fprintln(w, "\nstunnel-wasm [FILE] | -fd N | -help [NAME] | -version | -sockets | -options\nstunnel-wasm check [FILE | -fd N]"+manageHelp)
			guestcmd.WriteHelp(w)
			fmt.Fprintln(w)
			return config.WriteHelp(w)
		})
	case "-version":
		return inform(daemon.WriteVersion)
	case "-sockets":
		return inform(func(w io.Writer) error {
			fmt.Fprintln(w, daemon.Banner())
			fmt.Fprintln(w, " ")
			socket.WriteTable(w)
			return nil
		})
	case "-options":
		return inform(func(w io.Writer) error {
			fmt.Fprintln(w, daemon.Banner())
			fmt.Fprintln(w, " ")
			return config.WriteTLSOptions(w)
		})
	case "guest":
		return guestcmd.Run(context.Background(), args[1:], locate, os.Stdout, os.Stderr)
	case "check":
		src, ok := source(args[1:])
		if !ok {
			return 1
		}
		return daemon.Check(src, os.Stdout, os.Stderr)
	}
	src, ok := source(args)
	if !ok {
		return 1
	}
	return daemon.Run(src, os.Stderr)
}

// inform prints to standard error, where stunnel's users look for it.
func inform(write func(io.Writer) error) int {
	if err := write(os.Stderr); err != nil {
		return 1
	}
	return 0
}

// help prints what the manual says of an option.
func help(name string) int {
	found, err := manual.WriteOption(os.Stderr, name)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
	case !found:
		fmt.Fprintf(os.Stderr, "No option is called %q: -help lists them all\n", name)
	default:
		return 0
	}
	return 1
}

// source takes FILE or -fd N.
func source(args []string) (*daemon.Source, bool) {
	switch {
	case len(args) == 0:
		return &daemon.Source{Path: locate("")}, true
	case !strings.EqualFold(args[0], "-fd"):
		return &daemon.Source{Path: locate(args[0])}, true
	case len(args) == 1:
		fmt.Fprintln(os.Stderr, "No file descriptor specified: write -fd N")
		return nil, false
	}
	fd, err := strconv.Atoi(args[1])
	if err != nil || fd < 0 {
		fmt.Fprintf(os.Stderr, "Invalid file descriptor %q: write a number\n", args[1])
		return nil, false
	}
	return &daemon.Source{FD: fd}, true
}
