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
