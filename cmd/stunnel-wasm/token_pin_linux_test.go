//go:build cgo

package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// TestTokenPINOnTerminal types the PIN that no option has: it is asked for once for two
// services, and not at a reload.
func TestTokenPINOnTerminal(t *testing.T) {
	t.Parallel()
	h := tokenHSM(t)
	service := "connect = 127.0.0.1:1\n[a]\naccept = 127.0.0.1:0\ncert = pkcs11:token=main;object=rsa\n[b]\naccept = 127.0.0.1:0\ncert = pkcs11:token=main;object=p256\n"
	start := func(foreground, log string) *testpeer.TTY {
		conf := writeConf(t, fmt.Sprintf("foreground = %s\nsyslog = no\ndebug = 7\noutput = %s\npid = %s\nengine = pkcs11\nengineCtrl = MODULE_PATH:%s\n%s",
			foreground, log, filepath.Join(t.TempDir(), "pid"), h.Module, service))
		return testpeer.RunTTY(t, "/usr/bin/env", append(h.Env, self(t), conf)...)
	}
	const prompt = `Enter PKCS#11 token PIN for main:`
	log := filepath.Join(t.TempDir(), "log")
	tty := start("yes", log)
	tty.WaitText(prompt, 1)
	if tty.Echoes() {
		t.Error("the terminal shows what is typed")
	}
	tty.Type(tokenPIN)
	for _, s := range []string{"a", "b"} {
		greets(t, tty.WaitText(`\[`+s+`\] \(FD=\d+\) bound to (\S+)`, 1))
	}
	tty.Signal(syscall.SIGHUP)
	tty.WaitText(`Configuration successful`, 2)
	tty.Signal(syscall.SIGTERM)
	if status := tty.Wait(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	text := tty.Text()
	if n := strings.Count(text, prompt); n != 1 {
		t.Errorf("asked %d times", n)
	}
	if strings.Contains(text, tokenPIN) {
		t.Error("the PIN is on the terminal")
	}

	// A wrong one is not asked for again: the token counts.
	tty = start("yes", filepath.Join(t.TempDir(), "log"))
	tty.WaitText(prompt, 1)
	tty.Type("1234567")
	tty.WaitText(`private key in pkcs11:token=main;object=rsa: token "main": login: .*CKR_PIN_INCORRECT: the token refuses the PIN`, 1)
	tty.WaitText(`private key in pkcs11:token=main;object=p256: asking for the PIN of token "main": a PIN was refused before`, 1)
	if status := tty.Wait(); status != 1 {
		t.Errorf("exit status %d after a wrong PIN", status)
	}
	if text := tty.Text(); strings.Count(text, prompt) != 1 || strings.Contains(text, "1234567") {
		t.Errorf("after a wrong PIN: %s", text)
	}
}
