package main

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// pingSize is the size of a ping in bytes.
const pingSize = 64

// sendSize is the size of a client's writes in modeBulk, in bytes.
const sendSize = 64 << 10

// errorPause keeps clients from spinning on a proxy that refuses them.
const errorPause = 20 * time.Millisecond

// runHandshakes makes connections one after the other, on each of Conns clients.
func (g *generator) runHandshakes() (*result, error) {
	var clients sync.WaitGroup
	for range g.Conns {
		clients.Go(func() {
			var lats []time.Duration
			for !g.stop.Load() {
				start := time.Now()
				if err := g.touch(); err != nil {
					g.failed(err)
					time.Sleep(errorPause)
					continue
				}
				lats = append(lats, time.Since(start))
				g.done(1)
			}
			g.addLats(lats)
		})
	}
	r, err := g.window(1)
	clients.Wait()
	return r, err
}

// touch makes a connection, uses it once and closes it.
func (g *generator) touch() error {
	c, err := g.open()
	if err != nil {
		return err
	}
	defer c.Close()
	return echo(c)
}

func (g *generator) addLats(lats []time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lats = append(g.lats, lats...)
}

// openAll makes Conns connections without deadlines.
func (g *generator) openAll() ([]net.Conn, error) {
	conns := make([]net.Conn, g.Conns)
	for i := range conns {
		c, err := g.open()
		if err == nil {
			err = c.SetDeadline(time.Time{})
		}
		if err != nil {
			closeAll(conns)
			return nil, err
		}
		conns[i] = c
	}
	return conns, nil
}

func closeAll(conns []net.Conn) {
	for _, c := range conns {
		if c != nil {
			c.Close()
		}
	}
}

// runBulk counts bytes at the clients.
func (g *generator) runBulk() (*result, error) {
	conns, err := g.openAll()
	if err != nil {
		return nil, err
	}
	var streams sync.WaitGroup
	for _, c := range conns {
		streams.Go(func() { g.failed(g.stream(c)) })
	}
	r, err := g.window(1e6)
	closeAll(conns) // which ends the streams
	streams.Wait()
	return r, err
}

// stream moves bytes until the connection ends, and says how it ended.
func (g *generator) stream(c net.Conn) error {
	ask, buf, move := byte(askDown), make([]byte, bulkBuffer), c.Read
	if g.Up {
		ask, buf, move = askUp, buf[:sendSize], c.Write
	}
	if _, err := c.Write([]byte{ask}); err != nil {
		return err
	}
	for {
		n, err := move(buf)
		g.done(n)
		if err != nil {
			return err
		}
	}
}

// runPing has one message under way on each of Conns connections.
func (g *generator) runPing() (*result, error) {
	conns, err := g.openAll()
	if err != nil {
		return nil, err
	}
	var pingers sync.WaitGroup
	for _, c := range conns {
		pingers.Go(func() {
			lats, err := g.ping(c)
			g.failed(err)
			g.addLats(lats)
		})
	}
	r, err := g.window(1)
	closeAll(conns) // so that a ping that got stuck ends
	pingers.Wait()
	return r, err
}

// ping sends messages until the connection ends, and says how it ended.
func (g *generator) ping(c net.Conn) (lats []time.Duration, err error) {
	b := make([]byte, pingSize)
	b[0] = askEcho
	for {
		start := time.Now()
		if _, err := c.Write(b); err != nil {
			return lats, err
		}
		if _, err := io.ReadFull(c, b); err != nil {
			return lats, err
		}
		lats = append(lats, time.Since(start))
		g.done(1)
	}
}

// runIdle measures what holding connections takes. What a proxy gives back to the
// system, it gives back late: memory is read some time after the last handshake.
func (g *generator) runIdle(open func() (net.Conn, error)) (*result, error) {
	settle := g.Time + g.Time/2
	if first, err := open(); err == nil {
		first.Close()
	} else { // what is allocated once belongs to no connection
		return nil, err
	}
	time.Sleep(settle / 3)
	before, err := residentKiB(g.PID)
	if err != nil {
		return nil, err
	}
	cpu, err := cpuTime(g.PID)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	conns := make([]net.Conn, g.Conns)
	defer closeAll(conns)
	var next atomic.Int64
	var clients sync.WaitGroup
	for range hsClients {
		clients.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(conns); i = int(next.Add(1)) - 1 {
				c, err := open()
				if err != nil {
					g.failed(err)
					continue
				}
				conns[i] = c
			}
		})
	}
	clients.Wait()
	r := &result{Units: float64(int64(g.Conns) - g.errors.Load()), Seconds: time.Since(start).Seconds()}
	time.Sleep(settle)
	after, err := residentKiB(g.PID)
	if err != nil {
		return nil, err
	}
	end, err := cpuTime(g.PID)
	if err != nil {
		return nil, err
	}
	g.stop.Store(true)
	r.CPU = (end - cpu).Seconds()
	r.KiB = float64(after-before) / max(1, r.Units)
	return r, nil
}

// hold makes a connection whose negotiation waits for the client.
func (g *generator) hold() (net.Conn, error) {
	c, err := g.open()
	if err != nil {
		return nil, err
	}
	return c, c.SetDeadline(time.Time{})
}

// idle makes a connection that has been used once.
func (g *generator) idle() (net.Conn, error) {
	c, err := g.open()
	if err != nil {
		return nil, err
	}
	if err := echo(c); err != nil {
		c.Close()
		return nil, err
	}
	return c, c.SetDeadline(time.Time{})
}
