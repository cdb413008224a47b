package service

import (
	"errors"
	"net"
	"os"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/logging"
	"github.com/stunnel-wasm/stunnel-wasm/host/program"
	"github.com/stunnel-wasm/stunnel-wasm/host/verify"
)

// runs tells whether connections of the service end at a program.
func (s *Service) runs() bool { return s.conf.Exec.Path != "" && len(s.conf.Connect) == 0 }

// stands tells whether the service begins with a program of its own, which is connected
// to a target, and not with a client.
func (s *Service) stands() bool { return s.conf.Exec.Path != "" && len(s.conf.Connect) > 0 }

// execute starts the service's program for this connection, in the target's place.
func (c *connection) execute(svc *Service) (net.Conn, error) {
	return c.srv.execute(svc, c.log, c.peer())
}

// peer is what the program is told of whoever it serves. The names are those of the
// certificate that the peer has shown; whether it was verified is the service's to ask.
func (c *connection) peer() program.Peer {
	var p program.Peer
	if _, remote, ok := c.ends(); ok {
		p.Host = remote.Addr().String()
		_, p.Port, _ = net.SplitHostPort(remote.String())
	}
	if c.tls == nil {
		return p
	}
	if certs := c.tls.ConnectionState().PeerCertificates; len(certs) > 0 {
		p.Subject, p.Issuer = verify.Name(certs[0].Subject), verify.Name(certs[0].Issuer)
	}
	return p
}

// execute starts a program and sees to it that it is reaped. It is not killed when its
// connection ends: it reads the end, as under inetd, and has what it does then to itself.
func (s *Server) execute(svc *Service, log *logging.Logger, peer program.Peer) (net.Conn, error) {
	exec := &svc.conf.Exec
	cmd := &program.Command{
		Path:     exec.Path,
		Args:     exec.Args,
		Env:      program.Environ(os.Environ(), peer),
		Terminal: exec.Terminal,
		Stderr:   s.stderr.Load(),
	}
	p, err := cmd.Start()
	if err != nil {
		var path *os.PathError
		if errors.As(err, &path) && path.Path == exec.Path {
			err = path.Err
		}
		log.Errf("exec %s: %s", exec.Path, logging.Reason(err))
		return nil, err
	}
	if p.Terminal != "" {
		log.Debugf("TTY=%s allocated", p.Terminal)
	}
	log.Infof("Local mode child started (PID=%d)", p.PID)
	go func() {
		how, err := p.Wait()
		if err != nil {
			s.ui.Errf("Child process %d: %v", p.PID, err)
			return
		}
		s.ui.Infof("Child process %d %s", p.PID, how)
	}()
	return p.Conn, nil
}

// stderrOf is the standard error of programs: this process's own where it is in the
// foreground, and their connection otherwise, as in stunnel.
func stderrOf(conf *config.Config) *os.File {
	if conf.Global.Foreground == config.ForegroundYes {
		return os.Stderr
	}
	return nil
}
