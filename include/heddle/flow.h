/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * flow.h - flows: what was decided once, to be replayed for every later packet
 *
 * One entry is one connection, both directions. Its key is the same from either side: the endpoint with the smaller
 * (address, port) is side 0, the other side 1, whoever began. So both directions live and die together, cost one entry, and one
 * lookup finds out which direction a packet is.
 *
 *      10.0.0.5:40000  ──▶  10.0.0.9:80         side 0 = 10.0.0.5:40000, the opener; side 1 = 10.0.0.9:80
 *
 * There are two tables for each family. A flow begins in the *new* table, where entries may push out each other and nothing else: a flood of
 * half-open connections only ever fights itself. When the other side has answered (TCP: when the handshake is complete) it moves to the
 * *established* table, which nothing pushes an entry out of: it leaves when it has been idle for its timeout, or closed. When there is
 * no room a new connection is refused and counted.
 *
 * An entry says by which generation it was judged: the sum of the generations of its two ports. Each is a hash of the port's
 * configuration and rules. Whatever changes there changes the sum, and the next packet is judged anew; its state is kept if
 * it is still allowed, and the entry is removed if it is not.
 *
 * Time is the low half of jiffies. An entry that is idle for longer than its timeout counts as absent; the daemon sweeps it out.
 *
 * For ICMP queries the opener's port is the query's id and the other side's port is the type of the query, so a request the other
 * way round is another flow. Protocols without ports have their own number there, on both sides.
 *
 * The zone says where the addresses mean something, network and VLAN, and which protocol it is. Those that have ports are told apart by a
 * class; all others share one, since their ports name them.
 *
 *      31                      16 15              4 3     0
 *     +--------------------------+-----------------+-------+
 *     |         network          |      VLAN       | class |
 *     +--------------------------+-----------------+-------+
 */
#pragma once

#include "heddle/types.h"

#define HD_ZONE_NETWORK_SHIFT 16
#define HD_ZONE_VLAN_SHIFT 4
#define HD_ZONE_VLAN_MASK 0xfff
#define HD_ZONE_CLASS_MASK 0xf

/* Networks whose ids fit in a zone. */
#define HD_FLOW_NETWORKS_MAX 65528 /* those above are no segments */

enum hd_flow_class {
	HD_FLOW_OTHER, /* the ports are the protocol's number */
	HD_FLOW_ICMP,
	HD_FLOW_ICMPV6,
	HD_FLOW_TCP,
	HD_FLOW_UDP,
	HD_FLOW_SCTP,
	HD_FLOW_UDPLITE,
	HD_FLOW_CLASS_COUNT,
};

/* Protocol and class of those that have one of their own. */
#define HD_FLOW_CLASSES(X)                                                                         \
	X(1, HD_FLOW_ICMP)                                                                         \
	X(58, HD_FLOW_ICMPV6)                                                                      \
	X(6, HD_FLOW_TCP)                                                                          \
	X(17, HD_FLOW_UDP)                                                                         \
	X(132, HD_FLOW_SCTP)                                                                       \
	X(136, HD_FLOW_UDPLITE)

/**
 * struct hd_flow4_key - key of hd_flow4 and hd_new4
 * @zone: network, VLAN and class of the protocol, see above
 * @addr: of side 0 and side 1, network order
 * @port: likewise
 */
struct hd_flow4_key {
	__u32 zone;
	__be32 addr[2];
	__be16 port[2];
};
HD_ASSERT_SIZE(struct hd_flow4_key, 16);

/** struct hd_flow6_key - key of hd_flow6 and hd_new6; as hd_flow4_key */
struct hd_flow6_key {
	__u32 zone;
	__be32 addr[2][4];
	__be16 port[2];
};
HD_ASSERT_SIZE(struct hd_flow6_key, 40);

enum hd_flow_state {
	HD_FLOW_NEW,	     /* only the opener has spoken */
	HD_FLOW_HALF_OPEN,   /* TCP: answered, handshake not complete */
	HD_FLOW_ESTABLISHED, /* both sides have spoken */
	HD_FLOW_CLOSING,     /* TCP: one side has sent its FIN */
	HD_FLOW_CLOSED,	     /* TCP: both have, or a valid RST was seen */
	HD_FLOW_STATE_COUNT,
};

#define HD_FLOW_STATE_NAMES                                                                        \
	{                                                                                          \
		"new", "half-open", "established", "closing", "closed"                             \
	}

/* struct hd_flow_value.seen_flags; shift left by the side for side 1. */
enum {
	HD_FLOW_SYN = 1 << 0,
	HD_FLOW_ACK = 1 << 2,
	HD_FLOW_FIN = 1 << 4,
	HD_FLOW_SCALE = 1 << 6, /* the side has sent a window scale */
};

/**
 * struct hd_flow_tcp - what one side of a TCP connection expects, to tell a RST or FIN that can be its peer's from a forged one
 * @ack:    next sequence number that it expects, from the last ACK it sent
 * @window: how much it accepts from there on, as sent: to be scaled
 * @born:   half of the time of the first packet (for any protocol): side 0 has the upper, side 1 the lower 16 bits of jiffies
 */
