package verify

import (
	"errors"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// errExtension is the error of an extension that cannot be read.
var errExtension = errors.New("malformed extension")

// Kinds of general names, by their tags (RFC 5280 section 4.2.1.6).
const (
	otherName     = 0
	emailName     = 1
	dnsName       = 2
	directoryName = 4
	uriName       = 6
	ipName        = 7
)

// A generalName is one GeneralName; value is without its tag.
type generalName struct {
	kind  int
	value []byte
}

func readGeneralName(s *cryptobyte.String) (generalName, bool) {
	var inner cryptobyte.String
	var tag asn1.Tag
	if !s.ReadAnyASN1(&inner, &tag) || tag&0xc0 != 0x80 {
		return generalName{}, false
	}
	return generalName{kind: int(tag & 0x1f), value: inner}, true
}

// alternatives gives a certificate's subject alternative names.
func (n *node) alternatives() ([]generalName, error) {
	ext := n.extension(oidSubjectAltName)
	if ext == nil {
		return nil, nil
	}
	input, seq := cryptobyte.String(ext), cryptobyte.String{}
	if !input.ReadASN1(&seq, asn1.SEQUENCE) || !input.Empty() {
		return nil, errExtension
	}
	var names []generalName
	for !seq.Empty() {
		name, ok := readGeneralName(&seq)
		if !ok {
			return nil, errExtension
		}
		names = append(names, name)
	}
	return names, nil
}
