package matrix

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net"
	"time"
)

// A cert is a certificate under construction, every field as DER, since
// x509.CreateCertificate would refuse most of what hostile or old issuers write.
// Issue signs it.
type cert struct {
	version  int    // 1 to 3
	serial   []byte // content octets of the INTEGER
	issuer   []byte
	subject  []byte
	validity [2][]byte // notBefore, notAfter
	exts     []pkix.Extension
	key      *key
	alg      string // of the signature, see algorithms; empty: as suits the issuer's key
	spoil    bool   // flips a bit of the signature
	spki     []byte // in place of the key's
	inner    string // the algorithm named inside, where it is to be another

	der []byte
}

// An edit changes a certificate before it is signed.
type edit func(*cert)

// now is the moment that validities are told from. The peers know no other clock
// than the machine's.
var now = time.Now().UTC().Truncate(time.Second)

var (
	oidSubjectKeyID     = asn1.ObjectIdentifier{2, 5, 29, 14}
	oidKeyUsage         = asn1.ObjectIdentifier{2, 5, 29, 15}
	oidAltNames         = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidBasicConstraints = asn1.ObjectIdentifier{2, 5, 29, 19}
	oidNameConstraints  = asn1.ObjectIdentifier{2, 5, 29, 30}
	oidPolicyConstraint = asn1.ObjectIdentifier{2, 5, 29, 36}
	oidAuthorityKeyID   = asn1.ObjectIdentifier{2, 5, 29, 35}
	oidExtKeyUsage      = asn1.ObjectIdentifier{2, 5, 29, 37}
	oidNetscapeType     = asn1.ObjectIdentifier{2, 16, 840, 1, 113730, 1, 1}
	oidUnknown          = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 55555, 1}
)

// An algorithm signs certificates and CRLs.
type algorithm struct {
	oid  asn1.ObjectIdentifier
	hash crypto.Hash
	null bool // parameters are NULL, not absent
	pss  bool
}

var algorithms = map[string]algorithm{
	"rsa-md5":      {asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 4}, crypto.MD5, true, false},
	"rsa-sha1":     {asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 5}, crypto.SHA1, true, false},
	"rsa-sha256":   {asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}, crypto.SHA256, true, false},
	"rsa-sha512":   {asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 13}, crypto.SHA512, true, false},
	"rsa-pss":      {asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}, crypto.SHA256, false, true},
	"ecdsa-sha1":   {asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 1}, crypto.SHA1, false, false},
	"ecdsa-sha224": {asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 1}, crypto.SHA224, false, false},
	"ecdsa-sha256": {asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}, crypto.SHA256, false, false},
	"ecdsa-sha384": {asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3}, crypto.SHA384, false, false},
	"ecdsa-sha512": {asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 4}, crypto.SHA512, false, false},
	"ed25519":      {asn1.ObjectIdentifier{1, 3, 101, 112}, 0, false, false},
}

// usual is the algorithm that a key signs with unless told otherwise.
func usual(k *key) string {
	switch k.signer.(type) {
	case *rsa.PrivateKey:
		return "rsa-sha256"
	case ed25519.PrivateKey:
		return "ed25519"
	case *ecdsa.PrivateKey:
		return "ecdsa-sha256"
	}
	panic("no algorithm for this key")
}

func (a algorithm) identifier() []byte {
	parts := [][]byte{marshal(a.oid)}
	switch {
	case a.pss: // SHA-256, MGF1 with SHA-256, a salt of 32 bytes
		hash := sequence(marshal(asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}), []byte{5, 0})
		mgf := sequence(marshal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 8}), hash)
		parts = append(parts, sequence(explicit(0, hash), explicit(1, mgf), explicit(2, marshal(32))))
	case a.null:
		parts = append(parts, []byte{5, 0})
	}
	return sequence(parts...)
}

func (a algorithm) sign(k *key, text []byte) []byte {
	digest := text
	if a.hash != 0 {
		h := a.hash.New()
		h.Write(text)
		digest = h.Sum(nil)
	}
	var o crypto.SignerOpts = a.hash
	if a.pss {
		o = &rsa.PSSOptions{SaltLength: 32, Hash: a.hash}
	}
	return must(k.signer.Sign(rand.Reader, digest, o))
}

