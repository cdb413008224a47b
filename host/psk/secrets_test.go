package psk

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestLookup(t *testing.T) {
	t.Parallel()
	var entries []Entry
	for n := range 40 {
		s := secrets(t, entries...)
		if s.Len() != n {
			t.Fatalf("%d of %d entries", s.Len(), n)
		}
		for i := range entries {
			key, ok := s.find(entries[i].Identity)
			if !ok || !slices.Equal(key, entries[i].Secret) {
				t.Fatalf("entry %d of %d is not found", i, n)
			}
		}
		for _, stranger := range []string{"", "nobody", strings.Repeat("x", 5000)} {
			if key, ok := s.find(stranger); ok || len(key) < MinSecret {
				t.Fatalf("%q is found among %d", stranger, n)
			}
		}
		entries = append(entries, Entry{string(rune('A' + n)), []byte(strings.Repeat(string(rune('A'+n)), 16))})
	}
	for _, bad := range [][]Entry{
		{{"a", aliceKey}, {"b", aliceKey}, {"a", aliceKey}},
		{{"", aliceKey}},
		{{strings.Repeat("x", MaxIdentity+1), aliceKey}},
		{{"a", aliceKey[:MinSecret-1]}},
		{{"a", make([]byte, MaxSecret+1)}},
	} {
		if _, err := NewSecrets(bad); err == nil || strings.Contains(err.Error(), string(aliceKey)) {
			t.Errorf("%d entries: %v", len(bad), err)
		}
	}
}

// How long a hash takes tells the length of what goes in. A decoy is as long as some key that
// exists, the same for the same identity, and of an identity's own key it has nothing.
func TestDecoyIsAsLongAsKeys(t *testing.T) {
	t.Parallel()
	s := secrets(t, Entry{"short", bytes.Repeat([]byte{1}, 16)}, Entry{"middle", bytes.Repeat([]byte{2}, 70)}, Entry{"long", bytes.Repeat([]byte{3}, 200)})
	for i := range 300 {
		identity := "nobody " + strconv.Itoa(i)
		decoy, ok := s.find(identity)
		again, _ := s.find(identity)
		if ok || !bytes.Equal(decoy, again) {
			t.Fatalf("%s: %v, %x and %x", identity, ok, decoy, again)
		}
		if bytes.Count(decoy, []byte{decoy[0]}) == len(decoy) {
			t.Fatalf("%s has a key of somebody else", identity)
		}
		if n := len(decoy); n != 16 && n != 70 && n != 200 {
			t.Errorf("a decoy of %d bytes", n)
		}
	}
}
