package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// ftpConf is vsftpd's configuration but for what depends on the run: everyone may get
// the files.
const ftpConf = `listen=YES
listen_address=127.0.0.1
background=NO
anonymous_enable=YES
local_enable=NO
no_anon_password=NO
seccomp_sandbox=NO
xferlog_enable=NO
`

// ftpServer runs vsftpd with a file hello.txt, with TLS if it has a certificate, and gives
// its address.
func ftpServer(t *testing.T, certificate string) string {
	t.Helper()
	program := testpeer.Need(t, "vsftpd", "vsftpd")
	testpeer.NeedRoot(t, "vsftpd")
	// Not the test's directory, which other users cannot enter.
	dir, err := os.MkdirTemp("", "ftp")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	port := testpeer.FreePort(t)
	conf := ftpConf + "listen_port=" + port + "\nanon_root=" + dir + "/files\nsecure_chroot_dir=" + dir + "/empty\n"
	if certificate != "" {
		conf += "ssl_enable=YES\nallow_anon_ssl=YES\nforce_anon_logins_ssl=YES\nforce_anon_data_ssl=NO\nssl_ciphers=HIGH\n" +
			"rsa_cert_file=" + certificate + "\nrsa_private_key_file=" + certificate + "\n"
	}
	err = os.Chmod(dir, 0o755)
	for _, name := range []string{"files", "empty"} {
		if err == nil {
			err = os.Mkdir(filepath.Join(dir, name), 0o755)
		}
	}
	for name, text := range map[string]string{"vsftpd.conf": conf, "files/hello.txt": "hello\n"} {
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	server := testpeer.Run(t, program, filepath.Join(dir, "vsftpd.conf"))
	server.WaitPort("tcp", "127.0.0.1:"+port)
	return "127.0.0.1:" + port
}

// curlFile has curl get hello.txt, and gives curl.
func curlFile(t *testing.T, addr string, options ...string) (c *testpeer.Process, status int) {
	t.Helper()
	c = testpeer.Run(t, testpeer.Need(t, "curl", "curl"), append(options, "-sSv", "ftp://"+addr+"/hello.txt")...)
	return c, c.Wait()
}

// TestFTPServer adds AUTH TLS to a vsftpd without TLS.
func TestFTPServer(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	d := start(t, `
[ftp]
accept = 127.0.0.1:0
connect = `+ftpServer(t, "")+`
cert = `+certs.Server+`
protocol = ftp
`)
	c, status := curlFile(t, d.Addr("ftp"), "--ftp-ssl-control", "--cacert", certs.Root)
	if status != 0 {
		t.Fatalf("curl's exit status is %d", status)
	}
	c.WaitLine(`^hello$`)
	c.WaitLine(`^< 234 `)
	c.WaitLine(`^> PROT C`)
	d.WaitLine(`LOG6\[0\]: TLS accepted: new session negotiated$`)
	d.WaitLine(`LOG5\[0\]: Connection closed: `)

	// A client that wants its data connections secret too learns that they are not.
	c, status = curlFile(t, d.Addr("ftp"), "--ssl-reqd", "--cacert", certs.Root)
	if status != 64 {
		t.Errorf("curl's exit status is %d, not 64 for a level of TLS that is not had", status)
	}
	c.WaitLine(`^< 536 `)
	// Neither does one without TLS get in.
	c, status = curlFile(t, d.Addr("ftp"))
	if status != 67 {
		t.Errorf("curl's exit status is %d, not 67 for a login that is denied", status)
	}
	c.WaitLine(`^< 530 Must issue AUTH TLS first`)

	s := sClient(t, d, "ftp", "-starttls", "ftp", "-CAfile", certs.Root, "-verify_return_error", "-crlf", "-no_ign_eof")
	s.WaitLine("^New, TLSv1.3")
	s.Stdin.Write([]byte("SYST\n"))
	s.WaitLine("^530 ") // of vsftpd, before a login
	s.Stdin.Write([]byte("quit\n"))
	s.WaitLine("^221 ")
	s.Wait()
	d.WaitLine(`LOG5\[3\]: Connection closed: `)
}

// TestFTPClient gets a file without TLS from a vsftpd that asks for it.
func TestFTPClient(t *testing.T) {
	t.Parallel()
	certs := testpeer.Certs(t)
	d := start(t, `
[ftp]
client = yes
accept = 127.0.0.1:0
connect = `+ftpServer(t, certs.Server)+`
protocol = ftp
verifyChain = yes
CAfile = `+certs.Root+`
checkHost = localhost
`)
	c, status := curlFile(t, d.Addr("ftp"))
	if status != 0 {
		t.Fatalf("curl's exit status is %d", status)
	}
	c.WaitLine(`^hello$`)
	d.WaitLine(`LOG6\[0\]: TLS connected: new session negotiated$`)
	d.WaitLine(`LOG5\[0\]: Connection closed: `)
}
