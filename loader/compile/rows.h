/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rows.h - rows that several parts of the compiler make; all return 0 or -ENOMEM, where nothing else is said */
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
 * @err:    see hd_compile_firewall()
 */
int hd_compile_router(const struct hd_model *model, const struct hd_object *router,
		      const struct hd_fact *fact, const struct hd_fact *uplink,
		      struct hd_tables *out, struct hd_error *err);

/**
 * hd_compile_firewall - the rows of a router's firewall
 * @ret_policy: number of its rule set, a hash of all that it says; 0 = the router has no firewall
 *
 * Return: 0; -ENOMEM; -EOVERFLOW: too many shapes; -EEXIST: another one has the same number. @err names it.
 */
int hd_compile_firewall(const struct hd_model *model, const char *router, struct hd_tables *out,
			uint32_t *ret_policy, struct hd_error *err);

/** hd_port_block - prefix length, of 16 bits, of the largest block of ports that begins at @first and ends by @last */
uint8_t hd_port_block(uint32_t first, uint32_t last);
