package config

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite what testdata/bad wants")

// wantMark stands between a configuration and what it leads to.
const wantMark = "-- want --\n"

func readBad(t *testing.T, path string) (conf, want string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	conf, want, ok := strings.Cut(string(data), wantMark)
	if !ok {
		t.Fatalf("%s lacks %q", path, wantMark)
	}
	return conf, want
}

// TestBadFiles loads each testdata/bad file and compares all of its errors and hints.
func TestBadFiles(t *testing.T) {
	paths, err := filepath.Glob("testdata/bad/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".txt")
		t.Run(name, func(t *testing.T) {
			conf, want := readBad(t, path)
			c, err := LoadReader(name+".conf", strings.NewReader(conf))
			var errs Errors
			if !errors.As(err, &errs) || len(errs) == 0 || c != nil {
				t.Fatalf("config %v, error %v", c, err)
			}
			var got strings.Builder
			for _, e := range errs {
				fmt.Fprintf(&got, "%v\n\t%s\n", e, e.Hint)
				if e.Hint == "" {
					t.Errorf("%v: no hint", e)
				}
			}
			if *update {
				if err := os.WriteFile(path, []byte(conf+wantMark+got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got.String() != want {
				t.Errorf("got\n%s\nwant\n%s", got.String(), want)
			}
		})
	}
}

// TestSecretsStayOut looks for a secret in everything that an error can print.
func TestSecretsStayOut(t *testing.T) {
	conf, _ := readBad(t, "testdata/bad/secrets.txt")
	_, errs := loadText(conf)
	if len(errs) < 8 {
		t.Fatalf("only %d errors", len(errs))
	}
	for _, e := range errs {
		for _, secret := range []string{"hunter", "0011", "aHVu"} {
			if strings.Contains(fmt.Sprintf("%+v", *e), secret) {
				t.Errorf("%s in %+v", secret, *e)
			}
		}
	}
}
