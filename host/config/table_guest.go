package config

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bounds of the options that bound a guest.
const (
	GuestPageSize      = 64 << 10       // a page of WebAssembly memory, bytes
	MaxGuestMemory     = 256 << 20      // guestMemory, bytes
	MaxGuestTimeout    = 24 * time.Hour // guestTimeout
	MaxGuestBytes      = 16 << 20       // guestBytes
	maxGuestMillis     = int(MaxGuestTimeout / time.Millisecond)
	guestHashPrefix    = "sha256:"
	guestHashHexLength = 64
)

// globalGuestOptions say where guests come from.
var globalGuestOptions = []Option{
	{Name: "guestCache", Form: "directory|no", Default: "no",
		Doc: "directory that keeps compiled guests between starts (not in stunnel)",
		parse: nonEmpty(func(t *target, v string) {
			if strings.EqualFold(v, "no") {
				v = ""
			}
			t.cfg.Global.GuestCache = v
		})},
	{Name: "guestPath", Form: "directory", List: true,
		Doc:   "where protocol = NAME finds NAME.wasm that is not built in (not in stunnel)",
		parse: nonEmpty(func(t *target, v string) { t.cfg.Global.GuestPath = append(t.cfg.Global.GuestPath, v) })},
}

// guestOptions feed and bound the guest of a service.
var guestOptions = []Option{
	{Name: "guestAllow", Scope: ServiceScope, Form: "secret|target|peer|crypto|random|clock", List: true,
		Doc: "capability granted to the guest beyond the conversation (not in stunnel)", parse: parseGuestAllow},
	{Name: "guestBytes", Aliases: []string{"guestClear"}, Scope: ServiceScope, Form: "bytes[K|M]", Default: "64K",
		Doc: "how much may pass on a side in the clear before TLS (not in stunnel)",
		parse: size("Illegal number of bytes", 1, MaxGuestBytes,
			func(t *target, n int) { t.service.Guest.Bytes = n })},
	{Name: "guestCPU", Aliases: []string{"guestFuel"}, Scope: ServiceScope, Form: "units", Default: "20000000",
		Doc: "instructions that one negotiation may take (not in stunnel)", parse: parseGuestCPU},
	{Name: "guestDial", Scope: ServiceScope, Form: "host-pattern|CIDR:port[-port]", List: true,
		Doc: "where a guest with the capability target may have connections made to (not in stunnel)", parse: parseGuestDial},
	{Name: "guestHash", Scope: ServiceScope, Form: "sha256:HEX",
		Doc: "the one module that is accepted, by its hash (not in stunnel)", parse: parseGuestHash},
	{Name: "guestMemory", Scope: ServiceScope, Form: "bytes[K|M]", Default: "16M",
		Doc: "memory of one instance, rounded up to 64 KiB pages (not in stunnel)",
		parse: size("Illegal memory size", 1, MaxGuestMemory, func(t *target, n int) {
			t.service.Guest.Memory = uint32((n + GuestPageSize - 1) / GuestPageSize)
		})},
	{Name: "guestOption", Scope: ServiceScope, Form: "KEY=VALUE", List: true,
		Doc: "setting handed to the guest as it is (not in stunnel)",
		parse: keyValue("Illegal guest option", func(t *target, kv KeyValue) {
			t.service.Guest.Options = append(t.service.Guest.Options, kv)
		})},
	{Name: "guestTimeout", Scope: ServiceScope, Form: "seconds|Nms", Default: "300 seconds",
		Doc: "how long one negotiation may take (not in stunnel)", parse: parseGuestTimeout},
	{Name: "policy", Scope: ServiceScope, Form: "name", List: true, Status: Pending, parse: checkFilled,
		Doc: "guest that allows or denies a connection (not in stunnel)"},
}

func parseGuestAllow(t *target, value string) *Error {
	switch name := strings.ToLower(value); name {
	case "secret", "target", "peer", "crypto", "random", "clock":
		if !slices.Contains(t.service.Guest.Allow, name) {
			t.service.Guest.Allow = append(t.service.Guest.Allow, name)
		}
		return nil
	}
	return refuse("Unknown guest capability", "one of: secret, target, peer, crypto, random, clock; one a line")
}

func parseGuestCPU(t *target, value string) *Error {
	n, err := strconv.ParseUint(value, 10, 63)
	if err != nil || n == 0 {
		return refuse("Illegal number of instructions", "a whole number from 1 up")
	}
	t.service.Guest.CPU = n
	return nil
}

func parseGuestHash(t *target, value string) *Error {
	v := strings.ToLower(value)
	sum, ok := strings.CutPrefix(v, guestHashPrefix)
	if _, err := hex.DecodeString(sum); !ok || err != nil || len(sum) != guestHashHexLength {
		return refuse("Illegal guest hash", "write sha256: and the 64 hex digits that sha256sum FILE prints")
	}
	t.service.Guest.Hash = sum
	return nil
}

func parseGuestTimeout(t *target, value string) *Error {
	digits, unit := value, time.Second
	if ms, ok := strings.CutSuffix(strings.ToLower(value), "ms"); ok {
		digits, unit = strings.TrimRight(ms, blanks), time.Millisecond
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 || n > maxGuestMillis || time.Duration(n)*unit > MaxGuestTimeout {
		return refuse("Illegal guest timeout", "seconds, or milliseconds as in 1500ms; at most a day")
	}
	t.service.Guest.Timeout = time.Duration(n) * unit
	return nil
}
