// Package config turns a stunnel.conf into a checked [Config].
//
// [Load] reads the file and the directories it includes, tags every line with its
// place (scan.go), lets ini.v1 split the text, and hands each option, in file order,
// to its entry in [Options]. That table is the one list of what exists: it checks and
// stores values here, and it feeds -help, -version and the manual. What a line says
// wrong is collected, so that one run tells everything; so is what a section lacks
// when it ends (check.go).
//
// Nothing is ignored in silence. An option that stunnel knows either works, or is
// accepted with a [Note] that says why it changes nothing, or is refused. The package
// opens no socket and no certificate and resolves no host name.
package config

import (
	"maps"
	"slices"
	"time"
)

// A Config is one checked configuration: what a file said, with every default
// filled in. It is never changed after Load returns it; a reload makes another.
type Config struct {
	Path     string // as the user gave it; "0", "3" ... for a descriptor
	Global   Global
	Services []*Service // in file order
	Includes []string   // directories that were included
	Inetd    bool       // no section: Services has one, without a name or accept
	Notes    []Note     // what is accepted and does not act as in stunnel, each to be said once at start
}

// A Note tells that an option is accepted and why it has no effect, or another one, here.
type Note struct {
	File string
	Line int
	Text string // a whole sentence without a full stop
}

// Foreground says whether the daemon leaves the terminal.
type Foreground int

const (
	Background      Foreground = iota // foreground = no: detach
	ForegroundYes                     // stay, log to stderr too
	ForegroundQuiet                   // stay, keep stderr quiet
)

// Global holds the options of the process as a whole.
type Global struct {
	Foreground   Foreground
	Chroot       string // directory; empty: none
	RunAs        Owner  // setuid and setgid before the first section
	Sandbox      Sandbox
	Pid          string // path; empty: none
	Output       string // log file; empty: none
	LogOverwrite bool   // log = overwrite: truncate Output when it is first opened
	LogJSON      bool   // logFormat = json: structured lines in Output and on stderr
	Syslog       bool
	Ident        string        // service =: the name in syslog
	Facility     int           // syslog facility number, 3 = daemon
	SetEnv       []KeyValue    // variables of the environment, in file order; without a value they are unset
	Debug        int           // severity 0 (emerg) to 7 (debug); lines above it are dropped
	Grace        time.Duration // stopGrace =: how long TERM lets connections finish; 0 cuts them
	FIPS         FIPS
	MaxClients   int      // maxClients =; 0: from the descriptor limit
	GuestPath    []string // directories
	GuestCache   string   // directory; empty: none
	Engines      []Engine // engine =, in file order
	Providers    []Engine // provider =, the same
}

// An Address is one accept or connect target, as written.
type Address struct {
	Unix string // path of a Unix socket; then Host and Port are empty
	Host string // empty: wildcard for accept, loopback for connect
	Port string // number or service name
}

// Failover is the order in which several targets are tried.
type Failover int

const (
	RoundRobin Failover = iota // start one further at each connection
	Priority                   // always start at the first
)

// LogID is how a connection is named in log lines.
type LogID int

const (
	LogSequential LogID = iota // a counter over all services
	LogUnique                  // 22 random alphanumerics
	LogThread                  // here a number too: Go has no thread for a connection
	LogProcess                 // the process id
)

// A Version is a TLS protocol version as crypto/tls numbers them; 0 is "not set".
type Version uint16

// The versions that a file can name.
const (
	TLS10 Version = 0x0301
	TLS11 Version = 0x0302
	TLS12 Version = 0x0303
	TLS13 Version = 0x0304
)

// The versions that hold where nothing is said. TLS 1.0 and 1.1 have to be asked for
// by name: stunnel with a current OpenSSL does not negotiate them by default either.
const (
	DefaultMinVersion = TLS12
	DefaultMaxVersion = TLS13
)

