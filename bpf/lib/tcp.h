/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tcp.h - the life of a TCP connection, as one in the middle can see it (RFC 9293, RFC 5382, RFC 5961)
 *
 *            SYN               SYN,ACK / SYN          ACK of both            FIN               FIN
 *   (none) ───────▶ new ──────────────▶ half-open ───────────▶ established ───────▶ closing ───────▶ closed
 *                                                                   └──────── RST in the window ────────▶┘
 *
 * A connection is known from its SYN on, or not at all: a packet in the middle of one that heddle has not seen begin is dropped. FIN and RST count only
 * if the receiver can take them: their sequence number lies in the window that it has announced; others pass (the receiver
 * answers them with a challenge) and change nothing. A SYN on a closed or closing connection begins another.
 */
#pragma once

#include "lib/flow.h"

#define TCPOPT_END 0
#define TCPOPT_NOP 1
#define TCPOPT_WSCALE 3
#define TCP_OPTIONS_MAX 40 /* bytes that there are for them */

enum tcp_verdict {
	TCP_KEEP,  /* the packet belongs to the connection */
	TCP_BEGIN, /* it begins another one in the place of this */
};

struct tcp_seen {
	__u32 seq;
	__u32 end; /* seq plus payload: where a FIN is */
	__u32 ack;
};

static __always_inline int tcp_read(const struct hd_pkt *pkt, struct tcp_seen *seen)
{
	const struct tcphdr *tcp = ctx_header(pkt->ctx, pkt->ip->l4_off, sizeof(*tcp));

	if (!tcp)
		return -HD_DROP_L4_MALFORMED;
	seen->seq = bpf_ntohl(tcp->seq);
	seen->ack = bpf_ntohl(tcp->ack_seq);
	seen->end = seen->seq + (pkt->ip->end - pkt->ip->l4_off - tcp->doff * 4);
	return 0;
}

/* A walk along the options of a SYN. @scale: -1 until it is found. */
struct tcp_walk {
	const struct hd_pkt *pkt;
	__u32 off;
	__u32 end;
	int scale;
};

static long tcp_option(__u32 i, void *arg)
{
	struct tcp_walk *walk = arg;
	const __u8 *opt = ctx_header(walk->pkt->ctx, walk->off, 3);

	if (!opt || walk->off + 3 > walk->end || opt[0] == TCPOPT_END)
		return 1;
	if (opt[0] == TCPOPT_WSCALE) {
		walk->scale = opt[2] < 14 ? opt[2] : 14;
		return 1;
	}
	if (opt[0] != TCPOPT_NOP && opt[1] < 2)
		return 1;
	walk->off += opt[0] == TCPOPT_NOP ? 1 : opt[1];
	return 0;
}

/* The window scale of a SYN, -1 if it has none. */
static __always_inline int tcp_scale(const struct hd_pkt *pkt)
{
	const struct tcphdr *tcp = ctx_header(pkt->ctx, pkt->ip->l4_off, sizeof(*tcp));
	struct tcp_walk walk = { .pkt = pkt, .off = pkt->ip->l4_off + sizeof(*tcp), .scale = -1 };

	if (!tcp)
		return -1;
	walk.end = pkt->ip->l4_off + tcp->doff * 4;

	bpf_loop(TCP_OPTIONS_MAX, tcp_option, &walk, 0);
	return walk.scale;
}

/** hd_tcp_syn - note what a SYN says: from where the sender will count, and its window scale */
static __always_inline void hd_tcp_syn(const struct hd_pkt *pkt, struct hd_flow_value *flow,
				       __u32 side)
{
	struct hd_flow_tcp *other = &flow->tcp[!side];
	struct tcp_seen seen;
	int scale;

	if (tcp_read(pkt, &seen) < 0)
		return;
	flow->seen_flags |= HD_FLOW_SYN << side;
	if (!(flow->seen_flags & HD_FLOW_ACK << !side)) {
		other->ack = seen.seq + 1; /* what the other side will expect next */
		other->window = 65535;
	}
	scale = tcp_scale(pkt);
	if (scale < 0)
		return;
	flow->seen_flags |= HD_FLOW_SCALE << side;
	flow->scale = side ? (flow->scale & 0x0f) | scale << 4 : (flow->scale & 0xf0) | scale;
}

