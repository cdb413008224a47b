# make run    builds and starts a daemon to try out; needs Go alone
# make install puts the program and its manual page below PREFIX, that below DESTDIR
# make test   installs what the tests use (root on Debian) and runs everything
# make bench  measures against stunnel4, haproxy and nginx
# make test-arm64 runs the tests as arm64 programs under qemu; part of make test
# make guests rebuilds the bundled guests with Debian's rustc

GO ?= go
PREFIX ?= /usr/local
# What the program is built for beside this system. In 32 bits numbers overflow that
# are right elsewhere.
PLATFORMS = windows/amd64 darwin/arm64 freebsd/amd64 linux/arm64 linux/386
# What is not run as an arm64 program, and why. All else is, also what is new. The emulator is
# 10 to 20 times slower than the machine.
#   interpreter   wazero's is portable Go; its arm64 compiler is what differs
#   bytes         each transcript of each bundled guest once, not byte by byte as well
#   FuzzGuests    the same transcripts, garbled
#   TestMatrix    2,000 chains, compared with amd64 programs; host/verify's own tests are run
#   TestWalls     qemu 7.2 has no Landlock
#   TestNoSuchProgram, TestExecOfNothing  where exec fails, qemu 7.2's child may wait for ever
#                 for a lock (clone_lock) that it has inherited from a thread that began another
#   TestEverything, TestCPUTime  measure, and qemu's own time would count
# In this order: go test stops at the first pattern of which a name may have a part.
ARM64_SKIP = ^Test(Matrix|Walls|NoSuchProgram|ExecOfNothing|Everything|CPUTime)$$|^FuzzGuests$$|/^interpreter$$|//^interpreter$$|^TestFlights$$/././^bytes$$
# What executes itself, so that the kernel has to know the emulator; see .ci/arm64.
ARM64_SELF = ^Test(FIPSMode|StartFails|IgnoredSignalsAreNotInherited)$$
# The tests of the program that drive it as built for arm64; they and its peers are amd64
# programs. Of the others those of tokens need a C library for arm64, those of setuid and the
# sandbox look at all threads of a process, of which one is qemu's own, and some need other
# users than root, who is alone in the namespace.
ARM64_PROGRAM = ^Test(Script|Curl|CurlMail|OpensslMail|Openssl(Client|Server).*|StunnelKeys|StunnelResumes|FIPS.*|Inetd|ProgramsBeginAfresh|SocketActivation|NotifiesServiceManager|SessionsOutliveReloads|PolicyOfTheManual|PassphraseOnTerminal|PassphraseInBackground|ProxyLine)$$
# Scripts that start it a hundred times.
ARM64_PROGRAM_SKIP = ^TestScript$$/^(config_error|guest_inspect|guest_record|guest_test|secret|bind)$$
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

# Debian 12's own kernel cannot have what .ci/arm64 needs, so that CI does not insist on it.
# G_SLICE: see there.
test-arm64:
	@if ! command -v qemu-aarch64 >/dev/null; then \
	  echo "test-arm64: left out, qemu-aarch64 is missing: apt-get install qemu-user" >&2; test "$$CI" != true; exit; \
	fi; \
	packages=$$($(GO) list ./... | grep -v '/cmd/stunnel-wasm$$'); \
	if ! .ci/arm64 true; then \
	  echo "test-arm64: left out what executes itself, and the program: this kernel has no emulators in namespaces" >&2; \
	  set -ex; \
	  G_SLICE=always-malloc GOARCH=arm64 $(GO) test -vet=off -exec qemu-aarch64 -skip '$(ARM64_SELF)|$(ARM64_SKIP)' $$packages; \
	  exit; \
	fi; \
	set -ex; \
	GOARCH=arm64 .ci/arm64 $(GO) test -vet=off -skip '$(ARM64_SKIP)' $$packages; \
	GOARCH=arm64 $(GO) build -o bin/arm64/stunnel-wasm ./cmd/stunnel-wasm; \
	STUNNEL_WASM_TEST_PROGRAM=$$PWD/bin/arm64/stunnel-wasm .ci/arm64 $(GO) test -vet=off -run '$(ARM64_PROGRAM)' -skip '$(ARM64_PROGRAM_SKIP)' ./cmd/stunnel-wasm

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
