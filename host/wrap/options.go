package wrap

import (
	"strconv"
	"strings"
)

// Options of a rule that change nothing here: they are about the process that tcpd would
// start, about logging, or about what the socket options set.
var harmless = map[string]bool{
	"banners": true, "group": true, "keepalive": true, "linger": true, "nice": true,
	"rfc931": true, "setenv": true, "severity": true, "umask": true, "user": true,
}

// options goes through a matching rule's options. Which file the rule stands in decides,
// unless an option says allow or deny. An option that is unknown, or that would run a
// program, refuses: what it would have done was part of the permission.
func (m *matcher) options(options []string, allow bool) bool {
	for i, o := range options {
		words := strings.FieldsFunc(o, func(r rune) bool { return strings.ContainsRune("= \t", r) })
		if len(words) == 0 {
			m.say("empty option: the client is refused")
			return false
		}
		switch name := strings.ToLower(words[0]); {
		case (name == "allow" || name == "deny") && len(words) > 1:
			m.say("option " + name + " takes no value: the client is refused")
			return false
		case (name == "allow" || name == "deny") && i < len(options)-1:
			m.say("option " + name + " must be at the end: the client is refused")
			return false
		case name == "allow" || name == "deny":
			allow = name == "allow"
		case name == "spawn" || name == "twist" || name == "aclexec":
			m.say("option " + name + " is not supported: no program is run, and the client is refused")
			return false
		case harmless[name]:
		default:
			m.say("bad option name " + strconv.Quote(name) + ": the client is refused")
			return false
		}
	}
	return allow
}
