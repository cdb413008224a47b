package logging

import (
	"os"

	"golang.org/x/sys/windows"
)

// openFile opens a log file to append to, emptying it first if truncate. The file can be
// renamed and deleted while it is open, which os.OpenFile does not let others do: to rename
// it and have it opened again is how logs are rotated.
func openFile(name string, truncate bool) (*os.File, error) {
	if info, err := os.Stat(name); truncate && err == nil && info.Mode().IsRegular() {
		if err := os.Truncate(name, 0); err != nil {
			return nil, err
		}
	}
	path, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	// Without the right to write at a place, each write is at the end.
	const access = windows.FILE_APPEND_DATA | windows.FILE_WRITE_ATTRIBUTES | windows.STANDARD_RIGHTS_WRITE | windows.SYNCHRONIZE
	const share = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE
	h, err := windows.CreateFile(path, access, share, nil, windows.OPEN_ALWAYS, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(h), name), nil
}
