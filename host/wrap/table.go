package wrap

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/stunnel-wasm/stunnel-wasm/host/regular"
)

// The files of hosts_access(5).
const (
	AllowFile = "/etc/hosts.allow"
	DenyFile  = "/etc/hosts.deny"
)

// A Table holds the rules of both files, and of the files with patterns that they name, and
// reads a file again when it was changed. It is safe for concurrent use.
type Table struct {
	root os.FileInfo // the root directory when the files were first read

	mu    sync.Mutex
	files [2]file[[]rule] // allow, deny
	lists map[string]*file[[]string]
}

// A file is one of them, as it was last read.
type file[T any] struct {
	path    string
	parse   func(text string) T
	content T
	err     error       // why it could not be read; the content is empty then
	info    os.FileInfo // of when it was read; nil: it was never there
}

// NewTable reads the two files and those that they name. One that does not exist has no rules.
func NewTable(allow, deny string) *Table {
	t := &Table{files: [2]file[[]rule]{{path: allow, parse: parse}, {path: deny, parse: parse}}, lists: map[string]*file[[]string]{}}
	t.root, _ = os.Stat("/")
	t.read()
	return t
}

// jailed tells whether the process is in a jail by now, where files are out of sight.
func (t *Table) jailed() bool {
	root, err := os.Stat("/")
	return err != nil || t.root == nil || !os.SameFile(t.root, root)
}

// read gives the rules of both files, and the patterns of those that they name, as they are now.
func (t *Table) read() (rules [2]file[[]rule], lists map[string]file[[]string]) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.files {
		// Where hosts.allow is removed, somebody took its permissions back.
		t.files[i].refresh(i > 0 || t.jailed())
		for _, r := range t.files[i].content {
			for _, item := range slices.Concat(r.daemons, r.clients) {
				path, ok := listOf(item)
				if !ok {
					continue
				}
				f := t.lists[path]
				if f == nil {
					f = &file[[]string]{path: path, parse: items}
					t.lists[path] = f
				}
				if lists == nil {
					lists = map[string]file[[]string]{}
				}
				if _, done := lists[path]; !done {
					f.refresh(true)
					lists[path] = *f
				}
			}
		}
	}
	return t.files, lists
}

// listOf gives the file that an item names the patterns of: /PATH, DAEMON@/PATH, USER@/PATH.
func listOf(item string) (path string, ok bool) {
	if i := at(item); i > 0 {
		item = item[i+1:]
	}
	return item, strings.HasPrefix(item, "/")
}

// refresh reads a file that was changed. In a jail the file may be out of sight; with keep,
// what was read before it was stays, for without the rules everybody would be let in.
func (f *file[T]) refresh(keep bool) {
	info, err := regular.Stat(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if f.info == nil || !keep {
			*f = file[T]{path: f.path, parse: f.parse}
		}
		return
	case err != nil:
		if f.info == nil {
			f.err = err
		}
		return
	case f.info != nil && f.err == nil && regular.Same(f.info, info):
		return
	}
	text, err := regular.Read(f.path, maxFile)
	f.info, f.err = info, err
	var none T
	f.content = none
	if err == nil {
		f.content = f.parse(string(text))
	}
}
