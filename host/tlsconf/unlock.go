package tlsconf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/passphrase"
	"github.com/stunnel-wasm/stunnel-wasm/host/pbes2"
)

// unlock finds the passphrase of a file: the one that keyPassphraseFile has, else one
// that is remembered or asked for.
func (l *loader) unlock(path string, try func(secret []byte) error) error {
	from := l.service.KeyPassphraseFile
	if from == "" {
		return l.options.Passphrases.Open(path, try)
	}
	secret, err := readPassphrase(from)
	if err != nil {
		return &passphraseFileError{err}
	}
	l.context.warnInsecure(from)
	if err := try(secret); !errors.Is(err, passphrase.ErrWrong) {
		return err
	}
	return fmt.Errorf("%w in %s", passphrase.ErrWrong, from)
}

// A passphraseFileError says why the file of keyPassphraseFile cannot be read.
type passphraseFileError struct{ err error }

func (e *passphraseFileError) Error() string { return "keyPassphraseFile: " + e.err.Error() }
func (e *passphraseFileError) Unwrap() error { return e.err }

// readPassphrase gives the first line of a file, without what editors on Windows put before it.
func readPassphrase(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, passphrase.MaxLength+5)) // and a byte order mark, and a line's end
	if err != nil {
		return nil, err
	}
	line, _, _ := bytes.Cut(bytes.TrimPrefix(data, []byte(config.ByteOrderMark)), []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	if len(line) > passphrase.MaxLength {
		return nil, fmt.Errorf("the first line of %s is longer than %d bytes", path, passphrase.MaxLength)
	}
	return line, nil
}

// unreadable says why what was to be read cannot be, and what to do.
func (l *loader) unreadable(m *material, what string, err error) *config.Error {
	e, path := l.service.Errorf(m.option, "%s%v: %v", what, m, err), m.name
	var algorithm *pbes2.UnsupportedError
	var file *passphraseFileError
	switch {
	case m.stored:
		return storeHint(e, err)
	case errors.As(err, &file):
		return e.WithHint("write the passphrase into that file, as its first line, readable for this user")
	case errors.Is(err, passphrase.ErrNoTerminal) && m.pkcs12:
		return e.WithHint("set keyPassphraseFile = FILE with the passphrase in it, or write certificate and key in PEM: openssl pkcs12 -in %s -nodes -out FILE.pem", path)
	case errors.Is(err, passphrase.ErrNoTerminal):
		return e.WithHint("set keyPassphraseFile = FILE with the passphrase in it, or decrypt the key: openssl pkey -in %s -out FILE.key", path)
	case errors.Is(err, passphrase.ErrWrong) && m.pkcs12:
		return e.WithHint("check that openssl pkcs12 -in %s -info takes the passphrase", path)
	case errors.Is(err, passphrase.ErrWrong):
		return e.WithHint("check that openssl pkey -in %s takes the passphrase", path)
	case errors.As(err, &algorithm):
		return e.WithHint("encrypt the key anew: openssl pkey -in %s -aes256", path)
	case errors.Is(err, errUnusable):
		return e.WithHint("have a certificate issued for a new key: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256")
	}
	if m.pkcs12 {
		return e.WithHint("see what openssl pkcs12 -in %s -info says", path)
	}
	return e.WithHint("see what openssl pkey -in %s says", path)
}
