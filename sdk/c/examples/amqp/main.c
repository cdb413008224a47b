/* protocol = amqp: the TLS header exchange of AMQP 1.0 (OASIS AMQP 1.0, part 5, section 5.2.1). */
#include "stunnel.h"

STUNNEL_MANIFEST("manifest.txt");

/* A protocol header (part 2, section 2.2): the name, a protocol id, three bytes of version. */
enum {
	NAME_LEN = 4,
	HEADER_LEN = 8,
	ID_AMQP = 0,
	ID_TLS = 2,
	ID_SASL = 3,
};

enum { TLS_HANDSHAKE = 22 }; /* the first byte of a TLS client (RFC 8446 section 5.1) */

static const uint8_t tls_header[HEADER_LEN] = {'A', 'M', 'Q', 'P', ID_TLS, 1, 0, 0};

static int send_header(stunnel_side side)
{
	int code = stunnel_write(side, tls_header, HEADER_LEN);
	return code < 0 ? stunnel_refuse_code("sending the TLS header", code) : STUNNEL_OK;
}

/* read_header fills header, but ends at the first byte that cannot be the name's: who speaks
 * another protocol may wait for an answer with fewer than eight bytes. It gives how many came. */
static int read_header(stunnel_side side, uint8_t header[HEADER_LEN])
{
	for (int n = 0; n < NAME_LEN; n++) {
		int code = stunnel_read_full(side, header + n, 1);
		if (code < 0)
			return code;
		if (header[n] != tls_header[n])
			return n + 1;
	}
	int code = stunnel_read_full(side, header + NAME_LEN, HEADER_LEN - NAME_LEN);
	return code < 0 ? code : HEADER_LEN;
}

static void say_byte(stunnel_refusal *r, uint8_t b)
{
	char digits[4] = {'0' + b / 100, '0' + b / 10 % 10, '0' + b % 10, 0};
	stunnel_say(r, b >= 100 ? digits : b >= 10 ? digits + 1 : digits + 2);
}

static void say_protocol(stunnel_refusal *r, const uint8_t header[HEADER_LEN])
{
	uint8_t id = header[NAME_LEN];
	stunnel_say(r, id == ID_AMQP ? "AMQP" : id == ID_TLS ? "TLS" : id == ID_SASL ? "SASL" : "protocol ");
	if (id != ID_AMQP && id != ID_TLS && id != ID_SASL)
		say_byte(r, id);
	for (int i = NAME_LEN + 1; i < HEADER_LEN; i++) {
		stunnel_say(r, i == NAME_LEN + 1 ? " " : ".");
		say_byte(r, header[i]);
	}
}

/* refuse_header tells of a header that does not ask for TLS, of which len bytes were read. */
static int refuse_header(const char *peer, const uint8_t header[HEADER_LEN], int len)
{
	stunnel_refusal r;
	stunnel_because(&r, STUNNEL_BY_PEER, peer);
	if (len == HEADER_LEN) {
		stunnel_say(&r, " the header for ");
		say_protocol(&r, header);
	} else if (header[0] == TLS_HANDSHAKE) { /* section 5.2.2 has a port of its own for these */
		stunnel_say(&r, " a TLS handshake");
	} else {
		stunnel_say(&r, " bytes that begin with ");
		stunnel_quote(&r, (stunnel_bytes){header, (size_t)len});
	}
	stunnel_say(&r, ", expected the header for TLS 1.0.0");
	return stunnel_refuse(&r);
}

static bool is_tls(const uint8_t header[HEADER_LEN], int len)
{
	return stunnel_equal((stunnel_bytes){header, (size_t)len}, (stunnel_bytes){tls_header, HEADER_LEN});
}

static int start_tls(stunnel_side side)
{
	int code = stunnel_starttls(side);
	return code < 0 ? stunnel_refuse_code("starting TLS", code) : STUNNEL_OK;
}

static int join(void)
{
	int code = stunnel_connect();
	return code < 0 ? stunnel_refuse_code("connecting", code) : STUNNEL_OK;
}

/* Client mode: the server is asked for TLS. What the local client says goes to the relay: its
 * own header is for the server, within TLS. */
static int client(void)
{
	uint8_t header[HEADER_LEN];
	if (join() || send_header(STUNNEL_OUTGOING))
		return STUNNEL_FAILED;
	int n = read_header(STUNNEL_OUTGOING, header);
	if (n < 0)
		return stunnel_refuse_code("reading the server's header", n);
	/* A server without TLS answers with the header that it supports, and closes. */
	if (!is_tls(header, n))
		return refuse_header("server answered with", header, n);
	return start_tls(STUNNEL_OUTGOING);
}

/* Server mode: the client asks for TLS, or hears that there is nothing else (section 2.2: a
 * header that is not supported is answered with one that is, and the end of the connection). */
static int server(void)
{
	uint8_t header[HEADER_LEN];
	int n = read_header(STUNNEL_ACCEPTED, header);
	if (n < 0)
		return stunnel_refuse_code("reading the client's header", n);
	if (!is_tls(header, n)) {
		stunnel_write(STUNNEL_ACCEPTED, tls_header, HEADER_LEN); /* it may be gone: the refusal counts */
		return refuse_header("client sent", header, n);
	}
	if (send_header(STUNNEL_ACCEPTED) || start_tls(STUNNEL_ACCEPTED))
		return STUNNEL_FAILED;
	return join();
}

/* Called once for each connection, in an instance of its own; 0 hands over to the relay. */
STUNNEL_EXPORT(negotiate) int negotiate(void)
{
	return stunnel_is_client() ? client() : server();
}
