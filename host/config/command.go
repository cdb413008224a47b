package config

import (
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/host/suite"
)

// Commands holds what config = says that no other option can.
type Commands struct {
	ChainCAFile   string // certificates that complete our own chain; empty: none
	RequestCAFile string // certificates whose names a server tells clients; empty: those of CAfile

	said []said
}

// A said is one line of config =.
type said struct {
	command *command
	value   string
	place   Place
}

// A command is one of OpenSSL's configuration commands, in the form for files
// (SSL_CONF_cmd(3)).
type command struct {
	name  string
	only  role   // who has it
	sets  string // the option, in lower case, in whose stead it stands when a later check complains
	apply func(s *Service, value string) *Error
}

type role byte

const (
	either role = iota
	clients
	servers
)

// commands are those of OpenSSL 3. Each sets what the option of the same effect sets, and
// wins over it, as in stunnel, which runs them last.
var commands = []command{
	{"CipherString", either, "ciphers", asOption(parseCiphers)},
	{"Ciphersuites", either, "ciphersuites", asOption(parseCiphersuites)},
	{"Curves", either, "curves", asOption(parseCurves)},
	{"Groups", either, "curves", asOption(parseCurves)},
	{"ECDHParameters", servers, "curves", func(s *Service, value string) *Error {
		if strings.Contains(value, ":") {
			return refuse("ECDHParameters takes one group", "use config = Groups:LIST")
		}
		return asOption(parseCurves)(s, value)
	}},
	{"MinProtocol", either, "", protocol(func(s *Service, v Version) { s.MinVersion = v })},
	{"MaxProtocol", either, "", protocol(func(s *Service, v Version) { s.MaxVersion = v })},
	{"Protocol", either, "", applyProtocols},
	{"Options", either, "", applyOptions},
	{"VerifyMode", either, "", applyVerifyMode},
	{"Certificate", either, "cert", ownFile("cert", func(s *Service) *[]string { return &s.Cert })},
	{"PrivateKey", either, "key", ownFile("key", func(s *Service) *[]string { return &s.Key })},
	{"ChainCAFile", either, "", filled(func(s *Service, value string) { s.Commands.ChainCAFile = value })},
	{"VerifyCAFile", either, "cafile", func(s *Service, value string) *Error {
		if s.CAfile != "" && s.CAfile != value {
			return refuse("VerifyCAFile and CAfile name different files", "keep CAfile = FILE alone")
		}
		return filled(func(s *Service, value string) { s.CAfile = value })(s, value)
	}},
	{"VerifyCAPath", either, "capath", func(s *Service, value string) *Error {
		if s.Trust.CApath != "" && s.Trust.CApath != value {
			return refuse("VerifyCAPath and CApath name different directories", "keep CApath = DIRECTORY alone")
		}
		return filled(func(s *Service, value string) { s.Trust.CApath = value })(s, value)
	}},
	{"RequestCAFile", either, "", filled(func(s *Service, value string) { s.Commands.RequestCAFile = value })},
	{"ClientCAFile", servers, "", filled(func(s *Service, value string) { s.Commands.RequestCAFile = value })},
	{"SignatureAlgorithms", either, "", applySignatures},
	{"ClientSignatureAlgorithms", either, "", applySignatures},
	{"DHParameters", servers, "", func(s *Service, value string) *Error {
		if _, err := os.Stat(value); err != nil {
			return refuse("DHParameters: "+value+": "+unwrapPath(err).Error(), "name a file, or remove the line: "+forFiniteDH)
		}
		return nil
	}},
	{"RecordPadding", either, "", counts("RecordPadding", 1<<14, 2)},
	{"NumTickets", servers, "", counts("NumTickets", maxNumber, 1)},
	{"ChainCAPath", either, "", never("put the certificates behind that of cert = FILE, or into one file for ChainCAFile")},
	{"ChainCAStore", either, "", never("put the certificates behind that of cert = FILE, or into one file for ChainCAFile")},
	{"VerifyCAStore", either, "", never("use CAfile = FILE")},
	{"RequestCAPath", either, "", never("put the certificates into one file for RequestCAFile")},
	{"RequestCAStore", either, "", never("put the certificates into one file for RequestCAFile")},
	{"ClientCAPath", servers, "", never("put the certificates into one file for ClientCAFile")},
	{"ClientCAStore", servers, "", never("put the certificates into one file for ClientCAFile")},
	{"ServerInfoFile", servers, "", never("extensions of one's own cannot be sent; remove the line if clients do without")},
}

