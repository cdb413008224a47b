package tlsconf

import (
	"crypto/elliptic"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

func TestChainCAFile(t *testing.T) {
	root := issue(t, "root", ecKey(t, elliptic.P256()), nil)
	upper := issue(t, "upper", ecKey(t, elliptic.P256()), root)
	lower := issue(t, "lower", ecKey(t, elliptic.P256()), upper)
	leaf := issue(t, "leaf", ecKey(t, elliptic.P256()), lower)
	twin := issue(t, "lower", ecKey(t, elliptic.P256()), upper) // the name alone does not do
	for _, c := range []struct{ cert, issuers, want string }{
		{certPEM(leaf), certPEM(root) + certPEM(twin) + certPEM(upper) + certPEM(lower), "leaf lower upper"},
		{certPEM(leaf) + certPEM(lower), certPEM(upper), "leaf lower upper"},
		{certPEM(leaf), certPEM(upper), "leaf"},
	} {
		s := service(file(t, c.cert+pkcs8(leaf.key)), "")
		s.Commands.ChainCAFile = file(t, c.issuers)
		ctx, err := Build(s, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := chain(t, ctx); got != c.want {
			t.Errorf("sends %q, want %q", got, c.want)
		}
	}
}

func TestRequestCAFile(t *testing.T) {
	names := file(t, certPEM(issue(t, "a", ecKey(t, elliptic.P256()), nil))+certPEM(issue(t, "b", ecKey(t, elliptic.P256()), nil)))
	server, _ := contexts(t, func(s, _ *config.Service, root string) {
		s.RequestCert, s.CAfile, s.Commands.RequestCAFile = true, root, names
	})
	//lint:ignore SA1019 the pool is not the system's
	if n := len(server.Config.ClientCAs.Subjects()); n != 2 {
		t.Errorf("the server names %d authorities, want 2", n)
	}
	for path, want := range map[string]string{"/nowhere.pem": "no such file", file(t, dhParameters): "no certificate in "} {
		s := service("", "")
		s.Commands.RequestCAFile = path
		_, err := Build(s, Options{})
		fails(t, err, want)
	}
}
