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
	files []string // of its SDK, as patterns within its directory
	needs string   // that a build takes, with Debian's packages for it
	sdk   string   // where a new guest's Makefile finds it
	mod   string   // go.mod, for Go; NAME stands for the guest's name
}

// goPackage is where Go's SDK is in this repository, and goCopy where in a guest's own
// module. The path before the guest's name keeps it apart from the standard library.
const (
	goPackage = "github.com/stunnel-wasm/stunnel-wasm/sdk/go"
	goCopy    = "guest/NAME/sdk"
)

// languages are those whose examples sdk has.
func languages() []language {
	return []language{
		{name: "rust", files: []string{"Cargo.toml", "README.md", "src/*.rs"}, sdk: "sdk",
			needs: "rustc with wasm32-unknown-unknown, and lld (Debian: rustc libstd-rust-dev-wasm32 lld)"},
		// go:wasmexport came with Go 1.24.
		{name: "go", files: []string{"*.go", "addmanifest/*.go", "README.md"}, sdk: "./sdk",
			needs: "Go 1.24 or later", mod: "module guest/NAME\n\ngo 1.24\n"},
		{name: "c", files: []string{"stunnel.h", "README.md"}, sdk: "sdk",
			needs: "clang and lld (Debian: clang lld)"},
	}
}

// The examples that a new guest begins as, a protocol unless --policy is given.
const (
	protocolExample = "toy"
	policyExample   = "policy"
)

// guestName is what a module, a directory and protocol = can all be called.
var guestName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// create scaffolds a guest: "guest new".
func (t *tool) create(args []string) error {
	set := flag.NewFlagSet("new", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	lang := set.String("lang", "", "")
	policy := set.Bool("policy", false, "")
	if err := set.Parse(args); err != nil || set.NArg() != 1 || *lang == "" {
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
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	// Made here and not just looked for: in a directory that others write to, links to
	// files that are to be overwritten could be in it a moment later.
	if err := os.Mkdir(dir, 0o755); errors.Is(err, fs.ErrExist) {
		return hint(fmt.Errorf("%s is there already", dir), "choose another name, or remove it")
	} else if err != nil {
		return err
	}
	example, kind, text := protocolExample, "protocol", readme
	if *policy {
		example, kind, text = policyExample, "policy", policyReadme
	}
	if err := scaffold(l, example, name, dir); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "README.md"), []byte(text(l, name)), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(t.stdout, "%s is a guest of %s %s; begin with its README.md\n", dir, kind, name)
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
		return hint(fmt.Errorf("%s is bundled", name), "that name would go on meaning the bundled guest: choose another one")
	}
	return nil
}

// scaffold writes the folder: the example under another name, the SDK, and transcripts.
func scaffold(l language, example, name, dir string) error {
	named := func(text string) string { return strings.ReplaceAll(text, "NAME", name) }
	rename := strings.NewReplacer(
		"NAME = "+example+"\n", "NAME = "+name+"\n",
		"name: "+example+"\n", "name: "+name+"\n",
		"protocol = "+example, "protocol = "+name,
		"policy = "+example, "policy = "+name,
		"SDK = ../..\n", "SDK = "+l.sdk+"\n",
		"FLIGHTS = ../../../flights/"+example+"/*.txtar\n", "FLIGHTS =\n",
		goPackage, named(goCopy),
	)
	from := path.Join(l.name, "examples", example)
	if err := copyFiles(dir, from, []string{"*"}, rename); err != nil {
		return err
	}
	if err := copyFiles(filepath.Join(dir, "sdk"), l.name, l.files, rename); err != nil {
		return err
	}
	if err := copyFiles(filepath.Join(dir, "flights"), path.Join("flights", example), []string{"*"}, strings.NewReplacer()); err != nil {
		return err
	}
	if l.mod == "" {
		return nil
	}
	return os.WriteFile(filepath.Join(dir, "go.mod"), []byte(named(l.mod)), 0o644)
}

// copyFiles copies the embedded files of a directory that patterns name, but for the
// tests of an SDK, which are about this repository.
func copyFiles(dir, from string, patterns []string, rename *strings.Replacer) error {
	for _, pattern := range patterns {
		files, err := fs.Glob(sdk.Files, path.Join(from, pattern))
		if err != nil {
			return err
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") && !strings.Contains(from, "examples") {
				continue
			}
			text, err := sdk.Files.ReadFile(file)
			if err != nil {
				return err
			}
			to := filepath.Join(dir, filepath.FromSlash(strings.TrimPrefix(file, from)))
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(to, []byte(rename.Replace(string(text))), 0o644); err != nil {
				return err
			}
		}
	}
	return nil
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

What the guest says goes into flights/*.txtar first, then into the source:

    L: TEXT    the accepted peer says it       L< TEXT   it must hear that (S: and S< are the outgoing side)
    tls L      it does the TLS handshake       eof L     it sends no more
    relay      it ends handed over             close: CLASS "REASON"   it ends in that refusal

TEXT is a line without its CR LF, or bytes in double quotes, "STARTTLS\n". docs/flights.md of stunnel-wasm has the rest.

manifest.txt names the guest's options: the host refuses others. sdk/ is a copy of the SDK; its README.md is the list
of what is in it.

A service that runs it:

    guestPath = DIRECTORY OF %[1]s.wasm
    [%[1]s]
    protocol = %[1]s
    accept = 127.0.0.1:9000
    connect = 127.0.0.1:9001
    cert = CERTIFICATE AND KEY
`, name, l.needs)
}

func policyReadme(l language, name string) string {
	return fmt.Sprintf(`# policy = %[1]s

A policy of stunnel-wasm: it decides which connections a service takes. It begins as one that allows the addresses of
guestOption allow; make it yours.

    make        builds %[1]s.wasm; needs %[2]s
    make test   plays the transcripts of flights/ against it

    stunnel-wasm guest inspect %[1]s.wasm        what it may do
    stunnel-wasm guest test --strict %[1]s.wasm  probes it with every failure that a host can have

What is known of a connection, and what is decided, goes into flights/*.txtar first, then into the source. manifest.txt
names its options: the host refuses others. sdk/ is a copy of the SDK; its README.md is the list of what is in it.

A service that asks it, where its options begin with its name:

    guestPath = DIRECTORY OF %[1]s.wasm
    [web]
    policy = %[1]s
    guestOption = %[1]s.allow=10.0.0.0/8
    accept = 127.0.0.1:9000
    connect = 127.0.0.1:9001
    cert = CERTIFICATE AND KEY
`, name, l.needs)
}
