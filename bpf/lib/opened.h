/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* opened.h - packets that XDP has taken out of a tunnel, seen from TC; see heddle/opened.h */
#pragma once

#include "heddle/opened.h"

#include "lib/pkt.h"

/**
 * hd_opened_read - whether XDP has opened the packet; then its peer and network are noted for the stages
 *
 * Only a note that is all of the metadata is ours.
 */
static __always_inline bool hd_opened_read(struct __sk_buff *ctx)
{
	const struct hd_opened *opened = (void *)(unsigned long)ctx->data_meta;
	const void *data = ctx_data(ctx);
	struct hd_ip *ip;
	__u32 slot = 0;

	if ((const void *)(opened + 1) > data || (const void *)(opened + 1) + 1 <= data ||
	    opened->magic != HD_OPENED_MAGIC)
		return false;
	ip = bpf_map_lookup_elem(&hd_scratch, &slot);
	if (ip)
		hd_ip_enter(ip, opened->port, opened->network);
	return true;
}

/**
 * hd_opened_forget - nobody who gets the packet later may take the note for his own
 *
 * It stays with a packet that goes on to another device, even into another namespace, where there may be another heddle.
 */
static __always_inline void hd_opened_forget(struct __sk_buff *ctx)
{
	struct hd_opened *opened = (void *)(unsigned long)ctx->data_meta;

	if ((void *)(opened + 1) <= ctx_data(ctx))
		opened->magic = 0;
}
