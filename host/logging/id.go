package logging

import "crypto/rand"

// NewID returns 22 random alphanumerics, the log id of a connection with
// logId = unique. They carry 131 bits.
func NewID() string {
	const (
		alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		length   = 22
		// Bytes from here on would favour the first letters; they are skipped.
		limit = 256 - 256%len(alphabet)
	)
	id := make([]byte, 0, length)
	var random [2 * length]byte
	for {
		rand.Read(random[:]) // never fails, by its contract
		for _, b := range random {
			if int(b) >= limit {
				continue
			}
			if id = append(id, alphabet[int(b)%len(alphabet)]); len(id) == length {
				return string(id)
			}
		}
	}
}
