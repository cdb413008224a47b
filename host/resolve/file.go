package resolve

import (
	"bytes"
	"io"
	"iter"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// maxFile bounds what is read of a file, in bytes: enough for long lists of blocked hosts.
const maxFile = 16 << 20

// defaultServer is asked where no resolv.conf says another.
const defaultServer = "127.0.0.1:53"

// fields gives each line's words, without comments. What cannot be read has none.
func fields(path, comments string) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		f, err := os.Open(path)
		if err != nil {
			return
		}
		defer f.Close()
		text, err := io.ReadAll(io.LimitReader(f, maxFile))
		if err != nil {
			return
		}
		for line := range bytes.Lines(text) {
			s := string(line)
			if i := strings.IndexAny(s, comments); i >= 0 {
				s = s[:i]
			}
			if words := strings.Fields(s); len(words) > 1 && !yield(words) {
				return
			}
		}
	}
}

// readServers gives the name servers of a resolv.conf.
func readServers(path string) []string {
	var all []string
	for words := range fields(path, "#;") {
		if _, err := netip.ParseAddr(words[1]); words[0] == "nameserver" && err == nil {
			all = append(all, net.JoinHostPort(words[1], "53"))
		}
	}
	if len(all) == 0 {
		all = []string{defaultServer}
	}
	return all
}

// hosts are what a hosts file knows.
type hosts struct {
	addrs map[string][]netip.Addr // by name in lower case, with a full stop behind
	names map[string]string       // by the name under arpa that asks for an address
}

func readHosts(path string) hosts {
	h := hosts{addrs: map[string][]netip.Addr{}, names: map[string]string{}}
	for words := range fields(path, "#") {
		a, err := netip.ParseAddr(words[0])
		if err != nil || a.Zone() != "" {
			continue
		}
		for _, name := range words[1:] {
			name = strings.ToLower(strings.TrimSuffix(name, ".")) + "."
			h.addrs[name] = append(h.addrs[name], a.Unmap())
		}
		if question := reverse(a.Unmap()); h.names[question] == "" {
			h.names[question] = strings.TrimSuffix(words[1], ".") + "."
		}
	}
	return h
}

// reverse is the name that a PTR question about an address has (RFC 1035, section 3.5,
// and RFC 3596, section 2.5).
func reverse(a netip.Addr) string {
	var b strings.Builder
	raw := a.AsSlice()
	for i := len(raw) - 1; i >= 0; i-- {
		if a.Is4() {
			b.WriteString(strconv.Itoa(int(raw[i])) + ".")
			continue
		}
		const digits = "0123456789abcdef"
		b.Write([]byte{digits[raw[i]&15], '.', digits[raw[i]>>4], '.'})
	}
	if a.Is4() {
		return b.String() + "in-addr.arpa."
	}
	return b.String() + "ip6.arpa."
}
