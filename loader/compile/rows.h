/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rows.h - rows that several parts of the compiler make; all return 0 or -ENOMEM */
#pragma once

#include "compile/compile.h"

/** hd_row_fdb - a MAC is behind a port, and stays there */
int hd_row_fdb(struct hd_tables *out, uint32_t network, uint16_t vlan, const uint8_t mac[6],
	       uint32_t port);

/** hd_row_neigh - a neighbour has a MAC; @port: whose address it is, HD_PORT_NONE for a static one */
int hd_row_neigh(struct hd_tables *out, uint32_t network, uint16_t vlan, const struct hd_ip *ip,
		 const uint8_t mac[6], uint32_t port);

/**
 * hd_compile_router - a router: its pseudo port, addresses and routes
 * @fact:   @from is the MAC that it asks with on this host
 * @uplink: of the uplink by which it masquerades, NULL if it does not
 */
int hd_compile_router(const struct hd_model *model, const struct hd_object *router,
		      const struct hd_fact *fact, const struct hd_fact *uplink,
		      struct hd_tables *out);
