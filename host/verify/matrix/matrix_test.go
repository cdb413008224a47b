// Package matrix is the differential test of certificate verification: a generated
// matrix of chains is judged by this project, by openssl verify and by the real stunnel in
// both modes.
//
// A chain that is judged differently here and there is a row of differences, with its
// reason and in docs/differences.md, or an error. So is a row that the chains do not bear
// out any more.
package matrix

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stunnel-wasm/stunnel-wasm/host/testpeer"
)

// trials are all of them, by theme.
func trials() []*trial {
	return slices.Concat(timeTrials(), usageTrials(), extensionTrials(), pathTrials(), constraintTrials(),
		revocationTrials(), strengthTrials(), levelTrials(), subjectTrials(), hashedTrials())
}

// inParallel calls f for each of a list, a few at a time.
func inParallel[T any](list []T, f func(int, T)) {
	var wg sync.WaitGroup
	next := make(chan int)
	for range 2 * runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				f(i, list[i])
			}
		})
	}
	for i := range list {
		next <- i
	}
	close(next)
	wg.Wait()
}

// ownPair is the file of a certificate and key that stunnel's servers have.
func ownPair(t testing.TB) string {
	t.Helper()
	own := leaf(nil, with(newKey("p256", 9)))
	path := filepath.Join(t.TempDir(), "own.pem")
	text := certificates([]*cert{own}) + string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY",
		Bytes: must(x509.MarshalPKCS8PrivateKey(own.key.signer))}))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMatrix(t *testing.T) {
	opensslPath := testpeer.Need(t, "openssl", "openssl")
	stunnelPath := testpeer.Need(t, "stunnel4", "stunnel4")
	rs := runs(t, opensslPath, trials())
	own := ownPair(t)

	here := make([]verdict, len(rs))
	inParallel(rs, func(i int, r *run) { here[i] = ours(t.Context(), own, r) })
	tool := openssl(opensslPath, rs)
	real := make([]verdict, len(rs))
	said := map[string][]string{}
	for first := 0; first < len(rs); first += servicesEach {
		part := rs[first:min(first+servicesEach, len(rs))]
		// In a test of its own, so that differences do not print all that stunnel wrote.
		if !t.Run("stunnel", func(t *testing.T) {
			s := startStunnel(t, stunnelPath, own, part)
			inParallel(part, func(i int, r *run) { real[first+i] = s.judge(r) })
			s.Stop() // then all that it wrote is in
			for id, words := range s.words() {
				said[id] = words
			}
		}) {
			t.Fatalf("no verdicts of stunnel on %q to %q", part[0].title(), part[len(part)-1].title())
		}
	}
	accepted := 0
	for i, r := range rs {
		if v, ok := tool[r]; ok && v.ok != real[i].ok && !toolDiffers.MatchString(r.title()) {
			t.Errorf("%s: openssl verify %s, but stunnel %s: %s", r.title(), v, real[i], strings.Join(said[r.id], " / "))
		}
		if real[i].ok {
			accepted++
		}
	}
	compare(t, rs, here, real, said)
	compareWords(t, rs, here, real, said)
	t.Logf("%d chains, of which stunnel accepts %d and openssl verify has judged %d", len(rs), accepted, len(tool))
}
