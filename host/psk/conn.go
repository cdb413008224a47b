package psk

import (
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/record"
)

// Bounds of what a peer may send without getting anywhere.
const (
	// maxMessage is the longest handshake message: a ClientHello with a key share of some
	// kilobytes and many identities fits, and nothing else here is longer than a few
	// hundred bytes.
	maxMessage = 16 << 10
	// maxIdle is how many records without application data may follow each other: warnings,
	// tickets, key updates, empty ones. crypto/tls has the same bound.
	maxIdle = 16
)

// closeTime is how long a close_notify may take to leave, as in crypto/tls.
const closeTime = 5 * time.Second

var (
	errShutdown  = errors.New("tls: protocol is shutdown")
	errEnded     = errors.New("tls: the peer has ended the connection by an alert")
	errHandshake = errors.New("tls: the handshake is not complete")
)

// A Conn is a connection that is secured by a pre-shared key. Read and Write may be called
// at the same time, and Close at any time, as with any net.Conn; deadlines are those of the
// connection below. The first Read or Write does the handshake if Handshake was not called.
type Conn struct {
	net.Conn // below
	config   *Config
	client   bool
	hello    *Hello // a server's: read already

	handshakeLock sync.Mutex
	handshakeErr  error
	complete      atomic.Bool
	handshake                         // while it lasts
	state         tls.ConnectionState // valid once complete
	identity      string              // whose key it is, or would be
	known         bool                // there is a key for it

	in struct {
		sync.Mutex
		*record.Reader
		hand []byte // of a handshake message that is not whole yet
		data []byte // decrypted and not read yet; the Reader's
		idle int    // records without application data since the last that had some
		err  error  // for good
	}
	out struct {
		sync.Mutex
		*record.Writer
		err error // for good: errShutdown after close_notify
	}
	updateAsked atomic.Bool // the peer waits for our KeyUpdate
	ended       atomic.Bool // the peer has ended the connection by an alert
}

// Client speaks TLS as a client over a connection.
func Client(c net.Conn, config *Config) *Conn {
	t := newConn(c, config)
	t.client = true
	return t
}

// Server answers a client whose Hello was read from a connection.
func Server(c net.Conn, config *Config, hello *Hello) *Conn {
	t := newConn(c, config)
	t.hello = hello
	return t
}

func newConn(c net.Conn, config *Config) *Conn {
	t := &Conn{Conn: c, config: config}
	t.in.Reader, t.out.Writer = record.NewReader(c), record.NewWriter(c)
	return t
}

// Handshake does the handshake, once; later calls give what it gave. Its end is the
// deadline of the connection below.
func (c *Conn) Handshake() error {
	if c.complete.Load() {
		return nil
	}
	c.handshakeLock.Lock()
	defer c.handshakeLock.Unlock()
	if c.complete.Load() || c.handshakeErr != nil {
		return c.handshakeErr
	}
	c.in.Lock()
	defer c.in.Unlock()
	err := c.config.Check(c.client)
	switch {
	case err != nil:
		err = internal(err)
	case c.client:
		err = c.clientHandshake()
	default:
		err = c.serverHandshake()
	}
	c.in.Release() // an idle connection holds no room
	if err != nil {
		c.handshakeErr = c.fail(err)
		return c.handshakeErr
	}
	c.in.Compatible, c.in.idle = false, 0
	c.state.HandshakeComplete = true
	c.handshake = handshake{} // the secrets and the transcript
	c.complete.Store(true)
	return nil
}

// ConnectionState tells what the handshake agreed on, in crypto/tls's terms. It has no
// certificates, and no exporter.
func (c *Conn) ConnectionState() tls.ConnectionState {
	if !c.complete.Load() {
		return tls.ConnectionState{}
	}
	return c.state
}

// Identity gives the identity that the client gave, and whether there is a key for it, which
// does not say that the client has that key: a handshake that succeeded does. It is for
// after Handshake; an empty one means that it was not told.
func (c *Conn) Identity() (name string, known bool) {
	c.handshakeLock.Lock()
	defer c.handshakeLock.Unlock()
	return c.identity, c.known
}

