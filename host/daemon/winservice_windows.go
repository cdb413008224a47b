package daemon

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"

	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/scm"
)

// signOfLife is how often a service that starts or ends slowly says that it is still at it:
// compiling guests takes long, and connections may have a long grace. One that is silent
// for longer than waitHint counts as hung.
const (
	signOfLife = 2 * time.Second
	waitHint   = 3 * signOfLife
)

// RunService is the daemon as a service: it talks with the service control manager that
// has started the process, and returns when the service has ended.
func RunService(src *Source, stderr io.Writer) int {
	h := &handler{daemon: newDaemon(src, logging.Events{})}
	h.daemon.inService = true
	// Where that fails the service serves all the same, if not for as long.
	_ = outliveUsers()
	err := svc.Run(scm.Name, h)
	switch {
	case errors.Is(err, windows.ERROR_FAILED_SERVICE_CONTROLLER_CONNECT):
		fmt.Fprintln(stderr, "-service is for Windows' service control manager: write -start, or FILE alone to run here")
		return 1
	case err != nil:
		fmt.Fprintf(stderr, "running as a service: %v\n", err)
		return 1
	}
	return h.status
}

// A handler stands between the service control manager and the daemon, which gets what
// Unix sends it as signals.
type handler struct {
	daemon *daemon
	status int // the daemon's, when it has ended
}

// Execute implements svc.Handler.
func (h *handler) Execute(_ []string, requests <-chan svc.ChangeRequest, states chan<- svc.Status) (specific bool, code uint32) {
	pending := func(s svc.State) svc.Status {
		return svc.Status{State: s, WaitHint: uint32(waitHint.Milliseconds())}
	}
	now := pending(svc.StartPending)
	states <- now
	started, ended := make(chan struct{}), make(chan int, 1)
	go func() { ended <- h.run(func() { close(started) }) }()
	alive := time.NewTicker(signOfLife)
	defer alive.Stop()
	for {
		select {
		case <-started:
			started = nil
			now = svc.Status{State: svc.Running, Accepts: svc.AcceptStop | svc.AcceptShutdown | svc.AcceptParamChange}
			states <- now
			alive.Stop()
		case h.status = <-ended:
			return h.status != 0, uint32(h.status)
		case <-alive.C:
			now.CheckPoint++
			states <- now
		case r := <-requests:
			switch r.Cmd {
			case svc.Interrogate:
				states <- now
			case svc.Stop, svc.Shutdown:
				if now.State == svc.Running {
					now = pending(svc.StopPending)
					states <- now
					alive.Reset(signOfLife)
				}
				h.tell(syscall.SIGTERM)
			case svc.ParamChange, scm.Reload:
				h.tell(syscall.SIGHUP)
			case scm.Reopen:
				h.tell(reopenSignal)
			}
		}
	}
}

// tell hands a signal on as the runtime does with true ones: what finds no room is
// one of many. Requests come only once the service runs, when there is a channel.
func (h *handler) tell(s os.Signal) {
	select {
	case h.daemon.signals <- s:
	default:
	}
}

// run puts what a failing start has to say into one event.
func (h *handler) run(started func()) int {
	var said bytes.Buffer
	events := h.daemon.stderr
	h.daemon.stderr = &said
	defer func() {
		if said.Len() > 0 {
			events.Write(said.Bytes())
		}
	}()
	return h.daemon.run(started)
}
