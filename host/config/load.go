package config

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// Load reads and checks a configuration file and what it includes. The error, if any,
// is [Errors] with everything that is wrong. File names in errors are absolute and free
// of links, as in stunnel.
func Load(path string) (*Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, Errors{{File: path, Reason: fmt.Sprintf("Invalid configuration file name %q: %v", path, unwrapPath(err)),
			Hint: "check the name, and that this user may read the file"}}
	}
	defer f.Close()
	name := path
	if abs, err := filepath.Abs(path); err == nil {
		name = abs
	}
	// Descriptors under /dev/fd have no path of their own; they keep the name given.
	if resolved, err := filepath.EvalSymlinks(name); err == nil {
		name = resolved
	}
	return load(path, name, f, runtime.GOOS)
}

// LoadReader reads and checks a configuration from a descriptor; name is its number.
// Relative paths of include are taken from the working directory, as in Load.
func LoadReader(name string, r io.Reader) (*Config, error) {
	return load(name, name, r, runtime.GOOS)
}

func load(path, name string, r io.Reader, system string) (*Config, error) {
	p := &loader{
		system:   system,
		cfg:      &Config{Path: path, Global: NewGlobal()},
		defaults: newDefaults(),
		state:    newState(nil),
	}
	p.service = p.defaults
	p.read(name, r)
	p.end()
	if len(p.errs) > 0 {
		return nil, p.errs
	}
	return p.cfg, nil
}

// NewGlobal gives the global options as they are when nothing is said.
func NewGlobal() Global {
	return Global{Syslog: true, Ident: "stunnel", Facility: defaultFacility, Debug: defaultSeverity, Sandbox: newSandbox()}
}

// A loader is one run of Load.
type loader struct {
	system   string // GOOS of where the configuration is for
	cfg      *Config
	errs     Errors
	defaults *Service
	service  *Service // where service options go: defaults before the first section
	state    *state
	global   *state   // the global part's, once a section has begun
	files    int      // read so far
	dirs     []string // being included, outermost first
}

// read applies one file, line by line, so that errors come in file order.
func (p *loader) read(name string, r io.Reader) {
	p.files++
	items, broken := scan(name, r)
	for _, it := range items {
		if len(p.errs) >= MaxErrors {
			return
		}
		for len(broken) > 0 && broken[0].Line < it.line {
			p.broken(broken[0])
			broken = broken[1:]
		}
		place := Place{File: name, Line: it.line, Text: display(it.text)}
		if it.section {
			p.section(it.name, place)
			continue
		}
		if e := p.option(it, place); e != nil {
			e.File, e.Line, e.Text = place.File, place.Line, place.Text
			if !p.inGlobal() {
				e.Section = p.service.Name
			}
			p.errs = append(p.errs, e)
		}
	}
	for _, e := range broken {
		p.broken(e)
	}
}

// broken reports a line that is neither option nor section. The option that it seems
// to be about is not missed again when the section ends.
func (p *loader) broken(e *Error) {
	p.errs = append(p.errs, e)
	name := e.Text[:len(e.Text)-len(strings.TrimLeft(e.Text, letters))]
	if o, ok := Lookup(name); ok {
		p.state.refuse(o)
	} else if o := nearest(name); o != nil {
		p.state.refuse(o)
	}
}

// inGlobal tells whether no section has begun.
func (p *loader) inGlobal() bool { return p.global == nil }

// section starts one: it ends the one before and copies the defaults, lists included.
func (p *loader) section(name string, place Place) {
	if p.inGlobal() {
		p.global = p.state
	} else {
		p.endService()
	}
	s := p.defaults.clone()
	s.Name, s.File, s.Line = name, place.File, place.Line
	p.service, p.state = s, newState(p.global)
	p.cfg.Services = append(p.cfg.Services, s)
}

// notHere is stunnel's reason where a name is unknown, or stands in the wrong place.
const notHere = "Specified option name is not valid here"

