/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stage.h - slots of the tail-call table: the parts of the pipeline that an established packet does not need */
#pragma once

#include "heddle/types.h"

enum hd_stage {
	HD_STAGE_PORT_IN,  /* from a port into the host; entry point, no slot */
	HD_STAGE_PORT_OUT, /* from the host's own stack to a port; entry point, no slot */
	HD_STAGE_FLOOD,	   /* one copy for each member of the network */
	HD_STAGE_NEIGH,	   /* check ARP and ND, answer them for known addresses */
	HD_STAGE_JUDGE,	   /* a packet that no flow entry answers for: who sends it, what is it */
	HD_STAGE_FLOW,	   /* one that goes to one port: which flow, may it begin */
	HD_STAGE_UPLINK_IN, /* from the underlay into the host; entry point, or after a look for what XDP has opened */
	HD_STAGE_ENCAP,	     /* to one peer */
	HD_STAGE_SPREAD,     /* a copy for each peer of the network */
	HD_STAGE_TOO_BIG,    /* does not fit into a tunnel or a leg: its sender is told */
	HD_STAGE_UPLINK_OUT, /* out of the host to the underlay; entry point, no slot */
	HD_STAGE_ROUTE,	     /* to a router: where does it go from there */
	HD_STAGE_RFLOW,	     /* as flow, for one that crosses a router */
	HD_STAGE_RESOLVE,    /* its next hop is not known: asked for */
	HD_STAGE_TELL,	     /* a router drops it, and tells its sender */
	HD_STAGE_UPLINK_XDP, /* from the underlay, before there is an skb; entry point, no slot */
	HD_STAGE_OPENED,     /* out of a tunnel already, by uplink-xdp */
	HD_STAGE_COUNT,
};

/* Names of the stages, in their order. */
#define HD_STAGE_NAMES                                                                             \
	{                                                                                          \
		"port-in", "port-out", "flood", "neighbour", "judge", "flow", "uplink-in",         \
			"encap", "spread", "too-big", "uplink-out", "route", "routed-flow",        \
			"resolve", "tell", "uplink-xdp", "opened"                                  \
	}
