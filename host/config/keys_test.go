package config

import "testing"

func TestSeveralCertificates(t *testing.T) {
	for _, c := range []struct {
		name, text string
		cert, key  []string
	}{
		{"one", "[a]\naccept=1\nconnect=2\ncert=r", []string{"r"}, []string{"r"}},
		{"two", "[a]\naccept=1\nconnect=2\ncert=r\ncert=e\nkey=k\nkey=l", []string{"r", "e"}, []string{"k", "l"}},
		{"the same again", "[a]\naccept=1\nconnect=2\ncert=r\ncert=r", []string{"r"}, []string{"r"}},
		{"inherited", "cert=r\ncert=e\n[a]\naccept=1\nconnect=2", []string{"r", "e"}, []string{"r", "e"}},
		{"in place of the inherited", "cert=r\nkey=k\n[a]\naccept=1\nconnect=2\ncert=e\nkey=l", []string{"e"}, []string{"l"}},
		{"a key that stays", "cert=r\nkey=k\n[a]\naccept=1\nconnect=2\ncert=e", []string{"e"}, []string{"k"}},
		{"the section before is no default", "cert=r\n[b]\naccept=3\nconnect=4\ncert=x\n[a]\naccept=1\nconnect=2\ncert=e\ncert=f", []string{"e", "f"}, []string{"e", "f"}},
		{"taken back", "cert=r\n[a]\nclient=yes\naccept=1\nconnect=2\ncert=", nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			conf, errs := loadText(c.text)
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			s := conf.Services[len(conf.Services)-1]
			compare(t, "cert", s.Cert, c.cert)
			compare(t, "key", s.Key, c.key)
		})
	}
}
