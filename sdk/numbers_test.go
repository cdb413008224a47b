package sdk_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/sdk"
)

// TestHeader holds stunnel.h to the tables of package abi: each function is there with its
// parameters, and each number has its value.
func TestHeader(t *testing.T) {
	header, err := sdk.Files.ReadFile("c/stunnel.h")
	if err != nil {
		t.Fatal(err)
	}
	text := string(header)
	for _, f := range abi.Functions {
		declared := regexp.MustCompile(`STUNNEL_IMPORT\(` + f.Name + `\) (\S+) stunnel_` + f.Name + `\(([^)]*)\);`).FindStringSubmatch(text)
		if declared == nil {
			t.Errorf("it does not declare %s", f.Name)
			continue
		}
		parameters := 0
		if declared[2] != "void" {
			parameters = strings.Count(declared[2], ",") + 1
		}
		if parameters != len(f.Params) {
			t.Errorf("%s has %d parameters, want %d", f.Name, parameters, len(f.Params))
		}
		if want := map[string]string{"": "void", "i": "int", "I": "int64_t"}[f.Results]; declared[1] != want {
			t.Errorf("%s gives %s, want %s", f.Name, declared[1], want)
		}
	}
	numbers := map[string]int{}
	for _, n := range regexp.MustCompile(`STUNNEL_([A-Z0-9_]+) = (-?\d+)`).FindAllStringSubmatch(text, -1) {
		value, err := strconv.Atoi(n[2])
		if err != nil {
			t.Fatal(err)
		}
		numbers[n[1]] = value
	}
	want := map[string]int{
		"ACCEPTED": int(abi.Accepted), "OUTGOING": int(abi.Outgoing),
		"EOF": int(abi.EOF), "TOO_LONG": int(abi.TooLong), "INVAL": int(abi.Inval), "STATE": int(abi.State),
		"INJECT": int(abi.Inject), "TIMEOUT": int(abi.Timeout), "REFUSED": int(abi.Refused), "NET": int(abi.Net),
		"HOST": int(abi.Host), "DENIED": int(abi.Denied), "TLS": int(abi.TLS), "LIMIT": int(abi.Limit),
		"NONE": int(abi.None), "IO": int(abi.IO), "INTERNAL": int(abi.Internal),
		"BY_PEER": int(abi.FailPeer), "BY_CONFIG": int(abi.FailConfig), "BY_POLICY": int(abi.FailPolicy), "BY_GUEST": int(abi.FailInternal),
		"MD4": int(abi.DigestMD4), "MD5": int(abi.DigestMD5), "SHA1": int(abi.DigestSHA1), "SHA224": int(abi.DigestSHA224),
		"SHA256": int(abi.DigestSHA256), "SHA384": int(abi.DigestSHA384), "SHA512": int(abi.DigestSHA512),
	}
	for _, i := range abi.Infos {
		want["INFO_"+strings.ToUpper(i.Name)] = int(i.ID)
	}
	for name, value := range want {
		if got, ok := numbers[name]; !ok || got != value {
			t.Errorf("STUNNEL_%s is %d (%v), want %d", name, got, ok, value)
		}
	}
}

// TestCrate holds the Rust crate to the same tables.
func TestCrate(t *testing.T) {
	source, err := sdk.Files.ReadFile("rust/src/host.rs")
	if err != nil {
		t.Fatal(err)
	}
	text := string(source)
	for _, f := range abi.Functions {
		declared := regexp.MustCompile(`pub fn ` + f.Name + `\(([^)]*)\)(?: -> (\S+))?;`).FindStringSubmatch(text)
		if declared == nil {
			t.Errorf("it does not declare %s", f.Name)
			continue
		}
		if got := strings.Count(declared[1], ":"); got != len(f.Params) {
			t.Errorf("%s has %d parameters, want %d", f.Name, got, len(f.Params))
		}
		if want := map[string]string{"": "", "i": "i32", "I": "i64"}[f.Results]; declared[2] != want {
			t.Errorf("%s gives %q, want %q", f.Name, declared[2], want)
		}
	}
	for _, i := range abi.Infos {
		var name strings.Builder
		for word := range strings.SplitSeq(i.Name, "_") {
			name.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
		if line := "    " + name.String() + " = " + strconv.Itoa(int(i.ID)) + ","; !strings.Contains(text, line) {
			t.Errorf("it does not have %q", line)
		}
	}
}
