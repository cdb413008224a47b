//go:build cgo

package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// tokenPIN is the PIN of all tokens of these tests. It must be in no line that is logged.
const tokenPIN = "83926471"

// tokenKeys are the kinds of keys in a token, by label, as openssl makes them, with their
// ids.
var tokenKeys = []struct{ label, id, args string }{
	{"rsa", "45", "-algorithm RSA -pkeyopt rsa_keygen_bits:2048"},
	{"p256", "46", "-algorithm EC -pkeyopt ec_paramgen_curve:P-256"},
	{"ed25519", "47", "-algorithm ED25519"},
}

// tokenHSM makes a token with a key and a certificate of each kind.
func tokenHSM(t *testing.T) *testpeer.SoftHSM {
	t.Helper()
	h := testpeer.NewSoftHSM(t)
	h.Token("main", tokenPIN)
	for _, k := range tokenKeys {
		key, cert := h.Key(k.label, strings.Fields(k.args)...)
		h.Import("main", tokenPIN, key, k.label, k.id, true)
		h.Certificate("main", tokenPIN, cert, k.label, k.id)
		// What is left is the certificate: the daemon cannot take the key from a file.
		if err := os.Remove(key); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

func (d *tokenDaemon) noPIN(t *testing.T) {
	t.Helper()
	for _, l := range d.Lines() {
		if strings.Contains(l, tokenPIN) {
			t.Errorf("the PIN is logged: %s", l)
		}
	}
}

type tokenDaemon struct {
	*testpeer.Daemon
	hsm *testpeer.SoftHSM
}

func startWithToken(t *testing.T, h *testpeer.SoftHSM, conf string) *tokenDaemon {
	t.Helper()
	d := &tokenDaemon{testpeer.StartEnv(t, h.Env, self(t), h.Config(tokenPIN)+conf), h}
	t.Cleanup(func() { d.noPIN(t) })
	return d
}

// fresh makes a handshake without resumption by s_client, and a line through it.
func fresh(t *testing.T, d *testpeer.Daemon, service string, args ...string) {
	t.Helper()
	c := sClient(t, d, service, append(args, "-verify_return_error", "-verify_hostname", "localhost")...)
	say(t, c, "signed")
	c.Stdin.Close()
	if status := c.Wait(); status != 0 {
		t.Errorf("openssl's exit status is %d:\n%s", status, c.Output())
	}
}

// TestTokenServer serves each kind of key in both versions, named in each way that there
// is, the certificate in the token or in a file.
func TestTokenServer(t *testing.T) {
	t.Parallel()
	h := tokenHSM(t)
	conf := "connect = " + testpeer.Serve(t, testpeer.Echo) + "\n"
	type named struct{ cert, key string }
	services := map[string]string{}
	for _, k := range tokenKeys {
		for i, n := range []named{
			{"pkcs11:token=main;object=" + k.label, ""},
			{"pkcs11:token=main;id=%" + k.id + ";type=cert", "pkcs11:token=main;id=%" + k.id + ";type=private"},
			{filepath.Join(h.Dir, k.label+".pem"), "pkcs11:token=main;object=" + k.label},
			{"id_" + k.id, "label_" + k.label},
			{filepath.Join(h.Dir, k.label+".pem"), "id_" + k.id},
		} {
			name := fmt.Sprintf("%s%d", k.label, i)
			services[name] = k.label
			conf += "[" + name + "]\naccept = 127.0.0.1:0\nengineId = pkcs11\ncert = " + n.cert + "\n"
			if n.key != "" {
				conf += "key = " + n.key + "\n"
			}
		}
	}
	d := startWithToken(t, h, conf)
	for name, label := range services {
		for _, v := range versions {
			fresh(t, d.Daemon, name, v.openssl, "-CAfile", filepath.Join(h.Dir, label+".pem"))
		}
	}
	// RSA by its older padding, and with the hashes of either kind.
	for _, alg := range []string{"RSA+SHA256", "RSA+SHA384", "RSA+SHA512", "RSA-PSS+SHA256", "RSA-PSS+SHA512"} {
		fresh(t, d.Daemon, "rsa0", "-tls1_2", "-sigalgs", alg, "-CAfile", filepath.Join(h.Dir, "rsa.pem"))
	}
	for _, alg := range []string{"RSA-PSS+SHA256", "RSA-PSS+SHA384", "RSA-PSS+SHA512"} {
		fresh(t, d.Daemon, "rsa0", "-tls1_3", "-sigalgs", alg, "-CAfile", filepath.Join(h.Dir, "rsa.pem"))
	}
	for _, alg := range []string{"ECDSA+SHA256", "ECDSA+SHA384", "ECDSA+SHA512"} {
		fresh(t, d.Daemon, "p2560", "-tls1_2", "-sigalgs", alg, "-CAfile", filepath.Join(h.Dir, "p256.pem"))
	}
}

// TestTokenClient shows a certificate of the token to openssl s_server, which asks for one.
func TestTokenClient(t *testing.T) {
	t.Parallel()
	h := tokenHSM(t)
	certs := testpeer.Certs(t)
	for _, v := range versions {
		for _, k := range tokenKeys {
			ca := filepath.Join(h.Dir, k.label+".pem")
			d := startWithToken(t, h, `
[c]
client = yes
accept = 127.0.0.1:0
connect = `+sServer(t, "-cert", certs.Server, "-cert_chain", certs.Chain, "-Verify", "1", "-verify_return_error", "-CAfile", ca, v.openssl)+`
cert = pkcs11:token=main;object=`+k.label+`
`)
			text, err := page(t, d.Daemon, "c")
			if err != nil || !strings.Contains(text, "CN="+k.label) && !strings.Contains(text, "CN = "+k.label) {
				t.Errorf("%s %s: %v: %s", v.log, k.label, err, text)
			}
		}
	}
}

// TestTokenStunnel puts stunnel on the other side, in both roles.
func TestTokenStunnel(t *testing.T) {
	t.Parallel()
	h := tokenHSM(t)
	stunnel := testpeer.Need(t, "stunnel4", "stunnel4")
	certs := testpeer.Certs(t)
	for _, k := range tokenKeys {
		ca := filepath.Join(h.Dir, k.label+".pem")
		cert := "cert = pkcs11:token=main;object=" + k.label + "\n"
		server := startWithToken(t, h, "[s]\naccept = 127.0.0.1:0\nconnect = "+testpeer.Serve(t, testpeer.Echo)+"\n"+cert)
		client := testpeer.Start(t, stunnel, "[c]\nclient = yes\naccept = 127.0.0.1:0\nconnect = "+server.Addr("s")+
			"\nverifyChain = yes\nCAfile = "+ca+"\ncheckHost = localhost\n")
		through(t, client.Addr("c"))

		theirs := testpeer.Start(t, stunnel, "[s]\naccept = 127.0.0.1:0\nconnect = "+testpeer.Serve(t, testpeer.Echo)+
			"\ncert = "+certs.Server+"\nverifyPeer = yes\nCAfile = "+ca+"\n")
		ours := startWithToken(t, h, "[c]\nclient = yes\naccept = 127.0.0.1:0\nconnect = "+theirs.Addr("s")+"\n"+cert+
			"verifyChain = yes\nCAfile = "+certs.Root+"\ncheckHost = localhost\n")
		through(t, ours.Addr("c"))
	}
}

// through sends a line to an address and waits for its echo.
func through(t *testing.T, addr string) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "hello\n"); err != nil {
		t.Error(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 6)); err != nil {
		t.Errorf("reading the echo: %v", err)
	}
}

