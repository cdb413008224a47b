package dial

import (
	"context"
	"errors"
	"net/netip"
)

// LookupLocal gives the address that a name stands for as a source of connections: the
// first one, as in stunnel.
func LookupLocal(ctx context.Context, host string) (netip.Addr, error) {
	all, err := lookup(ctx, host)
	if err != nil {
		return netip.Addr{}, err
	}
	if len(all) == 0 {
		return netip.Addr{}, errors.New("no address")
	}
	return all[0], nil
}
