package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Kinds of proxies: which configuration is written, and how they are called.
const (
	kindWASM    = "wasm"    // BINARY FILE, with a stunnel.conf
	kindStunnel = "stunnel" // the same, with options that only OpenSSL has
	kindHAProxy = "haproxy"
	kindNginx   = "nginx"
	kindGuest   = "guest"  // this binary with the daemon's own path inside
	kindNative  = "native" // the same, negotiating in Go
)

// Roles of a proxy.
const (
	roleServer = "server" // TLS in, plain out
	roleClient = "client" // plain in, TLS out
)

// Suites that all proxies are held to, so that all do the same cryptography.
const (
	suites13 = "TLS_AES_128_GCM_SHA256"
	suites12 = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"
)

// nginxStream is where Debian keeps nginx's stream module; elsewhere it is taken
// to be built in.
const nginxStream = "/usr/lib/nginx/modules/ngx_stream_module.so"

// A peer is one of the proxies that are compared.
type peer struct {
	name, kind, binary string
	reference          bool // no target is about it
}

// A job is what a proxy is started for.
type job struct {
	role, cert string
	mutual     bool   // roleServer: clients have a certificate, which is looked for in a list of revoked ones
	protocol   string // roleServer: a key of protocols; empty: none
	bulk       bool   // 64 KiB buffers, where they can be set: better for bulk
	resume     bool   // roleClient: the backend gives session tickets
	listen     string
	connect    string
	dir        string // of certificates, configurations and pid files
}

func (j *job) pem() string { return filepath.Join(j.dir, j.cert+".pem") }
func (j *job) crt() string { return filepath.Join(j.dir, j.cert+".crt") }
func (j *job) crl() string { return filepath.Join(j.dir, j.cert+".crl") }

// findPeers reads a list of NAME or NAME=KIND:BINARY. A proxy that is known by
// name but not installed is left out, and named in missing.
func findPeers(list, wasm string) (found []*peer, missing []string, err error) {
	programs := map[string]string{kindWASM: wasm, kindStunnel: "stunnel4", kindHAProxy: "haproxy", kindNginx: "nginx"}
	for word := range strings.SplitSeq(list, ",") {
		name, rest, own := strings.Cut(strings.TrimSpace(word), "=")
		p := &peer{name: name, kind: name, binary: programs[name]}
		if own {
			p.kind, p.binary, _ = strings.Cut(rest, ":")
		}
		if programs[p.kind] == "" {
			return nil, nil, fmt.Errorf("peer %q: no kind %q", word, p.kind)
		}
		p.reference = p.kind == kindHAProxy || p.kind == kindNginx
		path, err := lookPath(p.binary)
		switch {
		case err == nil:
			p.binary = path
			found = append(found, p)
		case own || p.kind == kindWASM:
			return nil, nil, fmt.Errorf("peer %q: %w", name, err)
		default:
			missing = append(missing, name)
		}
	}
	return found, missing, nil
}

// lookPath is exec.LookPath that also looks where Debian keeps daemons, which a
// user's PATH often lacks.
func lookPath(program string) (string, error) {
	path, err := exec.LookPath(program)
	if errors.Is(err, exec.ErrNotFound) {
		if sbin, err := exec.LookPath("/usr/sbin/" + program); err == nil {
			return sbin, nil
		}
	}
	return path, err
}

// config writes what a proxy of this kind reads for a job, and says how it is
// called with that file.
func (p *peer) config(j *job, file string) (text string, args []string) {
	switch p.kind {
	case kindStunnel:
		return stunnelConf(j) + "ciphersuites = " + suites13 + "\n", []string{file}
	case kindHAProxy:
		return haproxyConf(j), []string{"-db", "-q", "-f", file}
	case kindNginx:
		return nginxConf(j), []string{"-c", file, "-p", j.dir, "-e", "stderr"}
	case kindGuest, kindNative:
		return stunnelConf(j) + protocols[j.protocol].conf, []string{hiddenServe, p.kind, file}
	}
	// crypto/tls takes AES-128-GCM for TLS 1.3 by itself.
	return stunnelConf(j) + protocols[j.protocol].conf, []string{file}
}

