package tlsconf

import (
	"crypto"
	"crypto/x509"
	"errors"
	"slices"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/regular"
)

// A Store keeps certificates and keys elsewhere than in files, as a token does. Its
// methods get the service for the options that are the store's own. An error of theirs that
// is a *config.Error has its hint told too.
type Store interface {
	// Holds tells whether a value of cert or key is a name in the store, not a file's.
	Holds(s *config.Service, value string) bool
	// Certificates gives the certificates of that name, DER, the leaf first. None is no
	// error: the value may name a key alone.
	Certificates(s *config.Service, value string) ([][]byte, error)
	// Key gives the private key of that name. Its Sign must be safe for concurrent use.
	// Where the store does not know the public half, it is one of the candidates.
	Key(s *config.Service, value string, candidates []crypto.PublicKey) (crypto.Signer, error)
	// Trusted gives the certificates of that name, for a value of CAengine or CAstore. There
	// is one at least.
	Trusted(s *config.Service, value string) ([]*x509.Certificate, error)
}

// errNoKey says that there is no private key where one was looked for.
var errNoKey = errors.New("no private key")

// A material is what one value of cert or key leads to. Its key is read when it is
// asked for: a passphrase for a key that nobody needs would be asked in vain.
type material struct {
	option string // the option that named it first
	name   string
	certs  [][]byte
	key    func() (crypto.Signer, error) // errNoKey: none
	pkcs12 bool                          // a PKCS #12 file
	stored bool                          // in the Store, not in a file
	parsed []*x509.Certificate           // certs
	signer crypto.Signer                 // what key gave; nil: not asked yet
}

// open reads what a value of an option names, once for all the options that do.
func (l *loader) open(option, value string) (*material, *config.Error) {
	if i := slices.IndexFunc(l.read, func(m *material) bool { return m.name == value }); i >= 0 {
		return l.read[i], nil
	}
	m, err := l.newMaterial(option, value)
	if err != nil {
		return nil, err
	}
	l.read = append(l.read, m)
	return m, nil
}

func (l *loader) newMaterial(option, value string) (*material, *config.Error) {
	if st := l.options.Store; st != nil && st.Holds(l.service, value) {
		certs, err := st.Certificates(l.service, value)
		if err != nil {
			return nil, storeHint(l.service.Errorf(option, "%v", err), err)
		}
		return &material{option: option, name: value, certs: certs, stored: true,
			key: func() (crypto.Signer, error) { return st.Key(l.service, value, l.publicKeys()) }}, nil
	}
	data, err := readFile(value)
	if err != nil {
		return nil, l.service.Errorf(option, "%v", err)
	}
	if looksLikePKCS12(data) {
		return l.openPKCS12(option, value, data)
	}
	b, err := parsePEM(value, data)
	if err != nil {
		return nil, withFormHint(l.service.Errorf(option, "%v", err), value)
	}
	if b.dh {
		l.context.Notices = append(l.context.Notices, value+": the DH parameters have no use: cipher suites with finite-field Diffie-Hellman are not offered")
	}
	return &material{option: option, name: value, certs: b.certs, key: func() (crypto.Signer, error) {
		if len(b.keys) == 0 {
			return nil, errNoKey
		}
		l.context.warnInsecure(value)
		p := b.keys[0]
		if !encryptedPEM(p) {
			return parsePrivateKey(p.Type, p.Bytes)
		}
		var key crypto.Signer
		err := l.unlock(value, func(secret []byte) (err error) {
			key, err = decryptPEM(p, secret)
			return err
		})
		return key, err
	}}, nil
}

// publicKeys are those of all certificates that were read, as far as they can be parsed.
func (l *loader) publicKeys() []crypto.PublicKey {
	var keys []crypto.PublicKey
	for _, m := range l.read {
		for _, der := range m.certs {
			if c, err := x509.ParseCertificate(der); err == nil {
				keys = append(keys, c.PublicKey)
			}
		}
	}
	return keys
}

// storeHint takes over the hint of a Store's error.
func storeHint(e *config.Error, err error) *config.Error {
	var told *config.Error
	if errors.As(err, &told) {
		e.Hint = told.Hint
	}
	return e
}

// hinted is withFormHint for a material in a file.
func (m *material) hinted(e *config.Error) *config.Error {
	if m.stored {
		return e
	}
	return withFormHint(e, m.name)
}

// String is the name as messages have it.
func (m *material) String() string { return config.HidePIN(m.name) }

// warnInsecure warns of a file with a secret that others can read.
func (c *Context) warnInsecure(path string) {
	if regular.Exposed(path) {
		c.Warnings = append(c.Warnings, "Insecure file permissions on "+path)
	}
}
