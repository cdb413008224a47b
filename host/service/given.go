package service

import (
	"fmt"
	"net"
	"slices"
	"time"
)

// A Given is a listening socket that the program was started with (systemd's socket
// activation). It stays open as long as the program runs, whatever a reload does.
type Given struct {
	FD     int
	Name   string // as the socket's unit calls it; may be empty
	Listen func() (net.Listener, error)
}

// givenNetwork is the network in a listenAddr of a given socket.
const givenNetwork = "given"

// assign says which services have given sockets. If their names are names of services that
// accept, they go by name, several to one service if it is named several times. If none
// is, they go by order as in stunnel: the first service that accepts takes the first
// socket. Anything between is refused: by order, a name that is mistyped or was forgotten
// would have a service with laxer trust answer at another's address. The text is what is
// wrong, as a line for the log.
func assign(given []Given, services []*Service) (which map[*Service][]*Given, wrong string) {
	var accepting []*Service
	for _, s := range services {
		if len(s.conf.Accept) > 0 {
			accepting = append(accepting, s)
		}
	}
	byName, byOrder := map[*Service][]*Given{}, map[*Service][]*Given{}
	var strangers []string
	named := 0
	for i := range given {
		g := &given[i]
		at := slices.IndexFunc(accepting, func(s *Service) bool { return s.Name() == g.Name })
		if at < 0 {
			strangers = append(strangers, g.Name)
		} else {
			byName[accepting[at]] = append(byName[accepting[at]], g)
			named++
		}
		if i < len(accepting) {
			byOrder[accepting[i]] = []*Given{g}
		}
	}
	switch {
	case named == 0 && len(given) > len(accepting):
		return nil, fmt.Sprintf("Too many listening file descriptors received from systemd, got %d: %d service(s) have accept", len(given), len(accepting))
	case named == 0:
		return byOrder, ""
	case len(strangers) > 0:
		return nil, fmt.Sprintf("Listening file descriptors received from systemd: no service with accept is called %q, though others have a socket's name: "+
			"name all of the sockets after services (FileDescriptorName=), or none", strangers)
	}
	return byName, ""
}

// Alive tells whether the accept loops run: each of them waits for a connection, or has done
// so not longer ago than within. It blocks where the server does.
func (s *Server) Alive(within time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.listeners {
		since := l.accepted.Load()
		if l.ended.Load() || since != 0 && time.Since(time.Unix(0, since)) > within+acceptPauseMax {
			return false
		}
	}
	return true
}
