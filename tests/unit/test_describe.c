// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_describe.c - what a packet is told as is what makes the same packet again */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "api/describe.h"
#include "api/packet.h"

#define FRAME_MAX 2048
#define NEXT_HEADER (14 + 6) /* of IPv6 */

static size_t build(const char *text, uint8_t frame[FRAME_MAX])
{
	struct hd_packet packet;
	struct hd_error err;
	int len;

	assert_int_equal(hd_packet_parse(text, &packet, &err), 0);
	memset(packet.src_mac, 2, 6);
	memset(packet.dst_mac, 4, 6);
	memset(frame, 0, FRAME_MAX);
	len = hd_packet_build(&packet, frame, FRAME_MAX);
	assert_true(len > 0);
	return (size_t)len;
}

static void there_and_back(void **state)
{
	static const char *const texts[] = {
		"tcp 192.0.2.1:4000 > 192.0.2.2:80 syn",
		"tcp 192.0.2.1:4000 > 192.0.2.2:80 syn ack",
		"tcp [2001:db8::1]:4000 > [2001:db8::2]:80 fin psh ack",
		"udp 192.0.2.1:53 > 192.0.2.2:65535",
		"udp [2001:db8::1]:1 > [2001:db8::2]:2",
		"sctp 192.0.2.1:5 > 192.0.2.2:9",
		"icmp 192.0.2.1 > 192.0.2.2 type 8 code 0 id 7",
		"icmpv6 2001:db8::1 > 2001:db8::2 type 128 code 0 id 65535",
		"icmp 192.0.2.1 > 192.0.2.2 type 3 code 4",
		"gre 192.0.2.1 > 192.0.2.2",
		"99 192.0.2.1 > 192.0.2.2",
		"udp 192.0.2.1 > 192.0.2.2 frag 1480",
		"udp 2001:db8::1 > 2001:db8::2 frag 1440+",
		"arp who-has 192.0.2.2 tell 192.0.2.1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		uint8_t frame[FRAME_MAX];
		char text[HD_DESCRIBE_MAX];
		size_t len = build(texts[i], frame);

		hd_packet_describe(frame, len, text);
		assert_string_equal(text, texts[i]);
	}
}

/* Whatever the bytes are, the text ends and no byte behind them is read (the sanitizer tells). */
static void garbage(void **state)
{
	static const uint16_t types[] = { 0x0800, 0x86dd, 0x0806, 0x88cc };
	unsigned int seed = 1;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		uint8_t frame[HD_LIVE_BYTES];
		char text[HD_DESCRIBE_MAX];

		for (size_t k = 0; k < sizeof(frame); k++)
			frame[k] = (uint8_t)rand_r(&seed);
		frame[12] = (uint8_t)(types[i % 4] >> 8);
		frame[13] = (uint8_t)types[i % 4];
		if (i % 3)
			frame[NEXT_HEADER] = i % 2 ? 0 : 44; /* a chain of headers */
		hd_packet_describe(frame, (size_t)(i % 200), text);
		assert_true(strlen(text) < sizeof(text));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