// signed puts a signature under something to be signed.
func signed(tbs []byte, alg string, k *key, spoil bool) []byte {
	a := algorithms[alg]
	sig := a.sign(k, tbs)
	if spoil {
		sig[len(sig)-1] ^= 1
	}
	return sequence(tbs, a.identifier(), marshal(asn1.BitString{Bytes: sig, BitLength: 8 * len(sig)}))
}

// issue signs a certificate by an issuer's key.
func (c *cert) issue(by *key) *cert {
	if c.alg == "" {
		c.alg = usual(by)
	}
	var parts [][]byte
	if c.version > 1 {
		parts = append(parts, explicit(0, marshal(c.version-1)))
	}
	inner := c.inner
	if inner == "" {
		inner = c.alg
	}
	spki := c.spki
	if spki == nil {
		spki = c.key.spki
	}
	parts = append(parts, element(asn1.TagInteger, c.serial), algorithms[inner].identifier(), c.issuer,
		sequence(c.validity[0], c.validity[1]), c.subject, spki)
	if len(c.exts) > 0 {
		parts = append(parts, explicit(3, marshal(c.exts)))
	}
	c.der = signed(sequence(parts...), c.alg, by, c.spoil)
	return c
}

func marshal(v any) []byte { return must(asn1.Marshal(v)) }

func element(tag int, content []byte) []byte {
	return marshal(asn1.RawValue{Tag: tag, Bytes: content})
}

func sequence(parts ...[]byte) []byte {
	return marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: join(parts)})
}

func explicit(tag int, parts ...[]byte) []byte {
	return marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tag, IsCompound: true, Bytes: join(parts)})
}

func implicit(tag int, content []byte) []byte {
	return marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tag, Bytes: content})
}

func join(parts [][]byte) []byte {
	var all []byte
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// A text is a string of a name with its ASN.1 type.
type text struct {
	tag   int
	bytes string
}

func utf8(s string) text { return text{asn1.TagUTF8String, s} }

var (
	oidCommonName = asn1.ObjectIdentifier{2, 5, 4, 3}
	oidCountry    = asn1.ObjectIdentifier{2, 5, 4, 6}
	oidOrg        = asn1.ObjectIdentifier{2, 5, 4, 10}
	oidUnit       = asn1.ObjectIdentifier{2, 5, 4, 11}
	oidEmail      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}
)

// An attribute is one of a name.
type attribute struct {
	oid   asn1.ObjectIdentifier
	value text
}

// name makes a distinguished name of one attribute each RDN.
func name(as ...attribute) []byte {
	var rdns [][]byte
	for _, a := range as {
		ava := sequence(marshal(a.oid), element(a.value.tag, []byte(a.value.bytes)))
		rdns = append(rdns, marshal(asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: ava}))
	}
	return sequence(rdns...)
}

func common(s string) []byte { return name(attribute{oidCommonName, utf8(s)}) }

// utc and general are the two kinds of time.
func utc(t time.Time) []byte {
	return element(asn1.TagUTCTime, []byte(t.UTC().Format("060102150405Z")))
}

func general(t time.Time) []byte {
	return element(asn1.TagGeneralizedTime, []byte(t.UTC().Format("20060102150405Z")))
}

// extension makes one out of DER.
func extension(oid asn1.ObjectIdentifier, critical bool, value []byte) pkix.Extension {
	return pkix.Extension{Id: oid, Critical: critical, Value: value}
}

// bits are named bits, numbered from the first.
func bits(ns ...int) []byte {
	var b [2]byte
	top := 0
	for _, n := range ns {
		b[n/8] |= 0x80 >> (n % 8)
		top = max(top, n+1)
	}
	return marshal(asn1.BitString{Bytes: b[:(top+7)/8], BitLength: top})
}

func dns(s string) []byte             { return implicit(2, []byte(s)) }
func email(s string) []byte           { return implicit(1, []byte(s)) }
func uri(s string) []byte             { return implicit(6, []byte(s)) }
func directory(n []byte) []byte       { return explicit(4, n) }
func address(s string) []byte         { return implicit(7, packed(s)) }
func number(n int64) []byte           { return big.NewInt(n).Bytes() }
func days(n int) time.Time            { return now.AddDate(0, 0, n) }
func hours(n int) time.Time           { return now.Add(time.Duration(n) * time.Hour) }
func subnet(addr, mask string) []byte { return implicit(7, append(packed(addr), packed(mask)...)) }

// packed is an address in its shortest form.
func packed(s string) []byte {
	ip := net.ParseIP(s)
	if v4 := ip.To4(); v4 != nil {
		return v4
	}
	return ip
}
