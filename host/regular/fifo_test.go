//go:build unix

package regular

import (
	"path/filepath"
	"syscall"
	"testing"
)

// TestFIFO wants an answer, not a wait for somebody who writes.
func TestFIFO(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path, 1); err == nil {
		t.Error("a FIFO is read")
	}
}
