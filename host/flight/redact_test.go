package flight

import "testing"

func TestRedact(t *testing.T) {
	for _, test := range []struct{ name, config, heard, text, want string }{
		{"as it is", "Tr0ub4dor", "", "PASS Tr0ub4dor\r\n", "PASS redacted-\r\n"},
		{"within a word, if long", "Tr0ub4dor", "", "xTr0ub4dory", "xredacted-y"},
		{"not within a word, if short", "pass", "", "password: pass", "password: reda"},
		{"behind a length", "pass", "", "\x01\x03joe\x04pass", "\x01\x03joe\x04reda"},
		{"in base64", "Tr0ub4dor", "", "AUTH PLAIN AGpvZQBUcjB1YjRkb3I=\r\n", "AUTH PLAIN AGpvZQByZWRhY3RlZC0=\r\n"},
		{"of a pair", "joe:Tr0ub4dor", "", "joe Tr0ub4dor", "joe redacted-"},
		{"of several", "joe:Tr0ub4dor\nann:c0rrect-h0rse", "", "Tr0ub4dor c0rrect-h0rse", "redacted- withheld-with"},
		{"one within another", "horse\nhorsepower", "", "horsepower horse", "withheld-w redac"},
		{"of a client that nobody knows", "", "PASS secret\r\n", "the password secret is wrong", "the password ****** is wrong"},
		{"spelled out", "", "USERNAME joe\nPASSWORD secret\n", "PASSWORD secret\n", "PASSWORD ******\n"},
		{"its base64", "", "AUTH PLAIN AGpvZQBUcjB1YjRkb3I=\r\n", "Tr0ub4dor", "redacted-"},
		{"a header", "", "CONNECT a:1 HTTP/1.1\r\nProxy-Authorization: Basic am9lOlRyMHViNGRvcg==\r\n",
			"Basic am9lOlRyMHViNGRvcg==", "Basic am9lOnJlZGFjdGVkLQ=="},
		{"imap's login", "", "a1 LOGIN joe Tr0ub4dor\r\n", "a1 LOGIN joe Tr0ub4dor\r\n", "a1 LOGIN joe *********\r\n"},
		{"imap's login in quotes", "", "a1 LOGIN \"joe\" \"pass word\"\r\n", "a1 LOGIN \"joe\" \"pass word\"\r\n", "a1 LOGIN \"joe\" \"*********\"\r\n"},
		{"sieve's login", "", "AUTHENTICATE \"PLAIN\" \"AGpvZQBUcjB1YjRkb3I=\"\r\n",
			"AUTHENTICATE \"PLAIN\" \"AGpvZQBUcjB1YjRkb3I=\"\r\n", "AUTHENTICATE \"PLAIN\" \"AGpvZQByZWRhY3RlZC0=\"\r\n"},
		{"sieve's login in a literal", "", "AUTHENTICATE \"PLAIN\" {20+}\r\nAGpvZQBUcjB1YjRkb3I=\r\n", "Tr0ub4dor {20+}", "redacted- {20+}"},
		{"a literal to come", "", "a LOGIN joe {9}\r\n", "a LOGIN joe {9}\r\n", "a LOGIN joe {9}\r\n"},
		{"nntp's login", "", "AUTHINFO PASS Tr0ub4dor\r\n", "AUTHINFO PASS Tr0ub4dor\r\n", "AUTHINFO PASS *********\r\n"},
		{"nntp's login in base64", "", "AUTHINFO SASL PLAIN AGpvZQBUcjB1YjRkb3I=\r\n", "Tr0ub4dor", "redacted-"},
		{"pop3's digest", "", "APOP joe c4c9334bac560ecc979e58001b3e22fb\r\n", "APOP joe c4c9334bac560ecc979e58001b3e22fb\r\n",
			"APOP joe ********************************\r\n"},
		{"xmpp's login", "", "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGpvZQBUcjB1YjRkb3I=</auth>",
			">AGpvZQBUcjB1YjRkb3I=<", ">AGpvZQByZWRhY3RlZC0=<"},
		{"ldap's bind", "", "0\x1a\x02\x01\x01`\x15\x02\x01\x03\x04\x06cn=joe\x80\x08p@ssw0rd", "\x06cn=joe\x80\x08p@ssw0rd", "\x06cn=joe\x80\x08redacted"},
		{"ldap's bind with long lengths", "", "`\x81\x15\x02\x01\x03\x04\x81\x06cn=joe\x80\x82\x00\x08p@ssw0rd", "p@ssw0rd", "redacted"},
		{"socks' login", "", "\x01\x03joe\x08p@ssw0rd", "\x01\x03joe\x08p@ssw0rd", "\x01\x03joe\x08redacted"},
		{"a bind cut short", "", "\x02\x01\x03\x04\x06cn=joe\x80\x7fp@ss", "p@ss", "p@ss"},
		{"nothing", "", "EHLO x\r\n", "EHLO x\r\n", "EHLO x\r\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := &redactor{}
			d.learn(test.config)
			d.overhear(test.heard)
			if got := d.text(test.text); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
