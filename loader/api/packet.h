/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* packet.h - a packet in words ("tcp 10.0.1.11:40000 > 10.0.2.12:80 syn") to the bytes of it */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/model.h"

/**
 * struct hd_packet - what the words say
 * @proto:   protocol number; -1 = ARP
 * @src:     addresses
 * @dst:     likewise
 * @sport:   ports, or 0
 * @dport:   likewise
 * @tcp_flags: of the header
 * @icmp_type, @icmp_code, @icmp_ident: -1 = default
 * @ttl:     time to live
 * @vlan:    tag in front of it, 0 = none
 * @len:     bytes of the whole frame, 0 = as short as may be
 * @has_src_mac, @has_dst_mac: they were given
 * @is_fragment, @frag_off, @frag_more: a piece
 */
struct hd_packet {
	int proto;
	struct hd_ip src;
	struct hd_ip dst;
	uint16_t sport;
	uint16_t dport;
	uint8_t tcp_flags;
	int icmp_type;
	int icmp_code;
	int icmp_ident;
	uint8_t ttl;
	uint16_t vlan;
	size_t len;
	bool has_src_mac;
	bool has_dst_mac;
	uint8_t src_mac[6];
	uint8_t dst_mac[6];
	bool is_fragment;
	uint16_t frag_off;
	bool frag_more;
};

/** hd_packet_parse - words to meaning; @err says which word is not understood */
int hd_packet_parse(const char *text, struct hd_packet *ret, struct hd_error *err);

/**
 * hd_packet_build - meaning to bytes, checksums included
 * @packet: both MACs are set
 * @frame:  room for @size bytes
 *
 * Return: length of the frame, or -EINVAL.
 */
int hd_packet_build(const struct hd_packet *packet, uint8_t *frame, size_t size);
