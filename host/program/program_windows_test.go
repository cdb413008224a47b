package program

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// What the program of a test does; TestMain is that program then.
const roleVariable = "STUNNEL_WASM_TEST_ROLE"

// lines is what a program writes, each of which has a write of its own.
const lines = 64

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case "": // the tests
		os.Exit(m.Run())
	case "speak":
		for range lines {
			os.Stdout.WriteString("a line\r\n")
		}
	case "arguments":
		fmt.Printf("%q", os.Args)
	case "deaf": // speaks, its input closed
		os.Stdin.Close()
		os.Stderr.WriteString("last words")
	case "answer": // when its input has ended
		text, err := io.ReadAll(os.Stdin)
		if err != nil {
			os.Exit(2)
		}
		os.Stdout.Write(bytes.ToUpper(text))
	}
}

// begin starts this program in a role.
func begin(t *testing.T, role string, args ...string) *Process {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p, err := (&Command{Path: path, Args: args, Env: append(os.Environ(), roleVariable+"="+role)}).Start()
	if err != nil {
		t.Fatal(err)
	}
	p.Conn.SetDeadline(time.Now().Add(testpeer.Patience))
	return p
}

// ends reads until the program's connection has ended, and waits for it.
func ends(t *testing.T, p *Process, want string) {
	t.Helper()
	ended := make(chan struct{})
	go func() { // as a service does: it may be first
		defer close(ended)
		if how, err := p.Wait(); how != "finished with code 0" || err != nil {
			t.Errorf("the program %s, %v", how, err)
		}
	}()
	if got, err := io.ReadAll(p.Conn); err != nil || string(got) != want {
		t.Errorf("read %d bytes, not %d, that end in %q: %v", len(got), len(want), got[max(0, len(got)-20):], err)
	}
	p.Conn.Close()
	<-ended
}

// TestLastWords has programs end right after they have spoken: all of it arrives.
func TestLastWords(t *testing.T) {
	for range 20 {
		ends(t, begin(t, "speak"), strings.Repeat("a line\r\n", lines))
	}
}

// TestCommandLine has a program split its arguments by its own rules.
func TestCommandLine(t *testing.T) {
	ends(t, begin(t, "arguments", `name "a  b" c\"d`), fmt.Sprintf("%q", []string{"name", "a  b", `c"d`}))
}

// TestUnread sends a program what it does not read, which takes nothing from what it says.
func TestUnread(t *testing.T) {
	p := begin(t, "deaf")
	if _, err := io.WriteString(p.Conn, strings.Repeat("unread", 10000)); err != nil {
		t.Fatal(err)
	}
	ends(t, p, "last words")
}

// TestHalfClose has a program read the end of its input, and answer then.
func TestHalfClose(t *testing.T) {
	p := begin(t, "answer")
	if _, err := io.WriteString(p.Conn, "hello"); err != nil {
		t.Fatal(err)
	}
	if err := p.Conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	ends(t, p, "HELLO")
}

// TestEnvironWithoutCase inherits names that are the peer's, and ours, in other letters.
func TestEnvironWithoutCase(t *testing.T) {
	inherited := []string{"Ssl_Client_DN=/CN=admin", "remote_HOST=::1", "GoDebug=x", "Path=C:\\"}
	want := []string{"REMOTE_HOST=192.0.2.1", "Path=C:\\"}
	if got := Environ(inherited, Peer{Host: "192.0.2.1"}); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
