// Package regular reads regular files of bounded size, which are looked at again in each
// handshake or connection: nothing that stands in their place may hold one up. Of those with
// secrets it tells who else can read them.
package regular

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"syscall"
)

// Read reads a regular file of so many bytes at most. It may have been replaced since the
// caller looked at it: a FIFO would stop whoever opens it until somebody writes.
func Read(path string, limit int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, limit)
	}
	return data, nil
}

// Stat looks at a file, for Same. On Windows os asks for a file's identity by its name, and
// when it first compares the file: another may have its place by then, so that is now.
func Stat(path string) (os.FileInfo, error) {
	info, err := os.Stat(path)
	if err == nil && runtime.GOOS == "windows" {
		os.SameFile(info, info)
	}
	return info, err
}

// Same says whether a file is the one, and has the content, that it was before, both by
// Stat. One that is put in another's place may have its size and time.
func Same(before, now os.FileInfo) bool {
	return os.SameFile(before, now) && before.ModTime().Equal(now.ModTime()) && before.Size() == now.Size()
}

// Exposed says whether others than its owner's group can get at a file, by the same bits as
// stunnel. On Windows these bits say nothing.
func Exposed(path string) bool {
	if runtime.GOOS == "windows" {
		return false
	}
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o007 != 0
}
