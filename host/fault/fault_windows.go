package fault

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// AddressInUse is the error of a socket whose address is taken.
const AddressInUse = windows.WSAEADDRINUSE

// meanings are what Windows says where Unix says a name. An address whose owner has
// SO_EXCLUSIVEADDRUSE is access denied.
var meanings = map[syscall.Errno][]syscall.Errno{
	syscall.EADDRINUSE:   {windows.WSAEADDRINUSE, windows.WSAEACCES},
	syscall.ECONNREFUSED: {windows.WSAECONNREFUSED},
	syscall.ECONNRESET:   {windows.WSAECONNRESET, windows.WSAECONNABORTED, windows.ERROR_NETNAME_DELETED},
	syscall.EHOSTDOWN:    {windows.WSAEHOSTDOWN},
	syscall.EHOSTUNREACH: {windows.WSAEHOSTUNREACH},
	syscall.ENETDOWN:     {windows.WSAENETDOWN},
	syscall.ENETUNREACH:  {windows.WSAENETUNREACH},
	syscall.EPIPE:        {windows.WSAESHUTDOWN, windows.ERROR_BROKEN_PIPE, windows.ERROR_NO_DATA},
}
