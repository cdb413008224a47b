package main

import (
	"bufio"
	"crypto/sha1"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// copy puts a file into the directory of the configuration.
func (w *wine) copy(from, to string) {
	w.t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.config, to), text, 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// put puts a certificate into one of the user's stores in Windows. The registry has there
// what Microsoft's tools write, which wine lacks: properties, each with its number, a 1 and
// its length, of which 32 is the certificate.
func (w *wine) put(file, store string) {
	w.t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		w.t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	blob := binary.LittleEndian.AppendUint32([]byte{32, 0, 0, 0, 1, 0, 0, 0}, uint32(len(block.Bytes)))
	w.must(w.command(wineDir+"/wine64", "reg", "add",
		fmt.Sprintf(`HKCU\Software\Microsoft\SystemCertificates\%s\Certificates\%X`, store, sha1.Sum(block.Bytes)),
		"/v", "Blob", "/t", "REG_BINARY", "/d", fmt.Sprintf("%x%x", blob, block.Bytes)))
}

// sample runs testdata/windows.conf: a client's bytes go through a client's service and a
// server's, with socket options on each of the four sockets.
func (w *wine) sample() {
	t := w.t
	t.Helper()
	certs := testpeer.Certs(t)
	w.copy(certs.Server, "server.pem")
	w.copy(certs.Root, "ca-certs.pem")
	w.put(certs.Root, "Root")
	w.copy("../../stdproto/acl.wasm", "members.wasm")
	w.copy("../../stdproto/smtp.wasm", "mail.wasm")
	mailer := testpeer.Serve(t, func(c net.Conn) {
		io.WriteString(c, "220 mail.example ESMTP\r\n")
		io.Copy(io.Discard, c)
	})
	raw, err := os.ReadFile(filepath.Join("testdata", "windows.conf"))
	if err != nil {
		t.Fatal(err)
	}
	address := func() string { return "127.0.0.1:" + testpeer.FreePort(t) }
	https, imaps, mail, cmd, pop3, ldaps := address(), address(), address(), address(), address(), address()
	text := strings.NewReplacer("{https}", https, "{imaps}", imaps, "{mail}", mail, "{mailer}", mailer, "{cmd}", cmd, "{ldaps}", ldaps, "{backend}", testpeer.Serve(t, testpeer.Echo),
		"{windows}", windowsPath(w.config), "{slashes}", "Z:"+w.config).Replace(string(raw))
	// As Windows' editors write: with a byte order mark and carriage returns.
	w.write("\uFEFF" + strings.ReplaceAll(text, "\n", "\r\n"))
	fragment := filepath.Join(w.config, "conf.d", "pop3.conf")
	if err := os.Mkdir(filepath.Dir(fragment), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(fragment, []byte("[pop3]\r\nclient = yes\r\naccept = "+pop3+"\r\nconnect = "+https+
		"\r\nverifyChain = yes\r\nCAstore = org.openssl.winstore:\r\ncheckHost = localhost\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.run(0, `note: taskbar has no effect[\s\S]*note: iconIdle has no effect[\s\S]*note: RNDfile has no effect[\s\S]*note: SO_RCVTIMEO has no effect[\s\S]*`+
		`pop3 +client[\s\S]*https +server[\s\S]*imaps +server[\s\S]*mail +server[\s\S]*cmd +server[\s\S]*Configuration successful`, "check")

	p := testpeer.RunCommand(t, w.command(wineDir+"/wine64", w.exe))
	p.WaitLine(`LOG6\[ui\]: Accepting new connections`)
	echo := func(c net.Conn) {
		t.Helper()
		c.SetDeadline(time.Now().Add(testpeer.Patience))
		io.WriteString(c, "hello")
		got := make([]byte, 5)
		if _, err := io.ReadFull(c, got); err != nil || string(got) != "hello" {
			t.Errorf("got %q, %v", got, err)
		}
	}
	for _, addr := range []string{pop3, ldaps} {
		client := plainly(t, addr)
		echo(client)
		client.Close()
	}

	// Guests are named by paths of Windows.
	clear := plainly(t, mail)
	clear.SetDeadline(time.Now().Add(testpeer.Patience))
	if line, err := bufio.NewReader(clear).ReadString('\n'); err != nil || !strings.HasPrefix(line, "220 mail.example stunnel for ESMTP") {
		t.Errorf("got %q, %v", line, err)
	}
	clear.Close()
	w.run(0, `pin it +policy = Z:\\.*\\members\.wasm sha256:[\s\S]*service \[imaps\] would load it`, "guest", "inspect", windowsPath(filepath.Join(w.config, "members.wasm")), windowsPath(filepath.Join(w.config, "stunnel.conf")))

	program := secure(t, certs, cmd)
	program.SetDeadline(time.Now().Add(testpeer.Patience))
	if out, err := io.ReadAll(program); err != nil || !strings.Contains(string(out), "Microsoft Windows") || !strings.Contains(string(out), "two  blanks\r\n") {
		t.Errorf("cmd.exe says %q, %v", out, err)
	}
	program.Close()

	// A reset has a number of its own on Windows, and is everyday there too.
	rude := secure(t, certs, imaps)
	echo(rude)
	if err := rude.NetConn().(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	rude.NetConn().Close()
	p.WaitLine(`LOG6\[\d+\]: TLS fd: .*\(10054\)`)

	p.Signal(os.Interrupt)
	if status := p.Wait(); status != 0 {
		t.Errorf("status %d", status)
	}

	// What Windows distrusts is not trusted for being among its roots too.
	w.put(certs.Root, "Disallowed")
	p = testpeer.RunCommand(t, w.command(wineDir+"/wine64", w.exe))
	p.WaitLine(`LOG6\[ui\]: Accepting new connections`)
	plainly(t, pop3)
	p.WaitLine(`LOG4\[\d+\]: CERT: Pre-verification error: `)
	p.Signal(os.Interrupt)
	p.Wait()

	// What other systems or programs have alone, each with a sentence.
	w.write("engine = capi\nsocket = r:SO_MARK=1\nsocket = a:SO_REUSEADDR=1\n" + text)
	for _, want := range []string{
		`:1: "engine = capi": Failed to open the engine\s+keys stay out of reach in Windows' certificate store`,
		`:2: "socket = r:SO_MARK=1": Illegal socket option\s+remove the line: SO_MARK exists on Linux alone`,
		`:3: "socket = a:SO_REUSEADDR=1": a socket cannot have SO_REUSEADDR beside SO_EXCLUSIVEADDRUSE`,
	} {
		w.run(1, want, "check")
	}
	if err := os.RemoveAll(filepath.Dir(fragment)); err != nil {
		t.Fatal(err)
	}
}

// windowsPath is what wine calls a file.
func windowsPath(path string) string { return "Z:" + strings.ReplaceAll(path, "/", `\`) }