// withoutEffect are the commands that are checked and change nothing, with the reason.
var withoutEffect = map[string]string{
	"DHParameters":              forFiniteDH,
	"RecordPadding":             "records are sent as long as they are",
	"NumTickets":                "a server sends one ticket for TLS 1.3",
	"SignatureAlgorithms":       "the list leaves nothing out that is used here",
	"ClientSignatureAlgorithms": "the list leaves nothing out that is used here",
}

// parseCommand takes COMMAND[:VALUE]. As in stunnel there are no blanks around the colon;
// the case of a command's letters is free. The value is tried at once, for the line's
// sake, and takes effect when the section ends.
func parseCommand(t *target, text string) *Error {
	name, value, given := strings.Cut(text, ":")
	i := slices.IndexFunc(commands, func(c command) bool { return strings.EqualFold(c.name, name) })
	if i < 0 {
		return refuse(`OpenSSL config command "`+name+`" was not recognised`, "COMMAND:VALUE; SSL_CONF_cmd(3) lists the commands of files")
	}
	c := &commands[i]
	if !given {
		return refuse(`OpenSSL config command "`+c.name+`" requires a parameter`, "write "+c.name+":VALUE")
	}
	scratch := t.service.clone()
	if c.only == either { // else the section's end tells whether it has the command
		if e := c.apply(scratch, value); e != nil && !errRole(e) {
			return e
		}
	}
	if why, ok := withoutEffect[c.name]; ok {
		t.note("config = " + c.name + " has no effect: " + why)
	}
	if l, err := suite.Parse(value); c.sets == "ciphers" && err == nil && l.Ordered {
		t.note(orderNote)
	}
	for _, o := range TLSOptions {
		if o.Status == NoOp && slices.Contains(scratch.TLSOptions, o.Name) && !slices.Contains(t.service.TLSOptions, o.Name) {
			t.note("config = " + text + " has no effect as for " + o.Name + ": " + o.Note)
		}
	}
	t.service.Commands.said = append(t.service.Commands.said, said{c, value, t.place})
	return nil
}

// settleCommands applies the commands of a section to its options.
func settleCommands(s *Service) Errors {
	var errs Errors
	for _, said := range s.Commands.said {
		c := said.command
		var e *Error
		if s.Client && c.only == servers || !s.Client && c.only == clients {
			e = refuse(`OpenSSL config command "`+c.name+`" was not recognised`, "a service with client = yes does not have it")
		} else {
			e = c.apply(s, said.value)
		}
		if e != nil {
			at := said.place.Errorf("%s", e.Reason).WithHint("%s", e.Hint)
			at.Section = s.Name
			errs = append(errs, at)
			continue
		}
		if c.sets != "" {
			s.Pos[c.sets] = said.place
		}
	}
	return errs
}

// asOption has a value do what it does for an option.
func asOption(parse parser) func(*Service, string) *Error {
	return func(s *Service, value string) *Error {
		return parse(&target{cfg: &Config{}, service: s}, value)
	}
}

func filled(store func(s *Service, value string)) func(*Service, string) *Error {
	return func(s *Service, value string) *Error {
		if value == "" {
			return refuse("The value is empty", "name a file, or remove the line")
		}
		store(s, value)
		return nil
	}
}

