package daemon

import (
	"os"
	"strings"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

func TestSetEnvironment(t *testing.T) {
	t.Setenv("STUNNEL_TEST_GONE", "x")
	t.Setenv("STUNNEL_TEST_KEPT", "kept")
	t.Setenv("STUNNEL_TEST_SET", "")
	conf, err := config.LoadReader("test.conf", strings.NewReader(`
setEnv = STUNNEL_TEST_SET=first
setEnv = STUNNEL_TEST_SET=a = b
setEnv = STUNNEL_TEST_GONE=
client = yes
[x]
accept = 1
connect = 2
`))
	if err != nil {
		t.Fatal(err)
	}
	setEnvironment(conf)
	if v, ok := os.LookupEnv("STUNNEL_TEST_GONE"); ok {
		t.Errorf("an unset variable is %q", v)
	}
	if v := os.Getenv("STUNNEL_TEST_SET"); v != "a = b" {
		t.Errorf("the variable is %q", v)
	}
	if v := os.Getenv("STUNNEL_TEST_KEPT"); v != "kept" {
		t.Errorf("another variable is %q", v)
	}
}
