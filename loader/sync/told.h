/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * told.h - what routers of the underlay say about tunnel packets that are too large for the next link (RFC 1191, RFC 8201)
 *
 * Tunnel packets may not be cut, so the answer to one that does not fit is ICMP "fragmentation needed" or ICMPv6 "packet too big", to our tunnel
 * address, quoting the beginning of the packet. The kernel can't do much with it: no socket has sent that packet. So the daemon listens, and
 * has the way to that peer take no more, until the time is over that the kernel's own path MTUs have (sysctl mtu_expires, 10 minutes).
 *
 * An answer is believed when it quotes what we could have sent: from our tunnel address to a peer, "don't fragment", by a UDP port or GRE, with the id
 * of one of our networks, and comes in by the device that leads to the peer: workloads behind this host can't make one up. The kernel asks no more of one for itself. It can't make a way wider, and not narrower than HD_TOLD_MIN_*.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/model.h"

/*
 * No way is believed to be narrower: IPv6 inside of a tunnel needs 1280 bytes (RFC 8200 section 5), and what goes around it at most 50 in IPv4, 70
 * in IPv6. Whoever could say less could cut off IPv6 for everybody who shares the way. For a narrower underlay its routes must say so.
 */
#define HD_TOLD_MIN_IPV4 (1280 + 50)
#define HD_TOLD_MIN_IPV6 (1280 + 70)

/**
 * struct hd_told - a packet that was too large
 * @local:  its source; IPv6, or IPv4 mapped
 * @remote: its destination
 * @mtu:    what would fit
 * @type:   kind of tunnel; HD_TUNNEL_NONE: UDP, and no more was quoted
 * @port:   UDP port that it went to, 0 for GRE
 * @id:     VNI or key; 0 for HD_TUNNEL_NONE
 * @ifindex: device that the answer came in by
 * @is_v4:  the underlay is IPv4
 */
struct hd_told {
	uint8_t local[16];
	uint8_t remote[16];
	uint32_t mtu;
	enum hd_tunnel_type type;
	uint16_t port;
	uint32_t id;
	uint32_t ifindex;
	bool is_v4;
};

/** hd_told_open - socket that such answers come to; an fd, or -errno */
int hd_told_open(bool is_v4);

/** hd_told_read - the next answer. 1: it is about what may be a tunnel packet; 0: about something else; -errno, -EAGAIN when there is none */
int hd_told_read(int fd, bool is_v4, struct hd_told *ret);

/**
 * hd_told_parse - read one
 * @data: of IPv4 from the IP header on, of IPv6 from the ICMPv6 header on, as raw sockets have it; the latter's checksum has been looked at
 */
bool hd_told_parse(const uint8_t *data, size_t len, bool is_v4, struct hd_told *ret);

/** hd_told_is_ours - whether a network of ours wraps its frames like that */
bool hd_told_is_ours(const struct hd_told *told, const struct hd_model *model);

/** hd_told_lifetime_s - how long it is to be believed */
int64_t hd_told_lifetime_s(bool is_v4);
