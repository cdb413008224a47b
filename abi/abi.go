// Package abi names the guest interface, version 1: the functions that a guest
// may import from the host, the numbers that pass between them, and the
// capabilities that a config grants.
//
// A guest is a WebAssembly module that holds one conversation before the relay
// starts. Calls block, and the guest reads as the conversation does. Every
// value is an i32 unless said; a result of zero or more is success or a length,
// a negative one is a [Code]. Buffers belong to the guest. Where a value may be
// longer than the guest's buffer, its full length is returned and the buffer
// holds the beginning.
//
// The import section is the truth about what a guest can do. The major version
// is the import module's name, so a mismatch shows when the module is linked;
// version 1 only ever appends functions.
package abi

import "strings"

// ImportModule is the module name that a guest imports version 1 from.
const ImportModule = "stunnel1"

// Names of what a guest exports.
const (
	ExportMemory          = "memory"
	ExportNegotiate       = "negotiate"        // () -> i32: 0 hands over to the relay
	ExportNegotiateServer = "negotiate_server" // () -> i32, optional: called in place of negotiate in a TLS server
	ExportNegotiateClient = "negotiate_client" // () -> i32, optional: called in place of negotiate in a TLS client
	ExportDecide          = "decide"           // () -> i32: of a policy guest, in place of negotiate: 0 allows
	ExportConfigure       = "configure"        // () -> i32, optional: checks options at load
	ExportInitialize      = "_initialize"      // () -> (), optional: a toolchain's start-up
	ManifestSection       = "stunnel.manifest"
)

// Negotiations are the exports that make a module a protocol.
var Negotiations = []string{ExportNegotiate, ExportNegotiateServer, ExportNegotiateClient}

// A Side is an end of the tunnel.
type Side int32

const (
	Accepted Side = 0 // the connection that was accepted
	Outgoing Side = 1 // the connection to the target
)

func (s Side) String() string {
	switch s {
	case Accepted:
		return "accepted"
	case Outgoing:
		return "outgoing"
	}
	return "invalid"
}

// A Code is a negative result of a host call.
type Code int32

const (
	EOF      Code = -1
	TooLong  Code = -2
	Inval    Code = -3
	State    Code = -4
	Inject   Code = -5
	Timeout  Code = -6
	Refused  Code = -7
	Net      Code = -8
	Host     Code = -9
	Denied   Code = -10
	TLS      Code = -11
	Limit    Code = -12
	None     Code = -13
	IO       Code = -14
	Internal Code = -15
)

// Codes lists them, with the names that SDKs give them.
var Codes = []struct {
	Code Code
	Name string
	Doc  string
}{
	{EOF, "eof", "the peer closed before all was read"},
	{TooLong, "too_long", "no line end within the buffer; nothing was consumed"},
	{Inval, "inval", "a number or name that means nothing (a side, a level, a key)"},
	{State, "state", "not now: not connected yet, or TLS already"},
	{Inject, "inject", "plaintext is unread on the side that should start TLS"},
	{Timeout, "timeout", "the peer said nothing for TIMEOUTbusy, or a dial took too long"},
	{Refused, "refused", "the target refused the connection"},
	{Net, "net", "the target's network cannot be reached"},
	{Host, "host", "the target's name does not resolve"},
	{Denied, "denied", "the config does not allow it"},
	{TLS, "tls", "the handshake failed"},
	{Limit, "limit", "a bound of this negotiation is used up"},
	{None, "none", "no such value"},
	{IO, "io", "reading or writing failed: reset, closed"},
	{Internal, "internal", "the host failed; its log says how"},
}

// Config keys: the service's options of these names (lower case), "client" and
// "service", for a policy "connect" (the configured targets, a line each), and each guestOption under its own name with the prefix "option."; the values of one that is
// given several times are lines of one text.
const (
	KeyClient       = "client"  // "yes" or "no"
	KeyService      = "service" // the section's name
	KeySNI          = "sni"     // "yes" in server mode when the handshake decides on the target, by the name that the client asks for or by its certificate: connect after starttls
	KeyConnect      = "connect" // of a policy guest
	OptionKeyPrefix = "option."

	// SecretKeyPrefix before a key of secret tells whether it is set, by the value "set":
	// configure can be told that a password is missing, but not the password.
	SecretKeyPrefix = "secret."
)

