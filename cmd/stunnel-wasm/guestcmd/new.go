package guestcmd

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/sdk"
	"github.com/stunnel-wasm/stunnel-wasm/stdproto"
)

// A language is one that new can begin a guest in.
type language struct {
	name  string
	files []string // of its SDK, within its directory
	needs string   // that a build takes, with Debian's packages for it
}

// languages are those whose examples sdk has.
func languages() []language {
	return []language{
		{"rust", []string{"Cargo.toml", "README.md", "src"}, "rustc with wasm32-unknown-unknown, and lld (Debian: rustc libstd-rust-dev-wasm32 lld)"},
		{"c", []string{"stunnel.h", "README.md"}, "clang and lld (Debian: clang lld)"},
	}
}

// example is the example that a new guest begins as.
const example = "toy"

// guestName is what a module, a directory and protocol = can all be called.
var guestName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// create scaffolds a guest: "guest new".
func (t *tool) create(args []string) error {
	set := flag.NewFlagSet("new", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	lang := set.String("lang", "", "")
	if err := set.Parse(args); err != nil || set.NArg() != 1 {
		return errUsage
	}
	l, err := findLanguage(*lang)
	if err != nil {
		return err
	}
	dir := set.Arg(0)
	name := filepath.Base(dir)
	if err := checkName(name); err != nil {
		return err
	}
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		return hint(fmt.Errorf("%s is there already", dir), "choose another name, or remove it")
	}
	if err := scaffold(l, name, dir); err != nil {
		return err
	}
	fmt.Fprintf(t.stdout, "%s is a guest of protocol %s; begin with its README.md\n", dir, name)
	fmt.Fprintf(t.stdout, "make -C %s test builds it and plays its transcripts\n", dir)
	return nil
}

func findLanguage(name string) (language, error) {
	var names []string
	for _, l := range languages() {
		if l.name == name {
			return l, nil
		}
		names = append(names, l.name)
	}
	return language{}, hint(fmt.Errorf("there is no SDK for the language %q", name), "--lang takes %s", strings.Join(names, ", "))
}

func checkName(name string) error {
	if !guestName.MatchString(name) {
		return hint(fmt.Errorf("%q is no name for a guest", name), "up to 32 lower-case letters, digits and hyphens, the first one a letter")
	}
	_, bundled := stdproto.Lookup(name)
	if bundled || config.IsStunnelProtocol(name) {
		return hint(fmt.Errorf("protocol = %s is bundled", name), "protocol = %s would go on meaning that one: choose another name", name)
	}
	return nil
}

// scaffold writes the folder: the example under another name, the SDK, and transcripts.
func scaffold(l language, name, dir string) error {
	rename := strings.NewReplacer(
		"NAME = "+example+"\n", "NAME = "+name+"\n",
		"name: "+example+"\n", "name: "+name+"\n",
		"protocol = "+example, "protocol = "+name,
		"SDK = ../..\n", "SDK = sdk\n",
		"FLIGHTS = ../../../flights/"+example+"/*.txtar\n", "FLIGHTS =\n",
	)
	if err := copyFiles(dir, path.Join(l.name, "examples", example), rename); err != nil {
		return err
	}
	for _, f := range l.files {
		if err := copyFiles(filepath.Join(dir, "sdk"), path.Join(l.name, f), nil); err != nil {
			return err
		}
	}
	if err := copyFiles(filepath.Join(dir, "flights"), path.Join("flights", example), nil); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "README.md"), []byte(readme(l, name)), 0o644)
}

// copyFiles copies a directory of the embedded files to what dir names, or one file or
// directory into it.
func copyFiles(dir, from string, rename *strings.Replacer) error {
	return fs.WalkDir(sdk.Files, from, func(file string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := sdk.Files.ReadFile(file)
		if err != nil {
			return err
		}
		if rename != nil {
			text = []byte(rename.Replace(string(text)))
		}
		inside := strings.TrimPrefix(file, from)
		if inside == "" || path.Base(from) == "src" {
			inside = strings.TrimPrefix(file, path.Dir(from))
		}
		to := filepath.Join(dir, filepath.FromSlash(inside))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		return os.WriteFile(to, text, 0o644)
	})
}

func readme(l language, name string) string {
	return fmt.Sprintf(`# protocol = %[1]s

A guest of stunnel-wasm: the conversation that %[1]s has before TLS. It begins as a toy (HELLO, READY?, STARTTLS, GO)
in server and client mode; make it yours.

    make        builds %[1]s.wasm; needs %[2]s
    make test   plays the transcripts of flights/ against it

    stunnel-wasm guest inspect %[1]s.wasm        what it may do
    stunnel-wasm guest test --strict %[1]s.wasm  probes it with every failure that a host can have
    stunnel-wasm guest run %[1]s.wasm -client -accept 127.0.0.1:9000 -connect HOST:PORT

What the guest says goes into flights/*.txtar first, then into the source. manifest.txt names its options: the host
refuses others. sdk/ is a copy of the SDK; its README.md is the list of what is in it.

A service that runs it:

    guestPath = DIRECTORY OF %[1]s.wasm
    [%[1]s]
    protocol = %[1]s
    accept = 127.0.0.1:9000
    connect = 127.0.0.1:9001
    cert = CERTIFICATE AND KEY
`, name, l.needs)
}