/* Whether the receiver would take what the segment ends: it begins before the window's edge and reaches what is expected. */
static __always_inline bool tcp_fits(const struct hd_flow_value *flow, __u32 side,
				     const struct tcp_seen *seen)
{
	return (__s32)(seen->end - flow->tcp[!side].ack) >= 0 &&
	       (__s32)(seen->seq - hd_flow_edge(flow, !side)) <= 0;
}

/*
 * RFC 5961: a RST counts at once if it is exactly what is expected next; elsewhere in the window it may be, if what came before it was lost, or
 * may be forged: the connection is put on a short timeout, and goes on if its receiver does. The answer to a SYN that nobody wants carries
 * its acknowledgement instead of a sequence number (RFC 9293 section 3.10.7.1).
 */
static __always_inline void tcp_reset(const struct hd_pkt *pkt, struct hd_flow_value *flow,
				      __u32 side, const struct tcp_seen *seen)
{
	__u32 expected = flow->tcp[!side].ack;

	if (!(flow->seen_flags & HD_FLOW_SYN << side)) {
		if ((pkt->ip->tcp_flags & TCP_ACK) && seen->ack == flow->tcp[side & 1].ack)
			flow->state = HD_FLOW_CLOSED;
		return;
	}
	if (seen->seq == expected)
		flow->state = HD_FLOW_CLOSED;
	else if (flow->state == HD_FLOW_ESTABLISHED && (__s32)(seen->seq - expected) > 0 &&
		 (__s32)(seen->seq - hd_flow_edge(flow, !side)) <= 0)
		flow->state = HD_FLOW_CLOSING;
}

/* A SYN takes the place of a connection that is closed; of one that is half closed only if it is beyond all that was sent (RFC 6191). */
static __always_inline bool tcp_may_begin(const struct hd_flow_value *flow, __u32 side,
					  const struct tcp_seen *seen)
{
	if (flow->state == HD_FLOW_CLOSED)
		return true;
	return flow->state == HD_FLOW_CLOSING && (__s32)(seen->seq - flow->tcp[!side].ack) > 0;
}

static __always_inline void tcp_advance(struct hd_flow_value *flow)
{
	__u8 seen = flow->seen_flags;

	if (flow->state == HD_FLOW_NEW && (seen & HD_FLOW_SYN * 3) == HD_FLOW_SYN * 3)
		flow->state = HD_FLOW_HALF_OPEN;
	if (flow->state == HD_FLOW_HALF_OPEN && (seen & HD_FLOW_ACK * 3) == HD_FLOW_ACK * 3)
		flow->state = HD_FLOW_ESTABLISHED;
	if (flow->state >= HD_FLOW_ESTABLISHED && (seen & HD_FLOW_FIN * 3) &&
	    flow->state < HD_FLOW_CLOSING)
		flow->state = HD_FLOW_CLOSING;
	if ((seen & HD_FLOW_FIN * 3) == HD_FLOW_FIN * 3)
		flow->state = HD_FLOW_CLOSED;
}

/**
 * hd_tcp_track - move a connection on by one packet
 * @side: of the sender
 *
 * Return: enum tcp_verdict, or -HD_DROP_x.
 */
static __always_inline int hd_tcp_track(const struct hd_pkt *pkt, struct hd_flow_value *flow,
					__u32 side)
{
	__u8 flags = pkt->ip->tcp_flags;
	struct tcp_seen seen;
	int r = tcp_read(pkt, &seen);

	side &= 1;
	if (r < 0)
		return r;
	if ((flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && tcp_may_begin(flow, side, &seen))
		return TCP_BEGIN;
	if (!hd_may_write())
		return TCP_KEEP;
	if ((flags & TCP_SYN) && flow->state < HD_FLOW_ESTABLISHED)
		hd_tcp_syn(pkt, flow, side);
	if (flags & TCP_RST) {
		tcp_reset(pkt, flow, side, &seen);
		return TCP_KEEP;
	}
	if (flags & TCP_ACK) {
		hd_flow_track_tcp(pkt, flow, side);
		if (flow->seen_flags & HD_FLOW_SYN << side)
			flow->seen_flags |= HD_FLOW_ACK << side;
	}
	if ((flags & TCP_FIN) && tcp_fits(flow, side, &seen))
		flow->seen_flags |= HD_FLOW_FIN << side;
	tcp_advance(flow);
	return TCP_KEEP;
}
