//go:build cgo

package token

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/miekg/pkcs11"
)

// A token is one that keys are in use of. Its sessions serve all of them, and the login
// holds for all sessions (PKCS#11 2.40, section 5.6).
type token struct {
	m   *module
	id  identity
	log func(string)

	room chan struct{} // one for each open session
	idle chan session  // those that nobody signs with

	mu    sync.Mutex
	users int    // keys, and calls that look for objects
	slot  uint   // where it was last
	era   uint64 // counts the logins: handles of an earlier one are void
	base  pkcs11.SessionHandle
	in    bool   // logged in, with
	pin   string // which is empty where the token has a keypad

	busy    int           // callers who use sessions
	gate    chan struct{} // closed at the end of a login; nil: none is under way
	drained chan struct{} // closed when busy is 0; nil: nobody waits for that

	repair   sync.Mutex // held while logging in
	failed   error      // why that did not work
	lastTime time.Time  // of the last try
}

// A session is valid in its era.
type session struct {
	handle pkcs11.SessionHandle
	era    uint64
}

// refused are the PINs that tokens refused, so that neither a reload nor a token that
// comes back has them sent again. They are hashed: a wrong PIN tends to be nearly right.
var refused struct {
	sync.Mutex
	pins map[[32]byte]bool
}

func isRefused(key [32]byte) bool {
	refused.Lock()
	defer refused.Unlock()
	return refused.pins[key]
}

func refuse(key [32]byte) {
	refused.Lock()
	defer refused.Unlock()
	if refused.pins == nil {
		refused.pins = map[[32]byte]bool{}
	}
	refused.pins[key] = true
}

func (t *token) pinKey(pin string) [32]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%s\x00%q\x00%s", t.m.path, t.id, pin))
}

// open gives the token that a URI means, logged in to if login is set, and counts a user.
func (s Source) open(u URI, login bool) (*token, error) {
	path := s.Module
	if u.ModulePath != "" {
		path = u.ModulePath
	}
	if path == "" {
		path = DefaultModule()
	}
	m, err := load(path, s.InitArgs)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	at, err := m.locate(u)
	if err != nil {
		return nil, err
	}
	t, inUse := m.tokens[identify(at.info)]
	if !inUse {
		n := sessionLimit(at.info)
		t = &token{m: m, id: identify(at.info), slot: at.slot, log: s.Log, room: make(chan struct{}, n), idle: make(chan session, n)}
		if t.base, err = m.ctx.OpenSession(at.slot, pkcs11.CKF_SERIAL_SESSION); err != nil {
			return nil, t.errorf("opening a session", err)
		}
	}
	if login {
		if err := t.authenticate(s, u, at.info); err != nil {
			if !inUse {
				m.ctx.CloseSession(t.base)
			}
			return nil, err
		}
	}
	m.tokens[t.id] = t
	t.mu.Lock()
	t.users++
	t.mu.Unlock()
	return t, nil
}

// sessionLimit is how many sessions are opened beside the one that keeps the login.
func sessionLimit(info pkcs11.TokenInfo) int {
	most := info.MaxSessionCount
	if most == pkcs11.CK_EFFECTIVELY_INFINITE || most == pkcs11.CK_UNAVAILABLE_INFORMATION || most > maxSessions {
		return maxSessions
	}
	return max(1, int(most)-1)
}

// authenticate logs in with the PIN of the URI, of the options, or of the terminal. Where
// the token is logged in to already, a PIN that is another one is tried before it takes
// the place of the first: a service with a wrong PIN must not live on the login of others
// until the token is reset.
func (t *token) authenticate(s Source, u URI, info pkcs11.TokenInfo) error {
	if info.Flags&pkcs11.CKF_LOGIN_REQUIRED == 0 {
		return nil
	}
	pin, err := s.configuredPIN(u)
	if err != nil {
		return err
	}
	t.repair.Lock()
	defer t.repair.Unlock()
	t.mu.Lock()
	in, known := t.in, t.pin
	t.mu.Unlock()
	switch {
	case in && (pin == "" || pin == known) && t.failed == nil:
		return nil
	case in && pin == "":
		pin = known
	case pin == "" && info.Flags&pkcs11.CKF_PROTECTED_AUTHENTICATION_PATH != 0:
		// The token's own keypad asks.
	case pin == "" && s.Ask == nil:
		return fmt.Errorf("token %q needs a PIN: give it with engineCtrl = PIN:..., or pin-source in the URI", t.id.label)
	case pin == "":
		if pin, err = s.Ask(t.id.label); err != nil {
			return fmt.Errorf("asking for the PIN of token %q: %w", t.id.label, err)
		}
	}
	// Signatures that are under way fail meanwhile and are tried again.
	if err = t.reopen(true, pin); err != nil && in && pin != known {
		t.failed, t.lastTime = t.reopen(true, known), time.Now()
		return err
	}
	t.failed, t.lastTime = err, time.Now()
	if err != nil {
		return err
	}
	t.mu.Lock()
	t.in, t.pin = true, pin
	t.mu.Unlock()
	return nil
}

