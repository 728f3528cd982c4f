/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* pkt.h - what the pipeline knows about the packet in hand; lives on the stack of one program */
#pragma once

#include "heddle/port.h"
#include "heddle/reason.h"
#include "heddle/stage.h"

#include "lib/ctx.h"

/*
 * What a feature decides. Negative is -HD_DROP_x. Only hd_finish() turns this into what the hook wants to hear:
 * TC_ACT_UNSPEC is -1, so the two must never meet.
 */
enum hd_verdict {
	HD_VERDICT_PASS,     /* not ours or already judged: on to the next program */
	HD_VERDICT_REDIRECT, /* bpf_redirect() has been called */
};

/**
 * struct hd_pkt - one packet on its way through the pipeline
 * @ctx:      the hook's context
 * @port:     id of the port it came from (port-out: goes to), HD_PORT_NONE until hd_port_identify()
 * @network:  network of that port
 * @from:     that port's entry
 * @net:      that network's entry
 * @dst:      destination MAC, valid after hd_eth_parse()
 * @src:      source MAC
 * @eth_type: type behind the outermost in-packet tag, network order
 * @l3_off:   offset of what follows the Ethernet header and one in-packet tag
 * @tagged:   it carries an 802.1Q or 802.1ad tag, in the packet or beside it
 * @stage:    where it is now, enum hd_stage
 */
struct hd_pkt {
	struct __sk_buff *ctx;
	const struct hd_port_value *from;
	const struct hd_network_value *net;
	__u32 port;
	__u32 network;
	__u8 dst[6];
	__u8 src[6];
	__be16 eth_type;
	__u16 l3_off;
	__u16 tagged;
	__u16 stage;
};
