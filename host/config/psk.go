package config

// PSK holds the options about pre-shared keys.
type PSK struct {
	Secrets  string // file with lines identity:key; empty: no keys
	Identity string // that a client gives; empty: the first in the file
}