// A Service is one [section] with the global defaults it inherited.
type Service struct {
	Name string // as written between the brackets, or as service = says; in inetd mode Global.Ident
	File string // where the section starts, for messages
	Line int

	Client  bool
	Accept  []Address
	Owner   Owner // of Unix sockets in Accept
	Connect []Address

	Libwrap  bool      // ask hosts.allow and hosts.deny about clients
	Ident    string    // the user that a client's machine must name; empty: it is not asked
	Delay    bool      // look Connect up at each connection; Failover is Priority then
	Local    string    // host whose address outgoing connections have; empty: the system's choice
	Exec     Exec      // the program at one of the ends
	Redirect []Address // where connections go that fail verification; nil: they end

	Transparent Transparent

	Failover Failover
	Reset    bool // send RST on errors
	LogID    LogID
	Debug    int // severity, inherits Global.Debug

	TimeoutBusy    time.Duration // a wait inside handshake or negotiation
	TimeoutClose   time.Duration // for the peer's close
	TimeoutConnect time.Duration // for each address
	TimeoutIdle    time.Duration // without a byte either way

	Cert []string // files with our own certificates, or names of what is kept elsewhere
	Key  []string // and of their keys, in any order; never empty when Cert is not

	KeyPassphraseFile string // file whose first line opens the encrypted keys; empty: ask

	CAfile string
	Engine int // engineId or engineNum: the place in Global.Engines, from 1; 0: none said

	// Verification. Verify is -1 unless verify = N was given; RequestCert,
	// VerifyChain and RequireCert hold what the level or the newer options ask.
	Verify      int
	RequestCert bool // ask a client for a certificate
	VerifyChain bool
	VerifyPeer  bool
	RequireCert bool
	CheckHost   []string
	Trust       Trust
	OCSP        OCSP

	SecurityLevel int // OpenSSL's, 0 to 5; that of @SECLEVEL in ciphers if it says one
	Offer         Offer
	Commands      Commands // config =
	Renegotiation bool     // let a server renegotiate, up to TLS 1.2
	LegacyServers bool     // of a client: also those without secure renegotiation (RFC 5746)

	MinVersion Version  // 0: DefaultMinVersion
	MaxVersion Version  // 0: DefaultMaxVersion
	NoTicket   bool     // options = NO_TICKET
	TLSOptions []string // options =, as TLSOptions spells them, "-" before a cleared one
	SNI        string   // of a client the name to ask for, of a server SERVICE:PATTERN
	SNISet     bool     // sni given, maybe empty (no extension)

	Session Session
	PSK     PSK

	Socket []SocketOption

	Protocol       string            // empty: built-in order
	ProtocolValues map[string]string // option name in lower case -> value: protocolhost, ...
	ProtocolHeader []string

	Guest    Guest
	Policies []Policy // in the order in which they are asked

	// Pos gives the file and line of each option that was set (lower-case name, never
	// an alias -> place), so that later checks (certificates, guests) can point at it.
	// An option that is given several times has its last place.
	Pos map[string]Place

	inetd  bool    // the one service of a file without sections
	grants []grant // guestAllow, until the section ends

	// inherited tells which of Cert and Key are still those from before the first
	// section: a line in the section takes their place, as in stunnel.
	inherited struct{ cert, key bool }
}

// clone copies a service so that neither's lists grow in the other: sections start as
// copies of what stands before the first.
func (s *Service) clone() *Service {
	c := *s
	c.Accept, c.Connect = slices.Clone(c.Accept), slices.Clone(c.Connect)
	c.Redirect = slices.Clone(c.Redirect)
	c.Exec.Args = slices.Clone(c.Exec.Args)
	c.Cert, c.Key = slices.Clone(c.Cert), slices.Clone(c.Key)
	c.inherited.cert, c.inherited.key = true, true
	c.CheckHost, c.TLSOptions = slices.Clone(c.CheckHost), slices.Clone(c.TLSOptions)
	c.Commands.said = slices.Clone(c.Commands.said)
	c.Socket, c.ProtocolHeader = slices.Clone(c.Socket), slices.Clone(c.ProtocolHeader)
	c.Guest.Options, c.Guest.Allow = slices.Clone(c.Guest.Options), slices.Clone(c.Guest.Allow)
	c.Guest.Dial = slices.Clone(c.Guest.Dial)
	c.Policies, c.grants = slices.Clone(c.Policies), slices.Clone(c.grants)
	c.Trust = c.Trust.clone()
	c.ProtocolValues, c.Pos = maps.Clone(c.ProtocolValues), maps.Clone(c.Pos)
	return &c
}

// A Place is where an option stands.
type Place struct {
	File string
	Line int
	Text string // the line, trimmed; a secret's value is replaced
}

// Guest holds the options that bound and feed the negotiator.
type Guest struct {
	Options []KeyValue // guestOption, in file order
	Allow   []string   // guestAllow capabilities
	Dial    []DialRule // guestDial; a target that one of them allows can be chosen
	Hash    string     // guestHash, lower-case hex of SHA-256; empty: any
	Memory  uint32     // guestMemory, 64 KiB pages; 0: default
	Timeout time.Duration
	CPU     uint64 // guestCPU, fuel units; 0: default
	Bytes   int    // guestBytes, plaintext bytes a side before TLS; 0: default
}

// KeyValue is one KEY=VALUE.
type KeyValue struct {
	Key, Value string
	Place      Place
	global     bool // said before the first section
}

// A SocketOption is one socket = S:NAME=VALUE.
type SocketOption struct {
	Scope byte   // 'a' accept, 'l' local (accepted), 'r' remote (outgoing)
	Name  string // SO_KEEPALIVE ...
	Value string // checked for the option's type
	Place Place
}
