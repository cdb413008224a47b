package logging

import (
	"strconv"
	"unicode/utf8"

	"github.com/sirupsen/logrus"
)

// jsonFormat writes one object a line: time (RFC 3339 with milliseconds),
// level by name, severity by number, id, service if there is one, msg. logrus's
// own JSON formatter takes fields from a map and is five times as slow.
type jsonFormat struct{}

// Format implements logrus.Formatter.
func (jsonFormat) Format(e *logrus.Entry) ([]byte, error) {
	r := e.Context.(*record)
	return render(e, r, func(b []byte) []byte {
		b = append(b, `{"time":"`...)
		b = r.time.Local().AppendFormat(b, "2006-01-02T15:04:05.000Z07:00")
		b = append(b, `","level":"`...)
		b = append(b, r.level.String()...)
		b = append(b, `","severity":`...)
		b = strconv.AppendInt(b, int64(r.level), 10)
		b = append(b, `,"id":`...)
		b = appendJSON(b, r.id)
		if r.service != "" {
			b = append(b, `,"service":`...)
			b = appendJSON(b, r.service)
		}
		b = append(b, `,"msg":`...)
		b = appendJSON(b, r.text)
		return append(b, "}\n"...)
	})
}

// appendJSON appends s as a JSON string (RFC 8259, section 7). Bytes that are
// not UTF-8 become U+FFFD, control characters \u escapes.
func appendJSON[T string | []byte](b []byte, s T) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			switch {
			case c == '"' || c == '\\':
				b = append(b, '\\', c)
			case c < ' ':
				b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			default:
				b = append(b, c)
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
		b = utf8.AppendRune(b, r)
		i += n
	}
	return append(b, '"')
}
