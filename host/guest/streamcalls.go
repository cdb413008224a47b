package guest

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
)

// stream finds the side that parameter i names, for a call that reads or writes on it.
func (c call) stream(i int) (*stream, abi.Code) {
	side := c.i32(i)
	if side != int32(abi.Accepted) && side != int32(abi.Outgoing) {
		return nil, abi.Inval
	}
	if c.spent {
		return nil, abi.Limit
	}
	s := &c.sides[side]
	if s.conn == nil {
		return nil, abi.State
	}
	if s.dead {
		return nil, abi.IO
	}
	return s, 0
}

// transfer is a call of the shape (side, ptr, len) -> n.
func (c call) transfer(do func(*negotiation, *stream, []byte) abi.Code) abi.Code {
	b := c.bytes(1)
	s, code := c.stream(0)
	if code != 0 {
		return code
	}
	return do(c.negotiation, s, b)
}

func (c call) doRead() abi.Code     { return c.transfer((*negotiation).read) }
func (c call) doReadFull() abi.Code { return c.transfer((*negotiation).readFull) }
func (c call) doReadLine() abi.Code { return c.transfer((*negotiation).readLine) }
func (c call) doPeek() abi.Code     { return c.transfer((*negotiation).peek) }
func (c call) doWrite() abi.Code    { return c.transfer((*negotiation).write) }

// doWait is wait(mask, timeout_ms). A negative time-out is TIMEOUTbusy, and the code
// for it when it passes; the shortest is minWait.
func (c call) doWait() abi.Code {
	mask := uint32(c.i32(0))
	const both = 1<<abi.Accepted | 1<<abi.Outgoing
	if mask == 0 || mask&^both != 0 {
		return abi.Inval
	}
	if c.spent {
		return abi.Limit
	}
	var bits []uint32
	var sides []*stream
	for side := range c.sides {
		bit := uint32(1) << side
		if mask&bit == 0 {
			continue
		}
		s := &c.sides[side]
		if s.conn == nil {
			return abi.State
		}
		if s.dead {
			return abi.IO
		}
		bits, sides = append(bits, bit), append(sides, s)
	}
	readable, code := c.wait(sides, time.Duration(c.i32(1))*time.Millisecond)
	if code != 0 {
		return code
	}
	var result uint32
	for i, bit := range bits {
		if readable[i] {
			result |= bit
		}
	}
	return abi.Code(result)
}

// doConnect is connect(). The host's dialler has time-outs of its own for each
// address; here the end of the negotiation bounds it.
func (c call) doConnect() abi.Code {
	if c.host == nil || c.sides[abi.Outgoing].conn != nil {
		return abi.State
	}
	if c.connects++; c.connects > maxConnects {
		return abi.Limit
	}
	ctx, stop := context.WithDeadline(c.ctx, c.end)
	defer stop()
	held := c.pause()
	conn, err := c.host.Connect(ctx)
	c.resume(held)
	if err == nil && conn == nil {
		err = errors.New("the host connected to nothing")
	}
	if err != nil {
		c.checkTime()
		c.cause = err
		return DialCode(err)
	}
	c.cause = nil
	c.adopt(abi.Outgoing, conn)
	return 0
}

// startsHello tells whether a client's unread bytes begin a TLS record of the handshake.
// MySQL's client sends it right behind its wish for TLS, which has no answer. Whatever
// they are, they go into the handshake and nowhere else; a word of plaintext fails it.
func startsHello(side abi.Side, unread []byte) bool {
	const handshake = 0x16 // RFC 8446 section 5.1
	return side == abi.Accepted && unread[0] == handshake
}

// doStartTLS is starttls(side).
func (c call) doStartTLS() abi.Code {
	s, code := c.stream(0)
	if code != 0 {
		return code
	}
	if s.tls {
		return abi.State
	}
	early := slices.Clone(s.unread())
	if len(early) > 0 && s.consumed && !startsHello(abi.Side(c.i32(0)), early) {
		// The peer, or somebody on the way to it, sent more plaintext behind what asked
		// for TLS. Read after the handshake it would pass for words that TLS protected
		// (CVE-2011-0411, STARTTLS command injection). A side of which nothing was
		// handed out yet is another matter: it began with a handshake.
		return abi.Inject
	}
	until := c.until()
	ctx, stop := context.WithDeadline(c.ctx, until)
	defer stop()
	c.arm(s.conn, until)
	side := abi.Side(c.i32(0))
	held := c.pause()
	conn, err := c.host.StartTLS(ctx, side, c.alpn, early)
	c.resume(held)
	if errors.Is(err, ErrTaken) {
		// No code tells the guest: it would have a last word, in the clear, on a connection
		// that is encrypted now.
		panic(&halt{kind: KindCancelled, reason: "ended", err: err})
	}
	if err == nil && conn == nil {
		err = errors.New("the host made no stream")
	}
	if err != nil {
		s.dead = true
		c.checkTime()
		c.cause = err
		if e, ok := errors.AsType[*CodeError](err); ok {
			return e.Code
		}
		return abi.TLS
	}
	clear(s.unread())
	s.r, s.w, s.err = 0, 0, nil
	s.tls = true
	c.cause = nil
	c.adopt(side, conn)
	return 0
}
