/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fip6.h - floating IPs of IPv6: whose they are, and putting the other address into a packet; when that is done says nat.h
 *
 * All functions take numbers, and find the packet's header, and leave what they find, in the scratch.
 */
#pragma once

#include "heddle/abi.h"
#include "heddle/nat.h"

#include "lib/ip.h"
#include "lib/peer.h"

/* hd_fips6: floating IPs of IPv6, two entries for each. Writer: the daemon. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HD_FIPS_DEFAULT);
	__type(key, struct hd_fip6_key);
	__type(value, struct hd_fip6_value);
} hd_fips6 SEC(".maps");

/**
 * hd_fip6_find - the other address of the packet's destination, or with @source of its source
 * @zone, @dir: as in the key
 *
 * HD_NAT_IN: it is left in @nat_to_addr, HD_NAT_OUT: in @nat_src_addr. Return: port id of its router, 0 if it is no floating IP, or has none.
 */
__noinline __u32 hd_fip6_find(__u32 zone, __u32 dir, __u32 source)
{
	struct hd_fip6_key key = { .zone = zone, .dir = dir };
	const struct hd_fip6_value *fip;
	struct hd_ip *ip = hd_ip_entering();

	if (!ip)
		return 0;
	hd_memcpy(key.addr, source ? ip->saddr : ip->daddr, 16);
	fip = bpf_map_lookup_elem(&hd_fips6, &key);
	if (!fip)
		return 0;
	hd_memcpy(dir == HD_NAT_IN ? ip->nat_to_addr : ip->nat_src_addr, fip->addr, 16);
	return fip->router;
}

/** hd_fip6_is_quoted - whether an ICMP error goes to who has sent what it quotes */
__noinline int hd_fip6_is_quoted(hd_ctx *ctx)
{
	struct hd_ip *ip = hd_ip_entering();
	struct ipv6hdr *quoted;

	if (!ip)
		return 0;
	quoted = ctx_header(ctx, ip->l4_off + 8, sizeof(*quoted));
	return quoted && quoted->version == 6 &&
	       addr_equal(quoted->saddr.in6_u.u6_addr32, ip->daddr);
}

/* What hd_fip6_write() is asked for. */
enum {
	FIP6_SRC = 1 << 0,    /* @nat_src_addr is to be written; else @nat_to_addr */
	FIP6_QUOTED = 1 << 1, /* into what an ICMP error quotes */
	FIP6_UDP =
		1
		<< 2, /* the checksum is UDP's: none is zero, and never becomes that (RFC 8200 section 8.1) */
};

/**
 * hd_fip6_write - one address of an IPv6 packet, with the checksum that covers it
 * @off:  where it is
 * @csum: where that is, 0 = there is none
 * @what: FIP6_*
 *
 * There is no checksum of the header, so what the kernel has summed up over the packet changes with the address, and back with a checksum of
 * the pseudo-header (RFC 8200 section 8.1).
 */
__noinline int hd_fip6_write(hd_ctx *ctx, __u32 off, __u32 csum, __u32 what)
{
	struct hd_ip *ip = hd_ip_entering();
	__u64 flags = what & FIP6_QUOTED ? 0 : BPF_F_PSEUDO_HDR;
	__be32 *to;

	if (!ip || ctx_load(ctx, off, ip->nat_old_addr, 16))
		return -1;
	to = what & FIP6_SRC ? ip->nat_src_addr : ip->nat_to_addr;
	if (what & FIP6_UDP)
		flags |= BPF_F_MARK_MANGLED_0;
	if (csum &&
	    ctx_replace_l4_by(ctx, csum, bpf_csum_diff(ip->nat_old_addr, 16, to, 16, 0), flags))
		return -1;
	return what & FIP6_QUOTED ? ctx_put(ctx, off, to, 16) : ctx_store(ctx, off, to, 16);
}
