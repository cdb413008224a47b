package config

import (
	"slices"
	"strconv"
	"strings"
)

// A SocketType is the form of a socket option's value.
type SocketType int

const (
	SocketFlag    SocketType = iota // yes, no, 1 or 0
	SocketInt                       // a number
	SocketLinger                    // ONOFF[:SECONDS]
	SocketTimeval                   // SECONDS[:MICROSECONDS]
	SocketString                    // text, such as an interface's name
)

// maxSocketString is the longest text of a socket option: an interface's name
// (IFNAMSIZ) and a congestion algorithm's are at most 16 bytes with their NUL.
const maxSocketString = 15

// parseSocket takes S:NAME=VALUE[:VALUE].
func parseSocket(t *target, value string) *Error {
	const reason = "Illegal socket option"
	scope, rest, ok := strings.Cut(value, ":")
	if !ok || scope != "a" && scope != "l" && scope != "r" {
		return refuse(reason, "write a:, l: or r: (accept, local or remote socket), then NAME=VALUE")
	}
	name, v, ok := strings.Cut(rest, "=")
	if !ok {
		return refuse(reason, "write NAME=VALUE after "+scope+":")
	}
	i := slices.IndexFunc(SocketOptions, func(o SocketOptionType) bool { return o.Name == name })
	if i < 0 {
		hint := "-sockets lists the names, which are in capital letters"
		if slices.ContainsFunc(SocketOptions, func(o SocketOptionType) bool { return strings.EqualFold(o.Name, name) }) {
			hint = "write the name in capital letters: " + strings.ToUpper(name)
		}
		return refuse(reason, hint)
	}
	o := &SocketOptions[i]
	if !o.On(t.system) {
		return refuse(reason, "remove the line: "+name+" exists on "+o.Only()+" alone")
	}
	if hint := o.Type.check(v); hint != "" {
		return refuse(reason, hint)
	}
	if name == "SO_RCVTIMEO" || name == "SO_SNDTIMEO" {
		t.note(name + " has no effect, nor has it in stunnel: sockets do not block. TIMEOUTbusy, TIMEOUTidle and TIMEOUTclose bound waits")
	}
	t.service.Socket = append(t.service.Socket, SocketOption{Scope: scope[0], Name: name, Value: v, Place: t.place})
	return nil
}

// check returns what a value of the type should be, or nothing if it is.
func (st SocketType) check(v string) string {
	first, second, two := strings.Cut(v, ":")
	_, err1 := strconv.ParseInt(first, 10, 32)
	_, err2 := strconv.ParseInt(second, 10, 32)
	numbers := err1 == nil && (!two || err2 == nil)
	switch st {
	case SocketFlag:
		if !slices.Contains([]string{"yes", "no", "1", "0"}, strings.ToLower(v)) {
			return "the value is yes or no"
		}
	case SocketInt:
		if !numbers || two {
			return "the value is a whole number"
		}
	case SocketLinger:
		if !numbers {
			return "the value is ONOFF:SECONDS, as in 1:60"
		}
	case SocketTimeval:
		if !numbers {
			return "the value is SECONDS:MICROSECONDS, as in 10:0"
		}
	case SocketString:
		if v == "" || len(v) > maxSocketString {
			return "the value is a name of 1 to 15 bytes"
		}
	}
	return ""
}

// settleSocket gives a service of Windows stunnel's default there: its listeners have
// SO_EXCLUSIVEADDRUSE. Without it any program of the machine that sets SO_REUSEADDR can
// listen on the same port, and gets the clients.
func settleSocket(s *Service, system string) Errors {
	if system != "windows" || len(s.Accept) == 0 {
		return nil
	}
	exclusive := SocketOption{Scope: 'a', Name: "SO_EXCLUSIVEADDRUSE", Value: "yes", Place: Place{File: s.File, Line: s.Line, Text: "[" + s.Name + "]"}}
	var reuse SocketOption
	var others []SocketOption
	for _, o := range s.Socket {
		if o.Scope == 'a' && o.Name == exclusive.Name {
			exclusive = o
			continue
		}
		if o.Scope == 'a' && o.Name == "SO_REUSEADDR" {
			reuse = o
		}
		others = append(others, o)
	}
	// The first of the two that a socket is given rules the other out.
	s.Socket = append([]SocketOption{exclusive}, others...)
	if !isYes(exclusive.Value) || !isYes(reuse.Value) {
		return nil
	}
	return Errors{reuse.Place.Errorf("a socket cannot have SO_REUSEADDR beside SO_EXCLUSIVEADDRUSE, which is the default on Windows").
		WithHint("remove the line: on Windows it lets every other program listen on the same port; socket = a:SO_EXCLUSIVEADDRUSE=no allows that")}
}

// isYes reads a flag that check has passed.
func isYes(flag string) bool { return flag == "1" || strings.EqualFold(flag, "yes") }
