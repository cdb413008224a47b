package guest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/stunnel-wasm/stunnel-wasm/host/meter"
)

// An image is what the instances of a module begin with: the contents of its memory,
// and its globals. Start-up code of a standard toolchain takes milliseconds, and 21,000
// data segments a few more, which is paid once when the module is loaded; instances begin
// where that ended.
//
// All instances then share what the start-up drew, a runtime's seed among it. Nothing
// of any connection can be in an image: it is made before the first, for none, and a
// start-up that calls the host in any way that a connection could show in makes none.
type image struct {
	contents
	size        uint64 // bytes of memory
	globals     []global
	initialized bool // _initialize is behind it
	reserve     int  // bytes of address space that an instance maps
}

// A global is a global of an image.
type global struct {
	name  string // of its export
	value uint64
}

// contents are the bytes of an image: in a file that instances map, or on the heap.
type contents struct {
	file  memfile
	bytes []byte // nil: they are in the file
}

func newContents(b []byte) contents {
	if file, err := newMemfile(b); err == nil {
		return contents{file: file}
	}
	// A system without such files, or one that has no more of them.
	return contents{bytes: b}
}

// copyTo copies the contents to b, which is as long.
func (c *contents) copyTo(b []byte) {
	if c.bytes != nil {
		copy(b, c.bytes)
		return
	}
	c.file.read(b)
}

// mapping is memory of an instance that is a copy of the contents, and zero behind
// them. It is nil if the system does not give any.
func (i *image) mapping() []byte {
	if i.bytes != nil {
		return nil
	}
	return i.file.mapping(i.reserve)
}

func (i *image) close() { i.file.close() }

// imageTime bounds the start-up of a module, in its first instance. Fuel is what ends
// one that loops; time is there for one that sleeps.
const imageTime = 10 * time.Second

// makeImage has instances begin with what data segments set and, if nothing speaks
// against it, behind the start-up.
func (m *Module) makeImage(ctx context.Context, facts *meter.Module, pages uint32) {
	reserve := int(min(pages, facts.Memory.Max)) * pageSize
	first := make([]byte, uint64(facts.Memory.Min)*pageSize)
	copy(first, facts.State.Memory)
	m.image = &image{contents: newContents(first), size: uint64(len(first)), reserve: reserve}

	if second, err := m.initialized(ctx, facts.State.Globals, pages); err != nil {
		m.Info.Plain = err.Error()
	} else {
		m.image.close()
		second.reserve = reserve
		m.image = second
	}
	m.keepWarm()
}

// initialized is an image of an instance that ran _initialize. The error says why
// there is none: such a module runs it in every instance.
func (m *Module) initialized(ctx context.Context, globals []meter.Global, pages uint32) (_ *image, failure error) {
	defer func() {
		// As when an instance is made for a connection.
		if r := recover(); r != nil {
			failure = fmt.Errorf("panic: %s", printable(fmt.Sprint(r), maxReason))
		}
	}()
	n := m.newNegotiation(Limits{Pages: pages, Time: imageTime})
	n.imaging = true
	stop := context.AfterFunc(ctx, func() { n.cancel(context.Cause(ctx)) })
	defer stop()
	defer n.pause()
	ctx = context.WithValue(ctx, negotiationKey{}, n)
	i, err := m.instantiate(ctx, uint64(pages)*pageSize)
	if err != nil {
		return nil, errors.New(m.errorOf(err).Reason)
	}
	defer i.close(ctx)
	if err := n.initialize(ctx, i); err != nil {
		return nil, errors.New(m.errorOf(err).Reason)
	}
	memory, ok := i.Memory().Read(0, i.Memory().Size())
	if !ok {
		return nil, errors.New("its memory cannot be read")
	}
	kept := append([]byte(nil), memory...)
	result := &image{contents: newContents(kept), size: uint64(len(kept)), initialized: true}
	for _, g := range globals {
		result.globals = append(result.globals, global{name: g.Export, value: i.ExportedGlobal(g.Export).Get()})
	}
	m.clockBase = n.clock(clockLast)
	return result, nil
}

// minPages is how many pages every instance begins with.
func (m *Module) minPages() uint32 {
	if m.image != nil {
		return uint32(m.image.size / pageSize)
	}
	return m.Info.MinPages
}

// An instance is one of a module. It runs for one connection and is closed then.
type instance struct {
	api.Module
	memory      *memory
	initialized bool // _initialize is behind it
}

// close ends the instance, and only then gives its memory back.
func (i *instance) close(ctx context.Context) {
	// Without WASI of wazero's own nothing is open that could fail to close.
	_ = i.Close(ctx)
	// wazero does not free the memory of an instance whose start function failed.
	i.memory.Free()
}
