package guest

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// Bounds of text that a guest chose, but for maxName, in bytes after escaping.
const (
	maxName     = 4096 // a guest's path
	maxReason   = 256  // a sentence for fail, a trap's text, a line of a trace
	maxPlace    = 64   // a function's name
	maxLine     = 512  // a line for log
	maxFactName = 64   // a key for annotate
	maxFact     = 256  // a value for annotate
)

// printable escapes what is not printable UTF-8 and cuts the result. Log lines are
// read by terminals and by programs that split them: a guest, or a peer whose
// words it repeats, must not end a line, move a cursor or reverse a reader's text.
func printable[T string | []byte](text T, limit int) string {
	const cut = "..."
	out := make([]byte, 0, min(len(text), limit))
	whole := 0 // where out can be cut so that it and the mark fit
	for i := 0; i < len(text); {
		// At most utf8.UTFMax bytes at once, so that a long text is not converted whole.
		r, size := utf8.DecodeRuneInString(string(text[i:min(i+utf8.UTFMax, len(text))]))
		switch {
		case r == utf8.RuneError && size == 1:
			out = fmt.Appendf(out, `\x%02x`, text[i])
		case r == '\\':
			out = append(out, `\\`...)
		case r < ' ' || r == 0x7f:
			out = fmt.Appendf(out, `\x%02x`, r)
		case !strconv.IsPrint(r):
			out = fmt.Appendf(out, `\u{%x}`, r)
		default:
			out = utf8.AppendRune(out, r)
		}
		if len(out) > limit {
			return string(out[:whole]) + cut
		}
		if len(out) <= limit-len(cut) {
			whole = len(out)
		}
		i += size
	}
	return string(out)
}
