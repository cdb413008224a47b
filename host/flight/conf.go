package flight

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/abi"
)

// Set takes a line of the section conf: a service option, a guestOption or a fact.
func (f *Flight) Set(line string) error {
	name, value, ok := strings.Cut(line, "=")
	if !ok {
		return fmt.Errorf("conf: %q is no option", line)
	}
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if kind, rest, ok := strings.Cut(name, "."); ok {
		return f.setFact(kind, rest, value)
	}
	switch key := strings.ToLower(name); key {
	case "guestoption":
		option, setting, _ := strings.Cut(value, "=")
		into := f.Config
		if abi.SecretOption(option) {
			into = f.Secrets
		}
		addLine(into, abi.OptionKeyPrefix+option, setting)
	case "protocolheader":
		addLine(f.Config, key, value)
	case "protocolpassword":
		f.Secrets[key] = value
	default:
		f.Config[key] = value
	}
	return nil
}

// addLine gives a key one more value: several are lines of one text.
func addLine(m map[string]string, key, value string) {
	if before, ok := m[key]; ok {
		value = before + "\n" + value
	}
	m[key] = value
}

// setFact takes a line of conf that has a dot in its name.
func (f *Flight) setFact(kind, name, value string) error {
	switch kind {
	case "info":
		for _, i := range abi.Infos {
			if i.Name == name {
				f.Info[i.ID] = strings.ReplaceAll(value, `\n`, "\n")
				return nil
			}
		}
	case "fact":
		f.Facts[name] = value
		return nil
	case "resolve":
		for word := range strings.FieldsSeq(value) {
			a, err := netip.ParseAddr(word)
			if err != nil {
				return err
			}
			f.Names[name] = append(f.Names[name], a)
		}
		return nil
	}
	return fmt.Errorf("conf: no fact %s.%s", kind, name)
}
