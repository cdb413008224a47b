package config

import (
	"fmt"
	"maps"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// maxEngines is how many stunnel opens.
const maxEngines = 256

// An Engine is a PKCS#11 module, as an engine or a provider line and those that set it up
// describe it.
type Engine struct {
	ID        string // pkcs11, once it is loaded
	Module    string // path of the module; empty: the system's own
	PIN       string // a secret; empty: none said
	PINSource string // file that has it; empty: none
	InitArgs  string // for C_Initialize
	Login     bool   // log in to see certificates too
	Place     Place

	refused  bool   // its line was: those after it are about nothing
	loadable bool   // dynamic, and LOAD is still to come
	names    string // what dynamic's commands say that it loads
}

// onlyPKCS11 is the hint wherever another engine or provider is asked for.
const onlyPKCS11 = "pkcs11 is the only one here: OpenSSL, whose engines and providers others are, is not in this program"

func parseEngine(t *target, value string) *Error {
	if len(t.cfg.Global.Engines) >= maxEngines {
		return refuse("Too many open engines", fmt.Sprintf("keep to %d", maxEngines))
	}
	e := Engine{ID: value, Place: t.place, loadable: value == "dynamic", refused: value != "pkcs11" && value != "dynamic"}
	t.cfg.Global.Engines = append(t.cfg.Global.Engines, e)
	switch {
	case value == "auto":
		return refuse("Failed to open the engine", "remove the line: what speeds up ciphers is used without it; "+onlyPKCS11)
	case value == "capi":
		return refuse("Failed to open the engine", "keys stay out of reach in Windows' certificate store: export each with its certificate, "+
			"as by certutil -user -exportPFX My NAME FILE.p12, and write cert = FILE.p12 in place of engineId = capi; "+onlyPKCS11)
	case e.refused:
		return refuse("Failed to open the engine", onlyPKCS11)
	}
	return nil
}

// current is the engine that a line is about: the last one before it.
func (t *target) currentEngine() (*Engine, *Error) {
	all := t.cfg.Global.Engines
	if len(all) == 0 {
		return nil, refuse("No engine was defined", "put engine = pkcs11 before this line")
	}
	return &all[len(all)-1], nil
}

// A control is a command of engineCtrl.
type control struct {
	bare   bool // takes no parameter
	loader bool // for the dynamic engine, before it has loaded the other
	both   bool // for that one and for pkcs11
	set    func(t *target, e *Engine, parameter string) *Error
}

func ignored(*target, *Engine, string) *Error { return nil }

// controls are the commands of OpenSSL's dynamic engine and of OpenSC's pkcs11, which
// tell upper from lower case.
var controls = map[string]control{
	"SO_PATH":   {loader: true, both: true, set: nameEngine},
	"ID":        {loader: true, set: nameEngine},
	"LIST_ADD":  {loader: true, set: ignored},
	"NO_VCHECK": {loader: true, set: ignored},
	"DIR_LOAD":  {loader: true, set: ignored},
	"DIR_ADD":   {loader: true, set: ignored},
	"LOAD":      {loader: true, bare: true, set: loadEngine},

	"MODULE_PATH":  {set: func(_ *target, e *Engine, p string) *Error { e.Module = p; return nil }},
	"PIN":          {set: func(_ *target, e *Engine, p string) *Error { e.PIN = p; return nil }},
	"INIT_ARGS":    {set: func(_ *target, e *Engine, p string) *Error { e.InitArgs = p; return nil }},
	"FORCE_LOGIN":  {bare: true, set: func(_ *target, e *Engine, _ string) *Error { e.Login = true; return nil }},
	"RE_ENUMERATE": {bare: true, set: ignored}, // slots are listed whenever a key is looked for
	"QUIET":        {bare: true, set: ignored}, // nothing is said that it would keep back
	"VERBOSE":      {bare: true, set: noteDebug},
	"DEBUG_LEVEL":  {set: noteDebug},
}

// initControl is the command that stunnel does not hand on.
const initControl = "INIT"

var controlNames = append(slices.Sorted(maps.Keys(controls)), initControl)

// shownControl gives as much of an engineCtrl's value as can be printed: a command's name.
// What is none may be a PIN whose command was forgotten.
func shownControl(value string) string {
	name, _, has := strings.Cut(value, ":")
	switch {
	case !slices.ContainsFunc(controlNames, func(n string) bool { return strings.EqualFold(n, name) }):
		return redacted
	case has:
		return name + ":" + redacted
	}
	return name
}

func noteDebug(t *target, _ *Engine, _ string) *Error {
	t.note("engineCtrl = VERBOSE has no effect: debug = info says what happens to tokens")
	return nil
}

func parseEngineCtrl(t *target, value string) *Error {
	e, err := t.currentEngine()
	if err != nil {
		return err
	}
	if e.refused {
		return nil
	}
	const reason = "Failed to execute the engine control command"
	name, parameter, has := strings.Cut(value, ":")
	if strings.EqualFold(name, initControl) {
		return nil // stunnel's own: the module is initialised when a service uses it
	}
	c, ok := controls[name]
	switch {
	case !ok:
		if _, known := controls[strings.ToUpper(name)]; known {
			return refuse(reason, "write the command in capitals")
		}
		hint := "the commands are MODULE_PATH, PIN, INIT_ARGS, FORCE_LOGIN, RE_ENUMERATE, VERBOSE, QUIET, DEBUG_LEVEL and INIT; for engine = dynamic also SO_PATH, ID, LIST_ADD and LOAD"
		if near := closest(name, controlNames); near != "" {
			hint = "did you mean " + near + "? " + hint
		}
		return refuse(reason, hint)
	case c.loader && !c.both && !e.loadable:
		return refuse(reason, "this command is for engine = dynamic, before it has loaded another")
	case !c.loader && e.loadable:
		return refuse(reason, "let engineCtrl = LOAD, after SO_PATH and ID, load the engine before this command")
	case c.bare && has:
		return refuse(reason, "this command takes no parameter")
	case !c.bare && parameter == "":
		return refuse(reason, "write COMMAND:PARAMETER")
	}
	return c.set(t, e, parameter)
}

// nameEngine remembers what dynamic is to load: by its id, or by the name of its library.
func nameEngine(_ *target, e *Engine, parameter string) *Error {
	if e.loadable {
		e.names += " " + path.Base(strings.ReplaceAll(parameter, `\`, "/"))
	}
	return nil
}

func loadEngine(_ *target, e *Engine, _ string) *Error {
	if !slices.ContainsFunc(strings.Fields(e.names), func(name string) bool { return strings.Contains(name, "pkcs11") }) {
		return refuse("Failed to execute the engine control command", "this would load another engine; "+onlyPKCS11)
	}
	e.ID, e.loadable = "pkcs11", false
	return nil
}

// checkEngines finds what the lines of an engine leave open.
func checkEngines(g *Global) Errors {
	var errs Errors
	for _, e := range g.Engines {
		if e.loadable {
			errs = append(errs, e.Place.Errorf("Failed to open the engine").
				WithHint("add engineCtrl = ID:pkcs11 and engineCtrl = LOAD, or write engine = pkcs11"))
		}
	}
	return errs
}

// The tasks of OpenSSL's ENGINE_set_default_string. A PKCS#11 engine does those for keys
// alone.
var engineTasks = map[string]bool{"ALL": true, "RSA": true, "EC": true, "PKEY": true, "PKEY_CRYPTO": true, "PKEY_ASN1": true,
	"DSA": false, "DH": false, "RAND": false, "CIPHERS": false, "DIGESTS": false}

func parseEngineDefault(t *target, value string) *Error {
	e, err := t.currentEngine()
	if err != nil {
		return err
	}
	if e.refused {
		return nil
	}
	for task := range strings.SplitSeq(value, ",") {
		task = strings.Trim(task, blanks)
		keys, ok := engineTasks[task]
		if !ok {
			return refuse("Failed to set engine as default", "a list of ALL, RSA, EC, PKEY, PKEY_CRYPTO, PKEY_ASN1, DSA, DH, RAND, CIPHERS, DIGESTS, with commas")
		}
		if !keys {
			t.note("engineDefault = " + task + " has no effect: a token is used for its keys alone")
		}
	}
	return nil
}

func parseEngineID(t *target, value string) *Error {
	i := slices.IndexFunc(t.cfg.Global.Engines, func(e Engine) bool { return e.ID == value })
	if i < 0 {
		return refuse("Engine ID not found", "name an engine of an engine line before the first [section]: engineId = pkcs11")
	}
	t.service.Engine = i + 1
	return nil
}

func parseEngineNum(t *target, value string) *Error {
	n, err := strconv.Atoi(value)
	if err != nil {
		return refuse("Illegal engine number", "a whole number from 1")
	}
	if n < 1 || n > len(t.cfg.Global.Engines) {
		return refuse("Engine number not found", fmt.Sprintf("there are %d engine lines before the first [section]", len(t.cfg.Global.Engines)))
	}
	t.service.Engine = n
	return nil
}

// SystemStore is the URI of what Windows trusts, as a CAstore (OSSL_STORE-winstore).
const SystemStore = "org.openssl.winstore:"

// IsSystemStore tells whether a CAstore is what Windows trusts. OpenSSL itself writes it
// with two slashes.
func IsSystemStore(value string) bool {
	return strings.EqualFold(strings.TrimSuffix(value, "//"), SystemStore)
}

// parseStore takes the URIs of CAstore that OpenSSL opens without providers of others, and
// pkcs11's. Without a scheme it is a path.
func parseStore(t *target, value string) *Error {
	scheme, _, ok := strings.Cut(value, ":")
	switch {
	case value == "":
	case !ok || strings.ContainsAny(scheme, `/\`) || len(scheme) == 1: // C:\ on Windows
	case strings.EqualFold(scheme, "pkcs11"):
	case strings.EqualFold(scheme, "file"):
		if !strings.HasPrefix(value[len("file:"):], "/") || strings.HasPrefix(value, "file://") && !strings.HasPrefix(value, "file:///") {
			return refuse("Failed to open the store", "write file: and a full path")
		}
	case IsSystemStore(value) && runtime.GOOS == "windows":
	case IsSystemStore(value):
		return refuse("Failed to open the store", "only Windows has that store: write the path of the certificates, such as /etc/ssl/certs")
	default:
		return refuse("Failed to open the store", "a pkcs11: or file: URI, or a path")
	}
	t.service.Trust.CAstore = value
	return nil
}
