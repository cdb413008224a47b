package config

import (
	"fmt"
	"slices"
	"strings"
)

// A Policy is one policy =: a guest that decides about connections.
type Policy struct {
	Name    string     // as written: a name or a path
	Label   string     // what the log and other options call it: the name, or the file's without .wasm
	Hash    string     // its pin, lower-case hex of SHA-256; empty: any
	Options []KeyValue // guestOption = LABEL.KEY=VALUE, without the label
	Allow   []string   // guestAllow = LABEL.CAPABILITY
	Place   Place
}

// A grant is a guestAllow: for the protocol's guest, or the policy of a label.
type grant struct {
	label, capability string
	place             Place
	global            bool
}

// parsePolicy takes a name or a path, and maybe a pin.
func parsePolicy(t *target, value string) *Error {
	p := Policy{Place: t.place}
	name := value
	if i := strings.LastIndexAny(value, blanks); i >= 0 && strings.HasPrefix(strings.ToLower(value[i+1:]), guestHashPrefix) {
		sum, e := guestHash(value[i+1:])
		if e != nil {
			return e
		}
		name, p.Hash = strings.TrimRight(value[:i], blanks), sum
	}
	var ok bool
	if p.Name, ok = guestName(name); !ok {
		return refuse("Illegal policy", "write acl, the name of a policy of your own, or the path of a .wasm file with a slash in it")
	}
	p.Label = Label(p.Name)
	t.service.Policies = append(t.service.Policies, p)
	return nil
}

// settlePolicies gives each policy of a section what the other lines say to it, and
// returns what they say to nobody. Lines before the first section are for the
// services that have the guest.
func settlePolicies(s *Service, st *state) Errors {
	var errs Errors
	wrong := func(place Place, reason, hint string) {
		e := place.Errorf("%s", reason).WithHint("%s", hint)
		e.Section = s.Name
		errs = append(errs, e)
	}
	for i, p := range s.Policies {
		if slices.ContainsFunc(s.Policies[:i], func(q Policy) bool { return strings.EqualFold(p.Label, q.Label) }) {
			wrong(p.Place, fmt.Sprintf("There is a policy %s already", p.Label),
				"remove the line; two modules of one name need different file names")
		}
	}
	var own []KeyValue // of the protocol's guest
	for _, o := range s.Guest.Options {
		label, key, dotted := strings.Cut(o.Key, ".")
		p := s.policy(label)
		switch {
		case dotted && p != nil:
			o.Key = key
			p.Options = append(p.Options, o)
		case s.Protocol != "" || o.global || len(s.Policies) == 0:
			own = append(own, o)
		case !st.refused("protocol", "policy"):
			wrong(o.Place, "This service has no protocol that could have the option",
				fmt.Sprintf("for a policy write guestOption = NAME.KEY=VALUE; this service has %s", s.Policies[0].Label))
		}
	}
	s.Guest.Options = own
	for _, g := range s.grants {
		p := s.policy(g.label)
		switch {
		case p != nil:
			p.Allow = append(p.Allow, g.capability)
		case g.label != "" && !g.global && !st.refused("policy"):
			wrong(g.place, "This service has no policy "+g.label, "add policy = "+g.label+", or remove the line")
		case g.label != "":
		case s.Protocol != "" || g.global || len(s.Policies) == 0:
			if !slices.Contains(s.Guest.Allow, g.capability) {
				s.Guest.Allow = append(s.Guest.Allow, g.capability)
			}
		case !st.refused("protocol"):
			wrong(g.place, "This service has no protocol that could be granted this",
				fmt.Sprintf("for a policy write guestAllow = NAME.CAPABILITY; this service has %s", s.Policies[0].Label))
		}
	}
	if s.Protocol == "" && len(s.Policies) > 0 && !st.refused("protocol", "policy") {
		for _, o := range []string{"guestBytes", "guestDial", "guestHash"} {
			if _, here := st.lines[strings.ToLower(o)]; here {
				e := s.Errorf(o, "This service has no protocol").
					WithHint("remove the line; a policy is pinned by policy = NAME sha256:HEX")
				errs = append(errs, e)
			}
		}
	}
	slices.SortStableFunc(errs, func(a, b *Error) int { return a.Line - b.Line })
	return errs
}

// policy finds a policy by its label.
func (s *Service) policy(label string) *Policy {
	for i := range s.Policies {
		if strings.EqualFold(s.Policies[i].Label, label) {
			return &s.Policies[i]
		}
	}
	return nil
}
