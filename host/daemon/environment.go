package daemon

import (
	"os"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

// setEnvironment sets the variables of setEnv in this process: what loads modules, as
// PKCS#11 does, and what is executed sees them. They stay over a reload that does not name
// them, as in stunnel.
func setEnvironment(conf *config.Config) {
	for _, v := range conf.Global.SetEnv {
		// It fails for a name with a NUL or an equals sign in it, which a line cannot hold.
		if v.Value == "" {
			_ = os.Unsetenv(v.Key)
		} else {
			_ = os.Setenv(v.Key, v.Value)
		}
	}
}
