package service

import (
	"crypto/tls"
	"errors"
	"strings"
)

// remotePrefix is how crypto/tls begins the text of an alert that the peer sent.
const remotePrefix = "remote error: tls: "

// alertWords is OpenSSL's text for the alerts that crypto/tls names otherwise, by the
// latter's name (RFC 8446, section 6.2).
var alertWords = map[string]string{
	"unexpected message":             "sslv3 alert unexpected message",
	"bad record MAC":                 "sslv3 alert bad record mac",
	"decompression failure":          "sslv3 alert decompression failure",
	"handshake failure":              "sslv3 alert handshake failure",
	"bad certificate":                "sslv3 alert bad certificate",
	"unsupported certificate":        "sslv3 alert unsupported certificate",
	"revoked certificate":            "sslv3 alert certificate revoked",
	"expired certificate":            "sslv3 alert certificate expired",
	"unknown certificate":            "sslv3 alert certificate unknown",
	"illegal parameter":              "sslv3 alert illegal parameter",
	"unknown certificate authority":  "tlsv1 alert unknown ca",
	"error decoding message":         "tlsv1 alert decode error",
	"error decrypting message":       "tlsv1 alert decrypt error",
	"protocol version not supported": "tlsv1 alert protocol version",
	"insufficient security level":    "tlsv1 alert insufficient security",
	"user canceled":                  "tlsv1 alert user cancelled",
	"unknown PSK identity":           "tlsv1 alert unknown psk identity",
	"missing extension":              "tlsv13 alert missing extension",
	"certificate required":           "tlsv13 alert certificate required",
	"unsupported extension":          "tlsv1 unsupported extension",
	"unrecognized name":              "tlsv1 unrecognized name",
}

// localWords is OpenSSL's text for what crypto/tls refuses by itself, by a part of
// the latter's.
var localWords = []struct{ part, words string }{
	{"offered only unsupported versions", "unsupported protocol"},
	{"selected unsupported protocol version", "unsupported protocol"},
	{"no cipher suite supported by both", "no shared cipher"},
	{"no key exchanges supported by both", "no suitable key share"},
	{"doesn't support any of the certificate's signature algorithms", "no suitable signature algorithm"},
	{"received unexpected", "unexpected message"},
	{"invalid PSK binder", "binder does not verify"},
	{"oversized record received", "packet length too long"},
	{"local error: tls: bad record MAC", "decryption failed or bad record mac"},
}

// opensslWords gives the text of a TLS error as an operator's patterns expect it: it
// ends with OpenSSL's words where OpenSSL has any. What crypto/tls says stands before
// them when it says more.
func opensslWords(err error) string {
	text := strings.TrimPrefix(err.Error(), "tls: ")
	if alert, ok := strings.CutPrefix(text, remotePrefix); ok {
		if words, ok := alertWords[alert]; ok {
			return words
		}
		return "tlsv1 alert " + alert
	}
	var first tls.RecordHeaderError
	if errors.As(err, &first) {
		if plainHTTP(string(first.RecordHeader[:])) {
			return text + ": http request"
		}
		return text + ": wrong version number"
	}
	for _, l := range localWords {
		if strings.Contains(text, l.part) {
			return text + ": " + l.words
		}
	}
	return text
}

// plainHTTP tells whether a peer's first five bytes are an HTTP request: somebody has
// left the s out of https.
func plainHTTP(first string) bool {
	for _, method := range []string{"GET ", "POST ", "HEAD ", "PUT ", "CONNECT "} {
		if strings.HasPrefix(first, method[:min(len(method), len(first))]) {
			return true
		}
	}
	return false
}
