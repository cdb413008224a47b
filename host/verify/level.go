package verify

import "github.com/stunnel-wasm/stunnel-wasm/host/suite"

// weakness goes up a path and tells which keys and signatures are too weak for a security
// level. The peer's own key is judged before the path is built, see weakKey. The
// signature of the last does not count: it is trusted for being listed.
func (p *path) weakness(level int, fail func(depth int, reason string) error) error {
	if level <= 0 {
		return nil
	}
	for depth, n := range p.certs {
		if depth > 0 && weakKey(n, level) {
			if err := fail(depth, "CA certificate key too weak"); err != nil {
				return err
			}
		}
		if depth < len(p.certs)-1 && suite.HashBits(n.SignatureAlgorithm) < suite.MinBits(level) {
			if err := fail(depth, "CA signature digest algorithm too weak"); err != nil {
				return err
			}
		}
	}
	return nil
}

func weakKey(n *node, level int) bool {
	return level > 0 && suite.KeyBits(n.PublicKey) < suite.MinBits(level)
}
