//go:build !linux

package program

import (
	"errors"
	"net"
	"os"
)

func openTerminal() (net.Conn, *os.File, error) {
	return nil, nil, errors.New("pseudo terminals are not available on this system")
}
