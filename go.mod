module github.com/stunnel-wasm/stunnel-wasm

go 1.26.0

require (
	github.com/Azure/go-ntlmssp v0.1.1
	github.com/miekg/pkcs11 v1.1.2
	github.com/pires/go-proxyproto v0.15.0
	github.com/rogpeppe/go-internal v1.16.0
	github.com/sirupsen/logrus v1.10.2
	github.com/tetratelabs/wazero v1.12.0
	golang.org/x/crypto v0.58.0
	golang.org/x/sys v0.49.0
	gopkg.in/ini.v1 v1.67.3
	kernel.org/pub/linux/libs/security/libcap/psx v1.2.78
	software.sslmate.com/src/go-pkcs12 v0.7.4
)

require golang.org/x/tools v0.26.0 // indirect

// Old private CAs have numbered certificates so, and OpenSSL takes them.
godebug x509negativeserial=1
