package guestcmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
	"github.com/stunnel-wasm/stunnel-wasm/host/meter"
	"github.com/stunnel-wasm/stunnel-wasm/stdproto"
)

// source finds a module by its file, or by the name of a bundled one, with every
// capability: what it may do is for a config to say, not for a look at it.
func source(name string) (guest.Source, error) {
	src := guest.Source{Name: name, Role: guest.AnyRole, Pages: guest.MaxPages, Allow: everything()}
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !strings.ContainsAny(name, "/."):
		wasm, ok := stdproto.Lookup(name)
		if !ok {
			return src, hint(fmt.Errorf("there is no file %q, and no bundled guest of that name", name),
				"bundled are %s", strings.Join(append(stdproto.Names(), stdproto.Policies()...), ", "))
		}
		src.Wasm = wasm
		return src, nil
	case err != nil:
		return src, err
	case !info.Mode().IsRegular() || info.Size() > meter.MaxModuleSize:
		return src, fmt.Errorf("%s is not a file of at most %d MiB", name, meter.MaxModuleSize>>20)
	}
	src.Wasm, err = os.ReadFile(name)
	return src, err
}

// load compiles a module. The function that it gives frees it.
func (t *tool) load(src guest.Source) (*guest.Module, func(), error) {
	rt, err := guest.NewRuntime(t.ctx, guest.RuntimeOptions{})
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
