//go:build !unix

package service

// removeStale does nothing where a socket's file is not left behind.
func removeStale(string) {}

// descriptorLimit is a number for systems that do not limit descriptors.
func descriptorLimit() int64 { return 1 << 16 }