// option applies one line.
func (p *loader) option(it item, place Place) *Error {
	o, ok := Lookup(it.name)
	if !ok {
		return p.unknown(it.name, refuse(notHere, ""))
	}
	name := strings.ToLower(o.Name)
	if !o.On(p.system) {
		return o.elsewhere()
	}
	if o.Scope == GlobalScope && !p.inGlobal() {
		return refuse(notHere, o.Name+" is a global option: move the line before the first [section]")
	}
	if e := p.state.repeat(o, it.value); e != nil {
		return e
	}
	if name == "include" {
		return p.include(it.value)
	}
	t := &target{cfg: p.cfg, system: p.system, global: p.inGlobal(), service: p.service, place: place}
	e := apply(o, t, it.value)
	if e != nil {
		p.state.refuse(o)
		return e
	}
	p.state.accept(o, it.value, place)
	if o.Scope == ServiceScope {
		p.service.Pos[name] = place
	}
	return nil
}

// apply hands a value to its option and answers by the option's status.
func apply(o *Option, t *target, value string) *Error {
	if e := o.parse(t, value); e != nil {
		return e.orHint(o.Note)
	}
	switch o.Status {
	case Refused:
		return refuse(o.Name+" is not supported", o.Note)
	case NoOp:
		t.note(o.Name + " has no effect: " + o.Note)
	}
	return nil
}

// unknown words the error about a name that is in no table, with the name that may be
// meant; that one is not missed again when the section ends.
func (p *loader) unknown(name string, e *Error) *Error {
	near := nearest(name)
	if near == nil {
		return e.WithHint("no option is called like that; -help lists all")
	}
	p.state.refuse(near)
	return e.WithHint("did you mean %s?", near.Name)
}

func (p *loader) endService() {
	for _, e := range append(finish(p.service, p.state), settleSocket(p.service, p.system)...) {
		// A line before the sections is as wrong in each of them; it is told once.
		if e.Line == 0 || e.Part != PartLine || !slices.ContainsFunc(p.errs, func(o *Error) bool {
			return o.File == e.File && o.Line == e.Line && o.Reason == e.Reason
		}) {
			p.errs = append(p.errs, e)
		}
	}
	if e := checkPrimary(p.service, p.cfg.Services[:len(p.cfg.Services)-1]); e != nil && !p.state.refused("client", "sni") {
		p.errs = append(p.errs, e)
	}
	// A second target is often a spare, and current stunnel takes it for one.
	if s := p.service; len(s.Connect) > 1 && s.Pos["failover"] == (Place{}) && !p.state.refused("failover") {
		place := s.Pos["connect"]
		p.cfg.Notes = append(p.cfg.Notes, Note{File: place.File, Line: place.Line,
			Text: "targets are taken in turn, as by failover = rr; stunnel 5.45 and later take failover = prio: set the one that is meant"})
	}
}

// end checks what can be known only after the last line.
func (p *loader) end() {
	if !p.inGlobal() {
		p.endService()
		p.errs = append(p.errs, checkGlobal(&p.cfg.Global, p.global, p.system)...)
		for _, s := range p.cfg.Services {
			if p.cfg.Global.FIPS == FIPSYes {
				p.errs = append(p.errs, checkFIPS(s)...)
			}
		}
		return
	}
	p.errs = append(p.errs, checkGlobal(&p.cfg.Global, p.state, p.system)...)
	p.cfg.Inetd = true
	p.service.inetd = true
	p.cfg.Services = []*Service{p.service}
	p.service.Name = p.cfg.Global.Ident
	// Where a line was refused it may be the one that starts the section.
	if len(p.errs) == 0 {
		p.errs = append(p.errs, checkInetd(p.service, p.state, p.system)...)
	}
	if p.cfg.Global.FIPS == FIPSYes {
		p.errs = append(p.errs, checkFIPS(p.service)...)
	}
}
