package relay

// Record types (RFC 5246, section 6.2.1). In TLS 1.3 whatever follows the handshake is
// typed as application data.
const (
	changeCipherSpecRecord = 20
	handshakeRecord        = 22
	applicationDataRecord  = 23
)

// A shake says how far the peer is in a handshake that it began under the relay, a
// renegotiation of TLS 1.2 or older. crypto/tls does it inside Read and cannot stop half
// way, so that errAgain would end the connection: Read has to wait until it is over.
type shake byte

const (
	settled  shake = iota // no handshake
	begun                 // HelloRequest or what follows it
	changed               // the peer's ChangeCipherSpec came
	finished              // its Finished follows, its last word
)

// next is the state that a record of some type leads to.
func (s shake) next(record byte) shake {
	switch {
	case record == handshakeRecord && s == changed:
		return finished
	case record == handshakeRecord:
		return begun
	case record == changeCipherSpecRecord && s == begun:
		return changed
	case record == applicationDataRecord:
		return settled
	}
	return s
}

// fillShaking is fill for a Read that may wait. What crypto/tls wrote of a handshake may
// be held back by Cork, and who called that waits for the end of the handshake.
func (s *Socket) fillShaking() error {
	if s.shaking != settled {
		s.mu.Lock()
		err := s.flush()
		s.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return s.fill()
}
