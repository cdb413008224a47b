package verify

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"iter"
)

// beginMark begins each block of a PEM file.
var beginMark = []byte("-----BEGIN ")

// dashes end a block, byteOrderMark begins some texts in UTF-8.
var (
	dashes        = []byte("-----")
	byteOrderMark = []byte("\xef\xbb\xbf")
)

// Blocks gives the blocks of a PEM file. A byte order mark, which editors on Windows put
// before the text, is skipped, as OpenSSL does: with it the first block would have no
// line of its own, and an authority would be missing without a word.
func Blocks(data []byte) iter.Seq[*pem.Block] {
	return func(yield func(*pem.Block) bool) {
		rest := bytes.TrimPrefix(data, byteOrderMark)
		for {
			var b *pem.Block
			if b, rest = pem.Decode(rest); b == nil || !yield(b) {
				return
			}
		}
	}
}

// Unread counts the blocks that a PEM file begins and that [Blocks] does not give:
// damaged ones, and those in which one file was put behind another without a line's end
// between them. OpenSSL ends with an error there; who just skips them misses authorities
// and lists without a word.
func Unread(data []byte) int {
	n := 0
	for rest := data; ; n++ {
		i := bytes.Index(rest, beginMark)
		if i < 0 {
			break
		}
		before := data[:len(data)-len(rest)+i]
		if rest = rest[i+len(beginMark):]; len(before) > 0 && before[len(before)-1] != '\n' && !bytes.HasSuffix(before, dashes) && !bytes.Equal(before, byteOrderMark) {
			n-- // somebody's comment
		}
	}
	for range Blocks(data) {
		n--
	}
	return max(n, 0)
}

// An UnreadError tells of blocks that a PEM file begins and that cannot be read.
type UnreadError struct{ Blocks int }

func (e *UnreadError) Error() string {
	return fmt.Sprintf("bad end line: %d of the PEM blocks in it cannot be read", e.Blocks)
}
