/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* vlan_in.h - to which VLAN of its network a frame belongs that comes in by a port */
#pragma once

#include "lib/port.h"
#include "lib/vlan.h"

/* The VLAN that a tag says, or for want of one the port. */
static __always_inline int vlan_classify(struct hd_pkt *pkt, __u32 tci, __u32 tpid)
{
	__u32 vid = tpid ? tci & HD_VLAN_MASK : HD_VLAN_NONE;

	if (tpid) {
		pkt->prio = tci & ~HD_VLAN_MASK;
		pkt->tpid = tpid;
	}
	if (vid && !(pkt->from->flags & HD_PORT_TRUNK))
		return -HD_DROP_VLAN_TAGGED;
	if (!vid && pkt->vlan)
		return 0; /* what has an own VLAN carries it */
	if (vid)
		pkt->vlan = vid;
	return hd_vlan_carries(pkt->port, pkt->from, pkt->vlan) ? 0 : -HD_DROP_VLAN;
}

/**
 * hd_vlan_in - find out to which VLAN a frame belongs that comes in by a port with a VLAN mode, and take the tag off
 * @pkt: hd_port_identify() has been called; gets @vlan, @prio, @tpid. Pointers into the packet are stale afterwards.
 *
 * Return: 0, -HD_DROP_VLAN_TAGGED, -HD_DROP_VLAN, -HD_DROP_SHORT_FRAME, -HD_DROP_NO_MEMORY.
 */
static __noinline int hd_vlan_in(struct hd_pkt *pkt)
{
	__u32 tci, tpid;
	int r;

	if (!pkt || !pkt->ctx || !pkt->from)
		return -HD_DROP_NO_PORT;
	if (pkt->from->flags & HD_PORT_QINQ) { /* it gets the provider's tag, IEEE 802.1ad */
		pkt->tpid = bpf_htons(ETH_P_8021AD);
		return hd_vlan_carries(pkt->port, pkt->from, pkt->vlan) ? 0 : -HD_DROP_VLAN;
	}
	r = vlan_read(pkt, &tci, &tpid);
	if (r == 0)
		r = vlan_classify(pkt, tci, tpid);
	if (r < 0)
		return r;
	hd_trace(pkt, HD_TRACE_VLAN, pkt->vlan, !!tpid);
	return tpid && ctx_vlan_pop(pkt->ctx) ? -HD_DROP_NO_MEMORY : 0;
}
