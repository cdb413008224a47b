package config

import (
	"fmt"
	"slices"
	"strings"
)

var versions = []Version{TLS10, TLS11, TLS12, TLS13}

// String gives the name that a configuration file uses; "all" for 0.
func (v Version) String() string {
	switch v {
	case 0:
		return "all"
	case TLS10:
		return "TLSv1"
	case TLS11, TLS12, TLS13:
		return fmt.Sprintf("TLSv1.%d", v-TLS10)
	}
	return fmt.Sprintf("0x%04x", uint16(v))
}

// version takes a protocol version by its name, in any case of letters.
func version(store func(t *target, v Version)) parser {
	return func(t *target, value string) *Error {
		switch strings.ToLower(value) {
		case "all":
			store(t, 0)
		case "tlsv1", "tlsv1.0":
			store(t, TLS10)
		case "tlsv1.1":
			store(t, TLS11)
		case "tlsv1.2":
			store(t, TLS12)
		case "tlsv1.3":
			store(t, TLS13)
		case "sslv2", "sslv3":
			return refuse("Invalid protocol version", "SSLv2 and SSLv3 do not exist here; the lowest version is TLSv1")
		default:
			return refuse("Invalid protocol version", "one of: all, TLSv1, TLSv1.1, TLSv1.2, TLSv1.3")
		}
		return nil
	}
}

// narrow makes one range of versions from what sslVersion, sslVersionMin, sslVersionMax
// and the NO_TLSv1 options ask; crypto/tls knows no other shape. Versions below
// DefaultMinVersion are in the range only if they are named, or if nothing else is left
// of what was asked. Nothing asked stays 0. A
// problem is a reason for an [Error].
func narrow(lowest, highest Version, disabled []Version) (low, high Version, problem string) {
	if len(disabled) == 0 && highest != 0 && lowest == 0 && highest < DefaultMinVersion {
		return TLS10, highest, ""
	}
	if len(disabled) == 0 && (lowest == 0 || highest == 0 || lowest <= highest) {
		return lowest, highest, ""
	}
	top := highest
	if top == 0 {
		top = DefaultMaxVersion
	}
	enabled := func(from Version) (left []Version) {
		for _, v := range versions {
			if v >= from && v <= top && !slices.Contains(disabled, v) {
				left = append(left, v)
			}
		}
		return left
	}
	var left []Version
	if lowest == 0 {
		if left = enabled(DefaultMinVersion); len(left) == 0 {
			left = enabled(TLS10)
		}
	} else {
		left = enabled(lowest)
	}
	if len(left) == 0 {
		return 0, 0, "Invalid protocol version range"
	}
	from, to := left[0], left[len(left)-1]
	if int(to-from) != len(left)-1 {
		return 0, 0, fmt.Sprintf("TLS versions %v to %v with a gap between them are not possible", from, to)
	}
	return from, to, ""
}
