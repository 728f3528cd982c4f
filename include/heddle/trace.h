/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * trace.h - what the datapath writes down while it decides about a packet, when somebody asks
 *
 * The same object can be loaded twice more. The *twin* is only ever run by hand: it decides as the datapath does and changes
 * nothing. Record 0 of its hd_trace_log is the number of records that follow. The *live* object takes the datapath's place on the
 * devices for a while: it does all that the datapath does, on the same tables, and reports the packets that match a filter.
 */
#pragma once

#include "heddle/types.h"

/* struct hd_port_config.trace */
enum hd_trace_mode { HD_TRACE_OFF, HD_TRACE_TWIN, HD_TRACE_LIVE };

#define HD_TRACE_MAX 63

/* In the place of an ICMP error's type and code: the sender is told by a TCP RST. No error has these. */
#define HD_TELL_RESET 0xffffu

/* What a record is about; @a and @b of struct hd_trace_record. */
enum hd_trace_what {
	HD_TRACE_PORT,	     /* it came in by port a of network b */
	HD_TRACE_FDB,	     /* the destination MAC is behind port a; 0 = unknown */
	HD_TRACE_LEARN,	     /* the source MAC would be learned at port a */
	HD_TRACE_FLOW_HIT,   /* an established flow answers for it; a, b = rules that allowed it */
	HD_TRACE_FLOW_STALE, /* a flow is there, but the configuration has changed since */
	HD_TRACE_FLOW_NEW,   /* it begins a flow; a, b = ports */
	HD_TRACE_FLOW_UNCONFIRMED, /* a flow that the other side has not answered yet */
	HD_TRACE_RULE,		   /* rule a allows it; b = enum hd_direction */
	HD_TRACE_NO_RULE,	   /* no rule of port a allows it; b = enum hd_direction */
	HD_TRACE_NO_SECURITY,	   /* port a has no security; b = enum hd_direction */
	HD_TRACE_SOURCE_OK,	   /* source MAC and address belong to port a */
	HD_TRACE_RELATED,	   /* an ICMP error about a known flow */
	HD_TRACE_DHCP,		   /* a DHCP client's packet, always allowed */
	HD_TRACE_ANSWERED,	   /* answered on the spot for the owner, port a */
	HD_TRACE_FLOOD,		   /* a copy for port a */
	HD_TRACE_SEND,		   /* sent to port a */
	HD_TRACE_FRAGMENT,	   /* a later fragment, follows its first */
	HD_TRACE_ND,		   /* neighbour discovery, checked and let through */
	HD_TRACE_ENCAP,		   /* wrapped for peer a, in a packet of b bytes */
	HD_TRACE_DROP,		   /* dropped with reason a; port b decided */
	HD_TRACE_HOST,		   /* the host itself sends it to port a of network b */
	HD_TRACE_VLAN,		   /* it belongs to VLAN a; b: it came with a tag */
	HD_TRACE_ROUTE,		   /* router a: a subnet's own route leads to network b */
	HD_TRACE_ROUTE_STATIC,	   /* router a: its static route b decides */
	HD_TRACE_ROUTED,	   /* router a at another host has sent it on, into network b */
	HD_TRACE_NEXT_HOP,	   /* the next hop in network a is behind port b; 0 = not known */
	HD_TRACE_TOLD, /* dropped for reason b; its sender is told, by an ICMP error: a is port << 16 | type << 8 | code; HD_TELL_RESET: by a RST */
	HD_TRACE_DNAT, /* from outside: its destination is inside a (IPv4, network order), port b; 0 = the same */
	HD_TRACE_SNAT, /* to outside: its source is called a (IPv4, network order) there, port b; 0 = the same */
	HD_TRACE_FORWARD, /* it came by the port forward that listens at a (IPv4, network order); b = protocol << 16 | port */
	HD_TRACE_FIREWALL, /* rule a of the firewall of a router decides, 0 = none matches; b is router << 8 | enum hd_fw_action */
	HD_TRACE_ADDRESS6, /* a, b: the first half of an IPv6 address, network order; the second is in the next record: */
	HD_TRACE_DNAT6, /* from outside: its destination is inside that address */
	HD_TRACE_SNAT6, /* to outside: its source is called that address there */
	HD_TRACE_PORT6, /* a: port of the address that the next two records name */
	HD_TRACE_REST6, /* a, b: the second half of the address, of what comes next: */
	HD_TRACE_FORWARD6, /* it came by a port forward of router a that listens at that address; b = protocol << 16 | port */
};

/**
 * struct hd_trace_record - one step
 * @stage: enum hd_stage; in record 0 the number of records
 * @what:  enum hd_trace_what
 * @a:     see there
 * @b:     see there
 */
struct hd_trace_record {
	__u32 stage;
	__u32 what;
	__u32 a;
	__u32 b;
};
HD_ASSERT_SIZE(struct hd_trace_record, 16);

/* Bytes of hd_live, in the live object; in all others it has the least that a page of any machine allows. */
#define HD_LIVE_RING (1 << 20)
#define HD_LIVE_RING_MIN (1 << 16)

/* Steps and bytes that are kept of a packet. */
#define HD_LIVE_STEPS 32
#define HD_LIVE_BYTES 128

/**
 * struct hd_live_filter - which packets are reported; 0 = any
 * @port:     port that it comes from or goes to, or that decides about it
 * @network:  network
 * @addr:     source or destination, IPv4 mapped
 * @dport:    source or destination port, network order
 * @proto:    protocol number, if @has_proto
 * @has_addr: @addr counts
 * @has_dport: @dport counts
 * @has_proto: @proto counts
 */
struct hd_live_filter {
	__u32 port;
	__u32 network;
	__be32 addr[4];
	__be16 dport;
	__u8 proto;
	__u8 has_addr;
	__u8 has_dport;
	__u8 has_proto;
	__u16 pad;
};
HD_ASSERT_SIZE(struct hd_live_filter, 32);

/**
 * struct hd_live_packet - a reported packet: a record of hd_live
 * @time_ns: CLOCK_MONOTONIC
 * @len:     bytes of the packet
 * @n_steps: steps taken, up to HD_LIVE_STEPS of them in @step
 * @wanted:  inside the datapath: bytes and port match the filter so far
 * @hit:     inside the datapath: a step was about the filter's port
 * @step:    in their order
 * @frame:   the packet's beginning, as it came
 */
struct hd_live_packet {
	__u64 time_ns;
	__u32 len;
	__u32 n_steps;
	__u32 wanted;
	__u32 hit;
	struct hd_trace_record step[HD_LIVE_STEPS];
	__u8 frame[HD_LIVE_BYTES];
};
HD_ASSERT_SIZE(struct hd_live_packet, 664);
