/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * vlan.h - taking tags off frames that come in, and putting them on those that leave; see heddle/vlan.h
 *
 * The kernel moves the outer tag of what it receives beside the packet, whatever the sender's offloads; only a test run finds one still in
 * the bytes. bpf_skb_vlan_pop() and _push() know both places, and move a second tag beside the packet or into it as the first one goes or
 * comes. A push beside the packet costs no copy.
 */
#pragma once

#include "heddle/vlan.h"

#include "lib/drop.h"
#include "lib/eth.h"

/* hd_trunks: by port id, see heddle/vlan.h. Writer: the daemon. Reader: packets from and to trunks with a list. An entry dies with its port. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HD_PORTS_DEFAULT);
	__type(key, __u32);
	__type(value, struct hd_trunk_value);
} hd_trunks SEC(".maps");

/*
 * What follows is asked in many places. These functions are global and take numbers only, so that the verifier looks at each once, and
 * not once for every way that leads there.
 */

/* A trunk has no own VLAN, and VLAN 0 for untagged frames. One with an own VLAN has that instead. */
static __always_inline bool trunk_carries(__u32 id, __u32 flags, __u32 own, __u32 vlan)
{
	const struct hd_trunk_value *trunk;

	if (!(flags & HD_PORT_TRUNK_LIST))
		return vlan ? vlan <= HD_VLAN_MAX : !own;
	trunk = bpf_map_lookup_elem(&hd_trunks, &id);
	return trunk && trunk->bits[(vlan >> 5) % HD_TRUNK_WORDS] >> (vlan & 31) & 1;
}

/* Whether port @id is in a VLAN. @flags, @own: of its entry */
static __always_inline bool carries(__u32 id, __u32 flags, __u32 own, __u32 vlan)
{
	if (!(flags & HD_PORT_VLAN))
		return !vlan;
	if (flags & HD_PORT_TRUNK)
		return trunk_carries(id, flags, own, vlan);
	return vlan && vlan == own;
}

__noinline int vlan_carries(__u32 id, __u32 flags, __u32 own, __u32 vlan)
{
	return carries(id, flags, own, vlan);
}

/** hd_vlan_carries - whether a port is in a VLAN of its network */
static __always_inline bool hd_vlan_carries(__u32 id, const struct hd_port_value *port, __u32 vlan)
{
	return vlan_carries(id, port->flags, port->vlan, vlan);
}

/* Whether frames of a VLAN leave by a port with a tag. One for VLAN 0 says nothing but a priority. */
static __always_inline bool is_tagged_at(__u32 flags, __u32 own, __u32 vlan, __u32 prio)
{
	if (flags & HD_PORT_LEG)
		return own || prio;
	if (!(flags & HD_PORT_TRUNK))
		return false;
	return vlan != own ? vlan : vlan ? flags & HD_PORT_NATIVE_TAGGED : prio;
}

/* The outer tag, beside the packet or in it. @ret_tpid: 0 = there is none. */
static __always_inline int vlan_read(struct hd_pkt *pkt, __u32 *ret_tci, __u32 *ret_tpid)
{
	const __be16 *tag;

	*ret_tci = ctx_tag(pkt->ctx) & 0xffff;
	*ret_tpid = ctx_tag(pkt->ctx) >> 16;
	if (*ret_tpid)
		return 0;
	tag = ctx_header(pkt->ctx, ETH_HLEN - 2, sizeof(*tag));
	if (!tag || !eth_is_tag(*tag))
		return 0; /* too short: hd_eth_parse() says so */
	tag = ctx_header(pkt->ctx, ETH_HLEN - 2, 3 * sizeof(*tag)); /* and the type behind it */
	if (!tag)
		return -HD_DROP_SHORT_FRAME;
	*ret_tpid = tag[0];
	*ret_tci = bpf_ntohs(tag[1]);
	return 0;
}

/* TCI, kind of the tag in the upper half. */
static __always_inline __u32 hd_vlan_tag(const struct hd_pkt *pkt)
{
	return pkt->vlan | pkt->prio | (__u32)pkt->tpid << 16;
}

/** hd_vlan_keep, hd_vlan_restore - what hd_vlan_in() found out, from one stage to the next: the tag is not there any more */
static __always_inline void hd_vlan_keep(struct hd_pkt *pkt)
{
	pkt->ip->tag = hd_vlan_tag(pkt);
}

static __always_inline void hd_vlan_restore(struct hd_pkt *pkt)
{
	__u32 kept = pkt->ip->tag;

	pkt->vlan = kept & HD_VLAN_MASK;
	pkt->prio = kept & 0xffff & ~HD_VLAN_MASK;
	pkt->tpid = kept >> 16;
}

/*
 * Whether a packet may leave by a port when one of the two knows about VLANs. @tagged: there is another tag beneath; it must not become the
 * outer one, by which it would get into that VLAN.
 */
__noinline int vlan_may_leave(__u32 id, __u32 flags, __u32 own, __u32 vlan, __u32 tagged)
{
	if (!carries(id, flags, own, vlan))
		return 0;
	return !tagged || !(flags & (HD_PORT_VLAN | HD_PORT_LEG)) || (flags & HD_PORT_QINQ) ||
	       is_tagged_at(flags, own, vlan, 0);
}

/** hd_vlan_may_leave - whether a packet may leave by a port, as far as VLANs are concerned */
static __always_inline bool hd_vlan_may_leave(const struct hd_pkt *pkt, __u32 id,
					      const struct hd_port_value *to)
{
	if (!((to->flags & (HD_PORT_VLAN | HD_PORT_LEG)) | pkt->vlan))
		return true;
	return vlan_may_leave(id, to->flags, to->vlan, pkt->vlan, pkt->tagged);
}

/* Puts a tag on if the port wants one. @tag: TCI, kind of the tag in the upper half. Return: 0 = none, 1 = it is on, -1 = no memory. */
__noinline int vlan_dress(hd_ctx *ctx, __u32 flags, __u32 own, __u32 tag)
{
	if (!is_tagged_at(flags, own, tag & HD_VLAN_MASK, tag & 0xffff & ~HD_VLAN_MASK))
		return 0;
	if (flags & HD_PORT_LEG) /* from the network's VLAN 0 to its physical tag */
		tag = (tag & 0xffff & ~HD_VLAN_MASK) | own;
	return ctx_vlan_push(ctx, (tag >> 16) ?: bpf_htons(ETH_P_8021Q), (__u16)tag) ? -1 : 1;
}

/**
 * hd_vlan_out - give a packet the form in which it leaves by a port
 * @to: hd_vlan_may_leave() has been asked
 *
 * Pointers into the packet are stale afterwards.
 * Return: 0 or -HD_DROP_NO_MEMORY.
 */
static __always_inline int hd_vlan_out(struct hd_pkt *pkt, const struct hd_port_value *to)
{
	if (!(to->flags & (HD_PORT_TRUNK | HD_PORT_LEG)))
		return 0;
	return vlan_dress(pkt->ctx, to->flags, to->vlan, hd_vlan_tag(pkt)) < 0 ? -HD_DROP_NO_MEMORY
									       : 0;
}
