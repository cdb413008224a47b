package tlsconf

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

// A loader reads the certificates and keys of one service.
type loader struct {
	context *Context
	service *config.Service
	options Options
	read    []*material // each file or name once
}

// loadCertificates reads what cert and key name, each with certificates and key in any
// order, and gives each chain the key that belongs to it.
func (c *Context) loadCertificates(s *config.Service, o Options) error {
	l := &loader{context: c, service: s, options: o}
	var chains, keys []*material
	for _, value := range s.Cert {
		m, err := l.open("cert", value)
		if err != nil {
			return err
		}
		if len(m.certs) == 0 {
			return m.hinted(s.Errorf("cert", "no certificate in %s", m))
		}
		chains = append(chains, m)
	}
	for _, value := range s.Key {
		m, err := l.open("key", value)
		if err != nil {
			return err
		}
		if err := l.openKey(m); err != nil {
			return err
		}
		keys = append(keys, m)
	}
	// After the keys: one that Go cannot use says what it is, its certificate does not.
	for _, m := range l.read {
		if err := m.parse(); err != nil {
			return s.Errorf(m.option, "%s: %v", m, err).
				WithHint("openssl x509 -in %s -text shows it; have it issued anew without what crypto/x509 refuses", m)
		}
	}
	pairs, err := l.pair(chains, keys)
	if err != nil {
		return err
	}
	for i, m := range chains {
		cert, err := l.join(m, pairs[i])
		if err != nil {
			return err
		}
		if now := time.Now(); now.After(cert.Leaf.NotAfter) {
			c.Warnings = append(c.Warnings, fmt.Sprintf("%s: the certificate has expired on %s: peers that verify it refuse", m, cert.Leaf.NotAfter.UTC().Format(time.DateTime)))
		} else if now.Before(cert.Leaf.NotBefore) {
			c.Warnings = append(c.Warnings, fmt.Sprintf("%s: the certificate is not valid before %s: peers that verify it refuse", m, cert.Leaf.NotBefore.UTC().Format(time.DateTime)))
		}
		c.Config.Certificates = append(c.Config.Certificates, *cert)
	}
	return c.leaveVersions(s)
}

// pair finds the key of each chain. A key may lie beside its certificate while the file
// named by cert has those of the issuers alone, and a chain that no key of the list
// belongs to may have its own.
func (l *loader) pair(chains, keys []*material) ([]*material, error) {
	pairs := make([]*material, len(chains))
	free := slices.Clone(keys)
	take := func(i int, belongs func(k *material) bool) {
		if pairs[i] != nil {
			return
		}
		if j := slices.IndexFunc(free, belongs); j >= 0 {
			pairs[i] = free[j]
			free = slices.Delete(free, j, j+1)
		}
	}
	for i, m := range chains {
		take(i, func(k *material) bool { return k.ownsOne(m.parsed) })
	}
	for i := range chains {
		take(i, func(k *material) bool { return k.ownsOne(k.parsed) && !slices.Contains(chains, k) })
	}
	for i, m := range chains {
		if pairs[i] != nil {
			continue
		}
		if err := l.openKey(m); len(chains) > 1 && err == nil && m.ownsOne(m.parsed) && !slices.Contains(keys, m) {
			pairs[i] = m
			continue
		}
		return nil, l.service.Errorf("cert", "%s: key values mismatch: no certificate belongs to the private key", m).
			WithHint("let key = FILE name the private key that the certificate was made for")
	}
	if len(free) > 0 {
		return nil, l.service.Errorf(free[0].option, "%s: key values mismatch: the private key belongs to no certificate", free[0]).
			WithHint("add its certificate with cert = FILE, or remove the line")
	}
	return pairs, nil
}

// join puts the key's own certificate first and the others behind it, each issuer after
// what it issued as far as they connect; peers that follow RFC 5246 need that order.
func (l *loader) join(m, k *material) (*tls.Certificate, error) {
	parsed := m.parsed
	if k != m && !slices.Contains(l.service.Cert, k.name) {
		parsed = append(slices.Clone(parsed), k.parsed...)
	}
	leaf := slices.IndexFunc(parsed, func(c *x509.Certificate) bool { return owns(k.signer, c) })
	if leaf < 0 {
		return nil, l.service.Errorf("cert", "%s: key values mismatch", m)
	}
	out := &tls.Certificate{PrivateKey: k.signer, Leaf: parsed[leaf]}
	if r, ok := k.signer.(restricted); ok {
		out.SupportedSignatureAlgorithms = r.Schemes()
	}
	used := make([]bool, len(parsed))
	for cur := leaf; cur >= 0; {
		used[cur] = true
		out.Certificate = append(out.Certificate, parsed[cur].Raw)
		next := -1
		for i, c := range parsed {
			if !used[i] && bytes.Equal(c.RawSubject, parsed[cur].RawIssuer) {
				next = i
				break
			}
		}
		cur = next
	}
	for i, c := range parsed {
		if !used[i] {
			out.Certificate = append(out.Certificate, c.Raw)
		}
	}
	return out, nil
}

// owns tells whether a certificate was made for a key.
func owns(key crypto.Signer, c *x509.Certificate) bool {
	pub, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && pub.Equal(c.PublicKey)
}

// ownsOne tells whether one of the certificates was made for a material's key.
func (m *material) ownsOne(certs []*x509.Certificate) bool {
	return m.signer != nil && slices.ContainsFunc(certs, func(c *x509.Certificate) bool { return owns(m.signer, c) })
}

// openKey gets a material's private key.
func (l *loader) openKey(m *material) *config.Error {
	if m.signer != nil {
		return nil
	}
	signer, err := m.key()
	switch {
	case errors.Is(err, errNoKey):
		return m.hinted(l.service.Errorf(m.option, "no private key in %s", m).
			WithHint("name the file that has it with key = FILE, or append it to the certificate"))
	case err != nil:
		return l.unreadable(m, "private key in ", err)
	}
	m.signer = signer
	return nil
}

// parse reads a material's certificates.
func (m *material) parse() error {
	for _, der := range m.certs {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return fmt.Errorf("parsing a certificate: %w", err)
		}
		m.parsed = append(m.parsed, c)
	}
	return nil
}

// chooseCertificate lets a server with several certificates send the first one that a
// client can verify. Crypto/tls by itself would look for the client's SNI name in them
// first, and take the very first certificate where it is in none, whatever its kind:
// with names that only clients know, one kind of client could not connect.
func (c *Context) chooseCertificate() {
	certs := c.Config.Certificates
	if len(certs) < 2 {
		return
	}
	c.Config.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		nameless := *hello
		nameless.ServerName = ""
		for i := range certs {
			if nameless.SupportsCertificate(&certs[i]) == nil {
				return &certs[i], nil
			}
		}
		return &certs[0], nil
	}
}

// offerCertificate lets a client send the first certificate of a kind that the server
// takes. It is sent whatever CAs the server names, as OpenSSL does: crypto/tls would
// hold back a certificate of another CA.
func (c *Context) offerCertificate() {
	certs := c.Config.Certificates
	switch len(certs) {
	case 0:
		return
	case 1:
		// Nothing to choose, and no issuers to parse in each handshake.
		c.Config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &certs[0], nil }
		return
	}
	c.Config.GetClientCertificate = func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		anyCA := *info
		anyCA.AcceptableCAs = nil
		for _, asked := range []*tls.CertificateRequestInfo{info, &anyCA} {
			for i := range certs {
				if asked.SupportsCertificate(&certs[i]) == nil {
					return &certs[i], nil
				}
			}
		}
		return &certs[0], nil
	}
}