struct hd_flow_tcp {
	__u32 ack;
	__u16 window;
	__u16 born;
};

/**
 * struct hd_flow_value - value of the four flow tables
 * @gen:     generation it was judged by
 * @seen:    low half of jiffies, last packet
 * @rule:    rules that allowed it: [0] egress at the opener's port, [1] ingress at the other's; 0 where no rule was needed
 * @bytes:   sent by side 0 and side 1
 * @packets: likewise
 * @port:    port id of side 0 and side 1
 * @state:   enum hd_flow_state
 * @opener:  side that began
 * @seen_flags: HD_FLOW_SYN, _ACK, _FIN, _SCALE for each side
 * @scale:   window scale: side 0 in the low half, side 1 in the high half
 * @heard:   for each side, of one behind a peer: that hd_fdb has its MAC there, see bpf/lib/heard.h; 0 = not known. In front of @tcp, so that what
 *           all packets need lies in one line of the cache
 * @tcp:     for each side
 */
struct hd_flow_value {
	__u32 gen;
	__u32 seen;
	__u32 rule[2];
	__u64 bytes[2];
	__u32 packets[2];
	__u16 port[2];
	__u8 state;
	__u8 opener;
	__u8 seen_flags;
	__u8 scale;
	__u32 heard[2];
	struct hd_flow_tcp tcp[2];
};
HD_ASSERT_SIZE(struct hd_flow_value, 72);

/* Ports that may have flows: their ids fit in hd_flow_value.port. */
#define HD_FLOW_PORTS_MAX 65536

/**
 * struct hd_frag_key - key of hd_frags: one packet in pieces (RFC 791, RFC 8200 section 4.5)
 * @network: network id
 * @vlan: VLAN inside of the network (heddle/vlan.h)
 * @proto: protocol (IPv6: 0)
 * @port: port by which it comes in: nobody can spoil another's
 * @id:   identification
 * @saddr: IPv6, or IPv4 mapped
 * @daddr: likewise
 */
struct hd_frag_key {
	__u32 network;
	__u16 vlan;
	__u16 proto;
	__u32 port;
	__be32 id;
	__be32 saddr[4];
	__be32 daddr[4];
};
HD_ASSERT_SIZE(struct hd_frag_key, 48);

enum hd_frag_state {
	HD_FRAG_WAITING,  /* its first piece has not come */
	HD_FRAG_ALLOWED,  /* it has, and was let through */
	HD_FRAG_COMPLETE, /* all has passed: the identification may be used again */
};

/* Disjoint ranges of a packet in pieces that can be told apart at a time; neighbours are merged. */
#define HD_FRAG_RANGES 8

/* A piece of a packet: [start, end) in bytes of the whole. An empty one has end 0. */
struct hd_frag_range {
	__u16 start;
	__u16 end;
};

/**
 * struct hd_frag_value - value of hd_frags: what has passed of it
 * @sport:  ports of the first fragment, for those that follow
 * @dport:  likewise
 * @seen:   low half of jiffies
 * @range:  what has passed
 * @lock:   of @range; two CPUs may have pieces of the same packet
 * @proto:  of the first fragment, behind all headers
 * @state:  enum hd_frag_state
 * @total:  length of the whole, known from the last piece on; 0 before
 * @held:   pieces that came before it and wait in hd_held
 */
struct hd_frag_value {
	__u32 lock;
	__u32 seen;
	__be16 sport;
	__be16 dport;
	__u32 proto;
	__u32 state;
	__u32 total;
	__u32 held;
	struct hd_frag_range range[HD_FRAG_RANGES];
};
HD_ASSERT_SIZE(struct hd_frag_value, 60);

/* Pieces of one packet that may wait, and the longest frame that may. */
#define HD_HELD_MAX 16
#define HD_HELD_BYTES 2028

/**
 * struct hd_held_key - key of hd_held: a piece that came before the first one of its packet
 * @frag:  the packet
 * @index: which of the pieces that wait
 */
struct hd_held_key {
	struct hd_frag_key frag;
	__u32 index;
};
HD_ASSERT_SIZE(struct hd_held_key, 52);

/**
 * struct hd_held_value - value of hd_held
 * @port:  it came in by this port
 * @len:   bytes of @frame
 * @seen:  low half of jiffies
 * @start: of the packet's bytes
 * @end:   likewise
 * @last:  it is the last piece
 * @prio:  priority bits of the tag that was taken off, as struct hd_pkt has them
 * @frame: from the Ethernet header on
 */
struct hd_held_value {
	__u32 port;
	__u32 len;
	__u32 seen;
	__u16 start;
	__u16 end;
	__u16 last;
	__u16 prio;
	__u8 frame[HD_HELD_BYTES];
};
HD_ASSERT_SIZE(struct hd_held_value, 2048);
