package suite

import (
	"slices"
	"sync"
)

// A list is the suites while rules are applied to them: all that may still be chosen,
// best first, the chosen ones among them. Its moves are those of OpenSSL's
// ssl_cipher_apply_rule (ssl/ssl_ciph.c), which decide the order of what is left.
type list []entry

type entry struct {
	*Suite
	chosen bool
}

// split takes the entries that match out of the list.
func (l list) split(match func(entry) bool) (matched, rest list) {
	for _, e := range l {
		if match(e) {
			matched = append(matched, e)
		} else {
			rest = append(rest, e)
		}
	}
	return matched, rest
}

func (l list) mark(chosen bool) list {
	for i := range l {
		l[i].chosen = chosen
	}
	return l
}

// add chooses more suites, behind those that are chosen.
func (l list) add(picks func(*Suite) bool) list {
	matched, rest := l.split(func(e entry) bool { return !e.chosen && picks(e.Suite) })
	return append(rest, matched.mark(true)...)
}

// remove takes suites back; they come first if they are chosen again.
func (l list) remove(picks func(*Suite) bool) list {
	matched, rest := l.split(func(e entry) bool { return e.chosen && picks(e.Suite) })
	return append(matched.mark(false), rest...)
}

// kill takes suites out for good.
func (l list) kill(picks func(*Suite) bool) list {
	_, rest := l.split(func(e entry) bool { return picks(e.Suite) })
	return rest
}

// last moves the chosen ones to the end.
func (l list) last(picks func(*Suite) bool) list {
	matched, rest := l.split(func(e entry) bool { return e.chosen && picks(e.Suite) })
	return append(rest, matched...)
}

// first moves the chosen ones to the front.
func (l list) first(picks func(*Suite) bool) list {
	matched, rest := l.split(func(e entry) bool { return e.chosen && picks(e.Suite) })
	return append(matched, rest...)
}

// sort orders the chosen ones by their strength, and otherwise as they are.
func (l list) sort() list {
	chosen, rest := l.split(func(e entry) bool { return e.chosen })
	slices.SortStableFunc(chosen, func(a, b entry) int { return b.bits - a.bits })
	return append(rest, chosen...)
}

// preference is every suite, none chosen, in the order in which OpenSSL adds them (the
// steps of ssl_create_cipher_list).
var preference = sync.OnceValue(func() list {
	var l list
	for _, part := range [][]Suite{table, weak} {
		for i := range part {
			l = append(l, entry{Suite: &part[i]})
		}
	}
	slices.SortFunc(l, func(a, b entry) int { return int(b.ID) - int(a.ID) })
	q := func(s selector) func(*Suite) bool { return s.picks }
	all := q(selector{})
	const ephemeral = kDH | kECDH
	l = l.add(q(selector{kx: kECDH, auth: aECDSA})).add(q(selector{kx: kECDH})).remove(q(selector{kx: kECDH}))
	l = l.add(q(selector{enc: aesGCM})).add(q(selector{enc: chacha20})).add(q(selector{enc: aesAll &^ aesGCM})).add(all)
	l = l.last(q(selector{mac: mMD5})).last(q(selector{auth: aNone})).last(q(selector{kx: kRSA})).last(q(selector{kx: kPSK})).last(q(selector{enc: rc4}))
	l = l.sort()
	l = l.first(q(selector{min: tls12})).first(q(selector{mac: mAEAD})).first(q(selector{kx: ephemeral})).
		first(q(selector{kx: ephemeral, mac: mAEAD}))
	return l.remove(all)
})
