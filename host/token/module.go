//go:build cgo

package token

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"unsafe"

	"github.com/miekg/pkcs11"
)

// Available says whether this build can load modules.
const Available = true

// A module is a PKCS#11 library in this process.
type module struct {
	path string
	args string // for C_Initialize
	ctx  *pkcs11.Ctx

	mu     sync.Mutex
	tokens map[identity]*token // those in use
}

// modules are those that were loaded. They belong to the process, as C_Initialize does,
// and are never unloaded: threads of theirs may run.
var modules struct {
	sync.Mutex
	loaded map[string]*module
}

// load gives the module of a path, which it loads and initialises the first time. A first
// time that fails is not remembered.
func load(path, initArgs string) (*module, error) {
	if filepath.IsAbs(path) {
		// The system's loader would say no more than that it did not work; and one
		// library under two names must not be initialised twice.
		real, err := filepath.EvalSymlinks(path)
		var at *fs.PathError
		if errors.As(err, &at) {
			err = at.Err
		}
		if err != nil {
			return nil, fmt.Errorf("PKCS#11 module %s: %w", path, err)
		}
		path = real
	}
	modules.Lock()
	defer modules.Unlock()
	if m, ok := modules.loaded[path]; ok {
		return m, nil
	}
	ctx := pkcs11.New(path)
	if ctx == nil {
		return nil, fmt.Errorf("PKCS#11 module %s cannot be loaded: it is not a library for this system, or one that it needs is missing", path)
	}
	m := &module{path: path, args: initArgs, ctx: ctx, tokens: map[identity]*token{}}
	err := m.initialize()
	if is(err, pkcs11.CKR_CRYPTOKI_ALREADY_INITIALIZED) {
		// Its sessions and logins are somebody else's too, and would be ended under them.
		ctx.Destroy()
		return nil, fmt.Errorf("PKCS#11 module %s is in use already, under another name or by another module: name it the same way everywhere", path)
	}
	if err != nil {
		ctx.Destroy()
		return nil, fmt.Errorf("initialising PKCS#11 module %s: %w", path, err)
	}
	if modules.loaded == nil {
		modules.loaded = map[string]*module{}
	}
	modules.loaded[path] = m
	return m, nil
}

// initialize says that several threads will call. A module that cannot have that is
// refused.
func (m *module) initialize() error {
	if m.args == "" {
		return m.ctx.Initialize()
	}
	// C reads it during the call alone, so it may be Go's memory.
	text := append([]byte(m.args), 0)
	return m.ctx.Initialize(pkcs11.InitializeWithReserved(unsafe.Pointer(&text[0])))
}

// DefaultModule is what is loaded where no option names a module: the one of
// PKCS11_MODULE_PATH in the environment, else p11-kit's, which knows those of the system.
func DefaultModule() string {
	if path := os.Getenv("PKCS11_MODULE_PATH"); path != "" {
		return path
	}
	return "p11-kit-proxy.so"
}

// An identity is what a token keeps when it is taken out and put into another slot.
type identity struct{ label, manufacturer, model, serial string }

func identify(info pkcs11.TokenInfo) identity {
	return identity{info.Label, info.ManufacturerID, info.Model, info.SerialNumber}
}

// A place is a token in its slot.
type place struct {
	slot uint
	info pkcs11.TokenInfo
}

// find gives the tokens that match.
func (m *module) find(match func(slot uint, info pkcs11.TokenInfo) bool) ([]place, error) {
	slots, err := m.ctx.GetSlotList(true)
	if is(err, pkcs11.CKR_CRYPTOKI_NOT_INITIALIZED) {
		// Something else in the process has finalised it.
		if err = m.initialize(); err == nil || is(err, pkcs11.CKR_CRYPTOKI_ALREADY_INITIALIZED) {
			slots, err = m.ctx.GetSlotList(true)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("PKCS#11 module %s: listing slots: %w", m.path, err)
	}
	var found []place
	for _, slot := range slots {
		info, err := m.ctx.GetTokenInfo(slot)
		if err != nil || info.Flags&pkcs11.CKF_TOKEN_INITIALIZED == 0 || !match(slot, info) {
			continue
		}
		found = append(found, place{slot, info})
	}
	return found, nil
}

// locate finds the one token that a URI means. Of several none is tried: each would get a
// PIN that is not its own, and lock after a few.
func (m *module) locate(u URI) (place, error) {
	fits := func(want, has string) bool { return want == "" || want == has }
	found, err := m.find(func(slot uint, info pkcs11.TokenInfo) bool {
		return (!u.HasSlot || u.Slot == slot) && fits(u.Token, info.Label) && fits(u.Manufacturer, info.ManufacturerID) &&
			fits(u.Model, info.Model) && fits(u.Serial, info.SerialNumber)
	})
	switch {
	case err != nil:
		return place{}, err
	case len(found) == 0:
		return place{}, fmt.Errorf("PKCS#11 module %s: token for %s: %w", m.path, u, ErrNotFound)
	case len(found) > 1:
		return place{}, fmt.Errorf("PKCS#11 module %s: %d tokens fit %s: say which with token=, serial= or slot-id=", m.path, len(found), u)
	}
	return found[0], nil
}

// is tells whether an error is one of a module's.
func is(err error, codes ...uint) bool {
	var e pkcs11.Error
	if !errors.As(err, &e) {
		return false
	}
	for _, c := range codes {
		if uint(e) == c {
			return true
		}
	}
	return false
}

// lost tells whether an error says that session, login, object or token are gone, so
// that logging in anew may bring them back.
func lost(err error) bool {
	return is(err,
		pkcs11.CKR_SESSION_HANDLE_INVALID, pkcs11.CKR_SESSION_CLOSED,
		pkcs11.CKR_USER_NOT_LOGGED_IN,
		pkcs11.CKR_DEVICE_REMOVED, pkcs11.CKR_TOKEN_NOT_PRESENT, pkcs11.CKR_TOKEN_NOT_RECOGNIZED,
		pkcs11.CKR_SLOT_ID_INVALID, pkcs11.CKR_CRYPTOKI_NOT_INITIALIZED)
}

// doubtful tells whether an error may mean the same. It is what some modules give once
// the way to their token broke, and others for a key that does not do what it is asked to.
func doubtful(err error) bool {
	return is(err, pkcs11.CKR_GENERAL_ERROR, pkcs11.CKR_FUNCTION_FAILED, pkcs11.CKR_DEVICE_ERROR,
		pkcs11.CKR_OBJECT_HANDLE_INVALID, pkcs11.CKR_KEY_HANDLE_INVALID)
}
