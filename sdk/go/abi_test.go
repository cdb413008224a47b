package stunnel_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	stunnel "github.com/stunnel-wasm/stunnel-wasm/sdk/go"
)

// TestImports holds the imports to the interface: all of it, with its types.
func TestImports(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "raw_wasm.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]string{}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		name, ok := strings.CutPrefix(f.Doc.List[0].Text, "//go:wasmimport "+abi.ImportModule+" ")
		if !ok {
			t.Errorf("%s is no import", f.Name)
		}
		types[name] = letters(f.Type.Params) + ">" + letters(f.Type.Results)
	}
	for _, f := range abi.Functions {
		if want := f.Params + ">" + f.Results; types[f.Name] != want {
			t.Errorf("%s has type %q, want %q", f.Name, types[f.Name], want)
		}
	}
	if len(types) != len(abi.Functions) {
		t.Errorf("%d imports, the interface has %d", len(types), len(abi.Functions))
	}
}

// letters spells types as package abi does.
func letters(l *ast.FieldList) (s string) {
	if l == nil {
		return ""
	}
	for _, f := range l.List {
		letter := "i"
		if id, ok := f.Type.(*ast.Ident); ok && id.Name == "int64" {
			letter = "I"
		}
		s += strings.Repeat(letter, max(1, len(f.Names)))
	}
	return s
}

// TestNumbers holds the constants to the interface.
func TestNumbers(t *testing.T) {
	codes := map[string]stunnel.Code{
		"eof": stunnel.EOF, "too_long": stunnel.TooLong, "inval": stunnel.Inval, "state": stunnel.State, "inject": stunnel.Inject,
		"timeout": stunnel.Timeout, "refused": stunnel.Refused, "net": stunnel.Net, "host": stunnel.Host, "denied": stunnel.Denied,
		"tls": stunnel.TLS, "limit": stunnel.Limit, "none": stunnel.None, "io": stunnel.IO, "internal": stunnel.Internal,
	}
	words := map[string]bool{}
	for _, c := range abi.Codes {
		if got := codes[c.Name]; int32(got) != int32(c.Code) {
			t.Errorf("%s is %d, want %d", c.Name, got, c.Code)
		}
		words[codes[c.Name].Error()] = true
	}
	if len(words) != len(abi.Codes) {
		t.Errorf("%d sentences for %d codes", len(words), len(abi.Codes))
	}
	infos := map[string]stunnel.InfoID{
		"service": stunnel.InfoService, "mode": stunnel.InfoMode, "peer_addr": stunnel.InfoPeerAddr, "local_addr": stunnel.InfoLocalAddr,
		"target_addr": stunnel.InfoTargetAddr, "sni": stunnel.InfoSNI, "alpn": stunnel.InfoALPN, "tls_version": stunnel.InfoTLSVersion,
		"cipher": stunnel.InfoCipher, "stage": stunnel.InfoStage, "target": stunnel.InfoTarget, "bound_addr": stunnel.InfoBoundAddr, "resumed": stunnel.InfoResumed, "peer_subject": stunnel.InfoPeerSubject,
		"peer_issuer": stunnel.InfoPeerIssuer, "peer_spki": stunnel.InfoPeerSPKI, "peer_san": stunnel.InfoPeerSAN, "peer_cert": stunnel.InfoPeerCert,
		"peer_cn": stunnel.InfoPeerCN, "peer_verified": stunnel.InfoPeerVerified, "peer_psk": stunnel.InfoPeerPSK,
	}
	for _, i := range abi.Infos {
		if got, ok := infos[i.Name]; !ok || int32(got) != int32(i.ID) {
			t.Errorf("info %s is %d, want %d", i.Name, got, i.ID)
		}
	}
	algs := map[string]stunnel.Alg{"md4": stunnel.MD4, "md5": stunnel.MD5, "sha1": stunnel.SHA1, "sha224": stunnel.SHA224,
		"sha256": stunnel.SHA256, "sha384": stunnel.SHA384, "sha512": stunnel.SHA512}
	for _, d := range abi.Digests {
		if got, ok := algs[d.Name]; !ok || int32(got) != int32(d.Alg) {
			t.Errorf("digest %s is %d, want %d", d.Name, got, d.Alg)
		}
	}
	for class, want := range map[stunnel.Class]abi.Class{stunnel.ClassPeer: abi.FailPeer, stunnel.ClassConfig: abi.FailConfig,
		stunnel.ClassPolicy: abi.FailPolicy, stunnel.ClassInternal: abi.FailInternal} {
		if int32(class) != int32(want) {
			t.Errorf("class %d, want %v", class, want)
		}
	}
}
