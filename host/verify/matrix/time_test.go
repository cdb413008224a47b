package matrix

import "encoding/asn1"

// Places in the chain that the tables below spoil: a leaf under two intermediates under
// a root.
var places = []string{"leaf", "its issuer", "upper CA", "root"}

// chain makes root, upper CA, issuer and leaf, with edits at some of the places.
func chain(at map[int][]edit) (trusted, sent []*cert) {
	r := root(at[3]...)
	upper := authority("Upper", 4, r, at[2])
	issuer := authority("Issuer", 5, upper, at[1])
	return []*cert{r}, []*cert{leaf(issuer, at[0]...), issuer, upper}
}

// A flaw is something unusual about one certificate.
type flaw struct {
	name  string
	edits []edit

	unreadable bool // as a root: stunnel does not start
}

// everywhere tries each flaw at each place.
func everywhere(flaws []flaw) []*trial {
	var all []*trial
	stranger := root(cn("Stranger"), with(newKey("p256", 3)))
	for _, f := range flaws {
		for i, place := range places {
			if f.unreadable && i == 3 {
				continue
			}
			t := &trial{name: f.name + ", " + place}
			t.trusted, t.sent = chain(map[int][]edit{i: f.edits})
			t.trusted = append(t.trusted, stranger) // stunnel does not start where it can read no certificate
			all = append(all, t)
		}
	}
	return all
}

// Times that are not written as RFC 5280 section 4.1.2.5 asks.
var (
	zone           = element(asn1.TagUTCTime, []byte(now.AddDate(0, 0, 9).Format("060102150405")+"+0000"))
	warsaw         = element(asn1.TagUTCTime, []byte(now.AddDate(0, 0, 9).Format("060102150405")+"+0100"))
	generalWarsaw  = element(asn1.TagGeneralizedTime, []byte(now.AddDate(0, 0, 9).Format("20060102150405")+"+0100"))
	minutes        = element(asn1.TagUTCTime, []byte(now.AddDate(0, 0, 9).Format("0601021504")+"Z"))
	generalMinutes = element(asn1.TagGeneralizedTime, []byte(now.AddDate(0, 0, 9).Format("200601021504")+"Z"))
	fraction       = element(asn1.TagGeneralizedTime, []byte(now.AddDate(0, 0, 9).Format("20060102150405")+".5Z"))
)

func timeTrials() []*trial {
	return everywhere([]flaw{
		{name: "nothing wrong", edits: nil},
		{name: "expired", edits: []edit{expired}},
		{name: "not yet valid", edits: []edit{early}},
		{name: "end before beginning", edits: []edit{valid(utc(days(2)), utc(days(1)))}},
		{name: "end before beginning, both past", edits: []edit{valid(utc(days(-1)), utc(days(-2)))}},
		{name: "GeneralizedTime before 2050", edits: []edit{valid(general(days(-1)), general(days(1)))}},
		{name: "no end (9999)", edits: []edit{valid(utc(days(-1)), element(asn1.TagGeneralizedTime, []byte("99991231235959Z")))}},
		{name: "from before 1970", edits: []edit{valid(element(asn1.TagUTCTime, []byte("500101000000Z")), utc(days(9)))}},
		{name: "time with a zone", edits: []edit{valid(utc(days(-1)), zone)}},
		{name: "time with another zone", edits: []edit{valid(utc(days(-1)), warsaw)}},
		{name: "GeneralizedTime with another zone", edits: []edit{valid(utc(days(-1)), generalWarsaw)}},
		{name: "time without seconds", edits: []edit{valid(utc(days(-1)), minutes)}},
		{name: "GeneralizedTime without seconds", edits: []edit{valid(utc(days(-1)), generalMinutes)}},
		{name: "time with a fraction", edits: []edit{valid(utc(days(-1)), fraction)}},
		{name: "no month 13", edits: []edit{valid(utc(days(-1)), element(asn1.TagUTCTime, []byte("351301000000Z")))}},
	})
}
