// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* addr.c - text and bits of addresses */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/model.h"

static const uint8_t v4_mapped[12] = { [10] = 0xff, [11] = 0xff };

static int parse_address(const char *text, struct hd_ip *ret)
{
	if (inet_pton(AF_INET, text, ret->bytes + 12) == 1) {
		memcpy(ret->bytes, v4_mapped, sizeof(v4_mapped));
		ret->is_v4 = true;
		return 0;
	}
	if (inet_pton(AF_INET6, text, ret->bytes) != 1)
		return -EINVAL;
	/* One address in two spellings would be two entries of which one is found. */
	return memcmp(ret->bytes, v4_mapped, sizeof(v4_mapped)) ? 0 : -EINVAL;
}

struct hd_ip hd_ip_of_bytes(const void *bytes)
{
	struct hd_ip ip = { .prefix = HD_PREFIX_NONE };

	memcpy(ip.bytes, bytes, sizeof(ip.bytes));
	ip.is_v4 = !memcmp(bytes, v4_mapped, sizeof(v4_mapped));
	return ip;
}

int hd_ip_parse(const char *text, struct hd_ip *ret)
{
	struct hd_ip ip = { .prefix = HD_PREFIX_NONE };
	const char *slash = strchr(text, '/');
	char address[64];
	char *end;
	long len;
	int r;

	(void)snprintf(address, sizeof(address), "%.*s",
		       slash ? (int)(slash - text) : (int)sizeof(address) - 1, text);
	r = parse_address(address, &ip);
	if (r < 0)
		return r;
	if (slash) {
		len = strtol(slash + 1, &end, 10);
		if (end == slash + 1 || *end || len < 0 || len > (ip.is_v4 ? 32 : 128))
			return -EINVAL;
		ip.prefix = (uint8_t)len;
	}
	*ret = ip;
	return 0;
}

void hd_ip_format(const struct hd_ip *ip, char text[64])
{
	if (!inet_ntop(ip->is_v4 ? AF_INET : AF_INET6, ip->is_v4 ? ip->bytes + 12 : ip->bytes, text,
		       64))
		text[0] = '\0';
}

bool hd_ip_in(const struct hd_ip *ip, const struct hd_ip *cidr)
{
	unsigned int bits = cidr->prefix + (cidr->is_v4 ? 96 : 0);
	unsigned int whole = bits / 8, rest = bits % 8;
	uint8_t mask = (uint8_t)(0xff00 >> rest);

	if (ip->is_v4 != cidr->is_v4 || cidr->prefix == HD_PREFIX_NONE)
		return false;
	if (memcmp(ip->bytes, cidr->bytes, whole))
		return false;
	return !rest || !((ip->bytes[whole] ^ cidr->bytes[whole]) & mask);
}

bool hd_ip_same(const struct hd_ip *a, const struct hd_ip *b)
{
	return a->is_v4 == b->is_v4 && !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool hd_ip_overlaps(const struct hd_ip *a, const struct hd_ip *b)
{
	return hd_ip_in(a, b) || hd_ip_in(b, a);
}

/* The bits behind the prefix: all of them 0, or all of them 1. */
static bool host_bits(const struct hd_ip *ip, unsigned int prefix, bool set)
{
	for (unsigned int bit = prefix + (ip->is_v4 ? 96 : 0); bit < 128; bit++)
		if ((ip->bytes[bit / 8] >> (7 - bit % 8) & 1) != set)
			return false;
	return true;
}

/* A /31 or /32 (RFC 3021) has hosts only, so have /127 (RFC 6164) and /128; the first of other IPv6 subnets is anycast (RFC 4291 2.6.1). */
bool hd_ip_is_host(const struct hd_ip *ip, const struct hd_ip *cidr)
{
	if (cidr->prefix >= (cidr->is_v4 ? 31 : 127))
		return true;
	return !host_bits(ip, cidr->prefix, false) &&
	       !(ip->is_v4 && host_bits(ip, cidr->prefix, true));
}

const char *hd_ip_unrouted(const struct hd_ip *cidr)
{
	static const struct {
		const char *cidr, *what;
	} kinds[] = {
		{ "127.0.0.0/8", "loopback" },	{ "169.254.0.0/16", "link-local" },
		{ "224.0.0.0/4", "multicast" }, { "::1/128", "loopback" },
		{ "fe80::/10", "link-local" },	{ "ff00::/8", "multicast" },
	};
	struct hd_ip kind;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (hd_ip_parse(kinds[i].cidr, &kind) == 0 && hd_ip_in(cidr, &kind))
			return kinds[i].what;
	return NULL;
}

int hd_mac_parse(const char *text, uint8_t ret[6])
{
	unsigned int b[6];
	int used = 0;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5],
		   &used) != 6 ||
	    text[used])
		return -EINVAL;
	for (int i = 0; i < 6; i++)
		ret[i] = (uint8_t)b[i];
	return 0;
}

void hd_mac_format(const uint8_t mac[6], char text[18])
{
	(void)snprintf(text, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		       mac[4], mac[5]);
}
