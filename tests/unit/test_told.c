// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_told.c - which answers from the underlay are believed, and which are not */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "sync/told.h"

/* From 192.0.2.1 to 192.0.2.2, or from 2001:db8::1 to 2001:db8::2. */
static const uint8_t LOCAL4[] = { 192, 0, 2, 1 }, REMOTE4[] = { 192, 0, 2, 2 };
static const uint8_t LOCAL6[16] = { 0x20, 1, 0xd, 0xb8, [15] = 1 };
static const uint8_t REMOTE6[16] = { 0x20, 1, 0xd, 0xb8, [15] = 2 };

static const uint8_t VXLAN[] = { 0xc0, 0, 0x12, 0xb5, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 10, 0 };
static const uint8_t GENEVE[] = { 0xc0, 0, 0x17, 0xc1, 0, 0, 0, 0, 0, 0, 0x65, 0x58, 0, 0, 11, 0 };
static const uint8_t GRE[] = { 0, 0, 0x65, 0x58, 0, 0, 0, 0 };
static const uint8_t GRE_KEY[] = { 0x20, 0, 0x65, 0x58, 0, 0, 0, 12 };

struct answer {
	uint8_t data[200];
	size_t len;
};

static void put(struct answer *a, const void *data, size_t len)
{
	memcpy(a->data + a->len, data, len);
	a->len += len;
}

static void checksum(struct answer *a)
{
	uint32_t sum = 0;

	a->data[22] = a->data[23] = 0;
	for (size_t i = 20; i < a->len; i++)
		sum += i & 1 ? a->data[i] : (uint32_t)a->data[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	a->data[22] = (uint8_t) ~(sum >> 8);
	a->data[23] = (uint8_t)~sum;
}

#define QUOTE4 28

static struct answer ipv4(uint16_t mtu, uint8_t proto, const void *tunnel, size_t len)
{
	uint8_t ip[20] = { 0x45, 0, 0, 0, 0, 0, 0, 0, 64, IPPROTO_ICMP };
	uint8_t icmp[8] = { 3, 4, 0, 0, 0, 0, (uint8_t)(mtu >> 8), (uint8_t)mtu };
	uint8_t quote[12] = { 0x45, 0, 5, 0xdc, 0, 0, 0x40, 0, 64, proto };
	struct answer a = { .len = 0 };

	put(&a, ip, sizeof(ip));
	put(&a, icmp, sizeof(icmp));
	put(&a, quote, sizeof(quote));
	put(&a, LOCAL4, 4);
	put(&a, REMOTE4, 4);
	put(&a, tunnel, len);
	checksum(&a);
	return a;
}

static struct answer ipv6(uint32_t mtu, uint8_t proto, const void *tunnel, size_t len)
{
	uint32_t icmp[2] = { htonl(2U << 24), htonl(mtu) };
	uint8_t quote[8] = { 0x60, 0, 0, 0, 5, 0xb4, proto, 64 };
	struct answer a = { .len = 0 };

	put(&a, icmp, sizeof(icmp));
	put(&a, quote, sizeof(quote));
	put(&a, LOCAL6, 16);
	put(&a, REMOTE6, 16);
	put(&a, tunnel, len);
	return a;
}

/* In a buffer of exactly that size, so that a sanitizer sees each byte too many. */
static bool parse(const struct answer *a, bool is_v4, struct hd_told *ret)
{
	_free_ uint8_t *data = malloc(a->len ? a->len : 1);

	assert_non_null(data);
	memcpy(data, a->data, a->len);
	return hd_told_parse(data, a->len, is_v4, ret);
}

static struct hd_model *networks(void)
{
	static const struct {
		const char *name, *spec;
	} all[] = { { "local", "{\"type\": \"local\"}" },
		    { "vxlan", "{\"type\": \"vxlan\", \"id\": 10}" },
		    { "geneve", "{\"type\": \"geneve\", \"id\": 11}" },
		    { "plain", "{\"type\": \"gre\"}" },
		    { "key", "{\"type\": \"gre\", \"id\": 12}" } };
	struct hd_model *model = hd_model_new();

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		_json_ json_t *spec = json_loads(all[i].spec, 0, NULL), *canonical = NULL;
		struct hd_object *network = NULL;
		struct hd_error err = { 0 };

		assert_int_equal(hd_spec_canonical(&hd_nouns[HD_NOUN_NETWORK], all[i].name, spec,
						   false, &canonical, &err),
				 0);
		assert_int_equal(hd_object_new(&hd_nouns[HD_NOUN_NETWORK], all[i].name, 0,
					       canonical, &network, &err),
				 0);
		assert_int_equal(hd_model_put(model, network), 0);
		hd_object_unref(network);
	}
	return model;
}

