package config

import (
	"os/user"
	"strconv"
	"sync"
)

// An Owner is a user and a group, of the process or of a Unix socket. As in stunnel 0 says
// that none is set: nobody becomes root by a configuration.
type Owner struct {
	UID, GID int
}

func parseUser(t *target, value string) *Error {
	id, ok := users.id(value)
	if !ok {
		return refuse("Illegal UID", "write the name or the number of a user of this machine")
	}
	t.service.Owner.UID = id
	if t.global {
		t.cfg.Global.RunAs.UID = id
	}
	return nil
}

func parseGroup(t *target, value string) *Error {
	id, ok := groups.id(value)
	if !ok {
		return refuse("Illegal GID", "write the name or the number of a group of this machine")
	}
	t.service.Owner.GID = id
	if t.global {
		t.cfg.Global.RunAs.GID = id
	}
	return nil
}

// A directory is the system's list of users or of groups. It keeps what was found for a
// reload in a jail, where the list is missing: what the process runs as cannot change then
// anyhow, and a line that has not changed should not fail.
type directory struct {
	lookup func(name string) (id string, err error)
	mu     sync.Mutex
	known  map[string]int
}

var (
	users = &directory{lookup: func(name string) (string, error) {
		u, err := user.Lookup(name)
		if err != nil {
			return "", err
		}
		return u.Uid, nil
	}}
	groups = &directory{lookup: func(name string) (string, error) {
		g, err := user.LookupGroup(name)
		if err != nil {
			return "", err
		}
		return g.Gid, nil
	}}
)

// id gives the number of a name. One that the list does not have is a number itself.
func (d *directory) id(name string) (int, bool) {
	if name == "" {
		return 0, false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if text, err := d.lookup(name); err == nil {
		if id, ok := number32(text); ok {
			if d.known == nil {
				d.known = map[string]int{}
			}
			d.known[name] = id
			return id, true
		}
	}
	if id, ok := d.known[name]; ok {
		return id, true
	}
	return number32(name)
}

// number32 takes the number of a user or group. The largest means "leave as it is" to the
// system, so that a process would go on as root.
func number32(text string) (int, bool) {
	const unchanged = 1<<32 - 1
	n, err := strconv.ParseUint(text, 10, 32)
	return int(n), err == nil && n != unchanged
}
