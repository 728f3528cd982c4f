/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * trace.h - what the twin of the datapath writes down while it decides about a packet
 *
 * Record 0 of hd_trace_log is the number of records that follow. Only the twin has that map.
 */
#pragma once

#include "heddle/types.h"

#define HD_TRACE_MAX 63

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
	HD_TRACE_DROP,		   /* dropped with reason a; port b decided */
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
