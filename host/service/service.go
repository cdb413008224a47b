// Package service joins the parts: a listener's connection, its negotiation, its
// handshake, and the relay.
//
// A [Set] is a configuration built whole: certificates read, guests compiled,
// names looked up, nothing bound. A [Server] runs one Set at a time and takes
// another by Apply without refusing a connection in between.
package service

import (
	"context"
	"crypto/fips140"
	"errors"
	"slices"
	"strings"
	"syscall"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/dial"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/tlsconf"
	"github.com/stunnel-wasm/stunnel-wasm/stdproto"
)

// MaxNegotiations is how many negotiations of one service may be under way; a
// connection over it waits for its turn as long as TIMEOUTbusy. It bounds what
// guests' memories can come to: with guestMemory's default, 16 MiB each.
const MaxNegotiations = 1024

// A Negotiator is the conversation before the relay: a guest module, or in
// benchmarks a function in Go to compare guests with.
type Negotiator interface {
	Negotiate(ctx context.Context, h guest.Host, l guest.Limits) (*guest.Outcome, error)
}

// A Service is a section of the configuration, built. It is immutable but for
// the dialer's turn, and shared by its connections.
type Service struct {
	conf    *config.Service
	tls     *tlsconf.Context
	dialer  *dial.Dialer
	decoy   *dial.Dialer  // of redirect; nil: a peer that fails verification is cut off
	proto   Negotiator    // nil: the built-in order
	module  *guest.Module // proto, when it is a guest
	ask     []*policy     // the policies, in order
	slots   chan struct{} // one for each negotiation under way
	limits  guest.Limits
	fixed   map[string]string // what a guest's config call can read
	secrets map[string]string // and its secret call
	reach   dial.Reach        // where a guest's own choice of target may lead
	named   []*Service        // secondary services that hang on this one by sni, in file order
	open    bool              // every client chooses a target: connect says nothing
	level   logging.Level
	local   func(network, address string, c syscall.RawConn) error // socket = l:; nil: none
	remote  func(network, address string, c syscall.RawConn) error // the same of r: that Go undoes
}

// Name is the section's name.
func (s *Service) Name() string { return s.conf.Name }

// A Set is a whole configuration, built but not running.
type Set struct {
	Config   *config.Config
	Services []*Service
	guests   loader
	stapling stapling
	tokens   *tokens // keys in tokens; nil: those of another's Store
}

// Options are what Build needs beside the configuration.
type Options struct {
	Log *logging.Log
	// TLS is for the services' TLS contexts.
	TLS tlsconf.Options
	// Interpreter runs guests without compiling them to machine code.
	Interpreter bool
	// Native gives a negotiator for a service's protocol instead of a guest; nil:
	// always a guest. For measuring what a guest costs.
	Native func(protocol string) Negotiator
	// Around puts something around a service's guest; nil: nothing. For recording what
	// it says.
	Around func(service string, n Negotiator) Negotiator
}

// Build reads certificates, compiles guests and looks names up, for all services.
// Its error is a config.Errors with everything that is wrong. Close the Set when
// no connection needs it any more.
func Build(ctx context.Context, c *config.Config, o Options) (*Set, error) {
	set := &Set{Config: c}
	o.TLS.FIPS = c.Global.FIPS == config.FIPSYes || fips140.Enabled()
	log := o.Log.Logger("ui")
	var errs config.Errors
	if o.TLS.Store == nil {
		set.tokens = &tokens{global: &c.Global, log: log, ask: askPIN(o.TLS.Passphrases)}
		errs = set.tokens.check()
		o.TLS.Store = set.tokens
	}
	set.guests.begin(ctx, c, o)
	for _, sc := range c.Services {
		log.Infof("Initializing service [%s]", sc.Name)
		s, bad := set.build(ctx, sc, o)
		errs = append(errs, bad...)
		set.Services = append(set.Services, s)
	}
	if len(errs) > 0 {
		set.Close(ctx)
		return nil, errs
	}
	set.joinSecondaries()
	return set, nil
}

// build makes one service, and says all that is wrong with it.
func (set *Set) build(ctx context.Context, sc *config.Service, o Options) (s *Service, errs config.Errors) {
	log := o.Log.Logger("ui")
	s = &Service{conf: sc, level: logging.Level(sc.Debug)}
	t, err := tlsconf.Build(sc, o.TLS)
	var bad *config.Error
	switch {
	case errors.As(err, &bad):
		if bad.Hint == "" && looksLikeID(sc) {
			bad.WithHint("the name of an object in a token needs engineId = pkcs11 in the section, and engine = pkcs11 before the first")
		}
		errs = append(errs, bad)
	case err != nil:
		errs = append(errs, sc.Errorf("", "%v", err))
	default:
		s.tls = t
		for _, w := range t.Warnings {
			log.Warnf("%s", w)
		}
		for _, n := range t.Notices {
			log.Noticef("%s", n)
		}
	}
	if sc.Protocol != "" {
		if err := checkConversation(sc, set.Config.Services); err != nil {
			errs = append(errs, err)
		}
		if err := s.loadProtocol(ctx, set, o); err != nil {
			errs = append(errs, err)
		}
	}
	for i := range sc.Policies {
		if err := s.loadPolicy(ctx, set, &sc.Policies[i], o); err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) > 0 {
		return nil, errs
	}
	s.local = s.control('l')
	// Go turns Nagle's algorithm off once a connection is made, whatever was set before.
	s.remote = s.control('r', "TCP_NODELAY")
	outgoing := dial.Options{
		Failover: sc.Failover,
		Timeout:  sc.TimeoutConnect,
		Control:  s.control('r'),
		Delay:    sc.Delay,
	}
	if sc.Libwrap {
		hosts() // before a jail hides the files
	}
	if sc.Local != "" {
		if outgoing.Local, err = dial.LookupLocal(ctx, sc.Local); err != nil {
			return nil, append(errs, sc.Errorf("local", "Error resolving %q: %v", sc.Local, err).
				WithHint("write an address of this machine, or a name that has one"))
		}
	}
	s.dialer = dial.New(ctx, sc.Connect, outgoing, log)
	if len(sc.Redirect) > 0 {
		outgoing.Name = "redirect"
		s.decoy = dial.New(ctx, sc.Redirect, outgoing, log)
	}
	return s, nil
}

