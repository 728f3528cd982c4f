/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* arp_send.h - ARP and neighbour discovery that the daemon sends into networks outside, by their legs */
#pragma once

#include "compile/compile.h"

/**
 * struct hd_arp_way - how frames get into a network outside, and as whom
 * @ifindex: the uplink's device
 * @vlan:    tag outside, 0 = none
 * @mac:     of the sender
 */
struct hd_arp_way {
	uint32_t ifindex;
	uint16_t vlan;
	uint8_t mac[6];
};

/** hd_arp_ways - legs that can send, by network id: a table of struct hd_arp_way without a MAC; 0 or -ENOMEM */
int hd_arp_ways(const struct hd_tables *tables, struct hd_table *ret);

/**
 * hd_arp_ask - a question to all who might be meant: who has @target? @sender wants to know
 * @sock:   of the caller, -1 at first; to be closed in the end
 * @sender: IPv6, or IPv4 mapped
 * @target: of the same family
 *
 * An ARP request (RFC 826), or a neighbour solicitation (RFC 4861 section 4.3). The programs at the uplink let pass what the host sends itself. What can't
 * be sent is lost: who calls tries again.
 */
void hd_arp_ask(int *sock, const struct hd_arp_way *way, const uint8_t sender[16],
		const uint8_t target[16]);

/** hd_arp_announce - tell all that @addr is here: an ARP announcement (RFC 5227 section 3), or an unsolicited advertisement (RFC 4861 section 7.2.6); as hd_arp_ask() */
void hd_arp_announce(int *sock, const struct hd_arp_way *way, const uint8_t addr[16]);
