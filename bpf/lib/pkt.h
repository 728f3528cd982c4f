/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pkt.h - what the pipeline knows about the packet in hand; lives on the stack of one program
 *
 * ctx.h or ctx_xdp.h comes before it.
 */
#pragma once

#include "heddle/config.h"
#include "heddle/port.h"
#include "heddle/reason.h"
#include "heddle/stage.h"

/*
 * What a feature decides. Negative is -HD_DROP_x. Only hd_finish() turns this into what the hook wants to hear:
 * TC_ACT_UNSPEC is -1, so the two must never meet.
 */
enum hd_verdict {
	HD_VERDICT_PASS,     /* not ours or already judged: on to the next program */
	HD_VERDICT_REDIRECT, /* bpf_redirect() has been called */
	HD_VERDICT_FLOW,     /* goes on in stage flow */
	HD_VERDICT_SENT,     /* the verdict is in hd_ip.verdict */
	HD_VERDICT_ENCAP,    /* goes on in stage encap */
	HD_VERDICT_TOO_BIG,  /* goes on in stage too-big */
	HD_VERDICT_NEIGH,    /* goes on in stage neighbour */
	HD_VERDICT_RESOLVE,  /* goes on in stage resolve */
	HD_VERDICT_TELL,     /* goes on in stage tell */
	HD_VERDICT_SPREAD, /* copies for the members here are on their way; goes on in stage spread */
	HD_VERDICT_AGAIN, /* sent to another router of this host: it crosses that one next */
	HD_VERDICT_BACK,  /* goes out by the device that it came in by; at XDP */
	HD_VERDICT_DONE,  /* nothing more to do with it: copies are on their way, or it waits */
};

const volatile struct hd_port_config hd_cfg;

/* What a packet says about itself above Ethernet. Flags of struct hd_ip. */
enum {
	HD_IP_V4 = 1 << 0,
	HD_IP_FRAGMENT = 1 << 1,   /* one piece of several */
	HD_IP_LATER = 1 << 2,	   /* not the first piece: no ports */
	HD_IP_LAST = 1 << 3,	   /* the last piece */
	HD_IP_ICMP_ERROR = 1 << 4, /* quotes another packet */
};

/* Flags of struct hd_ip.nat: what is different on the wire, now or when the packet leaves. */
enum {
	NAT_DST = 1 << 0, /* the destination address */
	NAT_DST_PORT = 1 << 1,
	NAT_SRC = 1 << 2, /* the source address */
	NAT_SRC_PORT = 1 << 3,
	NAT_CLOSED = 1 << 4, /* from outside, where nothing may begin */
	NAT_ERROR = 1 << 5,  /* an ICMP error: what it quotes is translated as well */
	NAT_HAIRPIN =
		1 << 6, /* from inside, for an outside endpoint: the source is translated as well */
	NAT_FORWARD = 1 << 7,  /* the destination is a port forward's */
	NAT_BEGINS = 1 << 8,   /* it begins a flow */
	NAT_SHUT = 1 << 9,     /* from outside, for who is known there by a floating IP alone */
	NAT_WRITTEN = 1 << 10, /* the addresses of IPv4 are in the packet already */
	NAT_NOTE =
		1 << 11, /* an endpoint of IPv6 begins a flow: whom it asks is still to be noted */
};

/**
 * struct hd_ip - the network and transport header, once parsed
 * @saddr:   network order; IPv4 in the first word
 * @daddr:   likewise
 * @sport:   network order; for ICMP queries see heddle/flow.h
 * @dport:   likewise
 * @proto:   transport protocol
 * @flags:   HD_IP_*
 * @tcp_flags: of the TCP header
 * @icmp_type: of the ICMP header
 * @icmp_code: of the ICMP header
 * @ttl:     time to live, hop limit
 * @l4_off:  offset of the transport header from the packet's start
 * @end:     offset behind the last byte that belongs to the IP packet
 * @frag_id: identification of a packet in pieces
 * @frag_off: bytes of the whole that come before this piece
 * @frag_len: bytes of the whole in this piece; a first one's may begin with more headers
 * @frag_proto: IPv4: part of the identification (RFC 791); 0 for IPv6, where it is not
 * @to:      port that it goes to, from stage judge to stage flow and to stages encap and too-big; to stage spread: whether somebody took it
 * @side:    of its flow that the sender is
 * @port:    port or peer that it came from, from the entry program to the stages
 * @network: its network, likewise
 * @tag:     its VLAN and what else its tag said, likewise; see hd_vlan_keep()
 * @verdict: of hd_port_send_to(), until the program ends
 * @router:  port id of the router that it crosses, here or at another host; HD_PORT_NONE = it stays in its network
 * @rewrite: it is sent on here: Ethernet header and TTL are still those of its way to the router
 * @from_network: of a routed packet: where its sender is
 * @to_network: of a routed packet: where it goes on
 * @hop_mac: of a routed packet: MAC of the next hop there
 * @route:   of a routed packet: number of the static route that decided, 0 = none did
 * @via:     of a routed packet: the next hop's address, IPv4 mapped
 * @source:  of a routed packet: address of the router that an error about it comes from, IPv4 mapped
 * @nat:     of a routed packet: what is translated, NAT_*
 * @nat_dst_addr: destination address on the wire, where it comes from outside; IPv4 in the first word
 * @nat_dst_port: likewise
 * @nat_to_addr: what it is inside
 * @nat_to_port: likewise
 * @nat_src_addr: what its source will be outside
 * @nat_src_port: likewise
 * @nat_old_addr: what an IPv6 address was before, while it is written
 * @asked_gen: generation under which rules are being asked about its flow
 * @asked_rule: those that allow it, as in struct hd_flow_value
 * @nat_proto: protocol of the outside endpoint that an IPv6 packet, or what an error quotes, is of
 * @nat_name: by which the tables of ports know the inside address in hand: IPv4, or the name of an IPv6 one
 * @nat_outside: likewise, the outside one
 * @nat_born: @born of the endpoint by which an IPv6 packet goes out
 * @nat_block: of its sender's blocks of ports: which one is looked at
 * @listen_addr: outside address of the port forward that it came by, of IPv6 its number; 0 = it came by none
 * @listen_port: likewise
 * @as_port: port of @as_addr
 * @as_addr: outside address of the port forward that its flow came by, and as which it answers, of IPv6 its number; 0 = its sender does not answer for one
 * @tell:    type and code of that error, or HD_TELL_RESET, in the upper half; number of the drop's reason in the lower
 * @tell_word: second word of its header, host order
 * @firewall: of a routed packet that was judged: rule of the router's firewall that decided, 0 = none
 */
