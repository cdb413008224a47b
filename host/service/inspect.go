package service

import (
	"context"
	"errors"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/guest"
)

// FindGuest finds the module that a service's protocol names.
func FindGuest(c *config.Config, sc *config.Service) (guest.Source, error) {
	src, err := protocolLine(sc).find(c.Global.GuestPath)
	if err != nil {
		return src, err
	}
	return src, nil
}

// InspectGuest gives every reason for which a service refuses the module that
// FindGuest found for it, where Build stops at the first. Nil: it would load it.
func InspectGuest(ctx context.Context, rt *guest.Runtime, c *config.Config, sc *config.Service, src guest.Source) config.Errors {
	var faults config.Errors
	refuse := func(err *config.Error) { faults = append(faults, err) }
	module := loadInSpite(ctx, rt, src, func(e *guest.Error) {
		hint := ""
		if e.Kind == guest.KindHash {
			hint = "guestHash = sha256:" + e.Hash
		}
		for reason := range strings.SplitSeq(e.Reason, "; ") { // imports are all refused at once
			refuse(sc.Errorf("protocol", "%s", reason).WithHint("%s", hint))
		}
	})
	if module == nil {
		return faults
	}
	defer module.Close(ctx)
	if err := protocolLine(sc).checkOptions(module.Info.Manifest); err != nil {
		refuse(err)
	}
	open, _ := guestConfig(sc, hasSecondaries(sc, c.Services))
	lookup := func(key string) (string, bool) { v, ok := open[key]; return v, ok }
	limits := guest.Limits{Fuel: sc.Guest.CPU, Pages: max(sc.Guest.Memory, module.Info.MinPages)}
	if err := module.Configure(ctx, lookup, func(int, string) {}, limits); err != nil {
		refuse(sc.Errorf("protocol", "%v", err))
	}
	return faults
}

// loadInSpite loads a module, and lifts what refuses it where the config could: the
// pinned hash, then the grants, then the memory. It is nil if no config could load it.
func loadInSpite(ctx context.Context, rt *guest.Runtime, src guest.Source, refused func(*guest.Error)) *guest.Module {
	lift := map[guest.Kind]func(){
		guest.KindHash:   func() { src.Hash = "" },
		guest.KindImport: func() { src.Allow = everything() },
		guest.KindLoad:   func() { src.Pages = guest.MaxPages },
	}
	told := map[guest.Kind]bool{}
	for {
		module, err := rt.Load(ctx, src)
		if err == nil {
			return module
		}
		e, ok := errors.AsType[*guest.Error](err)
		if !ok {
			return nil
		}
		if told[e.Kind] {
			return nil // lifting did not help
		}
		told[e.Kind] = true
		refused(e)
		if lift[e.Kind] == nil {
			return nil
		}
		lift[e.Kind]()
	}
}

// everything is what guestAllow can grant.
func everything() (all []abi.Capability) {
	for _, c := range abi.Capabilities {
		all = append(all, c.Name)
	}
	return all
}
