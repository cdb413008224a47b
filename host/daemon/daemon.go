// Package daemon is the life of the process: start, foreground or background,
// log and pid file, signals, reload, and the end.
package daemon

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/passphrase"
	"github.com/stunnel-wasm/stunnel-wasm/host/sandbox"
	"github.com/stunnel-wasm/stunnel-wasm/host/service"
	"github.com/stunnel-wasm/stunnel-wasm/host/session"
	"github.com/stunnel-wasm/stunnel-wasm/host/systemd"
	"github.com/stunnel-wasm/stunnel-wasm/host/tlsconf"
)

const (
	// buildTime bounds reading certificates, compiling guests, looking names up and
	// binding.
	buildTime = time.Minute

	// logTime is how long the end waits for the log to be written out.
	logTime = 2 * time.Second

	// maxConfig bounds a configuration read from a descriptor, in bytes.
	maxConfig = config.MaxFileSize
)

// Run is the daemon: it returns the exit status when it ends. Messages of a start
// that fails go to stderr.
func Run(src *Source, stderr io.Writer) int {
	unblockSignals()
	return newDaemon(src, stderr).run(func() {})
}

func newDaemon(src *Source, stderr io.Writer) *daemon {
	d := &daemon{src: src, log: logging.New(), stderr: stderr, sessions: session.NewStore()}
	d.ui = d.log.Logger("ui")
	d.passphrases = &passphrase.Keeper{
		Ask:   d.ask,
		Wrong: func() { d.ui.Errf("Wrong passphrase: retrying") },
	}
	return d
}

// run calls started when connections are accepted, and ends with the daemon.
func (d *daemon) run(started func()) (status int) {
	collect := PutOffCollection()
	err := d.start()
	collect()
	if err != nil {
		if !errors.Is(err, errReported) {
			d.ui.Errf("%v", err)
		}
		d.letGo()
		if d.answersPeer() {
			d.complainUnseen()
		} else {
			d.log.DumpBuffer(d.stderr)
		}
		d.notifyParent(false)
		return 1
	}
	if d.parent {
		return d.status
	}
	if d.conf.Inetd {
		return d.session()
	}
	started()
	d.loop()
	return 0
}

// letGo gives up what a start that failed had bound: a Unix socket would stay behind
// in the file system.
func (d *daemon) letGo() {
	if d.server == nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	d.server.Stop(ctx)
}

// errReported is an error whose lines are in the log already.
var errReported = errors.New("reported")

type daemon struct {
	src    *Source
	log    *logging.Log
	ui     *logging.Logger
	stderr io.Writer

	conf     *config.Config
	server   *service.Server
	sessions *session.Store // over reloads
	pid      string         // the pid file that was written

	//lint:ignore U1000 set and asked on Windows
	inService bool
	parent    bool // this process has started the daemon and is done
	status    int
	signals   chan os.Signal
	entered   *sandbox.Entered
	null      *os.File // for the standard descriptors, while the start leaves the terminal
	ready     *os.File // where a parent waits for the verdict; nil: none

	manager  *systemd.Manager // the service manager; nil before start has looked
	watchdog func()           // ends it; nil: there is none

	environ     []string // as this process was given it, without what was handed over
	begunAnew   bool     // see fipsVariable
	passphrases *passphrase.Keeper
	starting    *time.Timer // what is left of buildTime; nil: the start is over
}

