// Command addmanifest puts a file's text into a module as its custom section
// stunnel.manifest, which the Go toolchain has no means for:
//
//	go run github.com/stunnel-wasm/stunnel-wasm/sdk/go/addmanifest manifest.txt guest.wasm
//
// The section is documentation, but for the options: the host refuses one that no line
// names.
package main

import (
	"encoding/binary"
	"fmt"
	"os"
)

const section = "stunnel.manifest"

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: addmanifest MANIFEST MODULE")
		os.Exit(2)
	}
	if err := add(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "addmanifest:", err)
		os.Exit(1)
	}
}

// add appends the section: a custom one may stand at the end of a module.
func add(manifest, module string) error {
	text, err := os.ReadFile(manifest)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(module, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	content := binary.AppendUvarint(nil, uint64(len(section)))
	content = append(append(content, section...), text...)
	b := append(binary.AppendUvarint([]byte{0}, uint64(len(content))), content...)
	if _, err := f.Write(b); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
