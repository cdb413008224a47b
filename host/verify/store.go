package verify

import (
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/stunnel-wasm/stunnel-wasm/host/regular"
)

// Bounds of a directory with hashed names. A peer chooses by its certificate's issuer
// which hash is looked for, and nothing else: what is found must have the very name.
const (
	// maxSameHash is how many files of one hash are read. OpenSSL numbers them from 0;
	// more than a few are renewed certificates of one CA.
	maxSameHash = 32
	// maxHashedFile bounds a file, in bytes. Revocation lists of 40 MB exist.
	maxHashedFile = 64 << 20
	// maxKeptFiles is how many files' contents are kept. Nobody trusts more CAs.
	maxKeptFiles = 1024
)

// A hashedDirectory finds files HHHHHHHH.N in a directory when they are needed, so that
// new ones need no reload, and keeps what is in them until their size or time changes.
type hashedDirectory[T any] struct {
	path, infix string
	parse       func([]byte) []T

	mu   sync.Mutex
	kept map[string]*keptFile[T]
}

type keptFile[T any] struct {
	info  os.FileInfo
	items []T
}

// find gives what the files of a name hold; the caller compares names, since other names
// can have the same hash, by intent too.
func (d *hashedDirectory[T]) find(name string) []T {
	if d == nil {
		return nil
	}
	base := filepath.Join(d.path, hashName(hashCanonical(name), d.infix))
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []T
	for i := range maxSameHash {
		items, exists := d.load(fmt.Sprintf("%s%d", base, i))
		if !exists {
			break
		}
		all = append(all, items...)
	}
	return all
}

// hashName is a file's name but for its number at the end.
func hashName(hash uint32, infix string) string { return fmt.Sprintf("%08x.%s", hash, infix) }

func (d *hashedDirectory[T]) load(path string) (items []T, exists bool) {
	info, err := regular.Stat(path)
	if err != nil {
		delete(d.kept, path)
		return nil, false
	}
	// A FIFO would stop every handshake here, and opening a device can have effects.
	if !info.Mode().IsRegular() || info.Size() > maxHashedFile {
		return nil, true
	}
	if k := d.kept[path]; k != nil && regular.Same(k.info, info) {
		return k.items, true
	}
	data, err := regular.Read(path, maxHashedFile)
	if err != nil {
		return nil, true
	}
	if len(d.kept) >= maxKeptFiles || d.kept == nil {
		d.kept = map[string]*keptFile[T]{}
	}
	k := &keptFile[T]{info, d.parse(data)}
	d.kept[path] = k
	return k.items, true
}

// parseCertificates gives the certificates of a PEM file. What cannot be read is skipped,
// as OpenSSL does; a chain that needs it fails.
func parseCertificates(data []byte) []*node {
	var nodes []*node
	for block := range Blocks(data) {
		der, settings := CertificateIn(block)
		if settings.Limited && !settings.Rejected {
			continue
		}
		if c, err := x509.ParseCertificate(der); err == nil {
			if n, err := newNode(c); err == nil {
				n.rejected = settings.Rejected
				nodes = append(nodes, n)
			}
		}
	}
	return nodes
}

// A store is what CAfile and CApath hold.
type store struct {
	listed    map[string][]*node // by canonical subject, in the file's order
	rejected  map[string][]*node // those that the operator distrusts, found before all others
	directory *hashedDirectory[*node]
}

// named gives the certificates of a subject, first those that are distrusted, wherever they
// stand.
func (s *store) named(subject string) []*node {
	all := s.listed[subject]
	if bad := s.rejected[subject]; len(bad) > 0 {
		all = slices.Concat(bad, all)
	}
	if s.directory == nil {
		return all
	}
	all = all[:len(all):len(all)]
	for _, n := range s.directory.find(subject) {
		switch {
		case n.subject != subject:
		case n.rejected:
			all = slices.Concat([]*node{n}, all)
		default:
			all = append(all, n)
		}
	}
	return all
}

// distrusts says whether a peer's own certificate is distrusted, by its subject and key:
// somebody who has the key can have another certificate made.
func (s *store) distrusts(leaf *node) bool {
	if len(s.rejected) == 0 && s.directory == nil {
		return false
	}
	return slices.ContainsFunc(s.named(leaf.subject), func(n *node) bool { return n.rejected && n.sameKey(leaf) })
}
