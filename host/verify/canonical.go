package verify

import (
	"bytes"
	"crypto/sha1" // #nosec: file names are made of it, as OpenSSL's, and no trust
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// errName is the error of a name that is no RFC 5280 Name.
var errName = errors.New("malformed distinguished name")

// universalString is the tag of an ASN.1 UniversalString, UTF-32 in big endian.
const universalString = asn1.Tag(28)

// canonical gives the form in which OpenSSL compares and hashes names: values of every
// string type in UTF-8, with small ASCII letters and single blanks, and the sets of
// attributes in DER's order without the sequence around them. So the canonical form of a
// name is the prefix of that of each name below it.
func canonical(rawName []byte) (string, error) {
	input := cryptobyte.String(rawName)
	var sets cryptobyte.String
	if !input.ReadASN1(&sets, asn1.SEQUENCE) || !input.Empty() {
		return "", errName
	}
	out := cryptobyte.NewBuilder(make([]byte, 0, len(rawName)))
	for !sets.Empty() {
		var set cryptobyte.String
		if !sets.ReadASN1(&set, asn1.SET) {
			return "", errName
		}
		var parts [][]byte
		for !set.Empty() {
			part, err := canonicalAttribute(&set)
			if err != nil {
				return "", err
			}
			parts = append(parts, part)
		}
		slices.SortFunc(parts, bytes.Compare)
		out.AddASN1(asn1.SET, func(b *cryptobyte.Builder) {
			for _, p := range parts {
				b.AddBytes(p)
			}
		})
	}
	text, err := out.Bytes()
	return string(text), err
}

func canonicalAttribute(set *cryptobyte.String) ([]byte, error) {
	oid, tag, value, whole, ok := readAttribute(set)
	if !ok {
		return nil, errName
	}
	text, isText, ok := utf8Value(tag, value)
	if !ok {
		return nil, errName
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes(oid) })
		if isText {
			b.AddASN1(asn1.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes(fold(text)) })
		} else {
			b.AddBytes(whole)
		}
	})
	return b.Bytes()
}

// readAttribute takes an AttributeTypeAndValue: the bytes of its type, and its value's
// tag, contents and whole encoding.
func readAttribute(set *cryptobyte.String) (oid []byte, tag asn1.Tag, value, whole []byte, ok bool) {
	var pair, id, all, inner cryptobyte.String
	if !set.ReadASN1(&pair, asn1.SEQUENCE) || !pair.ReadASN1(&id, asn1.OBJECT_IDENTIFIER) ||
		!pair.ReadAnyASN1Element(&all, &tag) || !pair.Empty() {
		return nil, 0, nil, nil, false
	}
	whole = all
	if !all.ReadASN1(&inner, tag) {
		return nil, 0, nil, nil, false
	}
	return id, tag, inner, whole, true
}

// utf8Value gives a value of a string type in UTF-8. T61String is taken for Latin-1, as
// everybody does.
func utf8Value(tag asn1.Tag, value []byte) (text []byte, isText, ok bool) {
	switch tag {
	case asn1.UTF8String:
		return value, true, utf8.Valid(value)
	case asn1.PrintableString, asn1.IA5String, asn1.Tag(26): // 26: VisibleString
		return latin1(value), true, true
	case asn1.T61String:
		return latin1(value), true, true
	case asn1.Tag(30): // BMPString
		if len(value)%2 != 0 {
			return nil, true, false
		}
		units := make([]uint16, len(value)/2)
		for i := range units {
			units[i] = binary.BigEndian.Uint16(value[2*i:])
		}
		return []byte(string(utf16.Decode(units))), true, true
	case universalString:
		if len(value)%4 != 0 {
			return nil, true, false
		}
		for i := 0; i < len(value); i += 4 {
			r := binary.BigEndian.Uint32(value[i:])
			if r > utf8.MaxRune {
				return nil, true, false
			}
			text = utf8.AppendRune(text, rune(r))
		}
		return text, true, true
	}
	return nil, false, true
}

func latin1(value []byte) []byte {
	if !slices.ContainsFunc(value, func(c byte) bool { return c >= utf8.RuneSelf }) {
		return value
	}
	var text []byte
	for _, c := range value {
		text = utf8.AppendRune(text, rune(c))
	}
	return text
}

// fold makes ASCII letters small, cuts outer blanks and joins inner ones.
func fold(text []byte) []byte {
	const blanks = " \t\n\v\f\r"
	out := make([]byte, 0, len(text))
	blank := false
	for _, c := range bytes.Trim(text, blanks) {
		if strings.IndexByte(blanks, c) >= 0 {
			blank = true
			continue
		}
		if blank {
			out, blank = append(out, ' '), false
		}
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		out = append(out, c)
	}
	return out
}

// Types of attributes, without tag and length.
var (
	oidCommonName = []byte{0x55, 0x04, 0x03}                                     // 2.5.4.3
	oidEmail      = []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01} // 1.2.840.113549.1.9.1
)

// A value is one attribute of a name, in UTF-8.
type value struct {
	text string
	tag  asn1.Tag
}

// valuesOf gives the values of a name's attributes of one type, in the name's order.
func valuesOf(rawName, oid []byte) []value {
	input := cryptobyte.String(rawName)
	var sets, set cryptobyte.String
	if !input.ReadASN1(&sets, asn1.SEQUENCE) {
		return nil
	}
	var all []value
	for !sets.Empty() && sets.ReadASN1(&set, asn1.SET) {
		for !set.Empty() {
			id, tag, v, _, ok := readAttribute(&set)
			if !ok {
				return all
			}
			if text, isText, ok := utf8Value(tag, v); ok && isText && bytes.Equal(id, oid) {
				all = append(all, value{string(text), tag})
			}
		}
	}
	return all
}

// Hash gives the number under which OpenSSL looks for files about a name in a directory,
// as openssl x509 -hash prints it.
func Hash(rawName []byte) (uint32, error) {
	text, err := canonical(rawName)
	if err != nil {
		return 0, err
	}
	return hashCanonical(text), nil
}

func hashCanonical(text string) uint32 {
	sum := sha1.Sum([]byte(text))
	return binary.LittleEndian.Uint32(sum[:])
}
