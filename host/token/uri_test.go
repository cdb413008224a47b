package token

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestParseURI(t *testing.T) {
	for _, tc := range []struct {
		uri  string
		want URI
	}{
		{"pkcs11:", URI{}},
		{"pkcs11:token=My%20token;object=a%3Bb", URI{Token: "My token", Object: "a;b"}},
		{"PKCS11:id=%00%fF45;type=private", URI{ID: []byte{0, 0xff, '4', '5'}, Type: "private"}},
		{"pkcs11:manufacturer=m;model=o;serial=s;slot-id=0", URI{Manufacturer: "m", Model: "o", Serial: "s", HasSlot: true}},
		{"pkcs11:slot-id=1682235421", URI{Slot: 1682235421, HasSlot: true}},
		{"pkcs11:object=x?pin-value=a%26b%3d&module-path=/usr/lib/x.so", URI{Object: "x", PIN: "a&b=", ModulePath: "/usr/lib/x.so"}},
		{"pkcs11:?pin-source=file:/etc/pin", URI{PINSource: "file:/etc/pin"}},
		{"pkcs11:token=schl%c3%bcssel+1", URI{Token: "schlüssel+1"}},
	} {
		if got, err := ParseURI(tc.uri); err != nil || !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s: got %+v, %v", tc.uri, got, err)
		}
	}
}

func TestParseURIRefuses(t *testing.T) {
	for uri, want := range map[string]string{
		"":                                    `starts with "pkcs11:"`,
		"pkcs12:token=x":                      `starts with "pkcs11:"`,
		"pkcs11:token":                        "is not NAME=VALUE",
		"pkcs11:token=x;":                     "is not NAME=VALUE",
		"pkcs11:token=":                       `"token" is empty`,
		"pkcs11:id=":                          `"id" is empty`,
		"pkcs11:token=a;token=a":              `"token" twice`,
		"pkcs11:token=%4":                     "percent sign",
		"pkcs11:token=%zz":                    "percent sign",
		"pkcs11:token=%ff":                    "not UTF-8",
		"pkcs11:token=a%00":                   "not UTF-8",
		"pkcs11:Token=a":                      `"Token" is not one of`,
		"pkcs11:library-version=3":            "is not one of",
		"pkcs11:type=key":                     "type=key is none of",
		"pkcs11:slot-id=-1":                   "not a number",
		"pkcs11:slot-id=99999999999999999999": "not a number",
		"pkcs11:serial=01234567890123456":     "longer than the 16 bytes",
		"pkcs11:x?pin-value=1234":             "is not NAME=VALUE",
		"pkcs11:?object=x":                    `"object" is not one of pin-value`,
		"pkcs11:?pin-value=a&pin-source=/b":   "exclude each other",
		"pkcs11:?pin-value=12&34":             "is not NAME=VALUE",
	} {
		_, err := ParseURI(uri)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, not %q", uri, err, want)
		}
	}
}

// TestURIKeepsPIN sees no part of a PIN in an error, or in the URI as it is logged.
func TestURIKeepsPIN(t *testing.T) {
	const pin = "S3cretPin"
	for _, uri := range []string{
		"pkcs11:?pin-value=" + pin + "%z", "pkcs11:?pin-value=" + pin + "&pin-value=" + pin, "pkcs11:?pin-value=x&" + pin,
		"pkcs11:?pin-value=x&" + pin + "!=1", "pkcs11:?pin-value=" + pin + "%ff", "pkcs11:x?pin-value=" + pin, "pkcs11:?pin-value=" + pin + "&x=1",
		"pkcs11:?pin-value=" + pin,
	} {
		u, err := ParseURI(uri)
		if err != nil && strings.Contains(err.Error(), pin) || strings.Contains(u.String(), pin) {
			t.Errorf("%s: %v, %v", uri, u, err)
		}
	}
}

func TestParseID(t *testing.T) {
	for s, want := range map[string]string{
		"id_45":            "pkcs11:id=%45",
		"id_0a:0B":         "pkcs11:id=%0A%0B",
		"label_my key":     "pkcs11:object=my%20key",
		"label_slot_1":     "pkcs11:object=slot_1",
		"slot_3":           "pkcs11:slot-id=3",
		"slot_3-id_45":     "pkcs11:slot-id=3;id=%45",
		"slot_3-label_a-b": "pkcs11:slot-id=3;object=a-b",
		"3:45":             "pkcs11:slot-id=3;id=%45",
	} {
		if u, err := ParseID(s); err != nil || u.String() != want || !IsID(s) {
			t.Errorf("%s: got %v, %v", s, u, err)
		}
	}
	for _, s := range []string{"", "id_", "id_4", "id_zz", "label_", "slot_", "slot_x", "slot_1-", "slot_1-45", "slot_1-label_", "45", "/etc/cert.pem", "3:", ":45"} {
		if u, err := ParseID(s); err == nil {
			t.Errorf("%s is taken for %v", s, u)
		}
	}
	for _, s := range []string{"/etc/cert.pem", "cert.pem", "C:\\cert.pem", "1:cert", "45", ""} {
		if IsID(s) {
			t.Errorf("%s is taken for an object's id", s)
		}
	}
}

func TestReadPIN(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for text, want := range map[string]string{"1234": "1234", "1234\n": "1234", "12 34 \r\n": "12 34 "} {
		path := write("pin", text)
		for _, source := range []string{path, "file:" + path, "file://" + path, "file://localhost" + path} {
			if got, err := ReadPIN(source); err != nil || got != want {
				t.Errorf("%s with %q: got %q, %v", source, text, got, err)
			}
		}
	}
	for _, source := range []string{
		write("empty", "\n"), write("long", strings.Repeat("1", maxPIN+1)), dir, filepath.Join(dir, "none"),
		"pin", "file:pin", "file://example.org/pin", "|echo 1234", "file:%zz", "http://localhost/pin",
	} {
		if got, err := ReadPIN(source); err == nil {
			t.Errorf("%s gives %q", source, got)
		}
	}
}

// FuzzURI sees that what is read is written and read the same, and that no PIN is written.
func FuzzURI(f *testing.F) {
	for _, s := range []string{
		"pkcs11:token=My%20token;object=a%3Bb;id=%00%ff;type=cert?pin-value=1234&module-path=/x",
		"pkcs11:slot-id=3;manufacturer=m;model=o;serial=s?pin-source=file:/x", "pkcs11:", "PKCS11:a=b", "pkcs11:token=%", "id_45",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := ParseURI(s)
		if err != nil {
			if len(err.Error()) > 200 {
				t.Errorf("the error %q grows with what it is about", err)
			}
			return
		}
		again, err := ParseURI(u.String())
		u.PIN, u.PINSource, u.ModulePath = "", "", ""
		if err != nil || !reflect.DeepEqual(u, again) {
			t.Errorf("%q is %v, which is read as %v, %v", s, u, again, err)
		}
	})
}

func FuzzID(f *testing.F) {
	for _, s := range []string{"id_45", "label_x", "slot_1", "slot_1-id_45", "slot_2-label_y-z", "1:45", "1:", "slot_1-", "id_4", "cert.pem"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := ParseID(s)
		if err != nil {
			return
		}
		if !IsID(s) || !u.HasSlot && u.Object == "" && len(u.ID) == 0 {
			t.Errorf("%q is taken for %+v", s, u)
		}
	})
}
