//go:build unix

package daemon

import (
	"errors"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/passphrase"
)

func TestAskParent(t *testing.T) {
	parent, child, err := socketPair()
	if err != nil {
		t.Fatal(err)
	}
	defer parent.Close()
	defer child.Close()
	var prompts []string
	ready := make(chan bool)
	go func() {
		ready <- attend(parent, func(prompt string) ([]byte, error) {
			prompts = append(prompts, prompt)
			switch len(prompts) {
			case 1:
				return []byte("s\x00cret "), nil
			case 2:
				return nil, passphrase.ErrNoTerminal
			case 3:
				return nil, errors.New("too long")
			}
			return nil, nil
		})
	}()
	if got, err := askParent(child, "Enter a:"); string(got) != "s\x00cret " || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := askParent(child, "Enter b:"); !errors.Is(err, passphrase.ErrNoTerminal) {
		t.Errorf("got %v", err)
	}
	if _, err := askParent(child, "Enter c:"); err == nil || err.Error() != "too long" {
		t.Errorf("got %v", err)
	}
	if got, err := askParent(child, ""); len(got) != 0 || err != nil {
		t.Errorf("an empty passphrase: %q, %v", got, err)
	}
	(&daemon{ready: child}).notifyParent(true)
	if !<-ready {
		t.Error("the parent does not see that the daemon runs")
	}
	if got := strings.Join(prompts, " "); got != "Enter a: Enter b: Enter c: " {
		t.Errorf("prompts %q", got)
	}
}

// A parent that was interrupted at its prompt leaves a daemon that ends too.
func TestAskParentThatEnds(t *testing.T) {
	parent, child, err := socketPair()
	if err != nil {
		t.Fatal(err)
	}
	defer child.Close()
	go func() {
		readText(parent)
		parent.Close()
	}()
	if _, err := askParent(child, "Enter a:"); err == nil || err.Error() != "the passphrase was not given" {
		t.Errorf("got %v", err)
	}
}

func TestReloadsAskNothing(t *testing.T) {
	if _, err := (&daemon{}).ask("Enter a:"); !errors.Is(err, errAskedAtStart) {
		t.Errorf("got %v", err)
	}
}
