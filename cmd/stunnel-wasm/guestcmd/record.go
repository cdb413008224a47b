package guestcmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/flight"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/service"
	"github.com/stunnel-wasm/stunnel-wasm/stdproto"
)

// logTime is how long the end waits for the log.
const logTime = time.Second

// record runs one service of a config, and writes the transcript of its next connection.
func (t *tool) record(args []string) error {
	if len(args) != 2 {
		return errUsage
	}
	conf, err := config.Load(t.locate(args[0]))
	if err != nil {
		return t.complain(err)
	}
	if err := only(conf, args[1]); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(t.ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	log := logging.New()
	r := &recording{protocol: conf.Services[0].Protocol, done: make(chan string, 1)}
	set, err := service.Build(ctx, conf, service.Options{Log: log, Around: r.around})
	if err != nil {
		return t.complain(err)
	}
	server := service.NewServer(log)
	if err := server.Apply(ctx, set); err != nil {
		log.DumpBuffer(t.stderr)
		return err
	}
	if err := log.Open(logging.Options{Level: logging.Level(conf.Global.Debug), Stderr: true}); err != nil {
		return err
	}
	fmt.Fprintf(t.stderr, "stunnel-wasm: recording the next connection of [%s]\n", args[1])
	var text string
	select {
	case text = <-r.done:
		fmt.Fprint(t.stdout, text)
	case <-ctx.Done():
	}
	server.Stop(ctx) // the connection goes on until its end, or an interrupt
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), logTime)
	defer cancel()
	log.Close(end)
	if text == "" {
		return errors.New("there was no connection to record")
	}
	return t.proof(conf, text)
}

// only leaves one service in a config, and those that hang on it.
func only(conf *config.Config, name string) error {
	var kept []*config.Service
	var others []string
	for _, sc := range conf.Services {
		switch {
		case sc.Name == name && sc.Protocol == "":
			return hint(fmt.Errorf("service [%s] has no protocol to record", name), "a transcript is what is said before TLS")
		case sc.Name == name, strings.HasPrefix(sc.SNI, name+":") && !sc.Client:
			kept = append(kept, sc)
		default:
			others = append(others, sc.Name)
		}
	}
	if len(kept) == 0 {
		return hint(fmt.Errorf("there is no service [%s]", name), "there are %s", strings.Join(others, ", "))
	}
	conf.Services = kept
	return nil
}

// complain prints what is wrong with a config, with its hints.
func (t *tool) complain(err error) error {
	wrong, ok := errors.AsType[config.Errors](err)
	if !ok {
		return err
	}
	for _, e := range wrong {
		fmt.Fprintf(t.stderr, "stunnel-wasm: %v\n", e)
		if e.Hint != "" {
			fmt.Fprintf(t.stderr, "stunnel-wasm: hint: %s\n", e.Hint)
		}
	}
	return errFailed
}

// A recording is of one connection: the first one whose negotiation ends.
type recording struct {
	protocol string
	done     chan string
}

// A recorder is a guest that is recorded.
type recorder struct {
	service.Negotiator
	recording *recording
	name      string
}

func (r *recording) around(name string, n service.Negotiator) service.Negotiator {
	return &recorder{n, r, name}
}

func (r *recorder) Negotiate(ctx context.Context, h guest.Host, l guest.Limits) (*guest.Outcome, error) {
	tapped := flight.NewRecorder(h)
	outcome, err := r.Negotiator.Negotiate(ctx, tapped, l)
	about := fmt.Sprintf("Recorded from service [%s].", r.name)
	tapped.Note("protocol", r.recording.protocol)
	select {
	case r.recording.done <- tapped.Transcript(about, outcome, err):
	default: // another one was before it
	}
	return outcome, err
}

// proof plays what was recorded, and says if it does not come out the same: a guest that
// draws random bytes, asks for the time or hashes a secret says something else each time.
func (t *tool) proof(conf *config.Config, text string) error {
	found := service.FindGuests(conf, conf.Services[0])[0] // the protocol comes before policies
	if found.Err != nil {
		return found.Err
	}
	src := found.Source
	src.Allow = append(src.Allow, everything()...)
	if err := t.replayOn(src, text); err != nil {
		fmt.Fprintf(t.stderr, "stunnel-wasm: the transcript does not replay: %v\n", err)
		fmt.Fprintln(t.stderr, "stunnel-wasm: hint: what a guest makes of random bytes, the time or a hashed secret is not the same again")
	}
	return nil
}

// replay plays a transcript as it was recorded: "guest replay".
func (t *tool) replay(args []string) error {
	if len(args) < 1 || len(args) > 2 {
		return errUsage
	}
	text, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	script, err := flight.Parse(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	name := script.Config["protocol"]
	if len(args) == 2 {
		name = args[1]
	}
	if name == "" {
		return hint(fmt.Errorf("%s does not say which guest it is of", args[0]), "name the module behind it; bundled are %s", strings.Join(stdproto.Names(), ", "))
	}
	if _, bundled := stdproto.Lookup(name); !bundled && len(args) == 1 && !config.IsPath(name) {
		return hint(fmt.Errorf("%s is of protocol %s, which is not bundled", args[0], name), "name its module: guest replay %s %s.wasm", args[0], name)
	}
	src, err := source(name)
	if err != nil {
		return err
	}
	if err := t.replayOn(src, string(text)); err != nil {
		fmt.Fprintf(t.stdout, "FAIL  %s\n%s\n", args[0], indent(err.Error()))
		return errFailed
	}
	fmt.Fprintf(t.stdout, "ok    %s\n", args[0])
	return nil
}

func (t *tool) replayOn(src guest.Source, text string) error {
	script, err := flight.Parse(text)
	if err != nil {
		return err
	}
	module, free, err := t.load(src)
	if err != nil {
		return err
	}
	defer free()
	return flight.Play(t.ctx, module, script, flight.Options{})
}
