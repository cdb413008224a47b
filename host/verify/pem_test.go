package verify

import (
	"encoding/pem"
	"strings"
	"testing"
)

// TestBlocks reads what editors and cat make of PEM files.
func TestBlocks(t *testing.T) {
	block := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("some bytes")}))
	joined := strings.TrimSpace(block) + block
	for _, c := range []struct {
		name, text   string
		read, unread int
	}{
		{"one", block, 1, 0},
		{"text around", "Bag Attributes\n" + block + "more\n" + block, 2, 0},
		{"byte order mark", "\xef\xbb\xbf" + block + block, 2, 0},
		{"lines of Windows", strings.ReplaceAll(block+block, "\n", "\r\n"), 2, 0},
		{"no line's end between two", joined + block, 1, 2},
		{"damaged", strings.Replace(block, "-----\n", "-----\n!", 1) + block, 1, 1},
		{"comment", "see -----BEGIN CERTIFICATE-----\n" + block, 1, 0},
		{"cut off", block + block[:40], 1, 1},
		{"none", "hello", 0, 0},
	} {
		read := 0
		for range Blocks([]byte(c.text)) {
			read++
		}
		if unread := Unread([]byte(c.text)); read != c.read || unread != c.unread {
			t.Errorf("%s: read %d, unread %d, want %d and %d", c.name, read, unread, c.read, c.unread)
		}
	}
}
