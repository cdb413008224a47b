package config

import "time"

// sessionOptions say how sessions are resumed.
var sessionOptions = []Option{
	{Name: "sessionCacheSize", Scope: ServiceScope, Form: "entries", Default: "1000",
		Doc:   "sessions kept for resumption where no tickets are in use, and targets of sessions; 0 is no limit",
		parse: number("Illegal session cache size", 0, maxNumber, func(t *target, n int) { t.service.Session.CacheSize = n })},
	{Name: "sessionCacheTimeout", Aliases: []string{"session"}, Scope: ServiceScope, Form: "seconds", Default: "300 seconds",
		Doc: "how long a session can be resumed, from a ticket too",
		parse: number("Illegal session cache timeout", 0, maxNumber, func(t *target, n int) {
			t.service.Session.Timeout = time.Duration(n) * time.Second
		})},
	{Name: "sessiond", Scope: ServiceScope, Form: "[host:]port",
		Doc: "server that shares sessions between machines, by UDP", parse: parseSessiond},
	{Name: "sessionResume", Scope: ServiceScope, Form: "yes|no", Default: "yes",
		Doc: "let sessions be resumed", parse: yesNo(func(t *target, yes bool) { t.service.Session.Resume = yes })},
	{Name: "ticketKeySecret", Scope: ServiceScope, Form: "hex", Secret: true,
		Doc:   "with ticketMacSecret, what protects session tickets in all processes that have it",
		parse: ticketSecret("ticketKeySecret", func(t *target, b []byte) { t.service.Session.TicketKey = b })},
	{Name: "ticketMacSecret", Scope: ServiceScope, Form: "hex", Secret: true,
		Doc:   "with ticketKeySecret, what protects session tickets in all processes that have it",
		parse: ticketSecret("ticketMacSecret", func(t *target, b []byte) { t.service.Session.TicketMAC = b })},
}

// pskOptions name the pre-shared keys, in place of certificates or beside them.
var pskOptions = []Option{
	{Name: "PSKidentity", Scope: ServiceScope, Form: "identity", Default: "the first in PSKsecrets",
		Doc:   "name that a client gives for its pre-shared key",
		parse: nonEmpty(func(t *target, v string) { t.service.PSK.Identity = v })},
	{Name: "PSKsecrets", Scope: ServiceScope, Form: "file",
		Doc:   "file with a line identity:key for each pre-shared key, which is hexadecimal or text",
		parse: nonEmpty(func(t *target, v string) { t.service.PSK.Secrets = v })},
}
