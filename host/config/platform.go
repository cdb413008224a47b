package config

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

// On tells whether the option exists on a system, by its GOOS. Every one that the
// program is built for is Unix or Windows.
func (o *Option) On(system string) bool {
	switch o.Platform {
	case "", system:
		return true
	case unixFamily:
		return system != "windows"
	}
	return false
}

// Only names the system that the option exists on, for people; empty: all have it.
func (o *Option) Only() string { return systemNames[o.Platform] }

// elsewhere refuses an option of other systems, as stunnel does, which has never heard
// of it there.
func (o *Option) elsewhere() *Error {
	return refuse(notHere, "remove the line: "+o.Name+" exists on "+o.Only()+" alone")
}
