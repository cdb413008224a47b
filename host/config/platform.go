package config

import "strings"

// Families of systems that an option's Platform can name beside a GOOS.
const unixFamily = "unix"

// systemNames is how platforms are written for people.
var systemNames = map[string]string{unixFamily: "Unix", "linux": "Linux", "windows": "Windows"}

// platforms says which options are not everywhere: what stunnel's manual marks as for
// Unix or Windows only, and what only Linux can do.
var platforms = map[string]string{
	"chroot":      unixFamily,
	"EGD":         unixFamily,
	"foreground":  unixFamily,
	"libwrap":     unixFamily,
	"pid":         unixFamily,
	"pty":         unixFamily,
	"sandbox":     "linux",
	"setgid":      unixFamily,
	"setuid":      unixFamily,
	"syslog":      unixFamily,
	"transparent": "linux",
	"iconActive":  "windows",
	"iconError":   "windows",
	"iconIdle":    "windows",
	"taskbar":     "windows",
}

// On tells whether the option exists on a system, by its GOOS.
func (o *Option) On(system string) bool { return exists(o.Platform, system) }

// Only names the system that the option exists on, for people; empty: all have it.
func (o *Option) Only() string { return systemsOf(o.Platform) }

// elsewhere refuses an option of other systems, as stunnel does, which has never heard
// of it there.
func (o *Option) elsewhere() *Error {
	return refuse(notHere, "remove the line: "+o.Name+" exists on "+o.Only()+" alone")
}

// exists tells whether a list of systems, with blanks between, has one; an empty list has
// all. Every one that the program is built for is Unix or Windows.
func exists(systems, system string) bool {
	if systems == "" {
		return true
	}
	for s := range strings.FieldsSeq(systems) {
		if s == system || s == unixFamily && system != "windows" {
			return true
		}
	}
	return false
}

// systemsOf writes a list of systems for people.
func systemsOf(systems string) string {
	list := strings.Fields(systems)
	for i, s := range list {
		list[i] = systemNames[s]
	}
	return strings.Join(list, " and ")
}
