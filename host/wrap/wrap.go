// Package wrap decides by /etc/hosts.allow and /etc/hosts.deny who may connect, as TCP
// wrappers do (hosts_access(5), hosts_options(5)).
//
// The first rule of hosts.allow that matches permits; else the first one of hosts.deny
// refuses; else the connection is permitted. What cannot be understood never permits.
// Rules that would run a program are refused when they match: a daemon that keeps private
// keys starts no shell with words of a peer's.
package wrap

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"
)

// lookupTime bounds how long the client's name is looked up. A client chooses the servers
// that know its name, and they would hold its connection as long as they like.
const lookupTime = 10 * time.Second

// A Request is a connection to decide about. Names are looked up when a rule asks for
// them, once.
type Request struct {
	Daemon string     // the service's name
	Client netip.Addr // of the peer
	Server netip.Addr // that it connected to

	// Name is the client's host name: empty to be looked up, "unknown" where there is none,
	// "paranoid" where name and address do not belong together.
	Name string
	// User asks the client's machine for the user; nil: unknown.
	User func(ctx context.Context) (string, error)

	server, user string
}

// Names that are none, as hosts_access has them.
const (
	unknown  = "unknown"
	paranoid = "paranoid"
)

// A Verdict tells how a request was decided.
type Verdict struct {
	Allowed  bool
	Rule     string   // FILE:LINE that decided; empty: none matched
	Warnings []string // about rules that were looked at
}

// Check decides about a request by both files' rules.
func (t *Table) Check(ctx context.Context, r *Request) Verdict {
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	var v Verdict
	files, lists := t.read()
	for i, f := range files {
		allow := i == 0
		if f.err != nil {
			// A file that is there and cannot be read may refuse this client.
			v.Warnings = append(v.Warnings, fmt.Sprintf("cannot read %s: %v", f.path, f.err))
			v.Rule = f.path
			return v
		}
		for _, rule := range f.content {
			where := fmt.Sprintf("%s:%d", f.path, rule.line)
			if rule.wrong != "" {
				v.Warnings = append(v.Warnings, where+": "+rule.wrong)
				continue
			}
			m := matcher{ctx: ctx, r: r, lists: lists, say: func(text string) { v.Warnings = append(v.Warnings, where+": "+text) }}
			matches := m.list(rule.daemons, m.daemon) && m.list(rule.clients, m.client)
			if m.broken {
				v.Rule = where // the list may have this client
				return v
			}
			if !matches {
				continue
			}
			v.Rule = where
			v.Allowed = m.options(rule.options, allow)
			return v
		}
	}
	v.Allowed = true
	return v
}

// name is the client's host name.
func (m *matcher) name() string {
	if m.r.Name == "" {
		m.r.Name = m.lookup(m.r.Client)
	}
	return m.r.Name
}

// serverName is the host name of the address that the client connected to.
func (m *matcher) serverName() string {
	if m.r.server == "" {
		m.r.server = m.lookup(m.r.Server)
	}
	return m.r.server
}

// lookup gives the name of an address if the name has the address too: whoever owns the
// address can make it claim any name.
func (m *matcher) lookup(a netip.Addr) string {
	if !a.IsValid() {
		return unknown
	}
	names, err := net.DefaultResolver.LookupAddr(m.ctx, a.String())
	if err != nil || len(names) == 0 {
		return unknown
	}
	name := strings.TrimSuffix(names[0], ".")
	if _, err := netip.ParseAddr(name); err == nil {
		return paranoid // a name that looks like an address, to match rules about that
	}
	addrs, err := net.DefaultResolver.LookupNetIP(m.ctx, "ip", name)
	if err != nil {
		return paranoid
	}
	for _, b := range addrs {
		if b.Unmap() == a {
			return name
		}
	}
	return paranoid
}

// userName is the client's user as its machine tells.
func (m *matcher) userName() string {
	if m.r.user == "" {
		m.r.user = unknown
		if m.r.User != nil {
			if u, err := m.r.User(m.ctx); err == nil && u != "" {
				m.r.user = u
			}
		}
	}
	return m.r.user
}
