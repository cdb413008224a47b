package psk

import (
	"bytes"
	"crypto/hmac"
	"crypto/tls"
	"slices"

	"golang.org/x/crypto/cryptobyte"

	"github.com/stunnel-wasm/stunnel-wasm/host/record"
)

// serve13 answers in TLS 1.3. A client that offers it gets nothing older: with TLS 1.2 it
// would find the downgrade mark in our random and give up.
func (h *serverState) serve13() error {
	index, group, err := h.choose13()
	if err != nil {
		return err
	}
	retried := group == 0
	if retried {
		if group = h.commonGroup(); group == 0 {
			return &record.Error{Alert: record.HandshakeFailure, Reason: "no key exchanges supported by both client and server"}
		}
		if index, err = h.retry(group); err != nil {
			return err
		}
	}
	h.note(h.client.raw)
	at := slices.IndexFunc(h.client.shares, func(s share) bool { return s.group == group })
	public, shared, err := exchange(group, h.client.shares[at].data)
	if err != nil {
		return err
	}
	h.state.CurveID = group
	err = h.send((&serverHello{random: random(), session: h.client.session, suite: h.suite.id,
		selected: tls.VersionTLS13, share: share{group, public}, identity: index}).marshal())
	if err != nil {
		return err
	}
	if len(h.client.session) > 0 && !retried {
		if err := h.sendCCS(); err != nil {
			return err
		}
	}
	return h.finish13(shared)
}

// choose13 checks a ClientHello and its binder, and gives the place of the identity and the
// group of a key share, 0 if none can be used.
func (h *serverState) choose13() (index int, group tls.CurveID, err error) {
	c, ours := h.client, h.config
	refuse := func(alert record.AlertCode, reason string) (int, tls.CurveID, error) {
		return 0, 0, &record.Error{Alert: alert, Reason: reason}
	}
	switch {
	case len(c.compression) != 1 || c.compression[0] != 0:
		return refuse(record.IllegalParameter, "client offered a compression in TLS 1.3") // section 4.1.2
	case c.offer == nil:
		return refuse(record.HandshakeFailure, "client offered no pre-shared key")
	case c.modes == nil:
		return refuse(record.MissingExtension, "client sent pre_shared_key without psk_key_exchange_modes") // section 4.2.9
	case !bytes.Contains(c.modes, []byte{modeDHE}):
		return refuse(record.HandshakeFailure, "client offered no key exchange with forward secrecy")
	case c.groups == nil || !c.hasShares:
		return refuse(record.MissingExtension, "client sent no key_share or supported_groups") // section 9.2
	}
	if err := c.checkShares(); err != nil {
		return 0, 0, err
	}
	s := common(ours.suites13(), c.suites)
	if s == nil {
		return refuse(record.HandshakeFailure, "no cipher suite supported by both client and server")
	}
	index, known, secret := c.offer.choose(ours.Secrets)
	h.identity, h.known = string(c.offer.identities[index]), known
	h.secret = secret
	want, err := h.binder(c.offer.truncated)
	if err != nil {
		return 0, 0, internal(err)
	}
	// Only the chosen identity's (section 4.2.11). An unknown one has the decoy's key, and
	// fails here as a wrong key does (section 6.2 lets the alert be the same).
	if !hmac.Equal(c.offer.binders[index], want) {
		return refuse(record.DecryptError, "invalid PSK binder")
	}
	h.settle(tls.VersionTLS13, s)
	for _, g := range ours.groups() {
		if slices.ContainsFunc(c.shares, func(s share) bool { return s.group == g }) {
			return index, g, nil
		}
	}
	return index, 0, nil
}

// retry asks for a key share of a group and reads the second ClientHello (RFC 8446, section
// 4.1.2 and 4.1.4). It gives the place of the identity there.
func (h *serverState) retry(group tls.CurveID) (int, error) {
	first, suite := h.client, h.suite
	h.note(first.raw)
	h.retryTranscript()
	err := h.send((&serverHello{random: retryRandom[:], session: first.session, suite: suite.id,
		selected: tls.VersionTLS13, share: share{group: group}, identity: -1}).marshal())
	if err != nil {
		return 0, err
	}
	if len(first.session) > 0 {
		if err := h.sendCCS(); err != nil {
			return 0, err
		}
	}
	if err := h.out.Flush(); err != nil {
		return 0, err
	}
	raw, err := h.expect(typeClientHello)
	if err != nil {
		return 0, err
	}
	if err := h.keyChange(); err != nil {
		return 0, err
	}
	second, err := parseClientHello(raw)
	if err != nil {
		return 0, err
	}
	if first.changed(second) || second.early || has(second.extensions, extCookie) {
		return 0, illegal("second ClientHello differs from the first")
	}
	if len(second.shares) != 1 || second.shares[0].group != group {
		return 0, illegal("second ClientHello lacks the key share that was asked for")
	}
	h.client = second
	index, _, err := h.choose13()
	if err == nil && h.suite.id != suite.id {
		err = illegal("second ClientHello changes the cipher suite")
	}
	return index, err
}

// finish13 is all after the ServerHello.
func (h *serverState) finish13(shared []byte) error {
	s := h.deriveSecrets(shared)
	if err := h.protectOut(&s.schedule, s.server); err != nil {
		return err
	}
	protocol, err := mutual(h.config.Protocols, h.client.protocols)
	if err != nil {
		return err
	}
	h.state.NegotiatedProtocol = protocol
	err = h.send(message(typeEncryptedExtensions, func(b *cryptobyte.Builder) {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			if protocol != "" {
				addExtension(b, extALPN, func(b *cryptobyte.Builder) { addNames(b, protocol) })
			}
		})
	}))
	if err != nil {
		return err
	}
	if err := h.sendFinished(s.mac(s.server, h.sum())); err != nil {
		return err
	}
	client, server := s.application(h.sum())
	if err := h.protectOut(&s.schedule, server); err != nil {
		return err
	}
	if err := h.protectIn(&s.schedule, s.client); err != nil {
		return err
	}
	if err := h.expectFinished(s.mac(s.client, h.sum())); err != nil {
		return err
	}
	return h.protectIn(&s.schedule, client)
}