// TestTokenReset pulls the token under two services; the next handshakes go through, with
// one login for both.
func TestTokenReset(t *testing.T) {
	t.Parallel()
	h := tokenHSM(t).Break()
	d := startWithToken(t, h, "connect = "+testpeer.Serve(t, testpeer.Echo)+`
[rsa]
accept = 127.0.0.1:0
cert = pkcs11:token=main;object=rsa
[p256]
accept = 127.0.0.1:0
cert = pkcs11:token=main;object=p256
`)
	both := func() {
		t.Helper()
		for _, s := range []string{"rsa", "p256"} {
			fresh(t, d.Daemon, s, "-CAfile", filepath.Join(h.Dir, s+".pem"))
		}
	}
	both()
	logins := h.Calls("logins")
	h.Do(t, "reset", "")
	both()
	d.WaitLine(`LOG5\[ui\]: PKCS#11 token "main" has lost its sessions: logged in again$`)
	if n := h.Calls("logins") - logins; n != 1 {
		t.Errorf("%d logins after the reset, not 1", n)
	}

	// Without the token a handshake fails and says so; with it the next ones do not.
	h.Do(t, "gone", "")
	c := sClient(t, d.Daemon, "rsa")
	c.Wait()
	d.WaitLine(`LOG3\[\d+\]: SSL_accept: .*token "main": not found`)
	h.Undo("gone")
	for range 100 { // it is left alone for a second
		c := sClient(t, d.Daemon, "rsa")
		c.Stdin.Close()
		if c.Wait() == 0 {
			break
		}
	}
	both()
}

