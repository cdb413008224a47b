package tlsconf

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stunnel-wasm/stunnel-wasm/host/config"
	"github.com/stunnel-wasm/stunnel-wasm/host/psk"
)

// maxSecrets bounds a file of pre-shared keys, in bytes: thousands of identities.
const maxSecrets = 16 << 20

// loadSecrets reads the pre-shared keys. A client offers them alone: a server that could
// show a certificate instead would need no key.
func (c *Context) loadSecrets(s *config.Service) error {
	if s.PSK.Secrets == "" {
		if s.PSK.Identity != "" {
			c.warn(s, "PSKidentity has no effect without PSKsecrets")
		}
		return nil
	}
	secrets, err := c.readSecrets(s)
	if err != nil {
		return err
	}
	conf := &psk.Config{
		Secrets:    secrets,
		MinVersion: uint16(s.MinVersion),
		MaxVersion: uint16(s.MaxVersion),
		Groups:     c.Config.CurvePreferences,
		Suites:     c.secretSuites(),
	}
	switch {
	case !s.Client && s.PSK.Identity != "":
		c.warn(s, "PSK identity is ignored in the server mode")
	case s.Client:
		conf.ServerName = strings.TrimRight(serverName(s), ".")
		conf.Identity = s.PSK.Identity
		if conf.Identity == "" {
			conf.Identity = secrets.First()
		} else if !secrets.Has(conf.Identity) {
			return s.Errorf("PSKidentity", "No key found for the specified PSK identity").
				WithHint("write the identity as it stands in front of a colon in %s", s.PSK.Secrets)
		}
		if len(s.Cert) > 0 || s.Verifies() {
			c.warn(s, "offers pre-shared keys alone: certificates are neither shown nor asked for")
		}
	}
	if err := conf.Check(s.Client); err != nil {
		return s.Errorf("PSKsecrets", "%v", err).
			WithHint("let sslVersion, ciphers and curves leave TLS 1.3, or TLS 1.2 with some of %s", strings.Join(slices.Sorted(maps.Keys(psk.SuiteNames())), ", "))
	}
	c.PSK = conf
	return nil
}

func (c *Context) warn(s *config.Service, text string) {
	c.Warnings = append(c.Warnings, fmt.Sprintf("Service [%s] %s", s.Name, text))
}

// readSecrets reads the file.
func (c *Context) readSecrets(s *config.Service) (*psk.Secrets, error) {
	name := s.PSK.Secrets
	data, err := readBounded(name, maxSecrets)
	if err != nil {
		return nil, s.Errorf("PSKsecrets", "Cannot open PSKsecrets file: %v", err)
	}
	c.warnInsecure(name)
	secrets, doubtful, err := psk.ParseFile(name, strings.TrimPrefix(string(data), config.ByteOrderMark))
	var bad *psk.FileError
	switch {
	case errors.As(err, &bad):
		return nil, s.Errorf("PSKsecrets", "%v", bad).WithHint("%s", cmp.Or(bad.Hint, "write lines identity:key"))
	case err != nil:
		return nil, s.Errorf("PSKsecrets", "%s: %v", name, err)
	case secrets.Len() == 0:
		return nil, s.Errorf("PSKsecrets", "Failed to read PSK secrets: %s has none", name).WithHint("write lines identity:key")
	}
	if len(doubtful) > 0 {
		c.warn(s, fmt.Sprintf("the key in line %d of %s is taken as hexadecimal digits, as by stunnel since 5.41, and not as text", doubtful[0], name))
	}
	return secrets, nil
}

// secretSuites are the suites that ciphers admits. OpenSSL has no ECDHE-PSK with AES-GCM: it
// goes with a list that has the same cipher with PSK, and an ephemeral exchange with
// another. TLS 1.3 has its own, which ciphers does not concern.
func (c *Context) secretSuites() []uint16 {
	list := psk.Suites13()
	ephemeral := slices.Contains(c.Suites, psk.TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256)
	for _, s := range c.Suites {
		switch {
		case psk.SuiteName(s) == "":
			continue
		case ephemeral && s == psk.TLS_PSK_WITH_AES_128_GCM_SHA256:
			list = append(list, psk.TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256)
		case ephemeral && s == psk.TLS_PSK_WITH_AES_256_GCM_SHA384:
			list = append(list, psk.TLS_ECDHE_PSK_WITH_AES_256_GCM_SHA384)
		}
		list = append(list, s)
	}
	return list
}

// ForSecrets gives the configuration of one handshake with a pre-shared key. ALPN is as
// in For.
func (c *Context) ForSecrets(alpn []string) *psk.Config {
	if len(alpn) == 0 {
		return c.PSK
	}
	own := *c.PSK
	own.Protocols = alpn
	return &own
}