// start does everything that can fail before connections are accepted.
func (d *daemon) start() error {
	d.ui.Noticef("%s", Banner())
	d.ui.Noticef("Compiled with %s (crypto/tls)", runtime.Version())
	d.ui.Noticef("Running  with wazero %s", wazeroVersion())
	d.ui.Noticef("%s", features())
	d.adopt()
	if err := d.meetManager(); err != nil {
		return err
	}
	d.environ = os.Environ()
	if d.src.Path != "" {
		// The daemon's working directory will be /, and a reload must find the file.
		real, err := realpath(d.src.Path)
		if err != nil {
			var pathErr *fs.PathError
			if errors.As(err, &pathErr) {
				err = pathErr.Err // the name is beside it
			}
			d.ui.Errf("Invalid configuration file name %q: %v", d.src.Path, err)
			if strings.HasPrefix(d.src.Path, "-") {
				d.ui.Errf("  -help lists the arguments; each has one dash")
			}
			return errReported
		}
		d.src.Path = real
	}
	conf, err := d.load()
	if err != nil {
		return err
	}
	if err := d.settleFIPS(conf); err != nil {
		return err
	}
	d.conf = conf
	if conf.Inetd {
		d.settleStderr()
	}
	if !conf.Inetd && conf.Global.Foreground == config.Background && d.ready == nil && canDetach {
		d.parent = true
		d.status, err = d.detach()
		return err
	}
	if err := sealDescriptors(); err != nil {
		d.ui.Warnf("keeping descriptors from programs: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	d.starting = time.AfterFunc(buildTime, cancel)
	defer func() {
		d.starting.Stop()
		d.starting = nil
	}()
	sessions := d.sessions.Begin()
	set, err := d.build(ctx, conf, sessions)
	if err != nil {
		return err
	}
	d.ui.Noticef("Configuration successful")
	d.server = service.NewServer(d.log)
	if !conf.Inetd { // a connection is no listener, and it is standard input
		d.server.Given = d.given()
	}
	if err := d.server.ApplyThen(ctx, set, func() error { return d.settle(ctx, conf) }); err != nil {
		return bindReported(err)
	}
	sessions.Commit()
	if conf.Inetd {
		return nil
	}
	d.ui.Infof("Accepting new connections")
	d.begunManaged(d.ready != nil)
	d.notifyParent(true)
	return nil
}

// load reads the configuration and says everything that is wrong with it.
func (d *daemon) load() (*config.Config, error) {
	if d.src.Path != "" {
		d.ui.Noticef("Reading configuration from file %s", d.src.Path)
	} else {
		d.ui.Noticef("Reading configuration from descriptor %s", d.src.descriptor())
	}
	conf, err := d.src.Load()
	if err != nil {
		return nil, d.failed(err)
	}
	for _, n := range conf.Notes {
		d.ui.Noticef("%s:%d: %s", n.File, n.Line, n.Text)
	}
	setEnvironment(conf)
	return conf, nil
}

// build makes the services; nothing is bound yet.
func (d *daemon) build(ctx context.Context, conf *config.Config, g *session.Generation) (*service.Set, error) {
	set, err := service.Build(ctx, conf, service.Options{Log: d.log, TLS: tlsconf.Options{Sessions: g, Passphrases: d.passphrases}})
	if err != nil {
		return nil, d.failed(err)
	}
	return set, nil
}

// bindReported is for an error of Apply, which has logged why an address could not
// be bound.
func bindReported(err error) error {
	if errors.Is(err, service.ErrBind) {
		return errReported
	}
	return err
}

func (d *daemon) failed(err error) error {
	var errs config.Errors
	if !errors.As(err, &errs) {
		return err
	}
	for _, e := range errs {
		d.ui.Errf("%v", e)
		if e.Hint != "" {
			d.ui.Errf("  %s", e.Hint)
		}
	}
	d.ui.Errf("Configuration failed")
	return errReported
}

// reload takes the configuration anew. Until the new one is whole and its
// addresses are bound, the old one stays as it is.
func (d *daemon) reload(ctx context.Context) {
	d.tell(systemd.Reloading()...)
	status := "Failed to reload the configuration file; the old one holds"
	defer func() { d.tell(systemd.Ready, systemd.Status(status)) }()
	conf, err := d.load()
	var set *service.Set
	sessions := d.sessions.Begin()
	if err == nil && fipsDiffers(conf) {
		err = errFIPSStays
	}
	if err == nil {
		d.sayFIPS()
		err = d.remain(conf)
	}
	if err == nil {
		set, err = d.build(ctx, conf, sessions)
	}
	hint := d.whereRead
	if err == nil {
		hint = d.whyNotBound
		d.ui.Noticef("Configuration successful")
		err = bindReported(d.server.Apply(ctx, set))
		if err != nil {
			set.Close(context.Background())
		}
	}
	if err != nil {
		if !errors.Is(err, errReported) {
			d.ui.Errf("%v", err)
		}
		d.ui.Errf("Failed to reload the configuration file")
		if text := hint(); text != "" {
			d.ui.Errf("  %s", text)
		}
		return
	}
	status = running(conf)
	sessions.Commit()
	d.conf = conf
	if err := d.log.Reconfigure(d.logOptions(conf)); err != nil {
		d.ui.Errf("%v", err)
	}
}

// stop ends the daemon: connections get stopGrace, then they are cut.
func (d *daemon) stop(ctx context.Context) {
	d.tell(systemd.Stopping, systemd.Status("Stopping"))
	if d.watchdog != nil {
		defer d.watchdog()
	}
	if g := d.conf.Global.Grace; g > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, g)
		defer cancel()
	} else {
		c, cancel := context.WithCancel(ctx)
		cancel()
		ctx = c
	}
	d.server.Stop(ctx)
	d.removePid()
	d.closeLog()
}

func (d *daemon) closeLog() {
	ctx, cancel := context.WithTimeout(context.Background(), logTime)
	defer cancel()
	d.log.Close(ctx)
}

// complainUnseen tells the system log alone why the start has failed.
func (d *daemon) complainUnseen() {
	o := d.logOptions(&config.Config{Global: config.NewGlobal()})
	if err := d.log.Open(o); err == nil {
		d.closeLog()
	}
}

func (d *daemon) logOptions(c *config.Config) logging.Options {
	g := &c.Global
	return d.whereLogsGo(logging.Options{
		Level:     logging.Level(g.Debug),
		Facility:  g.Facility,
		Ident:     g.Ident,
		Syslog:    g.Syslog,
		Output:    g.Output,
		Overwrite: g.LogOverwrite,
		Stderr:    g.Foreground == config.ForegroundYes,
		JSON:      g.LogJSON,
	})
}
