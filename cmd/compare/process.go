package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Bounds of a proxy's life.
const (
	startTime = 10 * time.Second // until it accepts
	stopTime  = time.Second      // from SIGTERM until it is killed
	startPoll = 200 * time.Microsecond
)

// loadTime bounds a load generator beyond what it is to measure.
const loadTime = time.Minute

// tailSize is how much of a program's output is kept for an error, in bytes.
const tailSize = 1 << 10

// A tail keeps the end of what a program writes.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if over := len(t.text) - tailSize; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := t.text
	if _, whole, ok := bytes.Cut(text, []byte("\n")); ok && len(text) == tailSize {
		text = whole // its first line has lost its beginning
	}
	return string(bytes.TrimSpace(text))
}

// A proxy is a running peer.
type proxy struct {
	cmd    *exec.Cmd
	out    tail
	exited chan struct{}
	start  time.Duration // from exec until it accepted
}

// startProxy runs a peer for a job and waits until it accepts.
func startProxy(ctx context.Context, p *peer, j *job) (*proxy, error) {
	file := filepath.Join(j.dir, p.name+".conf")
	conf, args := p.config(j, file)
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		return nil, err
	}
	x := &proxy{cmd: exec.Command(p.binary, args...), exited: make(chan struct{})}
	x.cmd.Stdout, x.cmd.Stderr = &x.out, &x.out
	x.cmd.SysProcAttr = childAttributes()
	x.cmd.WaitDelay = stopTime
	begin := time.Now()
	if err := x.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = x.cmd.Wait() // how it ends does not matter: it is told to, or never accepts
		close(x.exited)
	}()
	if err := x.await(ctx, j.listen, begin); err != nil {
		x.stop()
		return nil, fmt.Errorf("%w: %s", err, x.out.String())
	}
	return x, nil
}

// await tries to connect until it works.
func (x *proxy) await(ctx context.Context, addr string, begin time.Time) error {
	ctx, cancel := context.WithDeadline(ctx, begin.Add(startTime))
	defer cancel()
	pause := time.NewTicker(startPoll)
	defer pause.Stop()
	for {
		if c, err := net.Dial("tcp", addr); err == nil {
			x.start = time.Since(begin)
			return c.Close()
		}
		select {
		case <-x.exited:
			return errors.New("it ended before it accepted")
		case <-ctx.Done():
			return fmt.Errorf("waiting until it accepts: %w", ctx.Err())
		case <-pause.C:
		}
	}
}

// stop ends the proxy and all its children.
func (x *proxy) stop() {
	_ = x.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-x.exited:
	case <-time.After(stopTime):
	}
	killGroup(x.cmd.Process.Pid)
	<-x.exited
}

// A backend is the running backend process.
type backend struct {
	backends
	cmd   *exec.Cmd
	stdin io.Closer
}

func startBackend(ctx context.Context, self, pem string) (*backend, error) {
	b := &backend{cmd: exec.CommandContext(ctx, self, hiddenBackend, pem)}
	b.cmd.Stderr = os.Stderr
	b.cmd.SysProcAttr = childAttributes()
	stdin, err := b.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	b.stdin = stdin
	stdout, err := b.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := b.cmd.Start(); err != nil {
		return nil, err
	}
	if err := json.NewDecoder(stdout).Decode(&b.backends); err != nil {
		b.stop()
		return nil, fmt.Errorf("starting the backend: %w", err)
	}
	return b, nil
}

// stop ends the backend, whose life is its standard input's.
func (b *backend) stop() {
	b.stdin.Close()
	_ = b.cmd.Wait()
}

// generate runs the load generator.
func generate(ctx context.Context, self string, l load) (*result, error) {
	order, err := json.Marshal(l)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, loadTime+4*l.Time)
	defer cancel()
	cmd := exec.CommandContext(ctx, self, hiddenLoad, string(order))
	cmd.SysProcAttr = childAttributes()
	var complaint tail
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("generating load: %w: %s", err, complaint.String())
	}
	var r result
	if err := json.Unmarshal(out, &r); err != nil {
		return nil, fmt.Errorf("generating load: %w", err)
	}
	return &r, nil
}
