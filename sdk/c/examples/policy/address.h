/* Addresses and prefixes as text: 192.0.2.7, 2001:db8::1, 192.0.2.0/24. An address of
 * IPv4 is kept as ::ffff:192.0.2.7 (RFC 4291 section 2.5.5.2), so that a client is the
 * same on a socket of either family. */
#include "stunnel.h"

typedef struct {
	uint8_t b[16];
} address;

/* parse_v4 reads four decimal numbers. One with a zero in front is refused: some read it
 * as octal. */
static bool parse_v4(stunnel_bytes s, uint8_t out[4])
{
	for (int i = 0; i < 4; i++) {
		bool last = i == 3;
		stunnel_bytes rest = s, part = stunnel_cut(&rest, '.');
		int32_t n = stunnel_decimal(part);
		if (n < 0 || n > 255 || (part.len > 1 && part.ptr[0] == '0') || last != (part.len == s.len))
			return false;
		out[i] = (uint8_t)n;
		s = rest;
	}
	return true;
}

/* parse_group reads one to four hexadecimal digits; -1: they are none. */
static int32_t parse_group(stunnel_bytes s)
{
	int32_t n = 0;
	if (s.len == 0 || s.len > 4)
		return -1;
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = stunnel_lower(s.ptr[i]);
		if (c >= '0' && c <= '9')
			n = n * 16 + (c - '0');
		else if (c >= 'a' && c <= 'f')
			n = n * 16 + (c - 'a' + 10);
		else
			return -1;
	}
	return n;
}

/* parse_v6 reads groups, "::" once, and an address of IPv4 in place of the last two. */
static bool parse_v6(stunnel_bytes s, uint8_t out[16])
{
	size_t n = 0, gap = 16; /* bytes read, and where "::" stands; 16: nowhere */
	if (s.len >= 2 && s.ptr[0] == ':' && s.ptr[1] == ':') {
		gap = 0;
		s.ptr += 2;
		s.len -= 2;
	}
	while (s.len) {
		stunnel_bytes rest = s, part = stunnel_cut(&rest, ':');
		bool last = part.len == s.len;
		int32_t group = parse_group(part);
		if (last && n <= 12 && parse_v4(part, out + n)) {
			n += 4;
			break;
		}
		if (group < 0 || n > 14)
			return false;
		out[n++] = (uint8_t)(group >> 8);
		out[n++] = (uint8_t)group;
		if (last)
			break;
		s = rest;
		if (s.len == 0)
			return false; /* it ends in a colon */
		if (s.ptr[0] == ':') {
			if (gap != 16)
				return false;
			gap = n;
			s.ptr++;
			s.len--;
		}
	}
	if (gap == 16 || n == 16)
		return gap == 16 && n == 16;
	for (size_t i = n; i-- > gap;) /* what stands behind the gap goes to the end */
		out[16 - n + i] = out[i];
	for (size_t i = gap; i < gap + 16 - n; i++)
		out[i] = 0;
	return true;
}

static bool parse_address(stunnel_bytes s, address *a)
{
	for (int i = 0; i < 16; i++)
		a->b[i] = i == 10 || i == 11 ? 0xff : 0;
	return parse_v4(s, a->b + 12) || parse_v6(s, a->b);
}

/* parse_prefix reads an address, with / and a length or without. */
static bool parse_prefix(stunnel_bytes s, address *a, int32_t *bits)
{
	stunnel_bytes rest = s, head = stunnel_cut(&rest, '/');
	uint8_t v4[4];
	int32_t width = parse_v4(head, v4) ? 32 : 128;
	if (!parse_address(head, a))
		return false;
	*bits = head.len == s.len ? width : stunnel_decimal(rest);
	if (*bits < 0 || *bits > width)
		return false;
	*bits += 128 - width;
	return true;
}

static bool within(const address *a, const address *prefix, int32_t bits)
{
	for (int32_t i = 0; i < bits; i++)
		if ((a->b[i / 8] ^ prefix->b[i / 8]) & 0x80 >> i % 8)
			return false;
	return true;
}
