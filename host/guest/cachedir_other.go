//go:build !unix

package guest

import "errors"

// checkCacheDir refuses any directory: who may write to it cannot be told by mode and owner here.
func checkCacheDir(string) error {
	return errors.New("guestCache is not supported on this system")
}