/* Answers to what we send are understood, and say what they should. */
static void ours(void **state)
{
	static const struct {
		uint8_t proto;
		const uint8_t *tunnel;
		size_t len;
		enum hd_tunnel_type type;
		uint32_t id;
		uint16_t port;
	} all[] = {
		{ IPPROTO_UDP, VXLAN, sizeof(VXLAN), HD_TUNNEL_VXLAN, 10, 4789 },
		{ IPPROTO_UDP, GENEVE, sizeof(GENEVE), HD_TUNNEL_GENEVE, 11, 6081 },
		{ IPPROTO_UDP, VXLAN, 8, HD_TUNNEL_NONE, 0, 4789 },
		{ IPPROTO_GRE, GRE, sizeof(GRE), HD_TUNNEL_GRE, 0, 0 },
		{ IPPROTO_GRE, GRE_KEY, sizeof(GRE_KEY), HD_TUNNEL_GRE_KEY, 12, 0 },
	};
	struct hd_model *model = networks();

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (int v6 = 0; v6 < 2; v6++) {
			struct answer a = v6 ? ipv6(1400, all[i].proto, all[i].tunnel, all[i].len)
					     : ipv4(1400, all[i].proto, all[i].tunnel, all[i].len);
			struct hd_told told = { 0 };

			assert_true(parse(&a, !v6, &told));
			assert_int_equal(told.mtu, 1400);
			assert_int_equal(told.type, all[i].type);
			assert_int_equal(told.id, all[i].id);
			assert_int_equal(told.port, all[i].port);
			assert_memory_equal(told.local + (v6 ? 0 : 12), v6 ? LOCAL6 : LOCAL4,
					    v6 ? 16 : 4);
			assert_memory_equal(told.remote + (v6 ? 0 : 12), v6 ? REMOTE6 : REMOTE4,
					    v6 ? 16 : 4);
			assert_true(hd_told_is_ours(&told, model));
			told.id += 1;
			assert_int_equal(hd_told_is_ours(&told, model),
					 all[i].type == HD_TUNNEL_NONE);
			told.port += 1;
			assert_false(hd_told_is_ours(&told, model));
		}
	hd_model_free(model);
}

/* However little they say: IPv6 inside needs 1280 bytes. */
static void smallest(void **state)
{
	struct answer a = ipv4(0, IPPROTO_GRE, GRE, sizeof(GRE));
	struct hd_told told;

	(void)state;
	assert_true(parse(&a, true, &told));
	assert_int_equal(told.mtu, HD_TOLD_MIN_IPV4);
	a = ipv6(68, IPPROTO_GRE, GRE, sizeof(GRE));
	assert_true(parse(&a, false, &told));
	assert_int_equal(told.mtu, HD_TOLD_MIN_IPV6);
}

static void refused4(uint32_t at, uint8_t value, bool sum)
{
	struct answer a = ipv4(1400, IPPROTO_UDP, VXLAN, sizeof(VXLAN));
	struct hd_told told;

	a.data[at] = value;
	if (sum)
		checksum(&a);
	assert_false(parse(&a, true, &told));
}

/* What we can't have sent, and what no router says. */
static void refused(void **state)
{
	struct answer a = ipv4(1400, IPPROTO_UDP, VXLAN, sizeof(VXLAN));
	struct hd_told told;

	(void)state;
	refused4(22, a.data[22] ^ 1, false); /* checksum */
	refused4(20, 11, true);		     /* time exceeded */
	refused4(21, 3, true);		     /* port unreachable */
	refused4(QUOTE4, 0x46, true);	     /* options */
	refused4(QUOTE4 + 6, 0, true);	     /* might have been cut */
	refused4(QUOTE4 + 6, 0x60, true);    /* a piece */
	refused4(QUOTE4 + 7, 1, true);	     /* a later piece */
	refused4(QUOTE4 + 9, IPPROTO_TCP, true);
	refused4(QUOTE4 + 20, 0x10, true); /* source port */
	refused4(QUOTE4 + 28, 0x18, true); /* VXLAN with other flags */
	a = ipv4(1400, IPPROTO_GRE, GRE, sizeof(GRE));
	a.data[QUOTE4 + 20] = 0x80; /* GRE with a checksum */
	checksum(&a);
	assert_false(parse(&a, true, &told));
	a = ipv6(1400, IPPROTO_UDP, VXLAN, sizeof(VXLAN));
	a.data[0] = 3;
	assert_false(parse(&a, false, &told));
	a = ipv6(1400, IPPROTO_FRAGMENT, VXLAN, sizeof(VXLAN));
	assert_false(parse(&a, false, &told));
}

/* Cut anywhere, with a right checksum: nothing behind its end is looked at. */
static void cut(void **state)
{
	for (int v6 = 0; v6 < 2; v6++)
		for (size_t len = 0; len < 64; len++) {
			struct answer a = v6 ? ipv6(1400, IPPROTO_UDP, VXLAN, sizeof(VXLAN))
					     : ipv4(1400, IPPROTO_UDP, VXLAN, sizeof(VXLAN));
			struct hd_told told;

			a.len = a.len < len ? a.len : len;
			if (!v6 && len >= 24)
				checksum(&a);
			assert_int_equal(parse(&a, !v6, &told), len >= 56);
		}
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ours),
		cmocka_unit_test(smallest),
		cmocka_unit_test(refused),
		cmocka_unit_test(cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
