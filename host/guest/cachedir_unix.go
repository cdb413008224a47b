//go:build unix

package guest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// checkCacheDir makes the directory for compiled code, or refuses one that is not
// ours alone. What lies in it is machine code that this process maps and runs:
// whoever can write there runs code with our keys, outside of any sandbox. A
// directory under /tmp that somebody else made first, or a symbolic link to one,
// would be enough.
func checkCacheDir(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("creating guestCache: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("looking at guestCache: %w", err)
	}
	if !info.IsDir() {
		return fmt.Errorf("guestCache %q is not a directory", dir)
	}
	if perm := info.Mode().Perm(); perm != 0o700 {
		return fmt.Errorf("guestCache %q has mode %#o, want 0700: it holds executable code", dir, perm)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("guestCache %q belongs to another user: it holds executable code", dir)
	}
	return nil
}