// configuredPIN is the PIN that an option has; empty: none.
func (s Source) configuredPIN(u URI) (string, error) {
	switch {
	case u.PIN != "":
		return u.PIN, nil
	case u.PINSource != "":
		return ReadPIN(u.PINSource)
	}
	return s.PIN, nil
}

// login sends a PIN once. One that was refused before is not sent.
func (t *token) login(s pkcs11.SessionHandle, pin string, flags uint) error {
	key := t.pinKey(pin)
	if isRefused(key) {
		return fmt.Errorf("token %q: %w", t.id.label, ErrPIN)
	}
	if flags&pkcs11.CKF_USER_PIN_LOCKED != 0 {
		return fmt.Errorf("token %q: the PIN is locked: %w", t.id.label, ErrPIN)
	}
	err := t.m.ctx.Login(s, pkcs11.CKU_USER, pin)
	if is(err, pkcs11.CKR_USER_ALREADY_LOGGED_IN) {
		err = nil
	}
	switch {
	case is(err, pkcs11.CKR_PIN_INCORRECT, pkcs11.CKR_PIN_INVALID, pkcs11.CKR_PIN_LEN_RANGE):
		refuse(key)
		return fmt.Errorf("token %q: login: %w: %w", t.id.label, err, ErrPIN)
	case is(err, pkcs11.CKR_PIN_LOCKED, pkcs11.CKR_PIN_EXPIRED, pkcs11.CKR_USER_PIN_NOT_INITIALIZED):
		// Somebody has to do something about the token, and may do so before a reload.
		return fmt.Errorf("token %q: login: %w: %w", t.id.label, err, ErrPIN)
	case err != nil:
		return t.errorf("login", err)
	}
	return nil
}

// loggedIn tells whether a session has the login that there should be.
func (t *token) loggedIn(s session) bool {
	t.mu.Lock()
	in := t.in
	t.mu.Unlock()
	if !in {
		return true
	}
	info, err := t.m.ctx.GetSessionInfo(s.handle)
	return err == nil && info.State != pkcs11.CKS_RO_PUBLIC_SESSION && info.State != pkcs11.CKS_RW_PUBLIC_SESSION
}

// restore logs in again after an error in the given era, unless somebody has done so
// meanwhile. Sure says that the error leaves no doubt about the need.
func (t *token) restore(era uint64, sure bool) error {
	t.repair.Lock()
	defer t.repair.Unlock()
	t.mu.Lock()
	current, in, pin := t.era, t.in, t.pin
	t.mu.Unlock()
	if current != era {
		return nil
	}
	since := time.Since(t.lastTime)
	if t.failed != nil && (errors.Is(t.failed, ErrPIN) || since < repairPause) {
		return t.failed
	}
	if !sure && t.failed == nil && since < doubtPause {
		return nil
	}
	if t.failed == nil && since < repairGap {
		time.Sleep(repairGap - since)
	}
	t.failed = t.reopen(in, pin)
	t.lastTime = time.Now()
	if t.log != nil && t.failed == nil {
		t.log(fmt.Sprintf("PKCS#11 token %q has lost its sessions: logged in again", t.id.label))
	}
	return t.failed
}

// reopen finds the token, ends what is left of its sessions, logs in if it is told to, and
// begins an era.
func (t *token) reopen(login bool, pin string) error {
	found, err := t.m.find(func(_ uint, info pkcs11.TokenInfo) bool { return identify(info) == t.id })
	if err != nil {
		return err
	}
	if len(found) != 1 {
		return fmt.Errorf("token %q: %w", t.id.label, ErrNotFound)
	}
	at := found[0]
	end, err := t.alone()
	if err != nil {
		return err
	}
	defer end()
	// This ends the login too, if there is one still: the one that follows is new.
	t.m.ctx.CloseAllSessions(at.slot)
	base, err := t.m.ctx.OpenSession(at.slot, pkcs11.CKF_SERIAL_SESSION)
	// Without a new session too: the handles are void, and may be somebody else's by now.
	t.mu.Lock()
	t.slot, t.base = at.slot, base
	t.era++
	t.mu.Unlock()
	if err != nil {
		return t.errorf("opening a session", err)
	}
	if login {
		return t.login(base, pin, at.info.Flags)
	}
	return nil
}

// close forgets a user. The last one's leave ends sessions and login.
func (t *token) close() {
	t.m.mu.Lock()
	defer t.m.mu.Unlock()
	t.mu.Lock()
	t.users--
	last, base, in, era := t.users == 0, t.base, t.in, t.era
	t.mu.Unlock()
	if !last {
		return
	}
	delete(t.m.tokens, t.id)
	for {
		select {
		case s := <-t.idle:
			if s.era == era {
				t.m.ctx.CloseSession(s.handle)
			}
			<-t.room
			continue
		default:
		}
		break
	}
	if in {
		t.m.ctx.Logout(base)
	}
	t.m.ctx.CloseSession(base)
}

func (t *token) errorf(doing string, err error) error {
	return fmt.Errorf("token %q: %s: %w", t.id.label, doing, err)
}