// TestTokenReload reloads while connections sign all the time: the module is initialised
// once, the login stays, and a configuration that is wrong changes nothing.
func TestTokenReload(t *testing.T) {
	t.Parallel()
	h := tokenHSM(t).Break()
	conf := func(label string) string {
		return h.Config(tokenPIN) + "connect = " + testpeer.Serve(t, testpeer.Echo) + "\n[s]\naccept = 127.0.0.1:0\ncert = pkcs11:token=main;object=" + label + "\n"
	}
	d := testpeer.StartEnv(t, h.Env, self(t), conf("rsa"))
	logins := h.Calls("logins")
	fresh(t, d, "s", "-CAfile", filepath.Join(h.Dir, "rsa.pem"))
	for i, label := range []string{"p256", "ed25519", "rsa"} {
		d.Write(t, conf(label))
		d.Signal(syscall.SIGHUP)
		d.WaitLines(`: Configuration successful$`, i+2)
		fresh(t, d, "s", "-CAfile", filepath.Join(h.Dir, label+".pem"))
	}
	d.Write(t, conf("none"))
	d.Signal(syscall.SIGHUP)
	d.WaitLine(`object=none": certificate pkcs11:token=main;object=none: not found$`)
	d.WaitLine(`: {3}p11tool --provider /\S+ --list-all prints what there is`)
	d.WaitLine(`: Failed to reload the configuration file$`)
	fresh(t, d, "s", "-CAfile", filepath.Join(h.Dir, "rsa.pem"))
	if n := h.Calls("initialized"); n != 1 {
		t.Errorf("the module was initialised %d times", n)
	}
	if n := h.Calls("logins"); n != logins {
		t.Errorf("%d logins for reloads", n-logins)
	}
}

// TestTokenMany has many clients at once, and a token that pauses in each signature.
func TestTokenMany(t *testing.T) {
	t.Parallel()
	h := tokenHSM(t).Break()
	h.Do(t, "delay", "20000")
	d := startWithToken(t, h, "connect = "+testpeer.Serve(t, testpeer.Echo)+"\n[s]\naccept = 127.0.0.1:0\ncert = pkcs11:token=main;object=p256\n")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { fresh(t, d.Daemon, "s", "-CAfile", filepath.Join(h.Dir, "p256.pem")) })
	}
	wg.Wait()
}

