package config

import (
	"slices"
	"strings"
)

// A Sandbox says what the process gives up for good once it is started, Linux's ways of it.
type Sandbox struct {
	NoNewPrivs   bool // no program that it starts gains privileges
	NoDump       bool // no core file, and no other process of the user looks into it
	Capabilities bool // none but those that the configuration needs
	Landlock     bool // files and ports of the configuration alone
	Said         bool // by the configuration; else it is the default
}

// newSandbox is what holds where nothing is said: what no configuration needs that starts
// no programs.
func newSandbox() Sandbox { return Sandbox{NoNewPrivs: true, NoDump: true} }

var sandboxOptions = []Option{
	{Name: "sandbox", Form: "yes|no|PART,...", Default: "no_new_privs,dumpable", parse: parseSandbox,
		Doc: "what the process gives up at start: no_new_privs, dumpable, capabilities, landlock; yes for all (not in stunnel)"},
}

func parseSandbox(t *target, value string) *Error {
	s := Sandbox{Said: true}
	parts := []string{"no_new_privs", "dumpable", "capabilities", "landlock"}
	stores := []*bool{&s.NoNewPrivs, &s.NoDump, &s.Capabilities, &s.Landlock}
	switch strings.ToLower(value) {
	case "yes":
		for _, store := range stores {
			*store = true
		}
	case "no":
	default:
		for part := range strings.SplitSeq(strings.ToLower(value), ",") {
			i := slices.Index(parts, strings.Trim(part, blanks))
			if i < 0 {
				return refuse("The argument needs to be 'yes', 'no' or parts of the sandbox", "parts: "+strings.Join(parts, ",")+", with commas between them")
			}
			*stores[i] = true
		}
	}
	// The kernel lets only those leave files behind who cannot get them back by a program.
	s.NoNewPrivs = s.NoNewPrivs || s.Landlock
	t.cfg.Global.Sandbox = s
	return nil
}

// Runs tells whether a service starts programs.
func (c *Config) Runs() bool {
	return slices.ContainsFunc(c.Services, func(s *Service) bool {
		_, ok := s.Pos["exec"]
		return ok
	})
}
