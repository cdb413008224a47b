// Package passphrase gets the passphrases of key files from a terminal, and remembers
// them for reloads: a daemon that has left its terminal cannot ask again.
//
// A passphrase is never logged and never part of an error. Nor is it told to the log as a
// text to be replaced: one that is a word, or the digits of a port, would leave its gap
// where everybody knows what stood there.
package passphrase

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
)

const (
	// attempts is how often a passphrase is asked for, as in stunnel.
	attempts = 3

	// MaxLength bounds a passphrase, in bytes. OpenSSL takes 1,023 of them.
	MaxLength = 1023

	// maxKnown bounds what is remembered: reloads may bring other files each time.
	maxKnown = 64
)

// ErrWrong is what a try returns for a passphrase that does not open its file.
var ErrWrong = errors.New("wrong passphrase")

// ErrNoTerminal says that nobody can be asked.
var ErrNoTerminal = errors.New("there is no terminal to ask for the passphrase")

// A Keeper asks for passphrases and remembers those that were right. The zero value
// cannot ask. It is safe for concurrent use.
type Keeper struct {
	// Ask shows a prompt and reads an answer; nil: as one that returns [ErrNoTerminal].
	Ask func(prompt string) ([]byte, error)
	// Wrong is told of each answer after which the question comes again; nil: nobody is.
	Wrong func()

	mu    sync.Mutex
	known [][]byte // the latest first
}

// Open finds the passphrase of a file: one that has opened another, or this one before,
// else one that is asked for. Try returns [ErrWrong] where it is not the right one.
func (k *Keeper) Open(path string, try func(passphrase []byte) error) error {
	if k == nil {
		return ErrNoTerminal
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, p := range k.known {
		if err := try(p); !errors.Is(err, ErrWrong) {
			return err
		}
	}
	if k.Ask == nil {
		return ErrNoTerminal
	}
	for i := range attempts {
		p, err := k.Ask(fmt.Sprintf("Enter %s pass phrase:", path))
		if err != nil {
			return err
		}
		err = try(p)
		if err == nil {
			k.remember(p)
		}
		if !errors.Is(err, ErrWrong) {
			return err
		}
		if i+1 < attempts && k.Wrong != nil {
			k.Wrong()
		}
	}
	return ErrWrong
}

func (k *Keeper) remember(p []byte) {
	k.known = slices.Insert(k.known, 0, bytes.Clone(p))
	k.known = k.known[:min(len(k.known), maxKnown)]
}