func stunnelConf(j *job) string {
	c := "foreground = yes\npid =\nsyslog = no\ndebug = 4\nsocket = a:SO_REUSEADDR=1\n" +
		"[bench]\naccept = " + j.listen + "\n" +
		"sslVersionMin = TLSv1.2\nciphers = " + suites12 + "\n"
	if protocols[j.protocol].inside == nil { // else its clients say where to
		c += "connect = " + j.connect + "\n"
	}
	if j.role == roleClient {
		return c + "client = yes\nCAfile = " + j.crt() + "\nverifyChain = yes\ncheckHost = localhost\nsni = localhost\n"
	}
	if j.mutual {
		c += "CAfile = " + j.crt() + "\nCRLfile = " + j.crl() + "\nverifyChain = yes\n"
	}
	if j.protocol != "" {
		c += "protocol = " + j.protocol + "\n"
	}
	return c + "cert = " + j.pem() + "\nkey = " + j.pem() + "\n"
}

func haproxyConf(j *job) string {
	buffer, bind, server := 16<<10, "ssl crt "+j.pem(), ""
	if j.mutual {
		bind += " verify required ca-file " + j.crt() + " crl-file " + j.crl()
	}
	if j.role == roleClient {
		bind, server = "", "ssl verify required verifyhost localhost sni str(localhost) ca-file "+j.crt()
	}
	if j.bulk {
		buffer = 64 << 10
	}
	return fmt.Sprintf(`global
  nbthread 2
  maxconn 8000
  tune.bufsize %d
  ssl-default-bind-ciphers %[2]s
  ssl-default-bind-ciphersuites %[3]s
  ssl-default-server-ciphers %[2]s
  ssl-default-server-ciphersuites %[3]s
  ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
  mode tcp
  timeout connect 5s
  timeout client 10m
  timeout server 10m
  maxconn 8000
listen bench
  bind %s backlog 4096 %s
  server s %s %s
`, buffer, suites12, suites13, j.listen, bind, j.connect, server)
}

func nginxConf(j *job) string {
	module, buffer, on := "", "16k", "ssl"
	if _, err := os.Stat(nginxStream); err == nil {
		module = "load_module " + nginxStream + ";\n"
	}
	if j.bulk {
		buffer = "64k"
	}
	tls := []string{"ssl_certificate " + j.pem(), "ssl_certificate_key " + j.pem(), "ssl_protocols TLSv1.2 TLSv1.3",
		"ssl_session_cache shared:b:20m", "ssl_ciphers " + suites12, "ssl_conf_command Ciphersuites " + suites13}
	if j.mutual {
		tls = append(tls, "ssl_verify_client on", "ssl_client_certificate "+j.crt(), "ssl_crl "+j.crl())
	}
	if j.role == roleClient {
		on = ""
		tls = []string{"proxy_ssl on", "proxy_ssl_protocols TLSv1.2 TLSv1.3", "proxy_ssl_ciphers " + suites12,
			"proxy_ssl_conf_command Ciphersuites " + suites13, "proxy_ssl_verify on",
			"proxy_ssl_trusted_certificate " + j.crt(), "proxy_ssl_server_name on", "proxy_ssl_name localhost"}
	}
	return module + fmt.Sprintf(`worker_processes 2;
worker_rlimit_nofile 20000;
daemon off;
pid %s/nginx.pid;
error_log stderr crit;
events { worker_connections 10000; }
stream {
 access_log off;
 proxy_buffer_size %s;
 server {
  listen %s %s backlog=4096 reuseport;
  proxy_pass %s;
  %s;
 }
}
`, j.dir, buffer, j.listen, on, j.connect, strings.Join(tls, ";\n  "))
}

// freeAddr gives a loopback address for a proxy that cannot choose a port itself. The port is
// below those that systems give out, so that nobody else gets it in between.
func freeAddr() (string, error) {
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 10000+rand.IntN(20000))
		if l, err := net.Listen("tcp", addr); err == nil {
			return addr, l.Close()
		}
	}
	return "", errors.New("no port is free")
}
