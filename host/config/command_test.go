package config

import (
	"slices"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/suite"
)

// TestCommands gives lines with config = and what they lead to.
func TestCommands(t *testing.T) {
	for _, c := range []struct {
		lines string
		holds func(*Service) bool
	}{
		{"config = MinProtocol:TLSv1.3", func(s *Service) bool { return s.MinVersion == TLS13 }},
		{"config = Protocol:-ALL,TLSv1.2", func(s *Service) bool { return s.MinVersion == 0 && s.MaxVersion == TLS12 }},
		{"options = NO_TLSv1_3\nconfig = Protocol:ALL", func(s *Service) bool { return s.MaxVersion == 0 }},
		{"sslVersionMax = TLSv1.3\nconfig = MaxProtocol:TLSv1.2", func(s *Service) bool { return s.MaxVersion == TLS12 }},
		{"config = CipherString:AES128-SHA:@SECLEVEL=1\nciphers = AES256-SHA", func(s *Service) bool {
			return slices.Equal(suite.Names(s.Offer.Suites), []string{"AES128-SHA"}) && s.SecurityLevel == 1
		}},
		{"config = Groups:P-384\ncurves = P-256", func(s *Service) bool { return len(s.Offer.Groups) == 1 && s.Offer.Groups[0] == 24 }},
		{"config = Options:-SessionTicket,NoRenegotiation", func(s *Service) bool { return s.NoTicket && !s.Renegotiation }},
		{"options = NO_TICKET\nconfig = Options:+SessionTicket", func(s *Service) bool { return !s.NoTicket && s.Renegotiation }},
		{"config = Certificate:a.pem\nconfig = PrivateKey:b.pem", func(s *Service) bool { return slices.Contains(s.Cert, "a.pem") && slices.Contains(s.Key, "b.pem") }},
		{"config = VerifyCAFile:ca.pem\nconfig = VerifyMode:Peer", func(s *Service) bool { return s.CAfile == "ca.pem" && s.VerifyChain && s.RequireCert }},
		{"config = VerifyCAPath:/ca\nconfig = VerifyMode:Peer", func(s *Service) bool { return s.Trust.CApath == "/ca" && s.VerifyChain }},
		{"config = ChainCAFile:x\nconfig = RequestCAFile:y", func(s *Service) bool { return s.Commands.ChainCAFile == "x" && s.Commands.RequestCAFile == "y" }},
		{"renegotiation = no", func(s *Service) bool { return !s.Renegotiation }},
		{"options = NO_RENEGOTIATION\noptions = -NO_RENEGOTIATION", func(s *Service) bool { return s.Renegotiation }},
	} {
		conf, errs := loadText(service(ServiceScope, c.lines))
		if len(errs) > 0 || !c.holds(conf.Services[0]) {
			t.Errorf("%s: %v, %+v", c.lines, errs, conf)
		}
	}
	server := "[s]\naccept = 1\nconnect = 2\ncert = x\nCAfile = y\n"
	for mode, want := range map[string][]bool{"Request": {true, true, false}, "Require": {true, true, true}, "Require,Request,Once": {true, true, true}} {
		conf, errs := loadText(server + "config = VerifyMode:" + mode + "\n")
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		s := conf.Services[0]
		if got := []bool{s.RequestCert, s.VerifyChain, s.RequireCert}; !slices.Equal(got, want) {
			t.Errorf("VerifyMode:%s: %v, want %v", mode, got, want)
		}
	}
	// None takes away what another line asks, whichever comes first.
	for _, lines := range []string{"verifyPeer = yes\nconfig = VerifyMode:Require", "config = VerifyMode:Request\nverify = 4",
		"verify = 3\nconfig = VerifyMode:Require,Request"} {
		conf, errs := loadText(server + lines + "\n")
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		if s := conf.Services[0]; !s.VerifyPeer || !s.RequestCert || !s.RequireCert || s.VerifyChain != strings.Contains(lines, "3") {
			t.Errorf("%q: chain %v, peer %v, require %v", lines, s.VerifyChain, s.VerifyPeer, s.RequireCert)
		}
	}
	conf, errs := loadText(server + "renegotiation = yes\nconfig = NumTickets:2\nconfig = Options:ServerPreference\n")
	if len(errs) > 0 || len(conf.Notes) != 2 || !strings.Contains(strings.Join(conf.Services[0].Offer.Warnings, ""), "in spite of renegotiation = yes") {
		t.Errorf("%v %+v", errs, conf)
	}
}

// TestCommandsOfDefaults has a command before the sections hold in each, and none leak.
func TestCommandsOfDefaults(t *testing.T) {
	conf, errs := loadText("config = MinProtocol:TLSv1.3\nclient = yes\naccept = 1\nconnect = 2\n[a]\nconfig = Groups:P-256\n[b]\n")
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	a, b := conf.Services[0], conf.Services[1]
	if a.MinVersion != TLS13 || b.MinVersion != TLS13 || len(a.Offer.Groups) != 1 || b.Offer.Groups != nil {
		t.Errorf("%+v\n%+v", a.Offer, b.Offer)
	}
}

// TestDefaultsAreWrongOnce has a line before the sections that no section can follow.
func TestDefaultsAreWrongOnce(t *testing.T) {
	_, errs := loadText("ciphers = CAMELLIA\nclient = yes\naccept = 1\nconnect = 2\n[a]\n[b]\n[c]\nciphers = ARIA\n")
	if len(errs) != 2 || errs[0].Line != 1 || errs[1].Line != 8 {
		t.Errorf("%v", errs)
	}
	conf, errs := loadText(service(ServiceScope, "config = CipherString:AES:+AES256"))
	if len(errs) > 0 || len(conf.Notes) != 1 || !strings.HasPrefix(conf.Notes[0].Text, "the order ") {
		t.Errorf("%v %+v", errs, conf)
	}
}
