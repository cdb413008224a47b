/* stunnel.h: what a guest of stunnel-wasm is written with, in C.
 *
 * One header, no library: clang --target=wasm32 -ffreestanding -nostdlib builds a guest
 * of a few kilobytes. Names and shapes are those of sdk/rust: the host's functions, the
 * sentence that ends a connection, bytes in fixed room, a peer's lines, the config's
 * options. The numbers are those of the host's package abi.
 *
 *     #include "stunnel.h"
 *
 *     STUNNEL_EXPORT(negotiate) int negotiate(void) { ... return 0; }
 *
 * There is no allocator, and none is needed: a negotiation is sequential and an instance
 * serves one connection, so that buffers are static or on the stack (16 KiB). Functions
 * that can end the guest return an outcome: STUNNEL_OK, or STUNNEL_FAILED once the host
 * was told why. Host calls return a length or a code below zero.
 */
#ifndef STUNNEL_H
#define STUNNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STUNNEL_EXPORT(name) __attribute__((export_name(#name)))
#define STUNNEL_IMPORT(name) __attribute__((import_module("stunnel1"), import_name(#name)))

/* What negotiate, decide and configure return. */
enum { STUNNEL_OK = 0, STUNNEL_FAILED = 1 };

/* An end of the tunnel. */
typedef enum { STUNNEL_ACCEPTED = 0, STUNNEL_OUTGOING = 1 } stunnel_side;

/* Why a host call did not do what it was asked. */
enum {
	STUNNEL_EOF = -1,       /* the peer closed before all was read */
	STUNNEL_TOO_LONG = -2,  /* no line end within the buffer; nothing was consumed */
	STUNNEL_INVAL = -3,     /* a number or name that means nothing */
	STUNNEL_STATE = -4,     /* not now: not connected yet, or TLS already */
	STUNNEL_INJECT = -5,    /* plaintext is unread on the side that should start TLS */
	STUNNEL_TIMEOUT = -6,   /* the peer said nothing, or a dial took too long */
	STUNNEL_REFUSED = -7,   /* the target refused the connection */
	STUNNEL_NET = -8,       /* the target's network cannot be reached */
	STUNNEL_HOST = -9,      /* the target's name does not resolve */
	STUNNEL_DENIED = -10,   /* the config does not allow it */
	STUNNEL_TLS = -11,      /* the handshake failed */
	STUNNEL_LIMIT = -12,    /* a bound of this negotiation is used up */
	STUNNEL_NONE = -13,     /* no such value */
	STUNNEL_IO = -14,       /* reading or writing failed */
	STUNNEL_INTERNAL = -15, /* the host failed */
};

/* Whose doing a refusal is. */
typedef enum {
	STUNNEL_BY_PEER = 0,
	STUNNEL_BY_CONFIG = 1,
	STUNNEL_BY_POLICY = 2,
	STUNNEL_BY_GUEST = 3,
} stunnel_class;

/* A fact of this connection that the host knows, for stunnel_info. */
typedef enum {
	STUNNEL_INFO_SERVICE = 0,
	STUNNEL_INFO_MODE = 1,
	STUNNEL_INFO_PEER_ADDR = 2,
	STUNNEL_INFO_LOCAL_ADDR = 3,
	STUNNEL_INFO_TARGET_ADDR = 4,
	STUNNEL_INFO_SNI = 5,
	STUNNEL_INFO_ALPN = 6,
	STUNNEL_INFO_TLS_VERSION = 7,
	STUNNEL_INFO_CIPHER = 8,
	STUNNEL_INFO_STAGE = 9,
	STUNNEL_INFO_TARGET = 10,
	STUNNEL_INFO_BOUND_ADDR = 11,
	STUNNEL_INFO_RESUMED = 12,
	/* Those below need capability peer. */
	STUNNEL_INFO_PEER_SUBJECT = 16,
	STUNNEL_INFO_PEER_ISSUER = 17,
	STUNNEL_INFO_PEER_SPKI = 18,
	STUNNEL_INFO_PEER_SAN = 19,
	STUNNEL_INFO_PEER_CERT = 20,
	STUNNEL_INFO_PEER_CN = 21,
	STUNNEL_INFO_PEER_VERIFIED = 22,
	STUNNEL_INFO_PEER_PSK = 23,
} stunnel_info_id;

