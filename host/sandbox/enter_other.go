//go:build !linux

package sandbox

import "github.com/stunnel-wasm/stunnel-wasm/host/config"

// Enter does nothing: only Linux has what it needs, and only there sandbox can be set.
func Enter(config.Sandbox, Needs, Say) (*Entered, error) { return nil, nil }

// Undumpable does nothing either.
func Undumpable(Say) error { return nil }
