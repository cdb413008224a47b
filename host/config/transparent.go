package config

import "strings"

// Transparent is what transparent = asks for. Both are Linux's.
type Transparent struct {
	Source      bool // outgoing connections have the client's address
	Destination bool // they lead where the client's packets were bound for before a firewall turned them here
}

// parseTransparent takes the modes, and yes and no as of stunnel 4.
func parseTransparent(t *target, value string) *Error {
	const reason = "Selected transparent proxy mode is not available"
	var mode Transparent
	switch strings.ToLower(value) {
	case "none", "no":
	case "source", "yes":
		mode.Source = true
	case "destination":
		mode.Destination = true
	case "both":
		mode = Transparent{Source: true, Destination: true}
	default:
		return refuse(reason, "one of: none, source, destination, both")
	}
	t.service.Transparent = mode
	return nil
}

// checkTransparent refuses to give a program the client's address: stunnel preloads a
// library of C into it that binds its connections, and there is none here.
func checkTransparent(s *Service) *Error {
	if _, exec := s.Pos["exec"]; !exec || !s.Transparent.Source {
		return nil
	}
	return s.Errorf("transparent", "transparent = source needs connect: a program of exec makes its connections itself").
		WithHint("remove the line; the program finds the client's address in REMOTE_HOST and REMOTE_PORT")
}