// SecretOption tells whether a guestOption of this name is a secret, which its name has
// to say: only secret gives its value, and neither an error nor a log line shows it.
func SecretOption(name string) bool { return strings.Contains(strings.ToLower(name), "password") }

// Classes for fail's code.
type Class int32

const (
	FailPeer     Class = 0 // a peer said what it should not
	FailConfig   Class = 1 // an option makes no sense
	FailPolicy   Class = 2 // refused on purpose
	FailInternal Class = 3 // the guest's own fault
)

func (c Class) String() string {
	switch c {
	case FailPeer:
		return "peer"
	case FailConfig:
		return "config"
	case FailPolicy:
		return "policy"
	}
	return "internal"
}

// An InfoID names a fact for info.
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
	InfoPeerSPKIHash InfoID = 18
	InfoPeerSAN      InfoID = 19
	InfoPeerCertHash InfoID = 20
	InfoPeerCN       InfoID = 21
	InfoPeerVerified InfoID = 22
	InfoPeerPSK      InfoID = 23
)

// Infos lists the facts, with the names that SDKs and transcripts use for them.
var Infos = []struct {
	ID   InfoID
	Name string
	Doc  string
}{
	{InfoService, "service", "the section's name"},
	{InfoMode, "mode", "\"server\" or \"client\""},
	{InfoPeerAddr, "peer_addr", "who was accepted, host:port without brackets; \"unix:socket\", or its path, for a Unix socket"},
	{InfoLocalAddr, "local_addr", "the local end of the accepted connection"},
	{InfoTargetAddr, "target_addr", "where the outgoing connection leads, once connected"},
	{InfoSNI, "sni", "the server name that the TLS client asked for, once TLS"},
	{InfoALPN, "alpn", "the application protocol that was agreed on, once TLS"},
	{InfoTLSVersion, "tls_version", "as \"TLSv1.3\", once TLS"},
	{InfoCipher, "cipher", "the suite, by OpenSSL's name, once TLS"},
	{InfoStage, "stage", "of a policy guest: \"accept\", \"handshake\" or \"dial\""},
	{InfoTarget, "target", "of a policy guest from stage dial on: the target that a guest chose, host:port, else the configured ones, a line each"},
	{InfoBoundAddr, "bound_addr", "the local end of the outgoing connection, once connected"},
	{InfoResumed, "resumed", "\"yes\" if TLS took up an earlier session, else \"no\", once TLS"},
	{InfoPeerSubject, "peer_subject", "subject of the TLS peer's certificate, as stunnel prints it"},
	{InfoPeerIssuer, "peer_issuer", "its issuer"},
	{InfoPeerSPKIHash, "peer_spki", "SHA-256 of its public key, hex"},
	{InfoPeerSAN, "peer_san", "its alternative names, a line each: DNS:, email:, IP: or URI: and the name"},
	{InfoPeerCertHash, "peer_cert", "SHA-256 of the whole certificate, hex"},
	{InfoPeerCN, "peer_cn", "the common name of its subject"},
	{InfoPeerVerified, "peer_verified", "\"yes\" if the config had it verified, else \"no\""},
	{InfoPeerPSK, "peer_psk", "in server mode, the identity of the pre-shared key that the client has shown it has"},
}

// A DigestAlg names a function for digest.
type DigestAlg int32

const (
	DigestMD4    DigestAlg = 0
	DigestMD5    DigestAlg = 1
	DigestSHA1   DigestAlg = 2
	DigestSHA224 DigestAlg = 3
	DigestSHA256 DigestAlg = 4
	DigestSHA384 DigestAlg = 5
	DigestSHA512 DigestAlg = 6
)

// Digests lists the functions. MD4, MD5 and SHA-1 are there for old protocols (NTLM) alone.
var Digests = []struct {
	Alg  DigestAlg
	Name string
	Size int // bytes
}{
	{DigestMD4, "md4", 16}, {DigestMD5, "md5", 16}, {DigestSHA1, "sha1", 20}, {DigestSHA224, "sha224", 28},
	{DigestSHA256, "sha256", 32}, {DigestSHA384, "sha384", 48}, {DigestSHA512, "sha512", 64},
}

