/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* arp.h - the daemon's side of the neighbours that routers have learned: list, flush; see struct hd_arp_value */
#pragma once

#include "heddle/neigh.h"
#include "heddle/router.h"
#include "sync/datapath.h"

/** hd_arp_address - the address that an entry is about */
void hd_arp_address(const struct hd_neigh_key *key, struct hd_ip *ret);

/** hd_arp_router - the router that asks for an address of a network; NULL if none does (any more) */
const struct hd_object *hd_arp_router(const struct hd_model *model, const struct hd_object *network,
				      const struct hd_ip *ip);

/** hd_arp_is_configured - whether the configuration says what MAC the address has, so that nobody asks */
bool hd_arp_is_configured(const struct hd_datapath *dp, const struct hd_neigh_key *key);

/** hd_arp_is_learned - whether the neighbour has answered */
bool hd_arp_is_learned(const struct hd_arp_value *value);

/** hd_arp_port - the port behind which the neighbour is; HD_PORT_NONE while its MAC is not heard, when routers don't use the entry */
uint32_t hd_arp_port(const struct hd_datapath *dp, const struct hd_network *network,
		     const struct hd_neigh_key *key, const struct hd_arp_value *value);

/** hd_arp_asked_s - seconds since a neighbour that has not answered was asked; @now: hd_datapath_now() */
uint32_t hd_arp_asked_s(const struct hd_datapath *dp, const struct hd_arp_value *value,
			uint32_t now);

/**
 * hd_arp_flush - forget neighbours, those that have not answered included
 * @network: only of this network, 0 = of all
 *
 * Return: how many went. Routers ask for them again.
 */
unsigned int hd_arp_flush(const struct hd_datapath *dp, uint32_t network);
