package guest

import (
	"fmt"
	"slices"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
)

// Bounds of what one negotiation may leave in the log and with the host. A guest, or
// a peer whose words it logs, could fill the disk otherwise.
const (
	maxKey       = 256      // bytes of a key for config and secret
	maxLogLines  = 100      // lines
	maxLogBytes  = 16 << 10 // bytes of all lines, escaped
	maxAnnotated = 16       // facts
)

// doConfig is config(kptr, klen, buf, cap).
func (c call) doConfig() abi.Code { return c.lookUp(c.config) }

// doSecret is secret(kptr, klen, buf, cap).
func (c call) doSecret() abi.Code {
	if c.host == nil {
		return abi.State
	}
	return c.lookUp(c.host.Secret)
}

func (c call) lookUp(value func(string) (string, bool)) abi.Code {
	key := c.bytes(0)
	c.bytes(2)
	if len(key) > maxKey {
		return abi.Inval
	}
	v, ok := value(string(key))
	if !ok {
		return abi.None
	}
	return c.copyOut(v, 2)
}

// doInfo is info(id, buf, cap).
func (c call) doInfo() abi.Code {
	id := abi.InfoID(c.i32(0))
	c.bytes(1)
	if c.host == nil {
		return abi.State
	}
	if id < 0 {
		return abi.Inval
	}
	// No import tells who will ask for these, so that the grant is checked here.
	if id >= abi.InfoPeerSubject && !slices.Contains(c.module.allow, abi.Peer) {
		return abi.Denied
	}
	v, ok := c.host.Info(id)
	if !ok {
		return abi.None
	}
	return c.copyOut(v, 1)
}

// doAnnotate is annotate(kptr, klen, vptr, vlen).
func (c call) doAnnotate() abi.Code {
	key, value := c.bytes(0), c.bytes(2)
	if c.host == nil {
		return abi.State
	}
	if len(key) == 0 || len(key) > maxFactName {
		return abi.Inval
	}
	if c.annotated >= maxAnnotated {
		return abi.Limit
	}
	c.annotated++
	c.host.Annotate(printable(key, maxFactName), printable(value, maxFact))
	return 0
}

// doLog is log(level, ptr, len). It has no result: a guest cannot do anything about
// a line that is dropped, but the log says once that lines are.
func (c call) doLog() abi.Code {
	severity := int(c.i32(0))
	text := c.bytes(1)
	if severity < 0 || severity > 7 {
		severity = 7
	}
	c.logLine(severity, text)
	return 0
}

// logLine writes a guest's line, within what one negotiation may leave in the log.
func (n *negotiation) logLine(severity int, text []byte) {
	if n.logLines > maxLogLines || n.logBytes > maxLogBytes {
		return
	}
	line := printable(text, maxLine)
	n.logLines++
	n.logBytes += len(line)
	if n.logLines > maxLogLines || n.logBytes > maxLogBytes {
		line = fmt.Sprintf("guest %s logs too much, the rest of it is dropped", n.module.Name)
		severity = 4
	}
	n.logTo(severity, line)
}

// doFail is fail(class, ptr, len). The first sentence counts: what a guest says
// while it gives up says less.
func (c call) doFail() abi.Code {
	class := abi.Class(c.i32(0))
	text := c.bytes(1)
	if c.failed {
		return 0
	}
	if class < abi.FailPeer || class > abi.FailInternal {
		class = abi.FailInternal
	}
	c.failed, c.class, c.sentence = true, class, printable(text, maxReason)
	return 0
}

// doRandom is random(ptr, len).
func (c call) doRandom() abi.Code {
	b := c.bytes(0)
	if c.host == nil {
		return abi.State
	}
	c.fillRandom(b)
	return 0
}

// doNow is now() -> i64. Its result is wide, and goes straight to the stack.
func (c call) doNow() abi.Code {
	c.stack[0] = api.EncodeI64(time.Now().UnixMilli())
	return 0
}
