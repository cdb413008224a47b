package passphrase

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/windows"
)

// Terminal asks in the console that the process belongs to, whatever its standard input
// and output are, and does not show what is typed. A service has none.
func Terminal(prompt string) ([]byte, error) {
	in, err := os.OpenFile("CONIN$", os.O_RDWR, 0)
	if err != nil {
		return nil, ErrNoTerminal
	}
	defer in.Close()
	out, err := os.OpenFile("CONOUT$", os.O_RDWR, 0)
	if err != nil {
		return nil, ErrNoTerminal
	}
	defer out.Close()
	console := windows.Handle(in.Fd())
	var old uint32
	if err := windows.GetConsoleMode(console, &old); err != nil {
		return nil, ErrNoTerminal
	}
	silent := old&^windows.ENABLE_ECHO_INPUT | windows.ENABLE_LINE_INPUT | windows.ENABLE_PROCESSED_INPUT
	if err := windows.SetConsoleMode(console, silent); err != nil {
		return nil, fmt.Errorf("asking in the console: %w", err)
	}
	defer windows.SetConsoleMode(console, old)
	if _, err := io.WriteString(out, prompt); err != nil {
		return nil, fmt.Errorf("asking in the console: %w", err)
	}
	line, err := readLine(in)
	io.WriteString(out, "\r\n") // the one that was typed is not shown either
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line, err
}