// Read gives decrypted bytes, io.EOF after the peer's close_notify. The connection's own
// errors come as they are; after a timeout it can be called again.
func (c *Conn) Read(p []byte) (int, error) {
	if err := c.Handshake(); err != nil {
		return 0, err
	}
	if len(p) == 0 {
		return 0, nil
	}
	c.in.Lock()
	defer c.in.Unlock()
	for len(c.in.data) == 0 {
		if c.in.err != nil {
			return 0, c.in.err
		}
		if err := c.readRecord(); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.in.data)
	c.in.data = c.in.data[n:]
	if len(c.in.data) == 0 {
		c.in.data = nil
		c.in.Release()
	}
	return n, nil
}

// readRecord reads one record after the handshake.
func (c *Conn) readRecord() error {
	t, content, err := c.in.Next()
	if err == nil {
		err = c.admit(t, content)
	}
	if len(c.in.data) == 0 {
		c.in.Release()
	}
	if err != nil {
		return c.failReading(err)
	}
	return nil
}

// admit takes a record after the handshake.
func (c *Conn) admit(t record.Type, content []byte) error {
	if t != record.Handshake && len(c.in.hand) > 0 {
		return unexpected("record within a handshake message") // RFC 8446, section 5.1
	}
	if t == record.ApplicationData && len(content) > 0 {
		c.in.data, c.in.idle = content, 0
		return nil
	}
	if err := c.countIdle(); err != nil {
		return err
	}
	switch t {
	case record.ApplicationData:
		return nil
	case record.Alert:
		return c.takeAlert(content)
	case record.Handshake:
		return c.takePostHandshake(content)
	}
	return unexpected("record type %d", t)
}

// countIdle bounds the work that a peer makes us do without sending anything.
func (c *Conn) countIdle() error {
	if c.in.idle++; c.in.idle > maxIdle {
		return unexpected("number of records without data")
	}
	return nil
}

// Write encrypts and sends.
func (c *Conn) Write(p []byte) (int, error) {
	if err := c.Handshake(); err != nil {
		return 0, err
	}
	c.out.Lock()
	defer c.out.Unlock()
	for n := 0; n < len(p); {
		if err := c.outErr(); err != nil {
			return n, err
		}
		part := p[n:min(len(p), n+record.MaxPlaintext)]
		if err := c.writeRecord(part); err != nil {
			c.out.err = err
			return n, err
		}
		n += len(part)
	}
	return len(p), nil
}

// outErr says why nothing more can leave; the caller has the lock. The peer's fatal alert is
// a reason (RFC 8446, section 6.2): whoever reads it cannot wait for the lock, which a Write
// may have for long.
func (c *Conn) outErr() error {
	if c.out.err == nil && c.ended.Load() {
		c.out.err = errEnded
	}
	return c.out.err
}

func (c *Conn) writeRecord(part []byte) error {
	// Before the next application data, as RFC 8446 section 4.6.3 asks; so however many
	// updates a peer asks for, it gets one.
	if c.updateAsked.Swap(false) || c.out.Due() {
		if err := c.sendKeyUpdate(); err != nil {
			return err
		}
	}
	if err := c.out.Append(record.ApplicationData, part); err != nil {
		return err
	}
	return c.out.Flush()
}

// CloseWrite sends close_notify; the peer may go on sending (RFC 8446, section 6.1).
func (c *Conn) CloseWrite() error {
	if !c.complete.Load() {
		return errHandshake
	}
	c.out.Lock()
	defer c.out.Unlock()
	return c.closeNotify()
}

func (c *Conn) closeNotify() error {
	switch err := c.outErr(); err {
	case nil:
	case errShutdown:
		return nil
	default:
		return err
	}
	c.out.err = errShutdown
	c.SetWriteDeadline(time.Now().Add(closeTime))
	err := c.sendAlert(record.CloseNotify)
	c.SetWriteDeadline(time.Now()) // nothing may follow
	return err
}

// Close closes the connection. It sends close_notify before, unless a Write is under way:
// that one may never end.
func (c *Conn) Close() error {
	var notified error
	if c.complete.Load() && c.out.TryLock() {
		notified = c.closeNotify()
		c.out.Unlock()
	}
	if err := c.Conn.Close(); err != nil {
		return err
	}
	return notified
}
