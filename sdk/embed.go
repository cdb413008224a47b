// Package sdk holds what guests are written with, as files: stunnel-wasm guest new copies
// them, so that a new guest needs no clone of this repository and no network.
package sdk

import "embed"

// Files are the SDKs by language, their examples, and the transcripts in flights that the
// examples of every language are held to.
//
//go:embed c/README.md c/stunnel.h c/examples/*/*.[ch] c/examples/*/Makefile c/examples/*/manifest.txt
//go:embed rust/README.md rust/Cargo.toml rust/src/*.rs rust/examples/*/*.rs rust/examples/*/Makefile rust/examples/*/manifest.txt
//go:embed go/README.md go/*.go go/addmanifest/*.go go/examples/*/*.go go/examples/*/Makefile go/examples/*/manifest.txt
//go:embed flights/*/*.txtar
var Files embed.FS