/* A function for stunnel_digest. */
typedef enum {
	STUNNEL_MD4 = 0,
	STUNNEL_MD5 = 1,
	STUNNEL_SHA1 = 2,
	STUNNEL_SHA224 = 3,
	STUNNEL_SHA256 = 4,
	STUNNEL_SHA384 = 5,
	STUNNEL_SHA512 = 6,
} stunnel_alg;

/* ---- The host's functions. One that is not called is not imported, so that the import
 * section stays the truth about what a guest can do. ---- */

/* read gives 1..len bytes, 0 at the end of the stream. */
STUNNEL_IMPORT(read) int stunnel_read(stunnel_side side, void *buf, size_t len);
/* read_full gives exactly len bytes, or a code. */
STUNNEL_IMPORT(read_full) int stunnel_read_full(stunnel_side side, void *buf, size_t len);
/* read_line gives a line through its line feed, and never a byte past it. */
STUNNEL_IMPORT(read_line) int stunnel_read_line(stunnel_side side, void *buf, size_t cap);
/* peek looks at up to len bytes, which stay unread; fewer at the end of the stream. */
STUNNEL_IMPORT(peek) int stunnel_peek(stunnel_side side, void *buf, size_t len);
/* write sends all the bytes. */
STUNNEL_IMPORT(write) int stunnel_write(stunnel_side side, const void *buf, size_t len);
/* wait tells which sides are readable, as bits 1 << side; 0 when the time is up. */
STUNNEL_IMPORT(wait) int stunnel_wait(int mask, int timeout_ms);
/* connect dials the target; the code says why it failed. */
STUNNEL_IMPORT(connect) int stunnel_connect(void);
/* set_target chooses "host:port" before connect; capability target. */
STUNNEL_IMPORT(set_target) int stunnel_set_target(const char *target, size_t len);
/* resolve gives a name's addresses that the config allows, a line each; capability target. */
STUNNEL_IMPORT(resolve) int stunnel_resolve(const char *name, size_t len, void *buf, size_t cap);
/* starttls does the handshake that the config asks for on a side. */
STUNNEL_IMPORT(starttls) int stunnel_starttls(stunnel_side side);
/* config gives a service option or guestOption ("option.NAME"): its full length, and as
 * much of it as fits; STUNNEL_NONE if it is not set. */
STUNNEL_IMPORT(config) int stunnel_config(const char *key, size_t klen, void *buf, size_t cap);
/* secret gives a value that the host keeps out of its logs; capability secret. */
STUNNEL_IMPORT(secret) int stunnel_secret(const char *key, size_t klen, void *buf, size_t cap);
/* info gives a fact of this connection; STUNNEL_NONE if there is none (yet). */
STUNNEL_IMPORT(info) int stunnel_info(stunnel_info_id id, void *buf, size_t cap);
/* annotate keeps a fact about the connection for the log and for policies. */
STUNNEL_IMPORT(annotate) int stunnel_annotate(const char *key, size_t klen, const void *val, size_t vlen);
/* fact gives what was annotated on this connection, by whichever guest. */
STUNNEL_IMPORT(fact) int stunnel_fact(const char *key, size_t klen, void *buf, size_t cap);
/* log writes a line at a severity from 0 to 7, as stunnel's levels. */
STUNNEL_IMPORT(log) void stunnel_log(int level, const char *text, size_t len);
/* fail gives the reason of a return that is not 0: see stunnel_refuse. */
STUNNEL_IMPORT(fail) void stunnel_fail(stunnel_class by, const char *text, size_t len);
/* digest gives a digest of the text, or its HMAC when klen > 0; capability crypto. */
STUNNEL_IMPORT(digest) int stunnel_digest(stunnel_alg alg, const void *key, size_t klen, const void *text, size_t len,
                                          void *buf, size_t cap);
