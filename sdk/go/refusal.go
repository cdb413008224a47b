package stunnel

import (
	"errors"
	"io"
)

// A Class says whose doing a refusal is.
type Class int32

const (
	ClassPeer     Class = 0 // a peer said what it should not
	ClassConfig   Class = 1 // an option makes no sense
	ClassPolicy   Class = 2 // refused on purpose
	ClassInternal Class = 3 // the guest's own fault
)

// A Refusal is how a negotiation ends early: one sentence for the log, and a class.
type Refusal struct {
	Class    Class
	Sentence string
}

func (r *Refusal) Error() string { return r.Sentence }

// Refuse ends a negotiation, once [Status] hears of it. The sentence names the peer, what
// was expected and what came; a peer's own words go into it by [Quote].
func Refuse(class Class, sentence string) error { return &Refusal{class, sentence} }

// Doing says at what a host call failed, as in "connecting: connection refused". It is
// nil if err is, and a refusal as it is if err is one already.
func Doing(what string, err error) error {
	if _, ok := err.(*Refusal); ok || err == nil {
		return err
	}
	class := ClassPeer
	if err == io.EOF {
		err = EOF
	}
	if code, ok := err.(Code); !ok || code.isInternal() {
		class = ClassInternal
	}
	return &Refusal{class, what + ": " + err.Error()}
}

// Status is what negotiate, decide and configure return for how they ended: 0 for nil,
// else 1, once the host was told the reason.
func Status(err error) int32 {
	if err == nil {
		return 0
	}
	refusal := &Refusal{ClassInternal, err.Error()}
	if code, ok := err.(Code); ok && !code.isInternal() || err == io.EOF {
		refusal.Class = ClassPeer
	}
	errors.As(err, &refusal)
	b := []byte(refusal.Sentence)
	rawFail(int32(refusal.Class), pointer(b), length(b))
	return 1
}

// maxQuote is the longest quotation in a sentence, of which the host keeps 256 bytes.
const maxQuote = 160

// Quote puts a peer's words in double quotes, cut. A double quote within becomes a single
// one, so that a peer cannot end its quotation; what does not print is escaped by the host.
func Quote[T string | []byte](words T) string {
	out := []byte{'"'}
	for i := 0; i < len(words) && i < maxQuote; i++ {
		c := words[i]
		if c == '"' {
			c = '\''
		}
		out = append(out, c)
	}
	if len(words) > maxQuote {
		out = append(out, "..."...)
	}
	return string(append(out, '"'))
}
