//go:build cgo

package token

import (
	"crypto"
	"crypto/x509"
	"fmt"

	"github.com/miekg/pkcs11"
)

// template is what an object of a class has to have to be the one that a URI means.
func (u URI) template(class uint) []*pkcs11.Attribute {
	t := []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_CLASS, class)}
	if u.Object != "" {
		t = append(t, pkcs11.NewAttribute(pkcs11.CKA_LABEL, u.Object))
	}
	if len(u.ID) > 0 {
		t = append(t, pkcs11.NewAttribute(pkcs11.CKA_ID, u.ID))
	}
	return t
}

// objects finds what matches a template.
func (t *token) objects(s session, template []*pkcs11.Attribute) ([]pkcs11.ObjectHandle, error) {
	if err := t.m.ctx.FindObjectsInit(s.handle, template); err != nil {
		return nil, t.errorf("looking for objects", err)
	}
	// Modules may give fewer at a time than they are asked for; none ends the list.
	var all []pkcs11.ObjectHandle
	for {
		some, _, err := t.m.ctx.FindObjects(s.handle, 64)
		if err != nil {
			t.m.ctx.FindObjectsFinal(s.handle)
			return nil, t.errorf("looking for objects", err)
		}
		all = append(all, some...)
		if len(some) == 0 || len(all) > maxObjects {
			break
		}
	}
	if err := t.m.ctx.FindObjectsFinal(s.handle); err != nil {
		return nil, t.errorf("looking for objects", err)
	}
	if len(all) > maxObjects {
		return nil, fmt.Errorf("token %q: more than %d objects match", t.id.label, maxObjects)
	}
	return all, nil
}

// attribute reads one attribute of an object; nil: it has none, or keeps it secret.
// Several at once would all fail for one that is missing.
func (t *token) attribute(s session, o pkcs11.ObjectHandle, kind uint) []byte {
	a, err := t.m.ctx.GetAttributeValue(s.handle, o, []*pkcs11.Attribute{pkcs11.NewAttribute(kind, nil)})
	if err != nil || len(a) != 1 {
		return nil
	}
	return a[0].Value
}

// Certificates gives the X.509 certificates that a URI stands for, in the token's order.
// They are looked for without a PIN first, as most tokens show them to everybody.
func (s Source) Certificates(u URI) ([]*x509.Certificate, error) {
	if u.Type != "" && u.Type != "cert" {
		return nil, fmt.Errorf("%s is not a certificate", u)
	}
	pin, err := s.configuredPIN(u)
	if err != nil {
		return nil, err
	}
	certs, err := s.certificates(u, s.Login)
	if err == nil && len(certs) == 0 && pin != "" && !s.Login {
		certs, err = s.certificates(u, true)
	}
	if err == nil && len(certs) == 0 {
		err = fmt.Errorf("certificate %s: %w", u, ErrNotFound)
	}
	return certs, err
}

func (s Source) certificates(u URI, login bool) ([]*x509.Certificate, error) {
	t, err := s.open(u, login)
	if err != nil {
		return nil, err
	}
	defer t.close()
	template := append(u.template(pkcs11.CKO_CERTIFICATE), pkcs11.NewAttribute(pkcs11.CKA_CERTIFICATE_TYPE, pkcs11.CKC_X_509))
	var certs []*x509.Certificate
	err = t.do(func(s session) error {
		certs = nil
		found, err := t.objects(s, template)
		if err != nil {
			return err
		}
		for _, o := range found {
			c, err := x509.ParseCertificate(t.attribute(s, o, pkcs11.CKA_VALUE))
			if err != nil {
				return fmt.Errorf("token %q: a certificate that %s stands for: %w", t.id.label, u, err)
			}
			certs = append(certs, c)
		}
		return nil
	})
	return certs, err
}

// publicKey finds the public half of a private key: in the key itself, in a public key or
// a certificate of the same id, or among the candidates, by what the key signs.
func (k *Key) publicKey(s session, handle pkcs11.ObjectHandle, candidates []crypto.PublicKey) (crypto.PublicKey, error) {
	t := k.token
	if pub := t.public(s, handle, k.kind); pub != nil {
		return pub, nil
	}
	if id := t.attribute(s, handle, pkcs11.CKA_ID); len(id) > 0 {
		same := URI{ID: id}
		keys, err := t.objects(s, same.template(pkcs11.CKO_PUBLIC_KEY))
		if err != nil {
			return nil, err
		}
		for _, o := range keys {
			if pub := t.public(s, o, k.kind); pub != nil {
				return pub, nil
			}
		}
		certs, err := t.objects(s, same.template(pkcs11.CKO_CERTIFICATE))
		if err != nil {
			return nil, err
		}
		for _, o := range certs {
			if c, err := x509.ParseCertificate(t.attribute(s, o, pkcs11.CKA_VALUE)); err == nil && kindOf(c.PublicKey) == k.kind {
				return c.PublicKey, nil
			}
		}
	}
	for _, pub := range candidates {
		if kindOf(pub) == k.kind && k.proves(s, handle, pub) {
			return pub, nil
		}
	}
	return nil, fmt.Errorf("token %q: %s: the public key that belongs to it is not in the token, and it is not that of the certificate", t.id.label, k.uri)
}
