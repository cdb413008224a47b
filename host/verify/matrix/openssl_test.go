package matrix

import (
	"os/exec"
	"regexp"
	"strings"
	"sync"
)

// opensslArgs are the flags of openssl verify that equal stunnel's setting up of the
// library, and whether there are any: verifyPeer, levels that need no certificate and
// alternatives among names are stunnel's own work.
func (r *run) opensslArgs() ([]string, bool) {
	if r.level != "" && r.level != "verify = 2" || len(r.sent) == 0 {
		return nil, false
	}
	args := []string{"verify", "-CAfile", r.ca, "-no-CApath", "-no-CAstore"}
	if r.hashed {
		args = []string{"verify", "-CApath", r.authorities, "-no-CAfile", "-no-CAstore"}
	}
	if len(r.sent) > 1 {
		args = append(args, "-untrusted", r.chain)
	}
	if r.server {
		args = append(args, "-purpose", "sslserver")
	} else {
		args = append(args, "-purpose", "sslclient")
	}
	level := "2"
	if set := r.option("securityLevel"); set != nil {
		level = set[0]
	}
	args = append(args, "-auth_level", level)
	if r.crl != "" {
		args = append(args, "-crl_check", "-CRLfile", r.crl) // it has no option for CRLpath
	}
	names := 0
	for _, o := range [][2]string{{"checkHost", "-verify_hostname"}, {"checkIP", "-verify_ip"}, {"checkEmail", "-verify_email"}} {
		for _, v := range r.option(o[0]) {
			args = append(args, o[1], v)
			names++
		}
	}
	return args, names < 2
}

var (
	opensslOK     = regexp.MustCompile(`(?m)^(/.*): OK$`)
	opensslReason = regexp.MustCompile(`^error (\d+ at \d+ depth lookup: .*)$`)
	opensslFailed = regexp.MustCompile(`^error (/.*): verification failed$`)
)

// openssl asks openssl verify about all runs that it can judge. Those that differ in the
// peer's own certificate alone go to one process.
func openssl(program string, rs []*run) map[*run]verdict {
	groups := map[string][]*run{}
	verdicts := map[*run]verdict{}
	for _, r := range rs {
		if args, ok := r.opensslArgs(); ok {
			key := strings.Join(args, "\n")
			groups[key] = append(groups[key], r)
			verdicts[r] = verdict{reason: "openssl verify said nothing"} // of what it cannot read
		}
	}
	var list []string
	for key := range groups {
		list = append(list, key)
	}
	var mu sync.Mutex
	inParallel(list, func(_ int, key string) {
		args := strings.Split(key, "\n")
		for _, r := range groups[key] {
			args = append(args, r.own)
		}
		out, _ := exec.Command(program, args...).CombinedOutput() // the status says no more than the text
		byFile := readVerify(string(out))
		mu.Lock()
		defer mu.Unlock()
		for _, r := range groups[key] {
			if v, ok := byFile[r.own]; ok {
				verdicts[r] = v
			}
		}
	})
	return verdicts
}

// readVerify reads what openssl verify wrote: a line with OK, or reasons and a line that
// names the file that they are about.
func readVerify(out string) map[string]verdict {
	byFile := map[string]verdict{}
	for _, m := range opensslOK.FindAllStringSubmatch(out, -1) {
		byFile[m[1]] = verdict{ok: true}
	}
	var reasons []string
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		if m := opensslReason.FindStringSubmatch(line); m != nil {
			reasons = append(reasons, m[1])
		} else if m := opensslFailed.FindStringSubmatch(line); m != nil {
			byFile[m[1]] = verdict{reason: strings.Join(reasons, "; ")}
			reasons = nil
		}
	}
	return byFile
}
