package config

// A SocketOptionType describes an option that socket = can set. The texts are
// stunnel's defaults as -sockets prints them; empty where it leaves the option alone.
type SocketOptionType struct {
	Name                  string // exact case, as in stunnel
	Platform              string // the systems where it exists, with blanks between; empty: all
	Type                  SocketType
	Accept, Local, Remote string
	AcceptOn              string // the systems where Accept is the default; empty: all that have it
}

// On tells whether the option exists on a system, by its GOOS.
func (st *SocketOptionType) On(system string) bool { return exists(st.Platform, system) }

// Only names the systems that the option exists on, for people; empty: all have it.
func (st *SocketOptionType) Only() string { return systemsOf(st.Platform) }

// AcceptDefault is the default of accepting sockets on a system; empty: none.
func (st *SocketOptionType) AcceptDefault(system string) string {
	if !exists(st.AcceptOn, system) {
		return ""
	}
	return st.Accept
}

// SocketOptions lists the settable socket options in the order of -sockets: stunnel's,
// then newer ones. It is never changed.
var SocketOptions = []SocketOptionType{
	{Name: "SO_DEBUG"},
	{Name: "SO_DONTROUTE"},
	{Name: "SO_KEEPALIVE"},
	{Name: "SO_LINGER", Type: SocketLinger},
	{Name: "SO_OOBINLINE"},
	{Name: "SO_RCVBUF", Type: SocketInt},
	{Name: "SO_SNDBUF", Type: SocketInt},
	{Name: "SO_RCVLOWAT", Platform: unixFamily, Type: SocketInt},
	{Name: "SO_SNDLOWAT", Platform: unixFamily, Type: SocketInt},
	{Name: "SO_RCVTIMEO", Type: SocketTimeval},
	{Name: "SO_SNDTIMEO", Type: SocketTimeval},
	// On Windows SO_REUSEADDR lets any program take a port that another one listens on.
	{Name: "SO_EXCLUSIVEADDRUSE", Platform: "windows", Accept: "yes"},
	{Name: "SO_REUSEADDR", Accept: "yes", AcceptOn: unixFamily},
	{Name: "SO_BINDTODEVICE", Platform: "linux", Type: SocketString},
	{Name: "TCP_KEEPCNT", Type: SocketInt},
	{Name: "TCP_KEEPIDLE", Platform: "linux windows", Type: SocketInt},
	{Name: "TCP_KEEPINTVL", Type: SocketInt},
	{Name: "IP_TOS", Type: SocketInt},
	{Name: "IP_TTL", Type: SocketInt},
	{Name: "TCP_NODELAY", Local: "yes", Remote: "yes"},
	{Name: "IP_FREEBIND", Platform: "linux"},
	{Name: "IPV6_V6ONLY"},

	{Name: "SO_BUSY_POLL", Platform: "linux", Type: SocketInt},
	{Name: "SO_MARK", Platform: "linux", Type: SocketInt},
	{Name: "SO_PRIORITY", Platform: "linux", Type: SocketInt},
	{Name: "SO_REUSEPORT", Platform: unixFamily},
	{Name: "TCP_CONGESTION", Platform: "linux", Type: SocketString},
	{Name: "TCP_CORK", Platform: "linux"},
	{Name: "TCP_DEFER_ACCEPT", Platform: "linux", Type: SocketInt},
	{Name: "TCP_FASTOPEN", Platform: "linux", Type: SocketInt},
	{Name: "TCP_FASTOPEN_CONNECT", Platform: "linux"},
	{Name: "TCP_LINGER2", Platform: "linux", Type: SocketInt},
	{Name: "TCP_MAXSEG", Platform: unixFamily, Type: SocketInt},
	{Name: "TCP_NOTSENT_LOWAT", Platform: "linux", Type: SocketInt},
	{Name: "TCP_QUICKACK", Platform: "linux"},
	{Name: "TCP_SYNCNT", Platform: "linux", Type: SocketInt},
	{Name: "TCP_USER_TIMEOUT", Platform: "linux", Type: SocketInt},
	{Name: "TCP_WINDOW_CLAMP", Platform: "linux", Type: SocketInt},
	{Name: "IP_BIND_ADDRESS_NO_PORT", Platform: "linux"},
	{Name: "IP_TRANSPARENT", Platform: "linux"},
	{Name: "IPV6_TCLASS", Platform: unixFamily, Type: SocketInt},
	{Name: "IPV6_UNICAST_HOPS", Type: SocketInt},
}
