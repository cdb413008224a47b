package config

import (
	"fmt"
	"math"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A parser checks a value of an option and stores it.
type parser = func(t *target, value string) *Error

// yesNo takes the value with which nearly half of stunnel's options are set.
func yesNo(store func(t *target, yes bool)) parser {
	return func(t *target, value string) *Error {
		switch strings.ToLower(value) {
		case "yes":
			store(t, true)
		case "no":
			store(t, false)
		default:
			return refuse("The argument needs to be either 'yes' or 'no'", "write yes or no")
		}
		return nil
	}
}

// keyword takes one of several words, in any case of letters.
func keyword(reason string, words []string, store func(t *target, i int)) parser {
	return func(t *target, value string) *Error {
		i := slices.Index(words, strings.ToLower(value))
		if i < 0 {
			return refuse(reason, "one of: "+strings.Join(words, ", "))
		}
		store(t, i)
		return nil
	}
}

// text takes any value.
func text(store func(t *target, value string)) parser {
	return func(t *target, value string) *Error {
		store(t, value)
		return nil
	}
}

// nonEmpty takes any value but none.
func nonEmpty(store func(t *target, value string)) parser {
	return func(t *target, value string) *Error {
		if value == "" {
			return refuse("The value is empty", "give a value or remove the line")
		}
		store(t, value)
		return nil
	}
}

// maxNumber bounds every count and every number of seconds: stunnel keeps them in an int.
const maxNumber = math.MaxInt32

// number takes a whole number from low to high, in decimal as stunnel does.
func number(reason string, low, high int, store func(t *target, n int)) parser {
	return func(t *target, value string) *Error {
		n, err := strconv.Atoi(value)
		if err != nil || n < low || n > high || value[0] == '+' {
			return refuse(reason, fmt.Sprintf("a whole number from %d to %d", low, high))
		}
		store(t, n)
		return nil
	}
}

// seconds takes a time. What is the name's middle in stunnel's words: `Illegal idle timeout`.
func seconds(what string, store func(t *target, d time.Duration)) parser {
	return number("Illegal "+what+" timeout", 0, maxNumber, func(t *target, n int) {
		store(t, time.Duration(n)*time.Second)
	})
}

// size takes bytes with an optional K or M for 1024 and 1024 squared.
func size(reason string, low, high int, store func(t *target, n int)) parser {
	return func(t *target, value string) *Error {
		digits, unit := value, 1
		switch {
		case strings.HasSuffix(strings.ToUpper(value), "K"):
			digits, unit = value[:len(value)-1], 1<<10
		case strings.HasSuffix(strings.ToUpper(value), "M"):
			digits, unit = value[:len(value)-1], 1<<20
		}
		n, err := strconv.ParseUint(digits, 10, 31)
		if err != nil || int(n) > high/unit || int(n)*unit < low {
			return refuse(reason, fmt.Sprintf("bytes from %d to %d; K and M may follow the number", low, high))
		}
		store(t, int(n)*unit)
		return nil
	}
}

// address takes an accept or connect address.
func address(accept bool, store func(t *target, a Address)) parser {
	return func(t *target, value string) *Error {
		a, err := ParseAddress(value, accept)
		if err != nil {
			hint := "write PORT, HOST:PORT or the /path of a Unix socket"
			if strings.ContainsAny(value, ";#") {
				hint = "a comment needs a line of its own; behind a value it is part of it"
			}
			return refuse("Illegal address: "+err.Error(), hint)
		}
		store(t, a)
		return nil
	}
}

// keyValue takes NAME=VALUE.
func keyValue(reason string, store func(t *target, kv KeyValue)) parser {
	return func(t *target, value string) *Error {
		k, v, ok := strings.Cut(value, "=")
		k, v = strings.TrimRight(k, blanks), strings.TrimLeft(v, blanks)
		if !ok || k == "" {
			return refuse(reason, "write NAME=VALUE")
		}
		store(t, KeyValue{Key: k, Value: v, Place: t.place, global: t.global})
		return nil
	}
}

// ipOrHost takes a value that names a host without a port.
func ipOrHost(store func(t *target, host string)) parser {
	return func(t *target, value string) *Error {
		if value == "" || strings.ContainsAny(value, blanks+"/") ||
			net.ParseIP(zoneless(value)) == nil && strings.Contains(value, ":") {
			return refuse("Illegal host", "write a host name or an IP address, without a port")
		}
		store(t, value)
		return nil
	}
}

// The checks of options that store nothing, because they have no effect or are not
// implemented yet.
var (
	checkNothing = text(func(*target, string) {})
	checkFilled  = nonEmpty(func(*target, string) {})
	checkYesNo   = yesNo(func(*target, bool) {})
)

func checkNumber(reason string, low, high int) parser {
	return number(reason, low, high, func(*target, int) {})
}