// TestTokenRefused starts the daemon with what it cannot have.
func TestTokenRefused(t *testing.T) {
	t.Parallel()
	h := tokenHSM(t).Break()
	const tail = "[s]\naccept = 127.0.0.1:0\nconnect = 127.0.0.1:1\nengineId = pkcs11\n"
	for _, tc := range []struct{ name, conf, want string }{
		{"wrong PIN", h.Config("11112222") + tail + "cert = id_45\n", `"cert = id_45": private key in id_45: token "main": login: .*CKR_PIN_INCORRECT: the token refuses the PIN`},
		{"no PIN", "engine = pkcs11\nengineCtrl = MODULE_PATH:" + h.Module + "\n" + tail + "cert = id_45\n", `asking for the PIN of token "main": there is no terminal: give it with engineCtrl = PIN:`},
		{"no module", "engine = pkcs11\nengineCtrl = MODULE_PATH:/nowhere/p11.so\n" + tail + "cert = id_45\n", `"cert = id_45": PKCS#11 module /nowhere/p11.so: no such file or directory$`},
		{"no key", h.Config(tokenPIN) + tail + "cert = id_99\n", `"cert = id_99": certificate pkcs11:id=%99: not found$`},
		{"no key beside", h.Config(tokenPIN) + tail + "cert = " + filepath.Join(h.Dir, "rsa.pem") + "\nkey = pkcs11:object=none\n", `p11tool --provider /\S+ --list-all`},
		{"another key", h.Config(tokenPIN) + tail + "cert = id_45\nkey = id_46\n", `key values mismatch`},
		{"several keys", h.Config(tokenPIN) + tail + "cert = pkcs11:token=main\n", `3 certificates fit pkcs11:token=main: say which with id= or object=$`},
		{"bad URI", h.Config(tokenPIN) + tail + "cert = pkcs11:token=main;objekt=rsa\n", `attribute "objekt" is not one of`},
		{"no engineId", h.Config(tokenPIN) + strings.Replace(tail, "engineId", "TIMEOUTbusy = 7\n#", 1) + "cert = id_45\n", `needs engineId = pkcs11 in the section`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := testpeer.LaunchEnv(t, h.Env, self(t), tc.conf)
			d.WaitLine(tc.want)
			if status := d.Wait(); status != 1 {
				t.Errorf("exit status %d", status)
			}
			for _, l := range d.Lines() {
				if strings.Contains(l, tokenPIN) || strings.Contains(l, "11112222") {
					t.Errorf("a PIN is logged: %s", l)
				}
			}
		})
	}
	if n := h.Calls("logins"); n > 4 {
		t.Errorf("%d logins", n)
	}
}

