package config

import (
	"encoding/hex"
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
	{Name: "guestAllow", Scope: ServiceScope, Form: "[POLICY.]secret|target|peer|crypto|random|clock", List: true,
		Doc: "capability granted to the protocol's guest, or a policy, beyond the conversation (not in stunnel)", parse: parseGuestAllow},
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
	{Name: "guestOption", Scope: ServiceScope, Form: "[POLICY.]KEY=VALUE", List: true,
		Doc: "setting handed to the protocol's guest, or a policy, as it is (not in stunnel)",
		parse: keyValue("Illegal guest option", func(t *target, kv KeyValue) {
			t.service.Guest.Options = append(t.service.Guest.Options, kv)
		})},
	{Name: "guestTimeout", Scope: ServiceScope, Form: "seconds|Nms", Default: "300 seconds",
		Doc: "how long one negotiation may take; a policy's decision 5 seconds at most (not in stunnel)", parse: parseGuestTimeout},
	{Name: "policy", Scope: ServiceScope, Form: "name|path [sha256:HEX]", List: true,
		Doc: "guest that allows or denies each connection, pinned by its hash; its options and grants are " +
			"guestOption = NAME.KEY=VALUE and guestAllow = NAME.CAPABILITY (not in stunnel)", parse: parsePolicy},
}

func parseGuestAllow(t *target, value string) *Error {
	policy, name := "", strings.ToLower(value)
	if i := strings.LastIndexByte(value, '.'); i >= 0 {
		policy, name = value[:i], name[i+1:]
	}
	switch name {
	case "secret", "target", "peer", "crypto", "random", "clock":
		t.service.grants = append(t.service.grants, grant{policy, name, t.place, t.global})
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
	sum, e := guestHash(value)
	if e != nil {
		return e
	}
	t.service.Guest.Hash = sum
	return nil
}

// guestHash reads a module's pin.
func guestHash(value string) (string, *Error) {
	sum, ok := strings.CutPrefix(strings.ToLower(value), guestHashPrefix)
	if _, err := hex.DecodeString(sum); !ok || err != nil || len(sum) != guestHashHexLength {
		return "", refuse("Illegal guest hash", "write sha256: and the 64 hex digits that sha256sum FILE prints")
	}
	return sum, nil
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
