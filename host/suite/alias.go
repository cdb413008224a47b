package suite

// A selector picks suites: those that have one of the properties of each kind. A
// field of 0 asks nothing.
type selector struct {
	kx, auth, enc, mac mask
	bits               int
	min                uint16
	flags              mask
}

func (q *selector) picks(s *Suite) bool {
	has := func(want, is mask) bool { return want == 0 || want&is != 0 }
	return has(q.kx, s.kx) && has(q.auth, s.auth) && has(q.enc, s.enc) && has(q.mac, s.mac) &&
		(q.bits == 0 || q.bits == s.bits) && (q.min == 0 || q.min == s.min) &&
		has(q.flags&strength, s.flags) && has(q.flags&notDefault, s.flags)
}

// A pattern is what several words joined by plus signs pick.
type pattern struct {
	selector
	one *Suite // the suite that was named; nil: none
}

// strength are the properties that OpenSSL keeps apart from notDefault.
const strength = high | fips | noStrength

// narrow adds a word to a pattern; false: no suite could be picked any more. Words with
// a strength are joined as in OpenSSL: one after COMPLEMENTOFDEFAULT takes its place, and
// HIGH and FIPS have nothing in common.
func (p *pattern) narrow(q selector, one *Suite) bool {
	for _, f := range []struct{ have, more *mask }{{&p.kx, &q.kx}, {&p.auth, &q.auth}, {&p.enc, &q.enc}, {&p.mac, &q.mac}} {
		if *f.have != 0 && *f.more != 0 && *f.have&*f.more == 0 {
			return false
		}
		if *f.have == 0 {
			*f.have = *f.more
		} else if *f.more != 0 {
			*f.have &= *f.more
		}
	}
	switch had, more := p.flags&strength, q.flags&strength; {
	case more == 0:
	case had == 0:
		p.flags = more
	case had&more == 0:
		return false
	default:
		p.flags = had&more | p.flags&notDefault
	}
	p.flags |= q.flags & notDefault
	if p.bits != 0 && q.bits != 0 && p.bits != q.bits || p.min != 0 && q.min != 0 && p.min != q.min {
		return false
	}
	p.bits, p.min = max(p.bits, q.bits), max(p.min, q.min)
	if one != nil {
		p.one = one
	}
	return true
}

const (
	anyPSK = kPSK | kRSAPSK | kDHEPSK | kECDHEPSK
	aesAll = aesCBC | aesGCM | aesCCM | aesCCM8
	cbc    = aesCBC | camellia | tripleDES
)

// aliases are the words for sets of suites, in the case of letters that OpenSSL asks
// for (openssl-ciphers(1), "CIPHER STRINGS"). The words that name nothing in a current
// OpenSSL are there so that they are not taken for mistakes.
var aliases = map[string]selector{
	"ALL":                 {enc: ^null},
	"COMPLEMENTOFALL":     {enc: null},
	"COMPLEMENTOFDEFAULT": {flags: notDefault},
	"HIGH":                {flags: high},
	"FIPS":                {flags: fips},

	"kRSA": {kx: kRSA},
	"kEDH": {kx: kDH}, "kDHE": {kx: kDH}, "DH": {kx: kDH},
	"kEECDH": {kx: kECDH}, "kECDHE": {kx: kECDH}, "ECDH": {kx: kECDH},
	"kPSK": {kx: kPSK}, "kRSAPSK": {kx: kRSAPSK}, "kDHEPSK": {kx: kDHEPSK}, "kECDHEPSK": {kx: kECDHEPSK},
	"kSRP": {kx: kSRP},

	"aRSA": {auth: aRSA},
	"aDSS": {auth: aDSS}, "DSS": {auth: aDSS},
	"aECDSA": {auth: aECDSA}, "ECDSA": {auth: aECDSA},
	"aPSK": {auth: aPSK}, "aSRP": {auth: aSRP}, "aNULL": {auth: aNone},

	"RSA": {kx: kRSA, auth: aRSA},
	"EDH": {kx: kDH, auth: ^aNone}, "DHE": {kx: kDH, auth: ^aNone},
	"EECDH": {kx: kECDH, auth: ^aNone}, "ECDHE": {kx: kECDH, auth: ^aNone},
	"ADH": {kx: kDH, auth: aNone}, "AECDH": {kx: kECDH, auth: aNone},
	"PSK": {kx: anyPSK}, "SRP": {kx: kSRP},

	"NULL": {enc: null}, "eNULL": {enc: null},
	"AES": {enc: aesAll}, "AES128": {enc: aesAll, bits: 128}, "AES256": {enc: aesAll, bits: 256},
	"AESGCM": {enc: aesGCM}, "AESCCM": {enc: aesCCM | aesCCM8}, "AESCCM8": {enc: aesCCM8},
	"ARIA": {enc: ariaGCM}, "ARIAGCM": {enc: ariaGCM}, "ARIA128": {enc: ariaGCM, bits: 128}, "ARIA256": {enc: ariaGCM, bits: 256},
	"CAMELLIA": {enc: camellia}, "CAMELLIA128": {enc: camellia, bits: 128}, "CAMELLIA256": {enc: camellia, bits: 256},
	"CHACHA20": {enc: chacha20}, "CBC": {enc: cbc},
	"3DES": {enc: tripleDES}, "RC4": {enc: rc4},

	"MD5": {mac: mMD5}, "SHA1": {mac: mSHA1}, "SHA": {mac: mSHA1}, "SHA256": {mac: mSHA256}, "SHA384": {mac: mSHA384},

	"SSLv3": {min: ssl3}, "TLSv1": {min: tls10}, "TLSv1.0": {min: tls10}, "TLSv1.2": {min: tls12},
}

// empty are words of OpenSSL, of now or of then, that name nothing.
var empty = map[string]bool{
	"MEDIUM": true, "LOW": true, "EXP": true, "EXPORT": true, "EXPORT40": true, "EXPORT56": true, "SSLv2": true, "TLSv1.1": true,
	"SEED": true, "IDEA": true, "DES": true, "RC2": true, "FZA": true,
	"kDHr": true, "kDHd": true, "aDH": true, "kECDHr": true, "kECDHe": true, "aECDH": true, "kFZA": true, "aFZA": true, "eFZA": true,
	"kGOST": true, "kGOST18": true, "aGOST": true, "aGOST01": true, "aGOST12": true, "GOST89": true, "GOST94": true, "GOST89MAC": true,
	"GOST2012": true, "GOST12": true, "kKRB5": true, "aKRB5": true, "KRB5": true,
}