// loadProtocol finds, checks and compiles the guest of a service.
func (s *Service) loadProtocol(ctx context.Context, set *Set, o Options) *config.Error {
	sc, log := s.conf, o.Log.Logger("ui")
	s.slots = make(chan struct{}, MaxNegotiations)
	s.limits = guest.Limits{
		Fuel:  sc.Guest.CPU,
		Pages: sc.Guest.Memory,
		Clear: sc.Guest.Bytes,
		Time:  sc.Guest.Timeout,
		Busy:  sc.TimeoutBusy,
	}
	s.fixed, s.secrets = guestConfig(sc, hasSecondaries(sc, set.Config.Services) || len(sc.Redirect) > 0)
	addSecrets(o.Log, s.secrets)
	s.open = !sc.Client && stdproto.ChoosesTarget(sc.Protocol)
	s.reach.Rules = sc.Guest.Dial
	if s.open && len(sc.Guest.Dial) == 0 {
		s.reach.Rules = dial.Anywhere
	}
	if o.Native != nil {
		if s.proto = o.Native(sc.Protocol); s.proto != nil {
			return nil
		}
	}
	ref := protocolLine(sc)
	m, err := set.guests.get(ref.key)
	if err != nil {
		return err
	}
	say := func(severity int, text string) { guestLine(log, sc.Protocol, severity, text) }
	if err := m.Configure(ctx, s.lookup, say, s.limits); err != nil {
		return ref.refusal(err)
	}
	s.proto, s.module = m, m
	if o.Around != nil {
		s.proto = o.Around(sc.Name, m)
	}
	return nil
}

// addSecrets keeps what is secret out of the log.
func addSecrets(log *logging.Log, secrets map[string]string) {
	for _, v := range secrets {
		for line := range strings.SplitSeq(v, "\n") {
			log.AddSecret(line)
			// Of NAME:PASSWORD, the password by itself too.
			if _, password, ok := strings.Cut(line, ":"); ok {
				log.AddSecret(password)
			}
		}
	}
}

// secretOption is the option that a guest reads by secret, never by config, as it does
// every guestOption whose name says that it is a password.
const secretOption = "protocolpassword"

// guestConfig is what a guest's config call gives, by abi's keys, and its secret call.
// The values of a guestOption that is given several times are lines of one text.
func guestConfig(sc *config.Service, byName bool) (open, secret map[string]string) {
	open = map[string]string{abi.KeyService: sc.Name, abi.KeyClient: "no"}
	secret = map[string]string{}
	if sc.Client {
		open[abi.KeyClient] = "yes"
	}
	if byName {
		open[abi.KeySNI] = "yes"
	}
	for k, v := range sc.ProtocolValues {
		if k == secretOption {
			secret[k] = v
		} else {
			open[k] = v
		}
	}
	if len(sc.ProtocolHeader) > 0 {
		open["protocolheader"] = strings.Join(sc.ProtocolHeader, "\n")
	}
	addOptions(open, secret, sc.Guest.Options)
	return open, secret
}

// addOptions adds each guestOption to what config or secret gives.
func addOptions(open, secret map[string]string, options []config.KeyValue) {
	for _, o := range options {
		m, key := open, abi.OptionKeyPrefix+o.Key
		if abi.SecretOption(o.Key) {
			m = secret
		}
		if before, ok := m[key]; ok {
			m[key] = before + "\n" + o.Value
		} else {
			m[key] = o.Value
		}
	}
}

func (s *Service) lookup(key string) (string, bool) {
	if secret, ok := strings.CutPrefix(key, abi.SecretKeyPrefix); ok {
		_, ok = s.secrets[secret]
		return "set", ok
	}
	v, ok := s.fixed[key]
	return v, ok
}

// Close frees the guests, gives up keys in tokens, and ends what fetches staples.
// Connections that use them must have ended.
func (set *Set) Close(ctx context.Context) error {
	set.stopStapling()
	set.stapling.wg.Wait()
	if set.tokens != nil {
		set.tokens.close()
	}
	return set.guests.close(ctx)
}

// control sets the socket options of a scope ('a', 'l' or 'r'), all or some, before
// a socket is used; nil when there is nothing to set.
func (s *Service) control(scope byte, names ...string) func(network, address string, c syscall.RawConn) error {
	var opts []config.SocketOption
	for _, o := range s.conf.Socket {
		if o.Scope == scope && (len(names) == 0 || slices.Contains(names, o.Name)) {
			opts = append(opts, o)
		}
	}
	if len(opts) == 0 {
		return nil
	}
	return func(network, _ string, c syscall.RawConn) error { return setOptions(network, c, opts) }
}
