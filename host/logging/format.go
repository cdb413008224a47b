package logging

import (
	"bytes"
	"strconv"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/sirupsen/logrus"
)

// maxText is where stunnel cuts a line's text, in bytes.
const maxText = 1024

// cut shortens text to maxText bytes, and not inside a character.
func cut(text []byte) []byte {
	if len(text) <= maxText {
		return text
	}
	n := maxText
	for n > maxText-utf8.UTFMax && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

// escape turns control characters into dots, in place. Peers choose much of
// what is logged: a line feed would forge lines, and C1 controls (U+0080 to
// U+009F, or these bytes alone) drive terminals as ESC does.
func escape(text []byte) []byte {
	clean := 0
	for clean < len(text) && text[clean] >= ' ' && text[clean] < 0x7f {
		clean++
	}
	out := text[:clean]
	for rest := text[clean:]; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		switch {
		case r < ' ' || r >= 0x7f && r < 0xa0:
			out = append(out, '.')
		case r == utf8.RuneError && n == 1 && rest[0] < 0xa0:
			out = append(out, '.')
		default:
			out = append(out, rest[:n]...)
		}
		rest = rest[n:]
	}
	return out
}

// clock renders times of second resolution and remembers the last one: a busy
// log asks for the same second thousands of times.
type clock struct {
	layout string
	last   atomic.Pointer[stamp]
}

type stamp struct {
	second int64
	text   []byte
}

func (c *clock) append(b []byte, t time.Time) []byte {
	second := t.Unix()
	last := c.last.Load()
	if last == nil || last.second != second {
		last = &stamp{second, t.Local().AppendFormat(nil, c.layout)}
		c.last.Store(last)
	}
	return append(b, last.text...)
}

// lineFormatter is the formatter for Output and standard error.
func lineFormatter(o Options) logrus.Formatter {
	if o.JSON {
		return jsonFormat{}
	}
	return &textFormat{clock{layout: "2006.01.02 15:04:05"}}
}

// textFormat is stunnel's line: "YYYY.MM.DD HH:MM:SS LOGn[id]: text".
type textFormat struct{ clock clock }

// Format implements logrus.Formatter.
func (f *textFormat) Format(e *logrus.Entry) ([]byte, error) {
	r := e.Context.(*record)
	return render(e, r, func(b []byte) []byte {
		b = f.clock.append(b, r.time)
		b = append(b, ' ')
		return appendTagged(b, r)
	})
}

// appendTagged appends "LOGn[id]: text", the part that file and syslog share.
func appendTagged(b []byte, r *record) []byte {
	b = append(b, "LOG"...)
	b = strconv.AppendInt(b, int64(r.level), 10)
	b = append(b, '[')
	b = append(b, r.id...)
	b = append(b, "]: "...)
	b = append(b, r.text...)
	return append(b, '\n')
}

// render builds a line in the entry's buffer, which logrus reuses.
func render(e *logrus.Entry, r *record, line func([]byte) []byte) ([]byte, error) {
	buf := e.Buffer
	if buf == nil {
		buf = new(bytes.Buffer)
	}
	const prefix = 96 // bytes around the text in most lines
	buf.Grow(len(r.text) + len(r.id) + prefix)
	buf.Write(line(buf.AvailableBuffer()))
	return buf.Bytes(), nil
}

// syslogFormat is the message of RFC 3164 as syslog(3) sends it to its
// socket: "<PRI>Mon _2 15:04:05 IDENT[PID]: LOGn[id]: text".
type syslogFormat struct {
	clock    clock
	facility int
	tag      string // " IDENT[PID]: "
}

func newSyslogFormat(facility int, ident string, pid int) *syslogFormat {
	if ident == "" {
		ident = "stunnel"
	}
	tag := " " + string(escape([]byte(ident))) + "[" + strconv.Itoa(pid) + "]: "
	return &syslogFormat{clock{layout: time.Stamp}, facility, tag}
}

// Format implements logrus.Formatter.
func (f *syslogFormat) Format(e *logrus.Entry) ([]byte, error) {
	r := e.Context.(*record)
	return render(e, r, func(b []byte) []byte {
		b = append(b, '<')
		b = strconv.AppendInt(b, int64(f.facility)<<3|int64(r.level), 10)
		b = append(b, '>')
		b = f.clock.append(b, r.time)
		b = append(b, f.tag...)
		return appendTagged(b, r)
	})
}
