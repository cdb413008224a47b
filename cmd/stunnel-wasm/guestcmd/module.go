package guestcmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
	"github.com/stunnel-wasm/stunnel-wasm/host/meter"
	"github.com/stunnel-wasm/stunnel-wasm/stdproto"
)

// source finds a module by its file, by the directory that it is alone in, or by the name
// of a bundled one, with every capability: what it may do is for a config to say, not for
// a look at it.
func source(name string) (guest.Source, error) {
	src := guest.Source{Name: name, Role: guest.AnyRole, Pages: guest.MaxPages, Allow: everything()}
	info, err := os.Stat(name)
	plain := !strings.ContainsAny(name, "/.")
	if plain && (err != nil || info.IsDir()) { // guests/smtp, say, is not the bundled smtp
		if wasm, ok := stdproto.Lookup(name); ok {
			src.Wasm = wasm
			return src, nil
		}
	}
	if errors.Is(err, fs.ErrNotExist) && plain {
		return src, hint(fmt.Errorf("there is no file %q, and no bundled guest of that name", name),
			"bundled are %s", strings.Join(append(stdproto.Names(), stdproto.Policies()...), ", "))
	}
	if err != nil {
		return src, err
	}
	if info.IsDir() {
		if name, err = moduleIn(name); err != nil {
			return src, err
		}
		src.Name = name
		if info, err = os.Stat(name); err != nil {
			return src, err
		}
	}
	if !info.Mode().IsRegular() || info.Size() > meter.MaxModuleSize {
		return src, fmt.Errorf("%s is not a file of at most %d MiB", name, meter.MaxModuleSize>>20)
	}
	src.Wasm, err = os.ReadFile(name)
	return src, err
}

// moduleIn finds the one module of a directory.
func moduleIn(dir string) (string, error) {
	modules, err := filepath.Glob(filepath.Join(dir, "*.wasm"))
	if err == nil && len(modules) != 1 {
		err = hint(fmt.Errorf("%s has %d modules, want one *.wasm", dir, len(modules)), "build it, or name the module itself")
	}
	if err != nil {
		return "", err
	}
	return modules[0], nil
}

// transcripts finds those of a directory: its own, or of the folder flights in it.
func transcripts(dir string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil || len(files) > 0 {
		return files, err
	}
	return filepath.Glob(filepath.Join(dir, "flights", "*.txtar"))
}

// load compiles a module. The function that it gives frees it.
func (t *tool) load(src guest.Source) (*guest.Module, func(), error) {
	return t.loadBy(src, guest.RuntimeOptions{})
}

// loadBy is load in a runtime of one's own choice.
func (t *tool) loadBy(src guest.Source, o guest.RuntimeOptions) (*guest.Module, func(), error) {
	rt, err := guest.NewRuntime(t.ctx, o)
	if err != nil {
		return nil, nil, err
	}
	module, err := rt.Load(t.ctx, src)
	if err != nil {
		return nil, nil, errors.Join(err, rt.Close(t.ctx))
	}
	return module, func() { rt.Close(t.ctx) }, nil
}

// everything is what guestAllow can grant.
func everything() (all []abi.Capability) {
	for _, c := range abi.Capabilities {
		all = append(all, c.Name)
	}
	return all
}
