package guest

import (
	"context"
	"fmt"
	"sync"

	"github.com/tetratelabs/wazero/api"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/meter"
)

// wasiModule is the module that standard toolchains import from. What is offered under
// its name is ours and small: no files, no sockets, no arguments, no environment.
const wasiModule = "wasi_snapshot_preview1"

// An errno is what a function of WASI returns.
type errno uint16

// The errors that are returned, as preview 1 numbers them.
const (
	errnoSuccess errno = 0
	errnoBadf    errno = 8
	errnoInval   errno = 28
	errnoNosys   errno = 52
)

// A wasiFunction is a function of preview 1: one letter a parameter, i = i32 and
// I = i64, and what it does here, nil if it only says that it is not there. One that
// is not there touches no memory.
type wasiFunction struct {
	params, results string
	do              func(call) errno
}

// wasiFunctions is all of preview 1 (witx/wasi_snapshot_preview1.witx of the WebAssembly
// group). A linker puts what a library might call into the import section, so that even
// what is not there has to link.
var wasiFunctions = map[string]wasiFunction{
	"args_get":                {"ii", "i", call.wasiNothing},
	"args_sizes_get":          {"ii", "i", call.wasiSizes},
	"clock_res_get":           {"ii", "i", call.wasiClockRes},
	"clock_time_get":          {"iIi", "i", call.wasiClockTime},
	"environ_get":             {"ii", "i", call.wasiNothing},
	"environ_sizes_get":       {"ii", "i", call.wasiSizes},
	"fd_advise":               {"iIIi", "i", nil},
	"fd_allocate":             {"iII", "i", nil},
	"fd_close":                {"i", "i", nil},
	"fd_datasync":             {"i", "i", nil},
	"fd_fdstat_get":           {"ii", "i", call.wasiFdstat},
	"fd_fdstat_set_flags":     {"ii", "i", nil},
	"fd_fdstat_set_rights":    {"iII", "i", nil},
	"fd_filestat_get":         {"ii", "i", nil},
	"fd_filestat_set_size":    {"iI", "i", nil},
	"fd_filestat_set_times":   {"iIIi", "i", nil},
	"fd_pread":                {"iiiIi", "i", nil},
	"fd_prestat_dir_name":     {"iii", "i", nil},
	"fd_prestat_get":          {"ii", "i", call.wasiPrestat},
	"fd_pwrite":               {"iiiIi", "i", nil},
	"fd_read":                 {"iiii", "i", nil},
	"fd_readdir":              {"iiiIi", "i", nil},
	"fd_renumber":             {"ii", "i", nil},
	"fd_seek":                 {"iIii", "i", nil},
	"fd_sync":                 {"i", "i", nil},
	"fd_tell":                 {"ii", "i", nil},
	"fd_write":                {"iiii", "i", call.wasiWrite},
	"path_create_directory":   {"iii", "i", nil},
	"path_filestat_get":       {"iiiii", "i", nil},
	"path_filestat_set_times": {"iiiiIIi", "i", nil},
	"path_link":               {"iiiiiii", "i", nil},
	"path_open":               {"iiiiiIIii", "i", nil},
	"path_readlink":           {"iiiiii", "i", nil},
	"path_remove_directory":   {"iii", "i", nil},
	"path_rename":             {"iiiiii", "i", nil},
	"path_symlink":            {"iiiii", "i", nil},
	"path_unlink_file":        {"iii", "i", nil},
	"poll_oneoff":             {"iiii", "i", call.wasiPoll},
	"proc_exit":               {"i", "", call.wasiExit},
	"proc_raise":              {"i", "i", nil},
	"random_get":              {"ii", "i", call.wasiRandom},
	"sched_yield":             {"", "i", call.wasiYield},
	"sock_accept":             {"iii", "i", nil},
	"sock_recv":               {"iiiiii", "i", nil},
	"sock_send":               {"iiiii", "i", nil},
	"sock_shutdown":           {"ii", "i", nil},
}

// checkWASI compares an import of preview 1 with what there is. Importing is no
// grant: a toolchain imports the clock and random bytes for every guest, so that what
// they give without the capability is decided when they are called.
func checkWASI(i meter.Import) (refused string) {
	name := printable(i.Module+"."+i.Name, maxReason)
	f, ok := wasiFunctions[i.Name]
	if !ok {
		return fmt.Sprintf("import %s: there is no such function", name)
	}
	if got, want := meter.Signature(i.Params, i.Results), meter.Signature(types(f.params), types(f.results)); got != want {
		return fmt.Sprintf("import %s has type %s, want %s", name, got, want)
	}
	return ""
}

// WASIDoc says what a function of preview 1 does for a guest that is granted what allow
// lists, in words for inspect.
func WASIDoc(name string, allow []abi.Capability) string {
	f, ok := wasiFunctions[name]
	switch {
	case !ok:
		return "there is no such function"
	case f.do == nil:
		return "not offered: returns ENOSYS"
	}
	return wasiDocs(name, allow)
}

// A wasiHost is the host module of preview 1. It is made when the first module needs it:
// most daemons run no guest that does.
type wasiHost struct {
	sync.Mutex
	made bool
}

// addWASI instantiates the host module, once for a runtime.
func (r *Runtime) addWASI(ctx context.Context) error {
	r.wasi.Lock()
	defer r.wasi.Unlock()
	if r.wasi.made {
		return nil
	}
	b := r.wazero.NewHostModuleBuilder(wasiModule)
	for name, f := range wasiFunctions {
		b.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(func(ctx context.Context, guest api.Module, stack []uint64) {
			n := ctx.Value(negotiationKey{}).(*negotiation)
			n.count()
			code := errnoNosys
			if f.do != nil {
				code = f.do(call{negotiation: n, ctx: ctx, name: name, memory: guest.Memory(), stack: stack})
			}
			if f.results != "" {
				stack[0] = uint64(code)
			}
		}), valueTypes(f.params), valueTypes(f.results)).Export(name)
	}
	if _, err := b.Instantiate(ctx); err != nil {
		return fmt.Errorf("setting up %s: %w", wasiModule, err)
	}
	r.wasi.made = true
	return nil
}
