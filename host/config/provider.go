package config

import (
	"maps"
	"slices"
	"strings"
)

// The names of the two PKCS#11 providers for OpenSSL: of the pkcs11-provider project and
// of OpenSC's libp11.
var pkcs11Providers = []string{"pkcs11", "pkcs11prov"}

func parseProvider(t *target, value string) *Error {
	if len(t.cfg.Global.Providers) >= maxEngines {
		return refuse("Too many providers", "one is enough")
	}
	refused := !slices.Contains(pkcs11Providers, value)
	t.cfg.Global.Providers = append(t.cfg.Global.Providers, Engine{ID: value, Place: t.place, refused: refused})
	if refused {
		return refuse("Failed to load the provider", "remove the line, as the default provider's algorithms are built in; "+onlyPKCS11)
	}
	return nil
}

// providerParameters are those of the first provider, by name, and then of the second.
var providerParameters = map[string]func(e *Engine, value string) *Error{
	"pkcs11-module-path":      func(e *Engine, v string) *Error { e.Module = v; return nil },
	"pkcs11-module-init-args": func(e *Engine, v string) *Error { e.InitArgs = v; return nil },
	"pkcs11-module-token-pin": func(e *Engine, v string) *Error {
		if len(v) >= 5 && strings.EqualFold(v[:5], "file:") {
			e.PINSource = v
		} else {
			e.PIN = v
		}
		return nil
	},
	"pkcs11-module-login-behavior": func(e *Engine, v string) *Error {
		switch v {
		case "auto":
		case "always":
			e.Login = true
		default:
			return refuse("Failed to set the provider parameter", "auto or always: without a login no key signs")
		}
		return nil
	},
	"pkcs11_module": func(e *Engine, v string) *Error { e.Module = v; return nil },
	"pin":           func(e *Engine, v string) *Error { e.PIN = v; return nil },
	"init_args":     func(e *Engine, v string) *Error { e.InitArgs = v; return nil },
	"force_login": func(e *Engine, v string) *Error {
		e.Login = v != "0"
		return nil
	},
}

var parameterNames = slices.Sorted(maps.Keys(providerParameters))

// shownParameter gives as much of a providerParameter's value as can be printed: a
// parameter's name. What is none may be a PIN.
func shownParameter(value string) string {
	provider, rest, _ := strings.Cut(value, ":")
	name, _, has := strings.Cut(rest, "=")
	name = strings.Trim(name, blanks)
	if !has || !slices.Contains(pkcs11Providers, provider) || !slices.Contains(parameterNames, name) {
		return redacted
	}
	return provider + ":" + name + "=" + redacted
}

func parseProviderParameter(t *target, value string) *Error {
	const reason = "Failed to set the provider parameter"
	provider, rest, ok := strings.Cut(value, ":")
	name, v, hasValue := strings.Cut(rest, "=")
	name, v = strings.Trim(name, blanks), strings.Trim(v, blanks)
	if !ok || !hasValue || name == "" || v == "" {
		return refuse(reason, "write PROVIDER:NAME=VALUE")
	}
	i := slices.IndexFunc(t.cfg.Global.Providers, func(e Engine) bool { return e.ID == provider })
	if i < 0 {
		return refuse(reason, "put provider = pkcs11 before this line; "+onlyPKCS11)
	}
	if t.cfg.Global.Providers[i].refused {
		return nil
	}
	set, ok := providerParameters[name]
	if !ok {
		hint := "the parameters are pkcs11-module-path, pkcs11-module-token-pin, pkcs11-module-init-args and pkcs11-module-login-behavior"
		if near := closest(name, parameterNames); near != "" {
			hint = "did you mean " + near + "? " + hint
		}
		return refuse(reason, hint)
	}
	return set(&t.cfg.Global.Providers[i], v)
}
