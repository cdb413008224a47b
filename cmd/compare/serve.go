package main

import (
	"context"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/daemon"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/service"
)

// flushTime is how long the end waits for the log.
const flushTime = time.Second

// natives are the guests' conversations in Go, by protocol.
var natives = map[string]service.Negotiator{
	"smtp":  &nativeSMTP{},
	"imap":  &nativeIMAP{},
	"pgsql": nativePgsql{},
	"socks": nativeSocks{},
}

// serve runs a configuration as the daemon does in the foreground, with one choice
// that the daemon has not: to negotiate in Go instead of in a guest.
func serve(kind, file string) error {
	daemon.RaiseHeapFloor()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	log := logging.New()
	ctx := context.Background()
	server, err := listen(ctx, log, kind, file)
	if err != nil {
		log.DumpBuffer(os.Stderr)
		return err
	}
	<-signals
	ctx, cancel := context.WithCancel(ctx)
	cancel() // connections are cut, as the daemon does without stopGrace
	server.Stop(ctx)
	ctx, cancel = context.WithTimeout(context.Background(), flushTime)
	defer cancel()
	log.Close(ctx)
	return nil
}

func listen(ctx context.Context, log *logging.Log, kind, file string) (*service.Server, error) {
	conf, err := config.Load(file)
	if err != nil {
		return nil, err
	}
	options := service.Options{Log: log}
	if kind == kindNative {
		options.Native = func(protocol string) service.Negotiator {
			return natives[strings.ToLower(protocol)]
		}
	}
	set, err := service.Build(ctx, conf, options)
	if err != nil {
		return nil, err
	}
	server := service.NewServer(log)
	if err := server.Apply(ctx, set); err != nil {
		return nil, err
	}
	return server, log.Open(logging.Options{Level: logging.Level(conf.Global.Debug), Facility: conf.Global.Facility, Stderr: true})
}
