#!/bin/sh
# Builds every .wat here to the .wasm beside it, with wat2wasm of Debian's wabt.
# The results are committed, so that the tests need Go alone.
set -eu
cd "$(dirname "$0")"
for wat in *.wat; do
	wat2wasm --debug-names "$wat" -o "${wat%.wat}.wasm"
done
