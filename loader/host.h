/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* host.h - what tells this host, and this instance on it, from others */
#pragma once

#include <stdint.h>

/**
 * hd_host_mac - the MAC that a router has on this host alone (heddle/router.h)
 * @instance: of the daemon
 * @router:   name
 *
 * The same after each start. Without /etc/machine-id the host's name tells it from others.
 */
void hd_host_mac(const char *instance, const char *router, uint8_t ret[6]);
