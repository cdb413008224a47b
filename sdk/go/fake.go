//go:build !wasm || js

package stunnel

import (
	"bytes"
	"unsafe"
)

// A Fake is the host of a guest's logic in a native test: what peers send is there from
// the start, and what the guest sends and says is kept. It knows no time, no names and
// no capabilities; transcripts for stunnel-wasm guest test do.
type Fake struct {
	In      [2][]byte         // what each side sends, by Side; its stream ends behind it
	Config  map[string]string // by key, and what Secret gives
	Info    map[InfoID]string
	Facts   map[string]string // annotated before, and by the guest
	Connect Code              // how Connect fails; 0: it does not

	Out       [2]bytes.Buffer // what the guest sent, by Side
	TLS       [2]bool         // it started TLS
	Connected bool
	Target    string // what SetTarget chose
	ALPN      string // what SetALPN named, a line each
	Logged    []string
	Failed    *Refusal // what Status told
}

var fake = &Fake{}

// Use makes f the host of all calls that follow.
func Use(f *Fake) {
	if f.Facts == nil {
		f.Facts = make(map[string]string)
	}
	fake = f
}

// at is the memory that a call names.
func at(p unsafe.Pointer, size uint32) []byte { return unsafe.Slice((*byte)(p), size) }

// give copies a value as the host does.
func give(value string, ok bool, buf unsafe.Pointer, room uint32) int32 {
	if !ok {
		return int32(None)
	}
	copy(at(buf, room), value)
	return int32(len(value))
}

// open tells whether a side can be used.
func (f *Fake) open(side int32) bool { return side == int32(Accepted) || f.Connected }

func rawRead(side int32, buf unsafe.Pointer, size uint32) int32 {
	n := rawPeek(side, buf, size)
	if n > 0 {
		fake.In[side] = fake.In[side][n:]
	}
	return n
}

func rawReadFull(side int32, buf unsafe.Pointer, size uint32) int32 {
	n := rawRead(side, buf, size)
	if n >= 0 && uint32(n) < size {
		return int32(EOF)
	}
	return n
}

func rawReadLine(side int32, buf unsafe.Pointer, room uint32) int32 {
	if !fake.open(side) {
		return int32(State)
	}
	end := bytes.IndexByte(fake.In[side], '\n') + 1
	switch {
	case end > int(room), end == 0 && len(fake.In[side]) >= int(room):
		return int32(TooLong)
	case end == 0:
		return int32(EOF)
	}
	return rawRead(side, buf, uint32(end))
}

func rawPeek(side int32, buf unsafe.Pointer, size uint32) int32 {
	if !fake.open(side) {
		return int32(State)
	}
	return int32(copy(at(buf, size), fake.In[side]))
}

func rawWrite(side int32, buf unsafe.Pointer, size uint32) int32 {
	if !fake.open(side) {
		return int32(State)
	}
	fake.Out[side].Write(at(buf, size))
	return int32(size)
}

func rawWait(mask, _ int32) int32 {
	readable := int32(0)
	for side, in := range fake.In {
		if bit := int32(1) << side; mask&bit != 0 && len(in) > 0 {
			readable |= bit
		}
	}
	return readable
}

func rawConnect() int32 {
	fake.Connected = fake.Connect == 0
	return int32(fake.Connect)
}

func rawSetTarget(target unsafe.Pointer, size uint32) int32 {
	fake.Target = string(at(target, size))
	return 0
}

func rawResolve(_ unsafe.Pointer, _ uint32, _ unsafe.Pointer, _ uint32) int32 { return int32(Host) }

func rawStartTLS(side int32) int32 {
	switch {
	case !fake.open(side) || fake.TLS[side]:
		return int32(State)
	case len(fake.In[side]) > 0:
		return int32(Inject)
	}
	fake.TLS[side] = true
	return 0
}

func rawConfig(key unsafe.Pointer, size uint32, buf unsafe.Pointer, room uint32) int32 {
	v, ok := fake.Config[string(at(key, size))]
	return give(v, ok, buf, room)
}

func rawSecret(key unsafe.Pointer, size uint32, buf unsafe.Pointer, room uint32) int32 {
	return rawConfig(key, size, buf, room)
}

func rawInfo(id int32, buf unsafe.Pointer, room uint32) int32 {
	v, ok := fake.Info[InfoID(id)]
	return give(v, ok, buf, room)
}

func rawAnnotate(key unsafe.Pointer, size uint32, value unsafe.Pointer, valueSize uint32) int32 {
	fake.Facts[string(at(key, size))] = string(at(value, valueSize))
	return 0
}

func rawLog(_ int32, text unsafe.Pointer, size uint32) {
	fake.Logged = append(fake.Logged, string(at(text, size)))
}

func rawFail(class int32, text unsafe.Pointer, size uint32) {
	fake.Failed = &Refusal{Class(class), string(at(text, size))}
}

func rawDigest(int32, unsafe.Pointer, uint32, unsafe.Pointer, uint32, unsafe.Pointer, uint32) int32 {
	return int32(Denied)
}

func rawRandom(unsafe.Pointer, uint32) int32 { return int32(Denied) }

func rawNow() int64 { return 0 }

func rawSetALPN(names unsafe.Pointer, size uint32) int32 {
	fake.ALPN = string(at(names, size))
	return 0
}

func rawFact(key unsafe.Pointer, size uint32, buf unsafe.Pointer, room uint32) int32 {
	v, ok := fake.Facts[string(at(key, size))]
	return give(v, ok, buf, room)
}
