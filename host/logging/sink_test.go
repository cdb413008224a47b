package logging

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A gate is an output whose writes wait until the test lets them pass, or
// fail while fail is set.
type gate struct {
	pass   chan struct{}
	fail   error
	text   strings.Builder
	writes int
	closed bool
}

func (g *gate) writeLines(batch []byte) (int, error) {
	if g.pass != nil {
		<-g.pass
	}
	if g.fail != nil {
		return countLines(batch), g.fail
	}
	g.writes++
	g.text.Write(batch)
	return 0, nil
}

func (g *gate) close() { g.closed = true }

// openGate returns a Log that writes to g alone, at level info.
func openGate(g *gate) *Log {
	l := New()
	s := &state{options: Options{Level: Info}, any: true}
	s.sinks[fileSink] = newSink(g, lineFormatter(Options{}))
	l.state.Store(s)
	return l
}

// texts returns what follows the time stamp of each line in s.
func texts(s string) []string {
	var all []string
	for line := range strings.Lines(s) {
		all = append(all, strings.TrimSuffix(line[len("2026.11.22 13:12:03 "):], "\n"))
	}
	return all
}

func TestStuckSinkDropsAndTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{pass: make(chan struct{})}
		l := openGate(g)
		ui := l.Logger("ui")
		start := time.Now()

		ui.Infof("first")
		synctest.Wait() // the sink holds "first" and is stuck
		for i := range maxQueue {
			ui.Infof("line %d", i)
		}
		// "first" is unfinished and counts; the last errQueue places are kept.
		const room = maxQueue - errQueue - 1
		for i := range errQueue {
			ui.Errf("error %d", i)
		}
		if d := time.Since(start); d != 0 {
			t.Fatalf("waited %v although there was room or the lines could be dropped", d)
		}

		ui.Critf("one error too many")
		if d := time.Since(start); d != errWait {
			t.Errorf("a line at level crit waited %v for room, want %v", d, errWait)
		}
		ui.Critf("the sink is known to be stuck")
		if d := time.Since(start); d != errWait {
			t.Errorf("the next line at level crit waited too: %v", d-errWait)
		}

		close(g.pass)
		if err := l.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := texts(g.text.String())
		if len(got) != 1+room+errQueue+1 {
			t.Fatalf("%d lines written", len(got))
		}
		last := got[len(got)-1]
		if want := fmt.Sprintf("LOG4[log]: %d log line(s) dropped", maxQueue-room+2); last != want {
			t.Errorf("last line %q, want %q", last, want)
		}
		for i, want := range map[int]string{0: "LOG6[ui]: first", room: fmt.Sprintf("LOG6[ui]: line %d", room-1), room + 1: "LOG3[ui]: error 0"} {
			if got[i] != want {
				t.Errorf("line %d is %q, want %q", i, got[i], want)
			}
		}
		if g.writes != 3 {
			t.Errorf("%d writes, want 3: the first line, all others, the gap", g.writes)
		}
		if !g.closed {
			t.Error("Close left the output open")
		}
	})
}

func TestErrorWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{pass: make(chan struct{})}
		l := openGate(g)
		ui := l.Logger("ui")
		ui.Errf("first")
		synctest.Wait()
		for range maxQueue - 1 {
			ui.Errf("filler")
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			ui.Errf("waited")
		}()
		synctest.Wait()
		g.pass <- struct{}{} // "first" is written, all others taken: still full
		g.pass <- struct{}{}
		<-done
		close(g.pass)
		if err := l.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := texts(g.text.String())
		if len(got) != maxQueue+1 || got[maxQueue] != "LOG3[ui]: waited" {
			t.Errorf("%d lines, the last %q", len(got), got[len(got)-1])
		}
	})
}

func TestFailedWritesAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{fail: errors.New("no space left on device")}
		l := openGate(g)
		ui := l.Logger("ui")
		ui.Noticef("lost 1")
		ui.Noticef("lost 2")
		synctest.Wait()
		g.fail = nil
		ui.Noticef("back")
		if err := l.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := strings.Join(texts(g.text.String()), "|")
		if want := "LOG5[ui]: back|LOG4[log]: 2 log line(s) dropped: no space left on device"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestCloseIsBoundedByContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{pass: make(chan struct{})}
		l := openGate(g)
		ui := l.Logger("ui")
		ui.Noticef("stuck")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		err := l.Close(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("Close returned %v after %v", err, time.Since(start))
		}
		ui.Emergf("after Close")
		if ui.Enabled(Emerg) {
			t.Error("a closed log is enabled")
		}
		if err := l.Close(ctx); err != nil {
			t.Errorf("second Close: %v", err)
		}
		close(g.pass)
		synctest.Wait()
		if got := strings.Join(texts(g.text.String()), "|"); got != "LOG5[ui]: stuck" || !g.closed {
			t.Errorf("the sink wrote %q later, closed its output: %v", got, g.closed)
		}
	})
}

// TestLateLineAfterClose is a line whose logger saw the sink open and found
// it closed: it must neither be written nor wait.
func TestLateLineAfterClose(t *testing.T) {
	g := new(gate)
	l := openGate(g)
	s := l.state.Load()
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.deliver(s, fileSink, &record{Context: t.Context(), text: []byte("late")})
	if g.text.Len() != 0 {
		t.Errorf("written after Close: %q", g.text.String())
	}
}
