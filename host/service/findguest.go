package service

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
	"github.com/stunnel-wasm/stunnel-wasm/host/meter"
	"github.com/stunnel-wasm/stunnel-wasm/stdproto"
)

// A guestRef is a line of the config that names a guest, with what others say of it.
type guestRef struct {
	key     lineKey
	sc      *config.Service
	option  string // protocol or policy
	name    string
	label   string // for logs and messages
	hash    string
	pages   uint32
	allow   []string
	options []config.KeyValue
	errorf  func(format string, args ...any) *config.Error // at the line
}

func protocolLine(sc *config.Service) guestRef {
	return guestRef{
		key: lineKey{service: sc}, sc: sc, option: "protocol", name: sc.Protocol, label: sc.Protocol,
		hash: sc.Guest.Hash, pages: sc.Guest.Memory, allow: sc.Guest.Allow, options: sc.Guest.Options,
		errorf: func(format string, args ...any) *config.Error { return sc.Errorf("protocol", format, args...) },
	}
}

// mode is that of the line's service.
func (ref guestRef) mode() guest.Modes {
	if ref.sc.Client {
		return guest.ClientMode
	}
	return guest.ServerMode
}

func policyLine(sc *config.Service, p *config.Policy) guestRef {
	return guestRef{
		key: lineKey{sc, p}, sc: sc, option: "policy", name: p.Name, label: p.Label,
		hash: p.Hash, pages: sc.Guest.Memory, allow: p.Allow, options: p.Options,
		errorf: func(format string, args ...any) *config.Error { return at(sc, p.Place, format, args...) },
	}
}

// at is an error about a line of a service.
func at(sc *config.Service, place config.Place, format string, args ...any) *config.Error {
	e := place.Errorf(format, args...)
	e.Section = sc.Name
	return e
}

// find gives the module: a file if the name has a slash, else a bundled guest, else
// NAME.wasm in the directories of guestPath.
func (ref guestRef) find(path []string) (guest.Source, *config.Error) {
	src := guest.Source{Name: ref.name, Hash: ref.hash, Pages: ref.pages}
	if ref.option == "policy" {
		src.Role, src.Prefix = guest.Policy, ref.label+"."
	}
	for _, a := range ref.allow {
		src.Allow = append(src.Allow, abi.Capability(a))
	}
	if config.IsPath(ref.name) {
		return ref.read(src, ref.name)
	}
	if wasm, ok := stdproto.Lookup(ref.name); ok {
		src.Wasm, src.Bundled = wasm, true
		src.Allow = append(src.Allow, stdproto.Grants(ref.name)...)
		return src, ref.checkBundled()
	}
	for _, dir := range path {
		file := filepath.Join(dir, ref.name+".wasm")
		if _, err := os.Stat(file); err == nil {
			return ref.read(src, file)
		}
	}
	return src, ref.notFound(path)
}

// checkBundled refuses a bundled policy as a protocol, and the other way round, with the
// line that may be meant.
func (ref guestRef) checkBundled() *config.Error {
	is := "protocol"
	if stdproto.IsPolicy(ref.name) {
		is = "policy"
	}
	if is == ref.option {
		return nil
	}
	return ref.errorf("%s is a %s and no %s", ref.name, is, ref.option).WithHint("write %s = %s", is, ref.name)
}

func (ref guestRef) notFound(path []string) *config.Error {
	reason, bundled := "Policy not found", stdproto.Policies()
	if ref.option == "protocol" {
		reason, bundled = "Protocol not supported", stdproto.Names()
		if ref.name == "capwin" || ref.name == "capwinctrl" {
			return ref.errorf("CapWIN's login is not supported").
				WithHint("the protocol is closed, and asks an LDAP server beside the target, which no guest can reach; leave this service to stunnel")
		}
	}
	place := "a directory of guestPath"
	if len(path) > 0 {
		place = strings.Join(path, ", ")
	}
	are := "are"
	if len(bundled) == 1 {
		are = "is"
	}
	return ref.errorf("%s", reason).
		WithHint("bundled %s %s; a module of your own is found as %s.wasm in %s, or by a path with a slash",
			are, strings.Join(bundled, ", "), ref.name, place)
}

func (ref guestRef) read(src guest.Source, file string) (guest.Source, *config.Error) {
	fi, err := os.Stat(file)
	if err != nil {
		return src, ref.errorf("%v", err)
	}
	// Before it is read: a device or a huge file would be taken into memory whole.
	if !fi.Mode().IsRegular() || fi.Size() > meter.MaxModuleSize {
		return src, ref.errorf("%s is not a file of at most %d MiB", file, meter.MaxModuleSize>>20)
	}
	if src.Wasm, err = os.ReadFile(file); err != nil {
		return src, ref.errorf("%v", err)
	}
	return src, nil
}
