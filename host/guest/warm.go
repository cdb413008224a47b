package guest

import "context"

// warmInstances is how many instances of a module with an image wait for a connection.
// Each holds some 100 KB of tables and the few pages of memory that were written.
const warmInstances = 4

// A warm holds instances that were made ahead. They have run nothing since: an instance
// that did is never put here, so that nothing of one connection can reach another.
type warm struct {
	ready chan *instance // nil: the module keeps none
	taken chan struct{}  // one was taken
	stop  chan struct{}  // closed when the module is closed
}

// end has the keeper close what waits, and end.
func (w *warm) end() {
	if w.stop != nil {
		close(w.stop)
	}
}

// keepWarm starts the goroutine that makes instances ahead. It belongs to the module,
// counts as a run of it, and ends when the module or the runtime is closed.
func (m *Module) keepWarm() {
	m.warm = warm{ready: make(chan *instance, warmInstances), taken: make(chan struct{}, 1), stop: make(chan struct{})}
	m.life.running++
	m.runtime.background.Go(func() {
		ctx := context.Background()
		for m.fill(ctx) {
			select {
			case <-m.warm.taken:
			case <-m.warm.stop:
			case <-m.runtime.stop:
			}
		}
		// Nobody can enter the module any more once it is closed, so that nothing is taken
		// or missed after this.
		_ = m.Close(ctx) // which closes nothing yet: this counts as a run
		for {
			select {
			case i := <-m.warm.ready:
				i.close(ctx)
				continue
			default:
			}
			m.leave(ctx)
			return
		}
	})
}

// fill makes instances until enough wait, and tells whether it should go on.
func (m *Module) fill(ctx context.Context) bool {
	for {
		select {
		case <-m.warm.stop:
			return false
		case <-m.runtime.stop:
			return false
		default:
		}
		if len(m.warm.ready) == cap(m.warm.ready) {
			return true
		}
		i, ok := m.ahead(ctx)
		if !ok {
			// What stands against it a connection will meet too, and report. It is tried again
			// when one is taken.
			return true
		}
		m.warm.ready <- i // which never waits: there is room, and nobody else sends
	}
}

// ahead makes an instance for a connection to come.
func (m *Module) ahead(ctx context.Context) (_ *instance, ok bool) {
	m.runtime.running.RLock()
	defer m.runtime.running.RUnlock()
	if m.runtime.closed {
		return nil, false
	}
	defer func() {
		if recover() != nil { // as when an instance is made for a connection
			ok = false
		}
	}()
	i, err := m.instantiate(ctx, m.image.size)
	return i, err == nil
}

// take is an instance for a run, from those made ahead if there is one.
func (m *Module) take(ctx context.Context, limit uint64) (*instance, error) {
	if m.warm.ready == nil {
		return m.instantiate(ctx, limit)
	}
	defer func() {
		select {
		case m.warm.taken <- struct{}{}:
		default: // it is told already
		}
	}()
	select {
	case i := <-m.warm.ready:
		i.memory.limit = limit
		return i, nil
	default:
		return m.instantiate(ctx, limit)
	}
}
