//go:build unix

package config

import (
	"errors"
	"strings"
	"testing"
)

func TestOwner(t *testing.T) {
	c, err := LoadReader("0", strings.NewReader(`
chroot = /var/empty
setuid = 1000
setgid = 1001
client = yes
connect = 1
[both]
accept = /run/a
[own]
accept = /run/b
setuid = 7
[none]
accept = /run/c
setgid = 0
`))
	if err != nil {
		t.Fatal(err)
	}
	compare(t, "root", c.Global.Chroot, "/var/empty")
	compare(t, "process", c.Global.RunAs, Owner{1000, 1001})
	for i, want := range []Owner{{1000, 1001}, {7, 1001}, {1000, 0}} {
		compare(t, c.Services[i].Name, c.Services[i].Owner, want)
	}
}

// A jail has no list of users, and a database may be away: what was found before holds,
// what was not is refused.
func TestDirectoryAway(t *testing.T) {
	ids, err := map[string]string{"mail": "8", "12": "13", "all": "4294967295"}, errors.New("away")
	d := &directory{lookup: func(name string) (string, error) {
		if id, ok := ids[name]; ok {
			return id, nil
		}
		return "", err
	}}
	check := func(name string, want int, ok bool) {
		t.Helper()
		if id, is := d.id(name); is != ok || ok && id != want {
			t.Errorf("%s: %d, %v", name, id, is)
		}
	}
	check("mail", 8, true)
	check("12", 13, true) // a name, as for getpwnam
	check("14", 14, true)
	check("all", 0, false)
	ids["mail"] = "9"
	check("mail", 9, true)
	ids = nil
	check("mail", 9, true)
	check("other", 0, false)
	check("-1", 0, false)
	check("4294967295", 0, false)
	check("", 0, false)
}
