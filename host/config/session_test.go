package config

import (
	"bytes"
	"testing"
	"time"
)

func TestSessionOptions(t *testing.T) {
	short := bytes.Repeat([]byte{0xAB}, 16)
	long := bytes.Repeat([]byte{0xCD}, 32)
	conf, errs := loadText("sessionCacheTimeout = 60\nticketMacSecret = " + string(bytes.Repeat([]byte("cd"), 32)) +
		"\n[a]\naccept = 1\nconnect = 2\ncert = s.pem\nsessionCacheSize = 0\nsessionResume = no\nsessiond = 7\n" +
		"ticketKeySecret = :AB" + string(bytes.Repeat([]byte(":ab"), 15)) + ":\n[b]\nclient = yes\naccept = 1\nconnect = 2\nsession = 5\n")
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	a, b := conf.Services[0].Session, conf.Services[1].Session
	if a.Resume || a.CacheSize != 0 || a.Timeout != time.Minute || a.Sessiond != (Address{Port: "7"}) ||
		!bytes.Equal(a.TicketKey, short) || !bytes.Equal(a.TicketMAC, long) {
		t.Errorf("%+v", a)
	}
	// A client is no place where one of the secrets alone would weaken anything.
	if !b.Resume || b.CacheSize != 1000 || b.Timeout != 5*time.Second || b.Sessiond != (Address{}) || b.TicketKey != nil {
		t.Errorf("%+v", b)
	}
}
