//go:build cgo

package token

import (
	"errors"
	"fmt"
	"time"

	"github.com/miekg/pkcs11"
)

// errVoid is an answer that cannot be right, as when another login has reused a handle.
var errVoid = errors.New("the token's answer belongs to something else")

// sessionRetry is how often a session is asked for again that the token had no room for.
const sessionRetry = 20 * time.Millisecond

// do calls use with a session of its own, and again after a new login if the token seems
// to have lost what it knew of us.
func (t *token) do(use func(s session) error) error {
	var err error
	for range maxAttempts {
		var s session
		if s, err = t.try(use); err == nil {
			return nil
		}
		switch {
		case lost(err), doubtful(err):
			if fatal := t.restore(s.era, lost(err)); fatal != nil {
				return fmt.Errorf("%w (after %w)", fatal, err)
			}
		case !errors.Is(err, errVoid):
			return err
		}
	}
	return err
}

// try is one attempt. The session says in which era it was made.
func (t *token) try(use func(s session) error) (session, error) {
	late := time.NewTimer(maxWait)
	defer late.Stop()
	if err := t.enter(late.C); err != nil {
		return session{}, err
	}
	defer t.leave()
	s, err := t.take(late.C)
	if err != nil {
		return s, err
	}
	if err = use(s); err != nil {
		t.drop(s)
		return s, err
	}
	t.idle <- s
	return s, nil
}

// enter counts a caller who uses sessions, once no login is under way.
func (t *token) enter(late <-chan time.Time) error {
	for {
		t.mu.Lock()
		gate := t.gate
		if gate == nil {
			t.busy++
			t.mu.Unlock()
			return nil
		}
		t.mu.Unlock()
		select {
		case <-gate:
		case <-late:
			return fmt.Errorf("token %q: login takes longer than %v", t.id.label, maxWait)
		}
	}
}

func (t *token) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.busy--; t.busy == 0 && t.drained != nil {
		close(t.drained)
		t.drained = nil
	}
}

// alone shuts others out of the sessions and waits for those who are in: modules crash
// where a session is closed while a call uses it (SoftHSM 2.6.1 does). Reopen ends it.
func (t *token) alone() (reopen func(), err error) {
	gate, drained := make(chan struct{}), make(chan struct{})
	t.mu.Lock()
	t.gate = gate
	if t.busy == 0 {
		close(drained)
	} else {
		t.drained = drained
	}
	t.mu.Unlock()
	reopen = func() {
		t.mu.Lock()
		t.gate, t.drained = nil, nil
		t.mu.Unlock()
		close(gate)
	}
	late := time.NewTimer(maxWait)
	defer late.Stop()
	select {
	case <-drained:
		return reopen, nil
	case <-late.C:
		reopen()
		return nil, fmt.Errorf("token %q: a call does not return, so that no new login is possible", t.id.label)
	}
}

// take gives an idle session, or opens one; if there are too many it waits for one.
func (t *token) take(late <-chan time.Time) (session, error) {
	for {
		// First without the room for a new one in the choice: select would take that as often.
		select {
		case s := <-t.idle:
			if t.usable(s) {
				return s, nil
			}
			continue
		default:
		}
		select {
		case s := <-t.idle:
			if t.usable(s) {
				return s, nil
			}
			continue
		case t.room <- struct{}{}:
		case <-late:
			return session{era: t.currentEra()}, fmt.Errorf("token %q: all its sessions were busy for %v", t.id.label, maxWait)
		}
		s, err := t.openSession()
		if err == nil {
			return s, nil
		}
		<-t.room
		// Others have sessions too: other programs, or ours, which come back.
		if !is(err, pkcs11.CKR_SESSION_COUNT) {
			return s, err
		}
		select {
		case s := <-t.idle:
			if t.usable(s) {
				return s, nil
			}
		case <-time.After(sessionRetry):
		case <-late:
			return session{era: t.currentEra()}, fmt.Errorf("token %q: it had no room for a session for %v", t.id.label, maxWait)
		}
	}
}

// usable tells whether a session that was idle is of this era. One of an earlier era is gone,
// and leaves its room.
func (t *token) usable(s session) bool {
	if t.current(s) {
		return true
	}
	<-t.room
	return false
}

// openSession opens one of the current era. The era is told with an error too.
func (t *token) openSession() (session, error) {
	t.mu.Lock()
	slot, era := t.slot, t.era
	t.mu.Unlock()
	h, err := t.m.ctx.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION)
	return session{h, era}, err
}

// drop ends a session after an error: an operation may be under way in it. Of an era that
// has ended its handle may be somebody else's by now.
func (t *token) drop(s session) {
	if t.current(s) {
		t.m.ctx.CloseSession(s.handle)
	}
	<-t.room
}

func (t *token) current(s session) bool { return s.era == t.currentEra() }

func (t *token) currentEra() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.era
}
