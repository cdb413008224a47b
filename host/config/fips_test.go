package config

import (
	"strings"
	"testing"
)

func TestFIPS(t *testing.T) {
	for _, c := range []struct{ options, want string }{
		{"", ""},
		{"ciphers = FIPS:!DH:!kDHEPSK", ""},
		{"curves = X25519:P-256", ""},
		{"curves = X25519", "none of the groups is approved"},
		{"ciphers = ECDHE+CHACHA20", ""}, // TLS 1.3 has AES
		{"ciphers = ECDHE+CHACHA20\nsslVersion = TLSv1.2", "none of the suites is approved"},
		{"ciphers = PSK-AES256-GCM-SHA384\nsslVersion = TLSv1.2\nPSKsecrets = psk.txt", ""},
		{"ciphers = PSK-CHACHA20-POLY1305\nsslVersion = TLSv1.2\nPSKsecrets = psk.txt", "none of the suites is approved"},
		{"sslVersionMax = TLSv1.1", "no version is left"},
		{"protocol = connect\nprotocolHost = a:1\nprotocolAuthentication = NTLM", "NTLM is made of MD4"},
	} {
		for _, fips := range []string{"yes", "no"} {
			conf, errs := loadText("fips = " + fips + "\n[a]\nclient = yes\naccept = 1\nconnect = 2\n" + c.options)
			switch {
			case fips == "no" || c.want == "":
				if len(errs) > 0 {
					t.Errorf("fips = %s, %q: %v", fips, c.options, errs)
				} else if conf.Global.FIPS.String() != fips {
					t.Errorf("fips = %s is %v", fips, conf.Global.FIPS)
				}
			case len(errs) != 1 || !strings.Contains(errs[0].Reason, c.want) || errs[0].Hint == "":
				t.Errorf("%q: %v, want %q", c.options, errs, c.want)
			}
		}
	}
	if conf, _ := loadText("[a]\nclient = yes\naccept = 1\nconnect = 2"); conf.Global.FIPS != FIPSUnset {
		t.Errorf("unset is %v", conf.Global.FIPS)
	}
}
