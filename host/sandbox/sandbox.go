// Package sandbox lets a process give up, for good, what its configuration does not need:
// whoever takes the process over later cannot do it either.
//
// [Need] computes from a configuration what is needed, on any system. [Enter] gives up the
// rest by Linux's means, each of which a configuration can leave out. A sandbox cannot be
// widened, so that a reload asks [Entered.Permits] before it begins.
package sandbox

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

// Needs are what a configuration needs once it runs, and for a reload of itself.
type Needs struct {
	Read  []string // directories, or files, that are read, with all below
	Write []string // and those that are written to
	Ports []int    // TCP ports that are bound; 0: one that the system chooses

	// Free says why files and ports cannot be known; empty: they are.
	Free string
	// Capabilities by name, without cap_; nil with All.
	Capabilities []string
	All          bool // programs that are started may need any
}

// systemFiles are where the system keeps what resolvers, time zones and lists of users are
// read from. They are directories, since such files are replaced, not changed.
var systemFiles = []string{"/etc", "/usr", "/lib", "/lib64", "/dev/null", "/dev/urandom", "/dev/random"}

// resolverFile is a link into another directory on many systems.
const resolverFile = "/etc/resolv.conf"

// Need computes what a configuration needs; path is its own file, empty for none.
func Need(c *config.Config, path string) Needs {
	n := Needs{Ports: []int{0}} // ident and local bind one to connect from
	n.capabilities(c)
	switch {
	case c.Runs():
		n.Free = "programs of exec may need any file"
	case usesTokens(c):
		n.Free = "the modules of tokens may need any file"
	}
	n.files(c, path)
	for _, s := range c.Services {
		if s.Transparent != (config.Transparent{}) {
			n.Free = "transparent services bind ports of their clients" // to connect from
		}
		for _, a := range s.Accept {
			if port, err := net.LookupPort("tcp", a.Port); a.Unix == "" && err == nil {
				n.Ports = append(n.Ports, port)
			}
		}
	}
	slices.Sort(n.Ports)
	n.Ports = slices.Compact(n.Ports)
	return n
}

// usesTokens tells whether keys or certificates come from a module.
func usesTokens(c *config.Config) bool {
	if len(c.Global.Engines)+len(c.Global.Providers) > 0 {
		return true
	}
	return slices.ContainsFunc(c.Services, func(s *config.Service) bool {
		return slices.ContainsFunc(slices.Concat(s.Cert, s.Key, s.Trust.CAengine, []string{s.Trust.CAstore}), func(v string) bool {
			return strings.HasPrefix(strings.ToLower(v), "pkcs11:")
		})
	})
}

// files lists directories. In a jail everything is below it.
func (n *Needs) files(c *config.Config, path string) {
	g := &c.Global
	for _, file := range []string{g.Output, g.Pid} {
		if file != "" {
			n.Write = append(n.Write, places(filepath.Join("/", g.Chroot, file), file, g.Chroot)...)
		}
	}
	if g.Chroot != "" {
		n.Read = append(n.Read, g.Chroot)
		return
	}
	n.Read = append(n.Read, systemFiles...)
	read := []string{path, resolverFile}
	for _, s := range c.Services {
		read = append(append(read, s.Cert...), s.Key...)
		read = append(read, s.KeyPassphraseFile, s.CAfile, s.Trust.CRLfile, s.PSK.Secrets)
		read = append(read, strings.TrimPrefix(s.Trust.CAstore, "file:"))
		for _, dir := range []string{s.Trust.CApath, s.Trust.CRLpath, s.Trust.CAstore} {
			if dir != "" {
				n.Read = append(n.Read, resolved(dir)) // its files may be links
			}
		}
		modules := []string{s.Protocol}
		for _, p := range s.Policies {
			modules = append(modules, p.Name)
		}
		for _, m := range modules {
			if strings.Contains(m, "/") {
				read = append(read, m)
			}
		}
		for _, a := range s.Accept {
			if a.Unix != "" {
				n.Write = append(n.Write, places(a.Unix, a.Unix, "")...)
			}
		}
	}
	for _, file := range read {
		if file != "" {
			n.Read = append(n.Read, places(file, file, "")...)
		}
	}
	for _, dir := range slices.Concat(g.GuestPath, c.Includes) {
		n.Read = append(n.Read, resolved(dir))
	}
	if g.GuestCache != "" {
		n.Write = append(n.Write, resolved(g.GuestCache))
	}
	n.Read, n.Write = tidy(n.Read), tidy(n.Write)
}

