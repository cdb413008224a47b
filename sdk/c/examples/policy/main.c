/* policy = policy: allows clients whose address guestOption allow names. */
#include "stunnel.h"
#include "address.h"

STUNNEL_MANIFEST("manifest.txt");

enum {
	ALLOW_MAX = 2048, /* longest list in bytes: some fifty prefixes */
	ADDR_MAX = 64,    /* longest address with its port: IPv6 has 45 bytes, a port 6 */
};

static int deny(stunnel_bytes addr, const char *how)
{
	stunnel_refusal r;
	stunnel_because(&r, STUNNEL_BY_POLICY, "client ");
	stunnel_quote(&r, addr);
	stunnel_say(&r, how);
	return stunnel_refuse(&r);
}

/* allowed gives the lines of guestOption allow. */
static int allowed(uint8_t room[ALLOW_MAX], stunnel_bytes *lines)
{
	int code = stunnel_option("option.allow", room, ALLOW_MAX, lines);
	if (code == 0)
		return STUNNEL_OK;
	stunnel_refusal r;
	stunnel_because(&r, STUNNEL_BY_CONFIG, "guestOption allow: ");
	stunnel_say(&r, code == STUNNEL_NONE ? "there is none, so that nobody would be allowed" : stunnel_words(code));
	return stunnel_refuse(&r);
}

/* Called when a client was accepted, after the handshake and before a dial. 0 allows. */
STUNNEL_EXPORT(decide) int decide(void)
{
	uint8_t room[ALLOW_MAX], stage_room[16], addr_room[ADDR_MAX];
	stunnel_bytes lines, stage, addr = {0};
	address client, prefix;
	int32_t bits;
	/* The address is known when the client is accepted, and does not change. */
	if (stunnel_fact_of(STUNNEL_INFO_STAGE, stage_room, sizeof stage_room, &stage) == 0 &&
	    (stunnel_equal(stage, STUNNEL_STR("handshake")) || stunnel_equal(stage, STUNNEL_STR("dial"))))
		return STUNNEL_OK;
	if (allowed(room, &lines))
		return STUNNEL_FAILED;
	int code = stunnel_fact_of(STUNNEL_INFO_PEER_ADDR, addr_room, sizeof addr_room, &addr);
	if (code < 0)
		return stunnel_refuse_code("reading the client's address", code);
	while (addr.len && addr.ptr[addr.len - 1] != ':') /* its port */
		addr.len--;
	if (addr.len)
		addr.len--;
	if (!parse_address(addr, &client))
		return deny(addr, " has no address");
	while (lines.len)
		if (parse_prefix(stunnel_cut(&lines, '\n'), &prefix, &bits) && within(&client, &prefix, bits))
			return STUNNEL_OK;
	return deny(addr, " is in no guestOption allow");
}

/* Called once when the configuration is read: a refusal here refuses the configuration. */
STUNNEL_EXPORT(configure) int configure(void)
{
	uint8_t room[ALLOW_MAX];
	stunnel_bytes lines;
	address prefix;
	int32_t bits;
	if (allowed(room, &lines))
		return STUNNEL_FAILED;
	while (lines.len) {
		stunnel_bytes line = stunnel_cut(&lines, '\n');
		if (parse_prefix(line, &prefix, &bits))
			continue;
		stunnel_refusal r;
		stunnel_because(&r, STUNNEL_BY_CONFIG, "guestOption allow: ");
		stunnel_quote(&r, line);
		stunnel_say(&r, " is no address and no CIDR");
		return stunnel_refuse(&r);
	}
	return STUNNEL_OK;
}