// ownFile adds a file as cert and key do.
func ownFile(option string, list func(*Service) *[]string) func(*Service, string) *Error {
	return filled(func(s *Service, value string) {
		if l := list(s); !slices.Contains(*l, value) {
			*l = append(*l, value)
		}
	})
}

func never(hint string) func(*Service, string) *Error {
	return func(*Service, string) *Error { return refuse("OpenSSL config command is not supported", hint) }
}

// counts takes one number or several, with commas between.
func counts(name string, most, several int) func(*Service, string) *Error {
	return func(_ *Service, value string) *Error {
		parts := strings.Split(value, ",")
		for _, p := range parts {
			if n, err := strconv.Atoi(strings.TrimSpace(p)); err != nil || n < 0 || n > most || len(parts) > several {
				return refuse("Illegal value of OpenSSL config command \""+name+"\"", "a number from 0 to "+strconv.Itoa(most)+", or no such line")
			}
		}
		return nil
	}
}

// protocol takes a version in OpenSSL's spelling, whose case of letters counts.
func protocol(store func(*Service, Version)) func(*Service, string) *Error {
	return func(s *Service, value string) *Error {
		for _, v := range versions {
			if value == v.String() {
				store(s, v)
				return nil
			}
		}
		switch value {
		case "None":
			store(s, 0)
			return nil
		case "SSLv3":
			return refuse("Invalid protocol version", "SSLv3 does not exist here; the lowest version is TLSv1")
		}
		return refuse("Invalid protocol version", "one of: None, TLSv1, TLSv1.1, TLSv1.2, TLSv1.3")
	}
}

// items splits a list at its commas, and takes the sign off each.
func items(value string, do func(name string, off bool) *Error) *Error {
	for item := range strings.SplitSeq(value, ",") {
		item = strings.TrimSpace(item)
		name, off := strings.CutPrefix(item, "-")
		if !off {
			name = strings.TrimPrefix(item, "+")
		}
		if name == "" {
			return refuse("a name is missing in the list", "put commas between names")
		}
		if e := do(name, off); e != nil {
			return e
		}
	}
	return nil
}

// applyProtocols turns versions on and off; those that are not named stay as they are.
func applyProtocols(s *Service, value string) *Error {
	return items(value, func(name string, off bool) *Error {
		known := false
		for i, option := range noVersion {
			if strings.EqualFold(name, "ALL") || strings.EqualFold(name, versions[i].String()) {
				s.setTLSOption(option, off)
				known = true
			}
		}
		switch strings.ToUpper(name) {
		case "SSLV2", "SSLV3":
			if !off {
				return refuse("Invalid protocol version", "SSLv2 and SSLv3 do not exist here; the lowest version is TLSv1")
			}
		case "DTLSV1", "DTLSV1.2":
		default:
			if !known {
				return refuse("Invalid protocol version", "out of ALL, TLSv1, TLSv1.1, TLSv1.2, TLSv1.3, each with a minus to turn it off")
			}
		}
		return nil
	})
}

// setTLSOption does what options = NAME, or -NAME, does, and forgets the other.
func (s *Service) setTLSOption(name string, on bool) {
	s.TLSOptions = slices.DeleteFunc(s.TLSOptions, func(o string) bool { return strings.TrimPrefix(o, "-") == name })
	if !on {
		name = "-" + name
	}
	s.TLSOptions = append(s.TLSOptions, name)
}

