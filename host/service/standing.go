package service

import (
	"strconv"
	"time"

	"github.com/stunnel-wasm/stunnel-wasm/host/program"
)

// startStanding starts the services of a new Set that have a program and a target, and no
// listener.
func (s *Server) startStanding(run *running) {
	for _, svc := range run.set.Services {
		if svc.stands() {
			s.ui.Debugf("Starting exec+connect service [%s]", svc.Name())
			run.enter()
			s.wg.Add(1)
			go s.stand(svc, run)
		}
	}
}

// stand runs a service of exec and connect, and where retry says so runs it again after
// each end, until another Set has taken the place of this one or the Server stops. Its
// last connection then goes on to its own end.
func (s *Server) stand(svc *Service, run *running) {
	defer s.wg.Done()
	defer run.leave()
	base := s.id(svc.conf.LogID, s.nextID.Add(1)-1)
	for n := 0; ; n++ {
		id := base
		if svc.conf.Exec.Retry > 0 {
			id += "_" + strconv.Itoa(n)
		}
		s.standOnce(svc, id)
		if svc.conf.Exec.Retry == 0 {
			return
		}
		t := time.NewTimer(svc.conf.Exec.Retry)
		select {
		case <-t.C:
		case <-run.retired:
			t.Stop()
			return
		}
		select {
		case <-run.retired:
			return
		default:
		}
		s.ui.With(id, svc.Name(), svc.level).Infof("Retrying an exec+connect section")
	}
}

// standOnce starts the program and serves its connection to the end.
func (s *Server) standOnce(svc *Service, id string) {
	nc, err := s.execute(svc, s.ui.With(id, svc.Name(), svc.level), program.Peer{})
	if err != nil {
		return
	}
	s.active.Add(1)
	defer s.active.Add(-1)
	c := newConnection(s, svc, nc, id)
	c.own = true
	if !s.track(c) {
		nc.Close()
		return
	}
	defer s.untrack(c)
	c.run()
}