// TestTokenProvider has the module by a provider line, or in the URI alone, and the PIN in
// a file.
func TestTokenProvider(t *testing.T) {
	t.Parallel()
	h := tokenHSM(t)
	pin := filepath.Join(h.Dir, "pin")
	if err := os.WriteFile(pin, []byte(tokenPIN+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, conf := range []string{
		"provider = pkcs11\nproviderParameter = pkcs11:pkcs11-module-path=" + h.Module + "\nproviderParameter = pkcs11:pkcs11-module-token-pin=file:" + pin + "\nCERT?",
		"CERT?module-path=" + h.Module + "&pin-source=" + pin,
		"engine = dynamic\nengineCtrl = SO_PATH:/usr/lib/engines-3/pkcs11.so\nengineCtrl = ID:pkcs11\nengineCtrl = LIST_ADD:1\nengineCtrl = LOAD\nengineCtrl = MODULE_PATH:" + h.Module + "\nCERT?pin-value=" + tokenPIN,
	} {
		conf = strings.Replace(conf, "CERT", "[s]\naccept = 127.0.0.1:0\nconnect = "+testpeer.Serve(t, testpeer.Echo)+"\ncert = pkcs11:token=main;object=rsa", 1)
		d := testpeer.StartEnv(t, h.Env, self(t), strings.TrimSuffix(conf, "?")+"\n")
		fresh(t, d, "s", "-CAfile", filepath.Join(h.Dir, "rsa.pem"))
		if strings.Contains(conf, pin) {
			d.WaitLine(`LOG4\[ui\]: Insecure file permissions on .*` + pin + `$`)
		}
		for _, l := range d.Lines() {
			if strings.Contains(l, tokenPIN) {
				t.Errorf("the PIN is logged: %s", l)
			}
		}
	}
}

// TestTokenTrust has a server whose trusted certificates are in the token.
func TestTokenTrust(t *testing.T) {
	t.Parallel()
	h := tokenHSM(t)
	certs := testpeer.Certs(t)
	h.Certificate("main", tokenPIN, certs.Root, "root", "70")
	d := startWithToken(t, h, "connect = "+testpeer.Serve(t, testpeer.Echo)+`
verifyChain = yes
cert = `+certs.Server+`
[engine]
accept = 127.0.0.1:0
engineId = pkcs11
CAengine = label_root
[store]
accept = 127.0.0.1:0
CAstore = pkcs11:token=main;id=%70;type=cert
[other]
accept = 127.0.0.1:0
engineNum = 1
CAengine = id_45
`)
	client := []string{"-cert", certs.Client, "-key", certs.Client, "-cert_chain", certs.Chain, "-CAfile", certs.Root}
	for _, service := range []string{"engine", "store"} {
		fresh(t, d.Daemon, service, client...)
		c := sClient(t, d.Daemon, service, "-cert", certs.Stranger, "-key", certs.Stranger)
		c.WaitLine(`alert`)
		c.Wait()
	}
	c := sClient(t, d.Daemon, "other", client...)
	c.WaitLine(`alert`)
	c.Wait()
	d.WaitLines(`LOG3\[\d+\]: SSL_accept: .*certificate verify failed$`, 3)
}

// TestTokenWithoutPSS has a token that does RSA by the older padding alone, which TLS 1.3
// does not have.
func TestTokenWithoutPSS(t *testing.T) {
	t.Parallel()
	h := tokenHSM(t).Break()
	h.Do(t, "nopss", "")
	service := "[s]\naccept = 127.0.0.1:0\nconnect = " + testpeer.Serve(t, testpeer.Echo) + "\ncert = pkcs11:token=main;object=rsa\n"
	d := startWithToken(t, h, service)
	d.WaitLine(`LOG4\[ui\]: Service \[s\] has no TLSv1.3: the token does not make RSA-PSS signatures$`)
	fresh(t, d.Daemon, "s", "-CAfile", filepath.Join(h.Dir, "rsa.pem"))
	d.WaitLine(`LOG6\[0\]: TLSv1.2 ciphersuite: `)
	c := sClient(t, d.Daemon, "s", "-tls1_3")
	c.WaitLine(`alert protocol version`)
	c.Wait()

	refused := testpeer.LaunchEnv(t, h.Env, self(t), h.Config(tokenPIN)+service+"sslVersionMin = TLSv1.3\n")
	refused.WaitLine(`Service \[s\]: the token does not make RSA-PSS signatures, which TLS 1.3 needs$`)
	if status := refused.Wait(); status != 1 {
		t.Errorf("exit status %d", status)
	}
}

// TestTokenByEnvironment has the configuration say where the module finds its own: SoftHSM
// reads a variable that setEnv has to set in the process before the module is loaded.
func TestTokenByEnvironment(t *testing.T) {
	t.Parallel()
	h := tokenHSM(t)
	var lines strings.Builder
	for _, v := range h.Env {
		lines.WriteString("setEnv = " + v + "\n")
	}
	d := testpeer.Start(t, self(t), lines.String()+h.Config(tokenPIN)+`
[own]
accept = 127.0.0.1:0
connect = `+testpeer.Serve(t, testpeer.Echo)+`
engineId = pkcs11
cert = pkcs11:token=main;object=`+tokenKeys[0].label+"\n")
	fresh(t, d, "own", "-CAfile", filepath.Join(h.Dir, tokenKeys[0].label+".pem"))
}