// optionNames are the names of the command Options: the name of options =, and whether
// it is the opposite.
var optionNames = map[string]struct {
	option   string
	opposite bool
	only     role
}{
	"sessionticket": {"NO_TICKET", true, either}, "emptyfragments": {"DONT_INSERT_EMPTY_FRAGMENTS", true, either}, "bugs": {"ALL", false, either},
	"compression": {"NO_COMPRESSION", true, either}, "serverpreference": {"CIPHER_SERVER_PREFERENCE", false, servers},
	"noresumptiononrenegotiation": {"NO_SESSION_RESUMPTION_ON_RENEGOTIATION", false, servers}, "dhsingle": {"SINGLE_DH_USE", false, servers},
	"ecdhsingle": {"SINGLE_ECDH_USE", false, servers}, "unsafelegacyrenegotiation": {"ALLOW_UNSAFE_LEGACY_RENEGOTIATION", false, either},
	"unsafelegacyserverconnect": {"LEGACY_SERVER_CONNECT", false, either}, "clientrenegotiation": {"ALLOW_CLIENT_RENEGOTIATION", false, servers},
	"encryptthenmac": {"NO_ENCRYPT_THEN_MAC", true, either}, "norenegotiation": {"NO_RENEGOTIATION", false, either},
	"allownodhekex": {"ALLOW_NO_DHE_KEX", false, either}, "prioritizechacha": {"PRIORITIZE_CHACHA", false, servers},
	"middleboxcompat": {"ENABLE_MIDDLEBOX_COMPAT", false, either}, "antireplay": {"NO_ANTI_REPLAY", true, servers},
	"extendedmastersecret": {"NO_EXTENDED_MASTER_SECRET", true, either}, "canames": {"DISABLE_TLSEXT_CA_NAMES", true, either},
	"ktls": {"ENABLE_KTLS", false, either},
}

func applyOptions(s *Service, value string) *Error {
	return items(value, func(name string, off bool) *Error {
		o, ok := optionNames[strings.ToLower(name)]
		if !ok {
			return refuse("Illegal TLS option", "SSL_CONF_cmd(3) lists the names that Options takes")
		}
		if s.Client && o.only == servers {
			return refuseRole("Illegal TLS option", "servers alone have "+name)
		}
		s.setTLSOption(o.option, off == o.opposite)
		return nil
	})
}

// applyVerifyMode asks for verification as verify = 1 and 2 do. stunnel 5.68 takes the line and
// forgets it; nobody who wrote it wants that. It adds to what the section asks of its peers
// and takes nothing away: verifyPeer, or a level above 2, holds beside it.
func applyVerifyMode(s *Service, value string) *Error {
	return items(value, func(name string, off bool) *Error {
		require := true
		switch strings.ToLower(name) {
		case "once": // asked once in any case
			return nil
		case "peer":
			if !s.Client {
				return refuseRole("VerifyMode in a server is Request or Require", "write Request or Require")
			}
		case "request", "require":
			if s.Client {
				return refuseRole("VerifyMode in a client is Peer", "write Peer")
			}
			require = strings.EqualFold(name, "require")
		case "requestposthandshake", "requireposthandshake":
			return refuse("certificates cannot be asked for after the handshake", "write Request or Require")
		default:
			return refuse("Illegal value of OpenSSL config command \"VerifyMode\"", "Peer in a client, Request or Require in a server")
		}
		if off {
			return refuse("VerifyMode cannot be turned off here", "use verify = 0")
		}
		s.VerifyChain = s.VerifyChain || !s.VerifyPeer
		s.RequestCert, s.RequireCert = true, s.RequireCert || require
		return nil
	})
}

// roleHint marks errors that depend on client =, which may stand further down.
const roleHint = " (this service is of the other kind)"

func refuseRole(reason, hint string) *Error { return refuse(reason, hint+roleHint) }

func errRole(e *Error) bool { return strings.HasSuffix(e.Hint, roleHint) }

// applySignatures takes a list that holds all that crypto/tls uses, which nothing can
// restrict.
func applySignatures(_ *Service, value string) *Error {
	missing, err := suite.ParseSignatures(value)
	if err != nil {
		return refuse("Illegal list of signature algorithms: "+err.Error(), "names as RSA+SHA256 and ecdsa_secp256r1_sha256, with colons between")
	}
	if len(missing) > 0 {
		return refuse("signature algorithms cannot be restricted here: "+strings.Join(missing, ", ")+" would be used all the same",
			"remove the line; only SHA-2 with RSA, ECDSA and Ed25519 is used in TLS 1.2 and 1.3")
	}
	return nil
}
