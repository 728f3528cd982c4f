// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* gro.c - idle tunnel devices, for their sockets */
#include "sync/gro.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "log.h"
#include "sync/links.h"

static int make(const struct hd_datapath *dp, struct hd_devices *devices,
		const struct hd_network *network)
{
	const struct hd_link *link = hd_device_of_socket(devices, network->tunnel_port);
	char pin[32];
	int r;

	(void)snprintf(pin, sizeof(pin), "socket-%u", network->tunnel_port);
	if (!link) {
		r = hd_device_make_socket(devices, network);
		if (r < 0)
			return r;
		link = hd_device_of_socket(devices, network->tunnel_port);
	}
	if (!link)
		return -ENODEV;
	r = hd_links_guard(dp, link->ifindex, pin);
	return r < 0 ? r : hd_device_up(devices, link);
}

/* Without it all works, but slower: no reason to refuse anything. */
void hd_gro_sync(const struct hd_datapath *dp, struct hd_devices *devices,
		 const struct hd_model *model)
{
	hd_model_each(model, HD_NOUN_NETWORK, network) {
		const struct hd_network *view = &network->view.network;
		int r = hd_model_wants_socket(model, view->tunnel_port) ? make(dp, devices, view)
									: 0;

		if (r < 0)
			log_debug("network %s: no tunnel socket on UDP port %u: %s", network->name,
				  view->tunnel_port, strerror(-r));
	}
}

static void closedirp(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

void hd_gro_sweep(const struct hd_datapath *dp, const struct hd_model *model)
{
	CLEANUP(closedirp) DIR *dir = NULL;
	struct dirent *entry;
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/links", dp->dir);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		unsigned int port;

		if (sscanf(entry->d_name, "socket-%u", &port) != 1 ||
		    hd_model_wants_socket(model, (uint16_t)port))
			continue;
		(void)snprintf(path, sizeof(path), "%s/links/%.60s", dp->dir, entry->d_name);
		(void)unlink(path); /* its device is gone, and the link with it */
	}
}
