package guest

import (
	"context"
	"errors"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// instantiate makes an instance whose memory may grow to limit bytes.
func (m *Module) instantiate(ctx context.Context, limit uint64) (_ *instance, err error) {
	mem := &memory{pool: &m.runtime.memory, image: m.image, limit: limit}
	made := &instance{memory: mem}
	defer func() {
		if made.Module == nil || err != nil {
			mem.Free()
		}
	}()
	i, err := m.runtime.wazero.InstantiateModule(experimental.WithMemoryAllocator(ctx, mem), m.compiled, m.runtime.config)
	if err != nil {
		return nil, err
	}
	made.Module = i
	if m.image == nil {
		return made, nil
	}
	made.initialized = m.image.initialized
	if err := m.image.restore(i); err != nil {
		return nil, errors.Join(err, i.Close(ctx))
	}
	return made, nil
}

// restore gives an instance the image's size of memory, whose contents it has, and the
// image's globals.
func (i *image) restore(to api.Module) error {
	mem := to.Memory()
	if grow := i.size - uint64(mem.Size()); grow > 0 {
		if _, ok := mem.Grow(uint32(grow / pageSize)); !ok {
			return errors.New("there is no room for the memory of its image")
		}
	}
	for _, g := range i.globals {
		global, ok := to.ExportedGlobal(g.name).(api.MutableGlobal)
		if !ok {
			return errors.New("a global of its image is gone")
		}
		global.Set(g.value)
	}
	return nil
}
