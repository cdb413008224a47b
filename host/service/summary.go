package service

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/verify"
)

// Warnings lists what is doubtful in the services' TLS set-up.
func (set *Set) Warnings() []string {
	var all []string
	for _, s := range set.Services {
		all = append(all, s.tls.Warnings...)
	}
	return all
}

// Notices lists what of it is worth a note.
func (set *Set) Notices() []string {
	var all []string
	for _, s := range set.Services {
		all = append(all, s.tls.Notices...)
	}
	return all
}

// Summary describes a service in the columns of the check command: name, mode,
// accept, connect, protocol, certificate, and what is asked of the peer.
func (s *Service) Summary() []string {
	mode, cert, proto := "server", "-", "-"
	if s.conf.Client {
		mode = "client"
	}
	if leaf := s.tls.Leaf; leaf != nil {
		cert = fmt.Sprintf("%s, until %s", verify.Name(leaf.Subject), leaf.NotAfter.Format("2006-01-02"))
	}
	if keys := s.tls.PSK; keys != nil {
		cert = strings.TrimPrefix(fmt.Sprintf("%s, pre-shared keys: %d", cert, keys.Secrets.Len()), "-, ")
	}
	if s.module != nil {
		proto = fmt.Sprintf("%s (sha256:%.12s)", s.conf.Protocol, s.module.Hash)
	}
	for _, p := range s.ask {
		proto = strings.TrimPrefix(fmt.Sprintf("%s, policy %s (sha256:%.12s)", proto, p.name, p.module.Hash), "-, ")
	}
	return []string{s.conf.Name, mode, addresses(s.conf.Accept), s.target(), proto, cert, s.peer()}
}

// target is where the service's connections go. What program that is, the file says.
func (s *Service) target() string {
	if s.conf.Transparent.Destination {
		return "where clients are bound for"
	}
	if s.runs() {
		return s.conf.Exec.Path
	}
	return addresses(s.conf.Connect)
}

func addresses(as []config.Address) string {
	if len(as) == 0 {
		return "-"
	}
	var texts []string
	for _, a := range as {
		texts = append(texts, a.String())
	}
	return strings.Join(texts, " ")
}

func (s *Service) peer() string {
	switch {
	case s.tls.PSK == nil:
		return s.certificatePeer()
	case s.conf.Client, !s.certified():
		return "a pre-shared key"
	}
	return s.certificatePeer() + ", or a pre-shared key"
}

// certificatePeer is what is asked of a peer that has no pre-shared key.
func (s *Service) certificatePeer() string {
	conf := s.conf
	names := slices.Concat(conf.CheckHost, conf.Trust.CheckEmail, conf.Trust.CheckIP)
	how := "verified"
	if conf.VerifyPeer {
		how = "a listed certificate"
	}
	switch {
	case conf.Verifies() && len(names) > 0:
		return how + " as " + strings.Join(names, " or ")
	case conf.Verifies() && (conf.RequireCert || conf.Client):
		return how
	case conf.Verifies():
		return how + " if it has a certificate"
	case conf.RequireCert:
		return "any certificate"
	case conf.Client:
		return "not verified"
	}
	return "anyone"
}
