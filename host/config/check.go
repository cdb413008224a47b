package config

import (
	"slices"
	"strings"
)

// finish ends a section: it returns what is wrong with it as a whole.
func finish(s *Service, st *state) Errors {
	errs := settle(s, st)
	if n, sure := endpoints(s, st); n != 2 && sure {
		errs = append(errs, s.Errorf("", "Each service must define two endpoints").WithHint("%s", endpointHint(s, n)))
	}
	return errs
}

// settle fills in what depends on several options and returns what the service lacks, but
// for its ends. An option that was refused is not missed here again.
func settle(s *Service, st *state) Errors {
	var errs Errors
	missing := func(reason, hint string) {
		e := s.Errorf("", "%s", reason)
		errs = append(errs, e.WithHint("%s", hint))
	}
	errs = append(errs, settleCommands(s)...)
	if len(s.Key) == 0 {
		s.Key = slices.Clone(s.Cert)
	}
	if !s.Client && len(s.Cert) == 0 && s.PSK.Secrets == "" && !st.refused("client", "cert", "psksecrets", "engineid", "enginenum") {
		missing("TLS server needs a certificate", "add cert = FILE with a certificate and its key, or PSKsecrets = FILE, or client = yes")
	}
	errs = append(errs, checkTrust(s, st)...)
	if e := checkOCSP(s, st); e != nil {
		errs = append(errs, e)
	}
	if s.Delay {
		// As in stunnel: a turn through names whose addresses change would be none.
		s.Failover = Priority
	}
	if e := checkSNI(s); e != nil && !st.refused("client") {
		errs = append(errs, e)
	}
	if e := checkRedirect(s, st); e != nil {
		errs = append(errs, e)
	}
	if e := checkTransparent(s); e != nil {
		errs = append(errs, e)
	}
	if e := checkSession(s, st); e != nil {
		errs = append(errs, e)
	}
	errs = append(errs, settlePolicies(s, st)...)
	if s.Protocol == "" && len(s.Policies) == 0 && !st.refused("protocol", "policy") {
		errs = append(errs, checkNoGuest(s, st)...)
	}
	errs = append(errs, settleTLS(s)...)
	return errs
}

// checkNoGuest refuses what a section says to its guest if it has none: somebody who
// pins a module with guestHash believes that one runs. What stands before the first
// section is for the services that have a guest.
func checkNoGuest(s *Service, st *state) Errors {
	var errs Errors
	for i := range guestOptions {
		o := &guestOptions[i]
		if _, here := st.lines[strings.ToLower(o.Name)]; here {
			errs = append(errs, s.Errorf(o.Name, "this service has no guest").
				WithHint("add protocol = NAME or policy = NAME, or remove the line"))
		}
	}
	return errs
}

// endpoints counts the ends of a service as stunnel does: a kind counts once, however
// many addresses it has. It is not sure where a line that gives one was refused.
func endpoints(s *Service, st *state) (n int, sure bool) {
	for _, given := range []bool{
		len(s.Accept) > 0,
		len(s.Connect) > 0,
		s.Transparent.Destination,
		s.Exec.Path != "",
		secondary(s),
		!s.Client && s.Protocol == "socks",
		s.Client && s.Protocol == "capwinctrl",
	} {
		if given {
			n++
		}
	}
	return n, !st.refused("accept", "connect", "exec", "transparent", "protocol", "client")
}

// secondary tells whether clients come by another section's address and the name that
// they ask for.
func secondary(s *Service) bool {
	_, _, ok := s.SplitSNI()
	return ok
}

func endpointHint(s *Service, n int) string {
	switch {
	case n > 2 && secondary(s) && len(s.Accept) > 0:
		return "remove accept: clients come by the address of the section that sni names"
	case n > 2:
		return "keep two of accept, connect, exec and what else gives the service an end"
	case n == 1 && s.Exec.Path != "":
		return "add accept = [HOST:]PORT, where clients come in, or connect = [HOST:]PORT, where the program is connected to"
	case len(s.Accept) == 0 && !secondary(s):
		return "add accept = [HOST:]PORT, where clients come in"
	}
	return "add connect = [HOST:]PORT, where the connection goes, or exec = FILE, the program that serves it"
}

// checkGlobal returns what is wrong with the global options as a whole.
func checkGlobal(g *Global, st *state, system string) Errors {
	var errs Errors
	// A daemon's working directory is the root directory, but on Windows.
	for _, path := range []struct{ value, reason string }{
		{g.Output, "Log file must include full path name"},
		{g.Pid, "Pid file must include full path name"},
	} {
		if g.Foreground == Background && !st.refused("foreground") && path.value != "" && path.value[0] != '/' && system != "windows" {
			errs = append(errs, &Error{Part: PartGlobal, Reason: path.reason,
				Hint: "write the path from / on, or set foreground = yes"})
		}
	}
	errs = append(errs, checkEngines(g)...)
	return errs
}
