/* protocol = toy: HELLO, READY?, STARTTLS, GO, then TLS. */
#include "stunnel.h"

STUNNEL_MANIFEST("manifest.txt");

enum {
	LINE_MAX = 64,  /* longest line in bytes: the longest word has 8 */
	READY_MAX = 32, /* longest guestOption ready */
};

static int join(void)
{
	int code = stunnel_connect();
	return code < 0 ? stunnel_refuse_code("connecting", code) : STUNNEL_OK;
}

static int say(stunnel_side side, stunnel_bytes words)
{
	STUNNEL_TEXT(line, LINE_MAX);
	stunnel_add(&line, words);
	stunnel_add_str(&line, "\r\n");
	int code = stunnel_write(side, line.buf, line.len);
	return code < 0 ? stunnel_refuse_code("writing", code) : STUNNEL_OK;
}

static int expect(stunnel_side side, stunnel_bytes want)
{
	uint8_t room[LINE_MAX];
	int n = stunnel_read_line(side, room, sizeof room);
	if (n < 0)
		return stunnel_refuse_code("reading", n);
	stunnel_bytes got = stunnel_chomp((stunnel_bytes){room, (size_t)n});
	if (stunnel_equal(got, want))
		return STUNNEL_OK;
	stunnel_write(side, "ERROR\r\n", 7); /* the peer may be gone; the refusal is what counts */
	stunnel_refusal r;
	stunnel_because(&r, STUNNEL_BY_PEER, "expected ");
	stunnel_quote(&r, want);
	stunnel_say(&r, ", got ");
	stunnel_quote(&r, got);
	return stunnel_refuse(&r);
}

static int start_tls(stunnel_side side)
{
	int code = stunnel_starttls(side);
	return code < 0 ? stunnel_refuse_code("starting TLS", code) : STUNNEL_OK;
}

/* Client mode: the target speaks the protocol, and then TLS. */
static int client(stunnel_bytes ready)
{
	if (join() || say(STUNNEL_OUTGOING, STUNNEL_STR("HELLO")) || expect(STUNNEL_OUTGOING, ready) ||
	    say(STUNNEL_OUTGOING, STUNNEL_STR("STARTTLS")) || expect(STUNNEL_OUTGOING, STUNNEL_STR("GO")))
		return STUNNEL_FAILED;
	return start_tls(STUNNEL_OUTGOING);
}

/* Server mode: the accepted client does. Nobody reaches the target without TLS. */
static int server(stunnel_bytes ready)
{
	if (expect(STUNNEL_ACCEPTED, STUNNEL_STR("HELLO")) || say(STUNNEL_ACCEPTED, ready) ||
	    expect(STUNNEL_ACCEPTED, STUNNEL_STR("STARTTLS")) || say(STUNNEL_ACCEPTED, STUNNEL_STR("GO")) ||
	    start_tls(STUNNEL_ACCEPTED))
		return STUNNEL_FAILED;
	return join();
}

/* ready_word gives guestOption ready in room, or its default. */
static int ready_word(uint8_t room[READY_MAX], stunnel_bytes *ready)
{
	int code = stunnel_option("option.ready", room, READY_MAX, ready);
	if (code == STUNNEL_NONE) {
		*ready = STUNNEL_STR("READY?");
		return STUNNEL_OK;
	}
	stunnel_refusal r;
	if (code == STUNNEL_TOO_LONG) {
		stunnel_because(&r, STUNNEL_BY_CONFIG, "guestOption ready is longer than 32 bytes");
		return stunnel_refuse(&r);
	}
	return code < 0 ? stunnel_refuse_code("reading guestOption ready", code) : STUNNEL_OK;
}

/* Called once for each connection, in an instance of its own; 0 hands over to the relay. */
STUNNEL_EXPORT(negotiate) int negotiate(void)
{
	uint8_t room[READY_MAX];
	stunnel_bytes ready;
	if (ready_word(room, &ready))
		return STUNNEL_FAILED;
	return stunnel_is_client() ? client(ready) : server(ready);
}

/* Called once when the configuration is read: a refusal here refuses the configuration. */
STUNNEL_EXPORT(configure) int configure(void)
{
	uint8_t room[READY_MAX];
	stunnel_bytes ready;
	return ready_word(room, &ready);
}
