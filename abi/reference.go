package abi

import (
	"fmt"
	"io"
	"strings"
)

// WriteReference writes the guest author's reference, docs/abi.md, from the tables of
// this package.
func WriteReference(w io.Writer) error {
	var b strings.Builder
	b.WriteString(`# The guest interface, version 1

Made from package [abi](../abi/abi.go), which is the truth; a test keeps this page so.
The import module is ` + "`" + ImportModule + "`" + `. Values are i32 unless said. A result of zero or more is success or a length, a
negative one is a code. Buffers are the guest's; where a value may be longer than its buffer, the full
length is returned and the buffer holds the beginning. A pointer that leaves the guest's memory ends the
guest. Sides: 0 is the accepted connection, 1 the outgoing one. Calls block.

## Exports

| export | type | |
| --- | --- | --- |
| ` + "`" + ExportMemory + "`" + ` | memory | |
| ` + "`" + ExportNegotiate + "`" + ` | () -> i32 | a protocol: 0 hands over to the relay, anything else ends the connection |
| ` + "`" + ExportNegotiateServer + "`" + `, ` + "`" + ExportNegotiateClient + "`" + ` | () -> i32 | a protocol, in place of negotiate in a service with ` + "`client = no`, or `client = yes`" + `: the host compiles what the modes of its services can reach. A guest with one of them and no negotiate is for that mode alone |
| ` + "`" + ExportDecide + "`" + ` | () -> i32 | a policy, in place of negotiate: 0 allows, anything else denies |
| ` + "`" + ExportConfigure + "`" + ` | () -> i32 | optional: called when the configuration is read, with config, log and fail alone; anything but 0 refuses it |
| ` + "`" + ExportInitialize + "`" + ` | () -> () | optional: a toolchain's start-up, called before the others |

The custom section ` + "`" + ManifestSection + "`" + ` is documentation, lines of ` + "`name: text`" + `. One part of it counts: if it is there, a
guestOption that no line ` + "`option: guestOption = NAME=...`" + ` names is refused.

## Imports

| function | type | capability | |
| --- | --- | --- | --- |
`)
	for _, f := range Functions {
		capability := string(f.Needs)
		if f.Needs == Conversation {
			capability = "-"
		}
		fmt.Fprintf(&b, "| `%s` | (%s) -> %s | %s | %s |\n", f.Name, spell(f.Params), results(f.Results), capability, f.Doc)
	}
	b.WriteString("\n## Capabilities\n\nWhat an import needs is granted by `guestAllow`; the bundled guests have what they need.\n\n| name | lets a guest |\n| --- | --- |\n")
	for _, c := range Capabilities {
		fmt.Fprintf(&b, "| `%s` | %s |\n", c.Name, c.Doc)
	}
	b.WriteString("\n## Codes\n\n| code | name | meaning |\n| --- | --- | --- |\n")
	for _, c := range Codes {
		fmt.Fprintf(&b, "| %d | %s | %s |\n", c.Code, c.Name, c.Doc)
	}
	b.WriteString("\n## Facts of `info`\n\nFrom 16 on they need the capability `peer`.\n\n| id | name | |\n| --- | --- | --- |\n")
	for _, i := range Infos {
		fmt.Fprintf(&b, "| %d | %s | %s |\n", i.ID, i.Name, i.Doc)
	}
	b.WriteString(`
## Keys of ` + "`config` and `secret`" + `

| key | value |
| --- | --- |
| ` + "`" + KeyClient + "`" + ` | "yes" or "no" |
| ` + "`" + KeyService + "`" + ` | the section's name |
| ` + "`" + KeySNI + "`" + ` | "yes" in server mode when the handshake decides on the target, by the name that the client asks for or by its certificate: connect after starttls |
| the name of a protocol option in lower case (` + "`protocolhost`" + ` ...) | its value; protocolHeader's are lines |
| ` + "`" + OptionKeyPrefix + "NAME`" + ` | the value of guestOption = NAME=VALUE; several are lines |

protocolPassword, and each guestOption whose name says password, are read by ` + "`secret`" + ` alone.

## Algorithms of ` + "`digest`" + `

| number | name | bytes |
| --- | --- | --- |
`)
	for _, d := range Digests {
		fmt.Fprintf(&b, "| %d | %s | %d |\n", d.Alg, d.Name, d.Size)
	}
	b.WriteString("\n## Classes of `fail`\n\n| number | name | |\n| --- | --- | --- |\n")
	for _, c := range []struct {
		class Class
		doc   string
	}{
		{FailPeer, "a peer said what it should not"}, {FailConfig, "an option makes no sense"},
		{FailPolicy, "refused on purpose"}, {FailInternal, "the guest's own fault"},
	} {
		fmt.Fprintf(&b, "| %d | %s | %s |\n", c.class, c.class, c.doc)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// spell writes a signature's letters as types.
func spell(letters string) string {
	words := make([]string, len(letters))
	for i, l := range letters {
		if words[i] = "i32"; l == 'I' {
			words[i] = "i64"
		}
	}
	return strings.Join(words, ", ")
}

func results(letters string) string {
	if letters == "" {
		return "()"
	}
	return spell(letters)
}
