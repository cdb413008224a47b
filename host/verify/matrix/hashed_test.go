package matrix

import "slices"

// hashedTrials find authorities and revocation lists in directories with hashed names.
func hashedTrials() []*trial {
	all := slices.Concat(pathTrials(), revocationTrials())
	for _, t := range all {
		t.name, t.hashed, t.only = inDirectories+t.name, true, ofServer
		if t.level == "verify = 0" || t.level == "verify = 1" {
			t.only = ofClient
		}
	}
	return all
}
