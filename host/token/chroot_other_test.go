//go:build cgo && !linux

package token

const jail = "TOKEN_TEST_JAIL"

func signInJail() int { return 1 }
