package config

import (
	"slices"
	"testing"
)

const policyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// TestPolicies gives each policy what is said to it, wherever the line stands, and
// the protocol the rest.
func TestPolicies(t *testing.T) {
	conf, errs := loadText("policy = acl\nguestOption = acl.default=deny\nguestAllow = office.clock\n" +
		"[a]\nclient = yes\naccept = 1\nconnect = 2\nguestOption = office.zone=+01:00\nguestOption = detect.tls=1\n" +
		"policy = ./office.wasm sha256:" + policyHash + "\nprotocol = smtp\nguestAllow = Office.peer\nguestAllow = random\n" +
		"guestOption = ACL.rule=allow sni a=b\n" +
		"[b]\nclient = yes\naccept = 1\nconnect = 2\n")
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	a, b := conf.Services[0], conf.Services[1]
	if len(a.Policies) != 2 || len(b.Policies) != 1 {
		t.Fatalf("%+v and %+v", a.Policies, b.Policies)
	}
	texts := func(all []KeyValue) (out []string) {
		for _, o := range all {
			out = append(out, o.Key+"="+o.Value)
		}
		return out
	}
	acl, office := a.Policies[0], a.Policies[1]
	compare(t, "acl's options", texts(acl.Options), []string{"default=deny", "rule=allow sni a=b"})
	compare(t, "office's options", texts(office.Options), []string{"zone=+01:00"})
	compare(t, "the protocol's options", texts(a.Guest.Options), []string{"detect.tls=1"})
	compare(t, "office's name, label and pin", []string{office.Name, office.Label, office.Hash}, []string{"./office.wasm", "office", policyHash})
	compare(t, "office's grants", office.Allow, []string{"clock", "peer"})
	compare(t, "the protocol's grants", a.Guest.Allow, []string{"random"})
	compare(t, "acl's options in b", texts(b.Policies[0].Options), []string{"default=deny"})
	compare(t, "the line", office.Place.Line, 10)
	if slices.Contains(office.Allow, "random") || len(b.Guest.Options) > 0 {
		t.Errorf("%+v", conf.Services)
	}
}
