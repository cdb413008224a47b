package config

import (
	"strings"
	"testing"
	"time"
)

// TestOCSP gives lines and what a service has of them in the end.
func TestOCSP(t *testing.T) {
	for _, c := range []struct {
		options string
		want    OCSP
		notes   int
	}{
		{"", OCSP{Require: true, Timeout: 5 * time.Second}, 0},
		{"OCSP = http://ocsp.example.org/a?b", OCSP{URL: "http://ocsp.example.org/a?b", Require: true, Timeout: 5 * time.Second}, 0},
		{"OCSP = ocsp.example.org:8080", OCSP{URL: "http://ocsp.example.org:8080", Require: true, Timeout: 5 * time.Second}, 0},
		{"OCSPaia = yes, OCSPnonce = yes, OCSPrequire = no, TIMEOUTocsp = 2",
			OCSP{AIA: true, Nonce: true, Timeout: 2 * time.Second}, 0},
		{"OCSPflag = NOINTERN, OCSPflag = nosigs", OCSP{Flags: OCSPNoIntern | OCSPNoSigs, Require: true, Timeout: 5 * time.Second}, 1},
		{"OCSPflag = NOVERIFY, OCSPflag = NOCHECKS, OCSPflag = NOTIME",
			OCSP{Flags: OCSPNoVerify | OCSPNoChecks, Require: true, Timeout: 5 * time.Second}, 3},
	} {
		conf, errs := loadText(service(ServiceScope, "verifyChain = yes\nCAfile = x\n"+strings.ReplaceAll(c.options, ", ", "\n")))
		if len(errs) > 0 {
			t.Errorf("%s: %v", c.options, errs)
			continue
		}
		if got := conf.Services[0].OCSP; got != c.want || len(conf.Notes) != c.notes {
			t.Errorf("%s: %+v, %d notes", c.options, got, len(conf.Notes))
		}
	}
}

// TestOCSPDefaultsNeedNoChain has them before the first section, for some services.
func TestOCSPDefaultsNeedNoChain(t *testing.T) {
	if _, errs := loadText("OCSP = http://ocsp.example.org/\nOCSPaia = yes\n" + service(ServiceScope, "OCSPaia = no")); len(errs) > 0 {
		t.Error(errs)
	}
}
