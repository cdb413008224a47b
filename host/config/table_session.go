package config

// sessionOptions say how sessions are resumed.
var sessionOptions = []Option{
	{Name: "sessionCacheSize", Scope: ServiceScope, Form: "entries", Default: "1000", Status: Pending,
		same: []string{"1000"}, parse: checkNumber("Illegal session cache size", 0, maxNumber),
		Doc: "sessions kept for resumption", Note: "sessions are resumed by tickets, which take no memory in a server"},
	{Name: "sessionCacheTimeout", Aliases: []string{"session"}, Scope: ServiceScope, Form: "seconds", Default: "300 seconds",
		Status: Pending, same: []string{"300"}, parse: checkNumber("Illegal session cache timeout", 0, maxNumber),
		Doc: "how long a session can be resumed"},
	{Name: "sessiond", Scope: ServiceScope, Form: "[host:]port", Status: Pending, parse: address(false, func(*target, Address) {}),
		Doc: "server that shares sessions between machines"},
	{Name: "sessionResume", Scope: ServiceScope, Form: "yes|no", Default: "yes", Status: Pending, same: []string{"yes"},
		parse: checkYesNo, Doc: "let sessions be resumed", Note: "options = NO_TICKET turns off tickets"},
	{Name: "ticketKeySecret", Scope: ServiceScope, Form: "hex", Secret: true, Status: Pending, parse: checkFilled,
		Doc: "key that encrypts session tickets"},
	{Name: "ticketMacSecret", Scope: ServiceScope, Form: "hex", Secret: true, Status: Pending, parse: checkFilled,
		Doc: "key that authenticates session tickets"},
}

// pskOptions name the pre-shared keys, in place of certificates or beside them.
var pskOptions = []Option{
	{Name: "PSKidentity", Scope: ServiceScope, Form: "identity", Status: Pending, parse: checkFilled,
		Doc: "name that a client gives for its pre-shared key"},
	{Name: "PSKsecrets", Scope: ServiceScope, Form: "file", Status: Pending, parse: checkFilled,
		Doc: "file with a line identity:key for each pre-shared key"},
}