/* random fills buf; capability random. */
STUNNEL_IMPORT(random) int stunnel_random(void *buf, size_t len);
/* now is milliseconds since 1970; capability clock. */
STUNNEL_IMPORT(now) int64_t stunnel_now(void);
/* set_alpn names the application protocols, a line each, of the next starttls. */
STUNNEL_IMPORT(set_alpn) int stunnel_set_alpn(const char *names, size_t len);

/* The file's text becomes the module's custom section stunnel.manifest. It is
 * documentation, but for the options: the host refuses one that no line names. */
#define STUNNEL_MANIFEST(file) \
	__asm__(".section .custom_section.stunnel.manifest,\"\",@\n.incbin \"" file "\"\n")

/* ---- Bytes ---- */

/* Bytes that belong to somebody else. */
typedef struct {
	const uint8_t *ptr;
	size_t len;
} stunnel_bytes;

#define STUNNEL_STR(literal) ((stunnel_bytes){(const uint8_t *)(literal), sizeof(literal) - 1})

static inline size_t stunnel_strlen(const char *s)
{
	size_t n = 0;
	while (s[n])
		n++;
	return n;
}

static inline stunnel_bytes stunnel_str(const char *s)
{
	return (stunnel_bytes){(const uint8_t *)s, stunnel_strlen(s)};
}

static inline bool stunnel_equal(stunnel_bytes a, stunnel_bytes b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (a.ptr[i] != b.ptr[i])
			return false;
	return true;
}

static inline uint8_t stunnel_lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c; }

/* stunnel_equal_fold compares without regard to the case of ASCII letters. */
static inline bool stunnel_equal_fold(stunnel_bytes a, stunnel_bytes b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (stunnel_lower(a.ptr[i]) != stunnel_lower(b.ptr[i]))
			return false;
	return true;
}

/* stunnel_cut cuts s at the first c: what is before it is returned, s keeps what is
 * behind it. Without a c all of s is returned, and s is empty. */
static inline stunnel_bytes stunnel_cut(stunnel_bytes *s, uint8_t c)
{
	stunnel_bytes head = *s;
	for (size_t i = 0; i < s->len; i++) {
		if (s->ptr[i] != c)
			continue;
		head.len = i;
		s->ptr += i + 1;
		s->len -= i + 1;
		return head;
	}
	s->ptr += s->len;
	s->len = 0;
	return head;
}

static inline bool stunnel_is_blank(uint8_t c) { return c == ' ' || c == '\t'; }

