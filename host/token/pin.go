package token

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/host/regular"
)

// maxPIN bounds a PIN, in bytes: tokens take up to 255.
const maxPIN = 255

// ReadPIN reads the PIN that pin-source names: the path of a file, alone or as a file:
// URI. A line end behind it is dropped. Commands ("|program", which RFC 7512 lets others
// run) are refused: a value of this kind may come from less trusted hands than the rest.
func ReadPIN(source string) (string, error) {
	path, err := pinFile(source)
	if err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("pin-source: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxPIN+3))
	if err != nil {
		return "", fmt.Errorf("pin-source: %w", err)
	}
	text = bytes.TrimRight(text, "\r\n")
	if len(text) == 0 || len(text) > maxPIN {
		return "", fmt.Errorf("pin-source: %s does not hold a PIN of 1 to %d bytes", path, maxPIN)
	}
	return string(text), nil
}

// Exposed tells whether others than the owner's group can read the file of pin-source.
func Exposed(source string) bool {
	path, err := pinFile(source)
	return err == nil && regular.Exposed(path)
}

// pinFile is the path that pin-source means.
func pinFile(source string) (string, error) {
	path := source
	if len(source) >= 5 && strings.EqualFold(source[:5], "file:") {
		u, err := url.Parse(source)
		if err != nil || u.Host != "" && u.Host != "localhost" {
			return "", errors.New("pin-source is not the URI of a local file")
		}
		path = u.Path
	}
	if !filepath.IsAbs(path) {
		return "", errors.New("pin-source is not the full path of a file")
	}
	return path, nil
}
