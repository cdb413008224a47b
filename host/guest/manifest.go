package guest

import "strings"

// manifestOption begins the lines of a manifest that name a guestOption:
// "option: guestOption = NAME=...".
const manifestOption = "option: guestOption = "

// Options lists the guestOption names that a module's manifest has. Without a manifest
// a module says nothing about its options, and told is false.
func (i *Info) Options() (names []string, told bool) {
	for line := range strings.Lines(string(i.Manifest)) {
		if rest, ok := strings.CutPrefix(line, manifestOption); ok {
			name, _, _ := strings.Cut(strings.TrimSpace(rest), "=")
			names = append(names, printable(name, maxFactName)) // they are told in errors
		}
	}
	return names, len(i.Manifest) > 0
}
