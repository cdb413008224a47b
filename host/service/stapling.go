package service

import (
	"context"
	"sync"

	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
)

// cronID names what is done from time to time in the log, as in stunnel.
const cronID = "cron"

// stapling runs the Staplers of a Set while it is the current one: they belong to the Set,
// and nobody needs them once new connections go to another.
type stapling struct {
	cancel context.CancelFunc // nil: not running
	wg     sync.WaitGroup
}

// startStapling fetches what services staple. It waits for nothing: connections that
// come before the first response get none, as everybody does while a responder is away.
func (set *Set) startStapling(log *logging.Logger) {
	var ctx context.Context
	for _, s := range set.Services {
		for _, stapler := range s.tls.Staplers {
			if ctx == nil {
				ctx, set.stapling.cancel = context.WithCancel(context.Background())
			}
			set.stapling.wg.Go(func() { stapler.Run(ctx, log.With(cronID, s.Name(), s.level)) })
		}
	}
}

// stopStapling ends it. The goroutines stop soon after; Close waits for them.
func (set *Set) stopStapling() {
	if set.stapling.cancel != nil {
		set.stapling.cancel()
	}
}
