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
# other bytes. Paths are relative and no build id is made, so that the bytes depend
# on sources and compiler alone.
set -eu

RUSTC=${RUSTC:-/usr/bin/rustc}
committed=../stdproto

# build MAIN.rs NAME.wasm compiles one guest.
#  - a stack of 16 KiB and static buffers keep an instance within one 64 KiB page;
#  - --stack-first (rustc's default) makes a stack overflow trap at address 0 instead
#    of running into the buffers;
#  - debug information goes, function names stay, demangled: a trap's place is readable;
#  - bulk-memory turns copying into one instruction, which the host meters by length.
build() {
	crate=${2##*/}
	"$RUSTC" --edition 2021 --target wasm32-unknown-unknown \
		--crate-type cdylib --crate-name "$(echo "${crate%.wasm}" | tr -- - _)" \
		-C opt-level=z -C lto=fat -C codegen-units=1 -C panic=abort \
		-C target-feature=+bulk-memory \
		-C strip=debuginfo -C link-arg=-zstack-size=16384 -C link-arg=--demangle \
		--remap-path-prefix "$PWD"=guests \
		-o "$2" "$1"
	chmod 644 "$2"
}

if [ $# = 2 ]; then
	build "$1" "$2"
	exit
fi
cd "$(dirname "$0")"
case ${1:-build} in
build)
	out=$committed
	;;
check)
	out=$(mktemp -d)
	trap 'rm -rf "$out"' EXIT
	;;
*)
	echo "usage: build.sh [check | MAIN.rs NAME.wasm]" >&2
	exit 2
	;;
esac

status=0
for main in */main.rs; do
	name=${main%/main.rs}
	build "$main" "$out/$name.wasm"
	if [ "$out" != "$committed" ] && ! cmp -s "$out/$name.wasm" "$committed/$name.wasm"; then
		echo "stdproto/$name.wasm is not what guests/$name builds with $("$RUSTC" --version): run 'make guests' and commit it" >&2
		status=1
	fi
done
exit $status
