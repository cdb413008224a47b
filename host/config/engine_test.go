package config

import (
	"runtime"
	"strings"
	"testing"
)

// bare leaves out what only later lines and messages are about.
func bare(engines []Engine) []Engine {
	out := append([]Engine(nil), engines...)
	for i := range out {
		out[i].Place, out[i].names = Place{}, ""
	}
	return out
}

func TestEngines(t *testing.T) {
	conf, errs := loadText(`
engine = pkcs11
engineCtrl = MODULE_PATH:/usr/lib/softhsm/libsofthsm2.so
engineCtrl = PIN:12:34
engineCtrl = init
engineDefault = RSA, PKEY,RAND
engine = dynamic
engineCtrl = SO_PATH:/usr/lib/engines-3/pkcs11.so
engineCtrl = ID:pkcs11
engineCtrl = LIST_ADD:1
engineCtrl = LOAD
engineCtrl = MODULE_PATH:/second.so
engineCtrl = INIT_ARGS:configdir=/x
engineCtrl = FORCE_LOGIN
engineCtrl = VERBOSE
engineCtrl = RE_ENUMERATE
engineCtrl = INIT
provider = pkcs11
providerParameter = pkcs11:pkcs11-module-path=/third.so
providerParameter = pkcs11: pkcs11-module-token-pin = file:/etc/pin
providerParameter = pkcs11:pkcs11-module-login-behavior=always
provider = pkcs11prov
providerParameter = pkcs11prov:pkcs11_module=/fourth.so
providerParameter = pkcs11prov:pin=4444
providerParameter = pkcs11prov:force_login=0
[first]
accept = 1
connect = 2
engineId = pkcs11
cert = id_45
[second]
accept = 3
connect = 4
engineNum = 2
cert = cert.pem
key = pkcs11:token=x;object=y?pin-value=1234
[none]
accept = 5
connect = 6
cert = PKCS11:object=z
`)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	compare(t, "engines", bare(conf.Global.Engines), []Engine{
		{ID: "pkcs11", Module: "/usr/lib/softhsm/libsofthsm2.so", PIN: "12:34"},
		{ID: "pkcs11", Module: "/second.so", InitArgs: "configdir=/x", Login: true},
	})
	compare(t, "providers", bare(conf.Global.Providers), []Engine{
		{ID: "pkcs11", Module: "/third.so", PINSource: "file:/etc/pin", Login: true},
		{ID: "pkcs11prov", Module: "/fourth.so", PIN: "4444"},
	})
	compare(t, "engine lines", []int{conf.Global.Engines[0].Place.Line, conf.Global.Engines[1].Place.Line}, []int{2, 7})
	var used []int
	for _, s := range conf.Services {
		used = append(used, s.Engine)
	}
	compare(t, "used", used, []int{1, 2, 0})
	compare(t, "key", conf.Services[1].Key, []string{"pkcs11:token=x;object=y?pin-value=1234"})
	compare(t, "line", conf.Services[1].Pos["key"].Text, "key = pkcs11:token=x;object=y?pin-value=<redacted>")
	if len(conf.Notes) != 2 || !strings.HasPrefix(conf.Notes[0].Text, "engineDefault = RAND has no effect") {
		t.Errorf("notes: %v", conf.Notes)
	}
}

func TestHidePIN(t *testing.T) {
	for in, want := range map[string]string{
		"":                                  "",
		"key = pkcs11:token=x":              "key = pkcs11:token=x",
		"key = pkcs11:?pin-value=12":        "key = pkcs11:?pin-value=<redacted>",
		"pkcs11:?PIN-Value=12&3 4":          "pkcs11:?PIN-Value=<redacted>",
		"pkcs11:?module-path=/x&pin-value=": "pkcs11:?module-path=/x&pin-value=<redacted>",
		"pin-value":                         "pin-value",
	} {
		compare(t, in, HidePIN(in), want)
	}
}

func TestStores(t *testing.T) {
	for _, value := range []string{"pkcs11:token=x?pin-value=1", "file:/etc/ssl/certs", "file:///x", "/x", "x/y", `C:\x`, "a/b:c", ""} {
		conf, errs := loadText("[a]\nclient = yes\naccept = 1\nconnect = 2\nverifyChain = yes\ncheckHost = x\nCAengine = id_1\nCAengine = id_2\nCAstore = " + value + "\n")
		if len(errs) > 0 {
			t.Errorf("%s: %v", value, errs)
			continue
		}
		trust := conf.Services[0].Trust
		compare(t, "CAstore", trust.CAstore, value)
		compare(t, "CAengine", trust.CAengine, []string{"id_1", "id_2"})
	}
	for _, value := range []string{SystemStore, SystemStore + "//", strings.ToUpper(SystemStore)} {
		_, errs := loadText("[a]\nclient = yes\naccept = 1\nconnect = 2\nverifyChain = yes\ncheckHost = x\nCAstore = " + value + "\n")
		if (len(errs) == 0) != (runtime.GOOS == "windows") {
			t.Errorf("%s: %v", value, errs)
		}
	}
}
