package passphrase

import (
	"errors"
	"fmt"
	"io"
)

// readLine reads up to a line's end, and no byte beyond it: what follows may be meant for
// somebody else.
func readLine(r io.Reader) ([]byte, error) {
	var line []byte
	one := make([]byte, 1)
	for {
		switch n, err := r.Read(one); {
		case n == 1 && one[0] == '\n':
			if len(line) > MaxLength {
				return nil, fmt.Errorf("the passphrase is longer than %d bytes", MaxLength)
			}
			return line, nil
		case n == 1 && len(line) <= MaxLength:
			line = append(line, one[0])
		case n == 1: // an answer that is too long already
		case errors.Is(err, io.EOF):
			return nil, errors.New("the passphrase was not given")
		case err != nil:
			return nil, fmt.Errorf("reading the passphrase: %w", err)
		}
	}
}
