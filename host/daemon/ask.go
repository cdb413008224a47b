package daemon

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/stunnel-wasm/stunnel-wasm/host/passphrase"
)

// A daemon that starts in the background has no terminal: it is in a session of its own
// before it reads the keys. So its parent, which waits on the terminal, asks for it, over
// the socket that brings the verdict. What the daemon sends begins with one of these.
const (
	saysReady = 1
	saysAsk   = 2 // a text follows, the prompt; an answer is awaited
)

// And an answer of the parent with these; a text follows.
const (
	gives      = 1
	noTerminal = 2
	refuses    = 3 // the text says why
)

// errAskedAtStart is why a reload asks nothing: nobody may sit at the terminal, and the
// daemon would not end while it waits for them.
var errAskedAtStart = errors.New("its passphrase is not one that was given at the start, and a reload asks for none")

// ask gets a secret from whoever starts the daemon. Their time does not count.
func (d *daemon) ask(prompt string) ([]byte, error) {
	if d.starting == nil {
		return nil, errAskedAtStart
	}
	d.starting.Stop()
	defer d.starting.Reset(buildTime)
	if d.ready == nil {
		return passphrase.Terminal(prompt)
	}
	return askParent(d.ready, prompt)
}

func askParent(parent io.ReadWriter, prompt string) ([]byte, error) {
	kind, text, err := byte(0), []byte(nil), writeText(parent, saysAsk, prompt)
	if err == nil {
		kind, text, err = readText(parent)
	}
	switch {
	case err != nil:
		return nil, errors.New("the passphrase was not given") // the parent was interrupted
	case kind == noTerminal:
		return nil, passphrase.ErrNoTerminal
	case kind != gives:
		return nil, errors.New(string(text))
	}
	return text, nil
}

// attend answers a daemon's questions until it says that it runs, or has ended.
func attend(child io.ReadWriter, ask func(prompt string) ([]byte, error)) (ready bool) {
	for {
		kind, prompt, err := readText(child)
		switch {
		case err != nil:
			return false
		case kind == saysReady:
			return true
		}
		secret, err := ask(string(prompt))
		switch {
		case err == nil:
			err = writeText(child, gives, string(secret))
		case errors.Is(err, passphrase.ErrNoTerminal):
			err = writeText(child, noTerminal, "")
		default:
			err = writeText(child, refuses, err.Error())
		}
		if err != nil {
			return false
		}
	}
}

func writeText(w io.Writer, kind byte, text string) error {
	if len(text) > math.MaxUint16 {
		return fmt.Errorf("text of %d bytes", len(text))
	}
	b := binary.BigEndian.AppendUint16([]byte{kind}, uint16(len(text)))
	_, err := w.Write(append(b, text...))
	return err
}

func readText(r io.Reader) (kind byte, text []byte, err error) {
	var head [3]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	text = make([]byte, binary.BigEndian.Uint16(head[1:]))
	_, err = io.ReadFull(r, text)
	return head[0], text, err
}
