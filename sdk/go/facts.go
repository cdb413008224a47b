package stunnel

import "unsafe"

// firstRoom is the length of the first buffer for a value, in bytes. One that is longer
// is asked for again.
const firstRoom = 256

// value fetches a value of any length, which the host tells.
func value(fetch func(buf unsafe.Pointer, room uint32) int32) (string, error) {
	buf := make([]byte, firstRoom)
	for {
		n, err := check(fetch(pointer(buf), length(buf)))
		if err != nil {
			return "", err
		}
		if n <= len(buf) {
			return string(buf[:n]), nil
		}
		buf = make([]byte, n)
	}
}

// Config is a service option ("client", "protocolhost"), or a guestOption by
// "option.NAME", whose values are lines if it is given several times. One that is not
// set is [None].
func Config(key string) (string, error) {
	k := []byte(key)
	return value(func(buf unsafe.Pointer, room uint32) int32 { return rawConfig(pointer(k), length(k), buf, room) })
}

// IsClient tells whether the service is a TLS client.
func IsClient() bool {
	v, _ := Config("client")
	return v == "yes"
}

// Option is a guestOption, and whether it is set.
func Option(name string) (string, bool) {
	v, err := Config("option." + name)
	return v, err == nil
}

// Secret is as [Config], for a value that the host keeps out of its logs; capability secret.
func Secret(key string) (string, error) {
	k := []byte(key)
	return value(func(buf unsafe.Pointer, room uint32) int32 { return rawSecret(pointer(k), length(k), buf, room) })
}

// An InfoID names a fact of the connection that the host knows.
type InfoID int32

const (
	InfoService      InfoID = 0
	InfoMode         InfoID = 1
	InfoPeerAddr     InfoID = 2
	InfoLocalAddr    InfoID = 3
	InfoTargetAddr   InfoID = 4
	InfoSNI          InfoID = 5
	InfoALPN         InfoID = 6
	InfoTLSVersion   InfoID = 7
	InfoCipher       InfoID = 8
	InfoStage        InfoID = 9
	InfoTarget       InfoID = 10
	InfoBoundAddr    InfoID = 11
	InfoResumed      InfoID = 12
	InfoPeerSubject  InfoID = 16 // from here on capability peer is needed
	InfoPeerIssuer   InfoID = 17
	InfoPeerSPKI     InfoID = 18
	InfoPeerSAN      InfoID = 19
	InfoPeerCert     InfoID = 20
	InfoPeerCN       InfoID = 21
	InfoPeerVerified InfoID = 22
	InfoPeerPSK      InfoID = 23
)

// Info is a fact: [None] if there is none (yet), [Denied] without the capability for it.
func Info(id InfoID) (string, error) {
	return value(func(buf unsafe.Pointer, room uint32) int32 { return rawInfo(int32(id), buf, room) })
}

// Annotate keeps a fact about this connection for the log and for policies. The host
// bounds number and size, and a fact that it drops is no reason to end a connection.
func Annotate(key, value string) {
	k, v := []byte(key), []byte(value)
	rawAnnotate(pointer(k), length(k), pointer(v), length(v))
}

// Fact is what was annotated under a key, by whichever guest of this connection.
func Fact(key string) (string, error) {
	k := []byte(key)
	return value(func(buf unsafe.Pointer, room uint32) int32 { return rawFact(pointer(k), length(k), buf, room) })
}

// Resolve gives the addresses of a name that the config allows; capability target.
func Resolve(name string) ([]string, error) {
	k := []byte(name)
	text, err := value(func(buf unsafe.Pointer, room uint32) int32 { return rawResolve(pointer(k), length(k), buf, room) })
	if err != nil {
		return nil, err
	}
	return Lines(text), nil
}

// Lines splits a value of several lines. It has none if it is empty.
func Lines(text string) []string {
	var lines []string
	for start, i := 0, 0; i <= len(text); i++ {
		if i < len(text) && text[i] != '\n' {
			continue
		}
		if i < len(text) || start < i {
			lines = append(lines, text[start:i])
		}
		start = i + 1
	}
	return lines
}

// An Alg is a function for [Digest].
type Alg int32

const (
	MD4    Alg = 0 // MD4, MD5 and SHA-1 are there for old protocols alone
	MD5    Alg = 1
	SHA1   Alg = 2
	SHA224 Alg = 3
	SHA256 Alg = 4
	SHA384 Alg = 5
	SHA512 Alg = 6
)

// Digest is a digest of text, or its HMAC if the key is not empty; capability crypto.
func Digest(alg Alg, key, text []byte) ([]byte, error) {
	buf := make([]byte, 64) // the longest
	n, err := check(rawDigest(int32(alg), pointer(key), length(key), pointer(text), length(text), pointer(buf), length(buf)))
	return buf[:n], err
}

// Random fills buf with random bytes; capability random.
func Random(buf []byte) error {
	_, err := check(rawRandom(pointer(buf), length(buf)))
	return err
}

// Now is milliseconds since 1970; capability clock.
func Now() int64 { return rawNow() }

// Log writes a line at a severity from 0 to 7, as stunnel's levels.
func Log(severity int, text string) {
	b := []byte(text)
	rawLog(int32(severity), pointer(b), length(b))
}

// Warn logs at stunnel's level 4.
func Warn(text string) { Log(4, text) }
