package config

// engineOptions choose the PKCS#11 modules that keys can be in: as engines, the way of
// stunnel before 5.75, or as providers.
var engineOptions = []Option{
	{Name: "engine", Form: "pkcs11|dynamic", List: true, parse: parseEngine,
		Doc: "engine that the next engineCtrl lines set up; pkcs11 is the only one, dynamic has to load it"},
	{Name: "engineCtrl", Form: "command[:parameter]", List: true, Secret: true, Shown: shownControl, parse: parseEngineCtrl,
		Doc: "command to the engine: MODULE_PATH:FILE, PIN:TEXT, INIT_ARGS:TEXT and others"},
	{Name: "engineDefault", Form: "TASK_LIST", List: true, parse: parseEngineDefault,
		Doc: "tasks handed to the engine; keys are used where cert and key name them"},
	{Name: "provider", Form: "pkcs11", List: true, parse: parseProvider,
		Doc: "OpenSSL provider to load; pkcs11 is the only one"},
	{Name: "providerParameter", Form: "provider:name=value", List: true, Secret: true, Shown: shownParameter, parse: parseProviderParameter,
		Doc: "parameter of a provider: pkcs11-module-path, pkcs11-module-token-pin and others"},
}

// engineServiceOptions say which of them a service uses.
var engineServiceOptions = []Option{
	{Name: "CAengine", Scope: ServiceScope, Form: "engine-specific id", List: true, Doc: "trusted certificates in a token, named as by cert",
		parse: nonEmpty(func(t *target, v string) { t.service.Trust.CAengine = append(t.service.Trust.CAengine, v) })},
	{Name: "CAstore", Scope: ServiceScope, Form: "URI", Doc: "trusted certificates in a token (pkcs11:), a file or the files of a directory (file:), or of Windows (org.openssl.winstore:)",
		parse: parseStore},
	{Name: "engineId", Scope: ServiceScope, Form: "engine_id", parse: parseEngineID,
		Doc: "engine whose objects cert, key and CAengine name"},
	{Name: "engineNum", Scope: ServiceScope, Form: "number", parse: parseEngineNum,
		Doc: "the same by its number among the engine lines, from 1"},
}