// places gives the directories of a file and of what it links to: files are replaced by
// others of their name. One in the root directory is taken by itself.
func places(file, said, jail string) []string {
	if jail == "" {
		if abs, err := filepath.Abs(said); err == nil {
			file = abs
		}
	}
	var all []string
	for _, f := range []string{file, resolved(file)} {
		if dir := filepath.Dir(f); dir != "/" {
			f = resolved(dir)
		}
		all = append(all, f)
	}
	return tidy(all)
}

// resolved is a path without links, as far as it exists.
func resolved(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		return real
	}
	return abs
}

func tidy(paths []string) []string {
	slices.Sort(paths)
	return slices.Compact(paths)
}

// capabilities lists what the process may have to do that not everybody may.
func (n *Needs) capabilities(c *config.Config) {
	if n.All = c.Runs(); n.All {
		return
	}
	// Keys that are another user's, logs in directories of others, low ports: what a
	// process of root does without being told.
	need := map[string]bool{"net_bind_service": true, "dac_override": true, "dac_read_search": true}
	g := &c.Global
	need["sys_chroot"] = g.Chroot != ""
	need["setuid"], need["setgid"] = g.RunAs.UID != 0, g.RunAs.GID != 0
	for _, s := range c.Services {
		for _, a := range s.Accept {
			need["chown"] = need["chown"] || a.Unix != "" && s.Owner != (config.Owner{})
		}
		if s.Transparent != (config.Transparent{}) || slices.ContainsFunc(s.Socket, func(o config.SocketOption) bool { return slices.Contains(privileged, o.Name) }) {
			need["net_admin"], need["net_raw"] = true, true
		}
	}
	for name, yes := range need {
		if yes {
			n.Capabilities = append(n.Capabilities, name)
		}
	}
	slices.Sort(n.Capabilities)
}

// Say gets a line about a part of the sandbox, and whether it was done or left out.
type Say = func(done bool, text string)

// privileged are the socket options that not everybody may set.
var privileged = []string{"SO_MARK", "SO_DEBUG", "SO_PRIORITY", "SO_BINDTODEVICE", "SO_BUSY_POLL", "IP_TRANSPARENT", "TCP_CONGESTION"}

// Entered is what a process has given up. Nil: nothing.
type Entered struct {
	NoNewPrivs   bool
	Capabilities bool // all but those of needs
	Landlock     bool // files and ports but those of needs

	needs Needs
}

// Permits says why a later configuration cannot have what it needs; nil: it can.
func (e *Entered) Permits(n Needs) error {
	if e == nil {
		return nil
	}
	if e.Landlock {
		if err := n.beyond(e.needs); err != nil {
			return fmt.Errorf("sandbox: %w since the start: restart for that", err)
		}
	}
	if e.Capabilities && !e.needs.All {
		if n.All {
			return errors.New("sandbox: programs of exec have no capabilities since the start: restart for that")
		}
		for _, name := range n.Capabilities {
			if !slices.Contains(e.needs.Capabilities, name) {
				return fmt.Errorf("sandbox: capability cap_%s is gone since the start: restart for that", name)
			}
		}
	}
	return nil
}

// beyond says what of these needs those of the start do not cover.
func (n Needs) beyond(start Needs) error {
	if n.Free != "" {
		return errors.New("landlock holds, and " + n.Free)
	}
	covers := func(dirs []string, path string) bool {
		return slices.ContainsFunc(dirs, func(dir string) bool {
			return path == dir || dir == "/" || strings.HasPrefix(path, dir+"/")
		})
	}
	for _, path := range n.Write {
		if !covers(start.Write, path) {
			return fmt.Errorf("%s cannot be written to", path)
		}
	}
	for _, path := range n.Read {
		if !covers(start.Read, path) && !covers(start.Write, path) {
			return fmt.Errorf("%s cannot be read", path)
		}
	}
	for _, port := range n.Ports {
		if !slices.Contains(start.Ports, port) {
			return fmt.Errorf("port %d cannot be bound", port)
		}
	}
	return nil
}
