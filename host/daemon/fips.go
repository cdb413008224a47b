package daemon

import (
	"crypto/fips140"
	"errors"
	"fmt"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
)

// settleFIPS sees to it that the process is in the mode that the configuration asks for.
// Go's cryptography takes it from the environment once, before main. So the program is
// executed again, in the same process, as the first thing after the configuration is
// read; then it does not return.
func (d *daemon) settleFIPS(conf *config.Config) error {
	if !fipsDiffers(conf) {
		d.sayFIPS()
		return nil
	}
	if d.begunAnew || d.ready != nil { // a parent would wait for this run, not for the next
		return fmt.Errorf("fips = %s: the mode stays %s; this build's cryptographic module cannot change it", conf.Global.FIPS, fipsMode())
	}
	return fmt.Errorf("fips = %s: %w", conf.Global.FIPS, d.beginAnew(conf.Global.FIPS == config.FIPSYes))
}

// errFIPSStays is for a reload: another mode needs another start.
var errFIPSStays = errors.New("fips cannot change while the program runs: restart it")

func fipsDiffers(conf *config.Config) bool {
	return conf.Global.FIPS != config.FIPSUnset && (conf.Global.FIPS == config.FIPSYes) != fips140.Enabled()
}

func (d *daemon) sayFIPS() {
	d.ui.Noticef("FIPS mode %s", fipsMode())
	if fips140.Enabled() {
		d.ui.Infof("Go Cryptographic Module %s", fips140.Version())
	}
}

func fipsMode() string {
	if fips140.Enabled() {
		return "enabled"
	}
	return "disabled"
}