struct hd_ip {
	__be32 saddr[4];
	__be32 daddr[4];
	__be16 sport;
	__be16 dport;
	__u8 proto;
	__u8 flags;
	__u8 tcp_flags;
	__u8 icmp_type;
	__u8 icmp_code;
	__u8 ttl;
	__u16 l4_off;
	__u32 end;
	__be32 frag_id;
	__u16 frag_off;
	__u16 frag_proto;
	__u32 frag_len;
	__u32 to;
	__u32 side;
	__u32 port;
	__u32 network;
	__u32 tag;
	__s32 verdict;
	__u32 router;
	__u32 rewrite;
	__u32 from_network;
	__u32 to_network;
	__u32 route;
	__u8 hop_mac[6];
	__be32 via[4];
	__be32 source[4];
	__u32 nat;
	__be32 nat_dst_addr[4];
	__be32 nat_to_addr[4];
	__be32 nat_src_addr[4];
	__be32 nat_old_addr[4];
	__be16 nat_dst_port;
	__be16 nat_to_port;
	__be16 nat_src_port;
	__be16 listen_port;
	__be32 listen_addr;
	__be32 as_addr;
	__be16 as_port;
	__u8 nat_proto;
	__u8 pad;
	__be32 nat_name;
	__be32 nat_outside;
	__u32 nat_born;
	__u32 nat_block;
	__u32 asked_gen;
	__u32 asked_rule[2];
	__u32 tell;
	__u32 tell_word;
	__u32 firewall;
};

/**
 * struct hd_pkt - one packet on its way through the pipeline
 * @ctx:      the hook's context
 * @port:     id of the port it came from (port-out: goes to), HD_PORT_NONE until hd_port_identify()
 * @network:  network of that port, or of the tunnel
 * @routed:   it crosses a router; a constant of each program, so that the verifier follows one way only
 * @from:     that port's entry
 * @dst:      destination MAC, valid after hd_eth_parse()
 * @src:      source MAC
 * @eth_type: type behind the outermost in-packet tag, network order
 * @l3_off:   offset of what follows the Ethernet header and one in-packet tag
 * @tagged:   it carries an 802.1Q or 802.1ad tag, in the packet or beside it; one that said its VLAN is off already
 * @stage:    where it is now, enum hd_stage
 * @blame:    port whose configuration decided about a drop; HD_PORT_NONE = @port
 * @vlan:     VLAN inside of the network, part of every key; 0 between ports without a VLAN mode (heddle/vlan.h)
 * @prio:     priority and drop-eligible bits of the tag that was taken off, where they stand in a TCI; host order
 * @tpid:     kind of the tag that it gets where it needs one, network order; 0 = 802.1Q
 * @ip:       above Ethernet; content is valid after hd_ip_parse()
 */
struct hd_pkt {
	hd_ctx *ctx;
	const struct hd_port_value *from;
	__u64 routed;
	__u32 port;
	__u32 network;
	__u8 dst[6];
	__u8 src[6];
	__be16 eth_type;
	__u16 l3_off;
	__u16 tagged;
	__u16 stage;
	__u32 blame;
	__u16 vlan;
	__u16 prio;
	__be16 tpid;
	struct hd_ip *ip;
};

/*
 * Zero, but the verifier can't know. Before 6.7 it looks at a loop's callback once, with the values of the first round: what it takes for
 * a constant then, it takes for one in all rounds, and removes the code for the other case.
 */
volatile __u32 hd_unknown_zero;

#define HD_BYTES 256

/* hd_bytes: room for a piece of a packet that is too large for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u8[HD_BYTES]);
} hd_bytes SEC(".maps");

/*
 * hd_scratch: where the parsed header of the packet in hand is kept, one for each CPU: entry 0 for what enters the host, 1 for what leaves it,
 * which may happen in the middle of the other. Not on the stack, because the verifier would follow every combination of what parsing
 * found out through everything that comes after; of what is loaded from a map it knows nothing, and one way through is enough.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct hd_ip);
} hd_scratch SEC(".maps");

/** hd_ip_entering - the header of the packet in hand, of what enters the host; for functions that are given nothing but numbers */
static __always_inline struct hd_ip *hd_ip_entering(void)
{
	__u32 slot = 0;

	return bpf_map_lookup_elem(&hd_scratch, &slot);
}

/** hd_ip_enter - note for the stages which port, or peer, a packet has come from; nothing is known of what is above Ethernet */
static __always_inline void hd_ip_enter(struct hd_ip *ip, __u32 port, __u32 network)
{
	ip->port = port;
	ip->network = network;
	ip->router = HD_PORT_NONE;
	ip->proto = 0;
}