/* stunnel_trim gives the bytes without blanks at both ends. */
static inline stunnel_bytes stunnel_trim(stunnel_bytes s)
{
	while (s.len && stunnel_is_blank(s.ptr[0])) {
		s.ptr++;
		s.len--;
	}
	while (s.len && stunnel_is_blank(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

/* stunnel_split_word gives the part before the first blank; rest gets what is behind it,
 * without surrounding blanks. */
static inline stunnel_bytes stunnel_split_word(stunnel_bytes line, stunnel_bytes *rest)
{
	size_t n = 0;
	while (n < line.len && !stunnel_is_blank(line.ptr[n]))
		n++;
	*rest = stunnel_trim((stunnel_bytes){line.ptr + n, line.len - n});
	return (stunnel_bytes){line.ptr, n};
}

/* stunnel_chomp gives the line without its line end, LF or CR LF. */
static inline stunnel_bytes stunnel_chomp(stunnel_bytes line)
{
	if (line.len && line.ptr[line.len - 1] == '\n') {
		line.len--;
		if (line.len && line.ptr[line.len - 1] == '\r')
			line.len--;
	}
	return line;
}

/* stunnel_has_control tells whether a byte is a control character other than a tab: none
 * belongs in a line of text, and a lone CR could pass for a line end further on. */
static inline bool stunnel_has_control(stunnel_bytes s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((s.ptr[i] < ' ' && s.ptr[i] != '\t') || s.ptr[i] == 0x7f)
			return true;
	return false;
}

/* stunnel_decimal reads a decimal number of at most six digits; -1: it is none. */
static inline int32_t stunnel_decimal(stunnel_bytes s)
{
	int32_t n = 0;
	if (s.len == 0 || s.len > 6)
		return -1;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return -1;
		n = n * 10 + (s.ptr[i] - '0');
	}
	return n;
}

/* ---- Text in fixed room ---- */

/* A text that is put together in a buffer. What does not fit is dropped and remembered in
 * over, so that a message is checked once, when it is complete. */
typedef struct {
	uint8_t *buf;
	size_t cap, len;
	bool over;
} stunnel_text;

/* STUNNEL_TEXT declares a text with room for so many bytes. */
#define STUNNEL_TEXT(name, room) \
	uint8_t name##_room[room];   \
	stunnel_text name = {name##_room, sizeof name##_room, 0, false}

static inline void stunnel_add(stunnel_text *t, stunnel_bytes b)
{
	size_t n = b.len <= t->cap - t->len ? b.len : t->cap - t->len;
	for (size_t i = 0; i < n; i++)
		t->buf[t->len + i] = b.ptr[i];
	t->len += n;
	t->over |= n < b.len;
}

static inline void stunnel_add_str(stunnel_text *t, const char *s) { stunnel_add(t, stunnel_str(s)); }

/* stunnel_add_base64 appends bytes in base64 with padding (RFC 4648 section 4). */
static inline void stunnel_add_base64(stunnel_text *t, stunnel_bytes b)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < b.len; i += 3) {
		size_t group = b.len - i < 3 ? b.len - i : 3;
		uint32_t bits = 0;
		for (size_t j = 0; j < 3; j++)
			bits = bits << 8 | (j < group ? b.ptr[i + j] : 0);
		for (size_t j = 0; j < 4; j++) {
			uint8_t c = j > group ? '=' : (uint8_t)alphabet[bits >> (18 - 6 * j) & 63];
			stunnel_add(t, (stunnel_bytes){&c, 1});
		}
	}
}

static inline stunnel_bytes stunnel_text_bytes(const stunnel_text *t) { return (stunnel_bytes){t->buf, t->len}; }

/* ---- How a negotiation ends early ---- */

/* Longest sentence in bytes, which is what the host keeps of one, and longest quotation
 * within it. */
enum { STUNNEL_SENTENCE_MAX = 256, STUNNEL_QUOTE_MAX = 160 };

/* A sentence for the log that says why. */
typedef struct {
	stunnel_class by;
	uint8_t room[STUNNEL_SENTENCE_MAX];
	size_t len;
} stunnel_refusal;

static inline void stunnel_refusal_add(stunnel_refusal *r, stunnel_bytes b)
{
	stunnel_text t = {r->room, sizeof r->room, r->len, false};
	stunnel_add(&t, b);
	r->len = t.len;
}

/* stunnel_because begins a sentence with our own words. */
static inline void stunnel_because(stunnel_refusal *r, stunnel_class by, const char *words)
{
	r->by = by;
	r->len = 0;
	stunnel_refusal_add(r, stunnel_str(words));
}

/* stunnel_say adds words of our own. */
static inline void stunnel_say(stunnel_refusal *r, const char *words) { stunnel_refusal_add(r, stunnel_str(words)); }

/* stunnel_quote adds a peer's words in double quotes, cut. A double quote within becomes
 * a single one, so that a peer cannot end its quotation; the host escapes what does not
 * print. */
static inline void stunnel_quote(stunnel_refusal *r, stunnel_bytes b)
{
	bool cut = b.len > STUNNEL_QUOTE_MAX;
	stunnel_say(r, "\"");
	for (size_t i = 0; i < b.len && i < STUNNEL_QUOTE_MAX; i++) {
		if (b.ptr[i] == '"')
			stunnel_say(r, "'");
		else
			stunnel_refusal_add(r, (stunnel_bytes){b.ptr + i, 1});
	}
	stunnel_say(r, cut ? "...\"" : "\"");
}

/* stunnel_refuse tells the host the sentence, and is the outcome of it. */
static inline int stunnel_refuse(const stunnel_refusal *r)
{
	stunnel_fail(r->by, (const char *)r->room, r->len);
	return STUNNEL_FAILED;
}

/* stunnel_words gives a code in words that end a sentence. */
static inline const char *stunnel_words(int code)
{
	switch (code) {
	case STUNNEL_EOF: return "connection closed";
	case STUNNEL_TOO_LONG: return "line too long";
	case STUNNEL_INVAL: return "invalid argument";
	case STUNNEL_STATE: return "not in this state";
	case STUNNEL_INJECT: return "plaintext came before the handshake";
	case STUNNEL_TIMEOUT: return "timed out";
	case STUNNEL_REFUSED: return "connection refused";
	case STUNNEL_NET: return "network unreachable";
	case STUNNEL_HOST: return "host name does not resolve";
	case STUNNEL_DENIED: return "not allowed by the configuration";
	case STUNNEL_TLS: return "TLS handshake failed";
	case STUNNEL_LIMIT: return "limit of this negotiation reached";
	case STUNNEL_NONE: return "not set";
	case STUNNEL_IO: return "connection broken";
	default: return "fault of the host";
	}
}

/* stunnel_refuse_code refuses for a host call that failed: DOING: WORDS. */
static inline int stunnel_refuse_code(const char *doing, int code)
{
	bool ours = code == STUNNEL_INVAL || code == STUNNEL_STATE || code <= STUNNEL_INTERNAL;
	stunnel_refusal r;
	stunnel_because(&r, ours ? STUNNEL_BY_GUEST : STUNNEL_BY_PEER, doing);
	stunnel_say(&r, ": ");
	stunnel_say(&r, stunnel_words(code));
	return stunnel_refuse(&r);
}

/* ---- A peer's lines ---- */

/* stunnel_line reads a line of at most cap bytes, its line end included, and gives it
 * without. It returns 0 or a code. STUNNEL_TOO_LONG: it did not fit and was read to its
 * end, so that the next line is as good as any. STUNNEL_INVAL: it holds a control
 * character, which a line of text has no use for. */
static inline int stunnel_line(stunnel_side side, uint8_t *buf, size_t cap, stunnel_bytes *line)
{
	int n = stunnel_read_line(side, buf, cap);
	if (n == STUNNEL_TOO_LONG) {
		do { /* the buffer's length is known to hold no line end: nothing behind it is lost */
			n = stunnel_read_full(side, buf, cap);
			if (n >= 0)
				n = stunnel_read_line(side, buf, cap);
		} while (n == STUNNEL_TOO_LONG);
		return n < 0 ? n : STUNNEL_TOO_LONG;
	}
	if (n < 0)
		return n;
	*line = stunnel_chomp((stunnel_bytes){buf, (size_t)n});
	return stunnel_has_control(*line) ? STUNNEL_INVAL : 0;
}

/* stunnel_peek_byte gives the next byte, which stays unread, STUNNEL_EOF or a code. */
static inline int stunnel_peek_byte(stunnel_side side)
{
	uint8_t b;
	int n = stunnel_peek(side, &b, 1);
	return n == 1 ? b : n == 0 ? STUNNEL_EOF : n;
}

/* ---- The config's options ---- */

/* stunnel_option gives a value in buf: 0, STUNNEL_NONE, or STUNNEL_TOO_LONG. */
static inline int stunnel_option(const char *key, uint8_t *buf, size_t cap, stunnel_bytes *value)
{
	int n = stunnel_config(key, stunnel_strlen(key), buf, cap);
	if (n < 0)
		return n;
	if ((size_t)n > cap)
		return STUNNEL_TOO_LONG;
	*value = (stunnel_bytes){buf, (size_t)n};
	return 0;
}

/* stunnel_fact_of gives a fact in the same way. */
static inline int stunnel_fact_of(stunnel_info_id id, uint8_t *buf, size_t cap, stunnel_bytes *value)
{
	int n = stunnel_info(id, buf, cap);
	if (n < 0)
		return n;
	if ((size_t)n > cap)
		return STUNNEL_TOO_LONG;
	*value = (stunnel_bytes){buf, (size_t)n};
	return 0;
}

/* stunnel_is_client tells whether the service is a TLS client. */
static inline bool stunnel_is_client(void)
{
	uint8_t room[4];
	stunnel_bytes value;
	return stunnel_option("client", room, sizeof room, &value) == 0 && stunnel_equal(value, STUNNEL_STR("yes"));
}

#endif