// A Capability is what an import needs beyond the conversation itself.
type Capability string

const (
	Conversation Capability = ""       // every guest has it
	Secret       Capability = "secret" // protocolPassword
	Target       Capability = "target" // choose among permitted targets
	Peer         Capability = "peer"   // certificate facts of the peer
	Crypto       Capability = "crypto"
	Random       Capability = "random"
	Clock        Capability = "clock"
)

// Capabilities lists what guestAllow can name, with what each lets a guest do.
var Capabilities = []struct {
	Name Capability
	Doc  string
}{
	{Secret, "read protocolPassword, and each guestOption whose name says password"},
	{Target, "choose the target, within guestDial, and resolve names"},
	{Peer, "read the TLS peer's certificate facts"},
	{Crypto, "compute digests and HMACs"},
	{Random, "draw random bytes"},
	{Clock, "read the time of day"},
}

// A Function is one import.
type Function struct {
	Name    string
	Params  string // one letter a parameter: i = i32, I = i64
	Results string
	Needs   Capability
	Doc     string
}

// Functions is version 1, in the order of its specification.
var Functions = []Function{
	{"read", "iii", "i", Conversation, "read(side, ptr, len): 1..len bytes, 0 at end of file"},
	{"read_full", "iii", "i", Conversation, "read_full(side, ptr, len): exactly len bytes, or an error"},
	{"read_line", "iii", "i", Conversation, "read_line(side, ptr, cap): through the line feed, and never a byte past it"},
	{"peek", "iii", "i", Conversation, "peek(side, ptr, len): look at up to len bytes without consuming; fewer at end of file"},
	{"write", "iii", "i", Conversation, "write(side, ptr, len): all, or an error"},
	{"wait", "ii", "i", Conversation, "wait(mask, timeout_ms): which sides are readable; bit 0 accepted, bit 1 outgoing; 0 when time is up"},
	{"connect", "", "i", Conversation, "connect(): dial the target; the error says why it failed"},
	{"set_target", "ii", "i", Target, "set_target(ptr, len): choose \"host:port\" before connect"},
	{"resolve", "iiii", "i", Target, "resolve(ptr, len, buf, cap): the name's addresses, a line each"},
	{"starttls", "i", "i", Conversation, "starttls(side): handshake as the config says; refuses a side with unread plaintext"},
	{"config", "iiii", "i", Conversation, "config(kptr, klen, buf, cap): a service option or guestOption"},
	{"secret", "iiii", "i", Secret, "secret(kptr, klen, buf, cap): a value that the host keeps out of its logs"},
	{"info", "iii", "i", Conversation, "info(id, buf, cap): a fact of this connection"},
	{"annotate", "iiii", "i", Conversation, "annotate(kptr, klen, vptr, vlen): a fact for the log"},
	{"log", "iii", "", Conversation, "log(level, ptr, len): a line at severity 0..7; control bytes are escaped"},
	{"fail", "iii", "", Conversation, "fail(class, ptr, len): why negotiate is about to return non-zero"},
	{"digest", "iiiiiii", "i", Crypto, "digest(alg, kptr, klen, ptr, len, buf, cap): a digest, or its HMAC when klen > 0"},
	{"random", "ii", "i", Random, "random(ptr, len): random bytes"},
	{"now", "", "I", Clock, "now(): milliseconds since 1970"},
	{"set_alpn", "ii", "i", Conversation, "set_alpn(ptr, len): the application protocols, a line each, of the next starttls"},
	{"fact", "iiii", "i", Conversation, "fact(kptr, klen, buf, cap): what was annotated on this connection, last first"},
}

// PolicyFunctions are those that a policy guest can import: it has no streams, and no
// name server to ask, so that a decision waits for nobody.
var PolicyFunctions = []string{
	"set_target", "config", "secret", "info", "annotate", "log", "fail", "digest", "random", "now", "fact",
}
