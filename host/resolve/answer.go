package resolve

import (
	"encoding/binary"
	"strings"
)

// Of messages (RFC 1035, section 4.1; RFC 3596).
const (
	headerSize = 12
	typeA      = 1
	typePTR    = 12
	typeAAAA   = 28
	classIN    = 1
	timeToLive = 5 // seconds; nobody keeps the answer anyway
	maxLabel   = 63
)

// answer is the response to a question about a host that is known, of no records if it has
// none of the type; nil: somebody else has to be asked.
func (h hosts) answer(question []byte) []byte {
	name, end, ok := parseName(question)
	if !ok || len(question) < end+4 || binary.BigEndian.Uint16(question[4:]) != 1 ||
		binary.BigEndian.Uint16(question[end+2:]) != classIN {
		return nil
	}
	kind := binary.BigEndian.Uint16(question[end:])
	var records [][]byte
	if host := h.names[name]; kind == typePTR && host != "" {
		if text, ok := packName(host); ok {
			records = append(records, text)
		}
	} else if addrs, known := h.addrs[name]; known {
		for _, a := range addrs {
			if kind == typeA && a.Is4() || kind == typeAAAA && a.Is6() {
				records = append(records, a.AsSlice())
			}
		}
	} else {
		return nil
	}
	const authoritative, response, available = 0x04, 0x80, 0x80
	m := append([]byte(nil), question[:end+4]...)
	m[2] = m[2] | response | authoritative
	m[3] = available
	binary.BigEndian.PutUint16(m[6:], uint16(len(records)))
	clear(m[8:headerSize]) // no other sections: what the question had there is left out
	for _, data := range records {
		m = append(m, 0xc0, headerSize) // the name of the question
		m = binary.BigEndian.AppendUint16(m, kind)
		m = binary.BigEndian.AppendUint16(m, classIN)
		m = binary.BigEndian.AppendUint32(m, timeToLive)
		m = binary.BigEndian.AppendUint16(m, uint16(len(data)))
		m = append(m, data...)
	}
	return m
}

// parseName gives the name of a message's first question in lower case, and where it ends.
func parseName(m []byte) (name string, end int, ok bool) {
	var b strings.Builder
	for i := headerSize; i < len(m); {
		n := int(m[i])
		i++
		if n == 0 {
			return strings.ToLower(b.String()), i, true
		}
		if n > maxLabel || i+n > len(m) {
			break
		}
		b.Write(m[i : i+n])
		b.WriteByte('.')
		i += n
	}
	return "", 0, false
}

// packName is a name as messages have it.
func packName(name string) ([]byte, bool) {
	var b []byte
	for label := range strings.SplitSeq(strings.TrimSuffix(name, "."), ".") {
		if label == "" || len(label) > maxLabel {
			return nil, false
		}
		b = append(append(b, byte(len(label))), label...)
	}
	return append(b, 0), true
}
