#!/bin/sh
# Builds every guests/NAME/main.rs to stdproto/NAME.wasm.
#
#   build.sh          rebuild all
#   build.sh check    rebuild into a temporary directory and compare with what is
#                     committed; exit status 1 names every module that differs
#   build.sh MAIN.rs NAME.wasm
#                     build a guest of your own, of any place, in the same way
#
# RUSTC chooses the compiler. The committed modules come from Debian 12's (packages
# rustc, libstd-rust-dev-wasm32 and lld); another one builds working modules with
# other bytes. Paths are remapped and no build id is made, so that the bytes depend
# on sources and compiler alone.
set -eu

RUSTC=${RUSTC:-/usr/bin/rustc}
top=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What all parts share.
#  - conditions that need no branch of their own are computed, not branched around: the
#    daemon compiles a guest at each start, and that takes it time by branches.
compile() {
	"$RUSTC" --edition 2021 --target wasm32-unknown-unknown \
		-C opt-level=z -C codegen-units=1 -C panic=abort -C llvm-args=-jump-is-expensive \
		--remap-path-prefix "$top"= --remap-path-prefix "$work"= "$@"
}

# build MAIN.rs NAME.wasm compiles one guest.
#  - a stack of 16 KiB and static buffers keep an instance within one 64 KiB page;
#  - --stack-first (rustc's default) makes a stack overflow trap at address 0 instead
#    of running into the buffers;
#  - bulk-memory turns copying into one instruction, which the host meters by length; see
#    mem.rs for why that is the only part with it, and only a guest's own functions are
#    exported, so that those of mem.rs that it does not call are left out;
#  - debug information goes, function names stay, demangled: a trap's place is readable.
build() {
	crate=${2##*/}
	compile --crate-type cdylib --crate-name "$(echo "${crate%.wasm}" | tr -- - _)" \
		--extern stunnel="$work/libstunnel.rlib" \
		-C lto=fat -C strip=debuginfo -C link-arg="$work/mem.o" -C link-arg=--no-export-dynamic -C link-arg=-zstack-size=16384 -C link-arg=--demangle \
		-o "$work/guest.wasm" "$1"
	# The compiler leaves more beside what it makes, if it is stopped.
	chmod 644 "$work/guest.wasm"
	mv "$work/guest.wasm" "$2"
}

compile --crate-type rlib --emit obj -C target-feature=+bulk-memory -o "$work/mem.o" "$top/guests/mem.rs"
compile --crate-type rlib --crate-name stunnel -o "$work/libstunnel.rlib" "$top/sdk/rust/src/lib.rs"

if [ $# = 2 ]; then
	build "$1" "$2"
	exit
fi
case ${1:-build} in
build)
	out=$top/stdproto
	;;
check)
	out=$work
	;;
*)
	echo "usage: build.sh [check | MAIN.rs NAME.wasm]" >&2
	exit 2
	;;
esac

status=0
cd "$top/guests"
for main in */main.rs; do
	name=${main%/main.rs}
	build "$main" "$out/$name.wasm"
	if [ "$out" = "$work" ] && ! cmp -s "$out/$name.wasm" "$top/stdproto/$name.wasm"; then
		echo "stdproto/$name.wasm is not what guests/$name builds with $("$RUSTC" --version): run 'make guests' and commit it" >&2
		status=1
	fi
done
exit $status
