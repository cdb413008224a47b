# make run    builds and starts a daemon to try out; needs Go alone
# make install puts the program and its manual page below PREFIX, that below DESTDIR
# make test   installs what the tests use (root on Debian) and runs everything
# make bench  measures against stunnel4, haproxy and nginx
# make test-arm64 runs some of the tests as arm64 programs; part of make test
# make guests rebuilds the bundled guests with Debian's rustc

GO ?= go
PREFIX ?= /usr/local
# What the program is built for beside this system. In 32 bits numbers overflow that
# are right elsewhere.
PLATFORMS = windows/amd64 darwin/arm64 freebsd/amd64 linux/arm64 linux/386
# What is quick enough under an emulator. FIPSMode executes itself, which needs the emulator
# to be the system's loader of such programs.
ARM64 = ./abi ./host/config ./host/dial ./host/fault ./host/flight ./host/ident ./host/logging ./host/lru ./host/manual ./host/ocsp ./host/passphrase \
	./host/pbes2 ./host/probe ./host/program ./host/psk ./host/record ./host/regular ./host/relay ./host/resolve ./host/scm ./host/session \
	./host/socket ./host/suite ./host/systemd ./host/tlsconf ./host/verify ./host/wrap
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: all build install run test test-arm64 check guests guests-check deps bench fuzz clean

all: build

build: bin/stunnel-wasm

bin/stunnel-wasm: FORCE
	$(GO) build -o $@ ./cmd/stunnel-wasm

FORCE:

install: build
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/share/man/man8"
	install -m 755 bin/stunnel-wasm "$(DESTDIR)$(PREFIX)/bin"
	install -m 644 docs/stunnel-wasm.8 "$(DESTDIR)$(PREFIX)/share/man/man8"

run: build
	$(GO) build -o bin/quickstart ./cmd/quickstart
	bin/quickstart -daemon bin/stunnel-wasm

deps:
	./.ci/packages

test: deps check guests-check test-arm64
	$(GO) test -race -timeout 20m ./...

check:
	@files=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$files" || { echo "gofmt -w $$files"; exit 1; }
	$(GO) vet ./...
	CGO_ENABLED=0 $(GO) vet ./...
	@for p in $(PLATFORMS); do \
	  echo "GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) vet ./..."; \
	  GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) vet ./... || exit 1; \
	done
	@# On this system nothing calls what the examples of guests export.
	$(GO) run $(STATICCHECK) $$($(GO) list ./... | grep -v /sdk/go/examples/)

# Few tests, for qemu is slow: numbers and bytes, cryptography, and guests in machine code.
test-arm64:
	@if command -v qemu-aarch64 >/dev/null; then \
	  set -ex; GOARCH=arm64; export GOARCH; \
	  $(GO) test -vet=off -exec qemu-aarch64 -skip FIPSMode $(ARM64); \
	  $(GO) test -vet=off -exec qemu-aarch64 -run 'Decide|Load|Turns|Reading|Writing' ./host/guest; \
	else echo "test-arm64: left out, qemu-aarch64 is missing: apt-get install qemu-user" >&2; test "$$CI" != true; fi

guests:
	guests/build.sh

# Only the compiler that made the committed modules makes the same bytes again.
guests-check:
	@case "$$($${RUSTC:-/usr/bin/rustc} --version 2>/dev/null)" in \
	"rustc 1.63."*) guests/build.sh check && echo "guests-check: the committed modules are what their sources build" ;; \
	*) echo "guests-check: left out, this is not Debian 12's rustc 1.63" >&2; test "$$CI" != true ;; \
	esac

FUZZTIME ?= 30s
fuzz:
	@$(GO) list ./... | while read p; do \
	  for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz'); do \
	    echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p || exit 1; \
	  done; done

bench: build
	$(GO) run ./cmd/compare -wasm bin/stunnel-wasm $(BENCHFLAGS)

clean:
	rm -rf bin .quickstart
