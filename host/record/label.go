package record

import (
	"crypto/hkdf"
	"errors"
	"hash"
)

// labelPrefix stands before every label of TLS 1.3.
const labelPrefix = "tls13 "

// ExpandLabel is HKDF-Expand-Label (RFC 8446, section 7.1).
func ExpandLabel(h func() hash.Hash, secret []byte, label string, context []byte, n int) ([]byte, error) {
	if len(labelPrefix)+len(label) > 255 || len(context) > 255 {
		return nil, errors.New("label or context too long")
	}
	info := make([]byte, 0, 4+len(labelPrefix)+len(label)+len(context))
	info = append(info, byte(n>>8), byte(n), byte(len(labelPrefix)+len(label)))
	info = append(append(info, labelPrefix...), label...)
	info = append(append(info, byte(len(context))), context...)
	return hkdf.Expand(h, secret, string(info), n)
}
