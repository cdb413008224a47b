package service

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/stunnel-wasm/stunnel-wasm/host/passphrase"
)

// askPIN gives what asks for the PIN of a token, once; nil: nobody can be asked. What
// opens key files is not tried: a token counts each wrong PIN, and locks.
func askPIN(k *passphrase.Keeper) func(token string) (string, error) {
	if k == nil || k.Ask == nil {
		return nil
	}
	return func(token string) (string, error) {
		// The token's label is foreign text, and must not drive the terminal.
		label := strings.Map(func(r rune) rune {
			if !unicode.IsPrint(r) {
				return '.'
			}
			return r
		}, token)
		pin, err := k.Ask(fmt.Sprintf("Enter PKCS#11 token PIN for %s:", label))
		switch {
		case errors.Is(err, passphrase.ErrNoTerminal):
			return "", errors.New("there is no terminal: give it with engineCtrl = PIN:..., or pin-source in the URI")
		case err != nil:
			return "", err
		case len(pin) == 0:
			return "", errors.New("none was given")
		}
		return string(pin), nil
	}
}
