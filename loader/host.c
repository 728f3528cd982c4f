// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* host.c - what tells this host, and this instance on it, from others */
#include "host.h"

#include <string.h>
#include <systemd/sd-id128.h>
#include <unistd.h>

#include "hash.h"
#include "heddle/router.h"

/* The byte in between keeps "ab", "c" from "a", "bc". */
static uint64_t hash(uint64_t h, const void *data, size_t len)
{
	return hd_hash64(hd_hash64(h, data, len), "", 1);
}

void hd_host_mac(const char *instance, const char *router, uint8_t ret[6])
{
	uint64_t h = HD_HASH64_START;
	char name[256] = "";
	sd_id128_t id;

	if (sd_id128_get_machine(&id) >= 0)
		h = hash(h, id.bytes, sizeof(id.bytes));
	else if (gethostname(name, sizeof(name) - 1) == 0)
		h = hash(h, name, strlen(name));
	h = hash(h, instance, strlen(instance));
	h = hash(h, router, strlen(router));
	ret[0] = HD_ROUTER_MAC_0;
	ret[1] = HD_ROUTER_MAC_1;
	ret[2] = HD_ROUTER_MAC_2 | 1;
	ret[3] = (uint8_t)(h >> 16);
	ret[4] = (uint8_t)(h >> 32);
	ret[5] = (uint8_t)(h >> 48);
}
