package logging

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"unicode/utf16"

	"github.com/sirupsen/logrus"
	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc/eventlog"
)

// EventSource is the name under which lines are in the event log's Application part.
const EventSource = "stunnel"

// maxEvent bounds one event's text, in UTF-16 units: ReportEvent takes 31839.
const maxEvent = 31000

// newSyslogSink writes to the event log, which stands for syslog here. It is nil where
// that cannot be opened: nobody could be told.
func newSyslogSink(Options) *sink {
	log, err := eventlog.Open(EventSource)
	if err != nil {
		return nil
	}
	return newSink(&eventOut{log}, eventFormat{})
}

// eventOut makes one event of each line, which begins with its level as one byte.
type eventOut struct{ log *eventlog.Log }

func (o *eventOut) writeLines(batch []byte) (lost int, err error) {
	for line := range bytes.Lines(batch) {
		if e := report(o.log, Level(line[0]-'0'), string(line[1:len(line)-1])); e != nil {
			lost++
			err = e
		}
	}
	return lost, err
}

func (o *eventOut) close() { o.log.Close() }

// eventFormat leaves out the time, which every event has.
type eventFormat struct{}

// Format implements logrus.Formatter.
func (eventFormat) Format(e *logrus.Entry) ([]byte, error) {
	r := e.Context.(*record)
	return render(e, r, func(b []byte) []byte { return appendTagged(append(b, '0'+byte(r.level)), r) })
}

// report writes one event. Its number is the level and one: the event message file that
// Windows brings has texts for 1 to 1000.
func report(log *eventlog.Log, level Level, text string) error {
	kind := uint16(windows.EVENTLOG_INFORMATION_TYPE)
	switch {
	case level <= Err:
		kind = windows.EVENTLOG_ERROR_TYPE
	case level == Warning:
		kind = windows.EVENTLOG_WARNING_TYPE
	}
	units := utf16.Encode([]rune(eventText(text)))
	units = append(units[:min(len(units), maxEvent)], 0)
	strings := &units[0]
	return windows.ReportEvent(log.Handle, kind, 0, uint32(level)+1, 0, 1, 0, &strings, nil)
}

// insertions are what viewers replace in an event's text, again and again: by the text
// itself, a message of the system, or the name of an account, which they ask the domain
// for. Peers choose much of a text, and there is no way to escape a percent sign.
var insertions = regexp.MustCompile(`%+[0-9{]`)

// eventText makes a text one that viewers show as it is, but for a blank that Microsoft
// advises to put behind a percent sign: "fe80::1% 4".
func eventText(text string) string {
	text = strings.ReplaceAll(text, "\x00", ".")
	return insertions.ReplaceAllStringFunc(text, func(s string) string { return s[:len(s)-1] + " " + s[len(s)-1:] })
}

// Events writes each text that it is given as one error in the event log: what would be
// on standard error of a program that has one.
type Events struct{}

// Write implements io.Writer.
func (Events) Write(text []byte) (int, error) {
	log, err := eventlog.Open(EventSource)
	if err != nil {
		return 0, err
	}
	return len(text), errors.Join(report(log, Err, string(text)), log.Close())
}
