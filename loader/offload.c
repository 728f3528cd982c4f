// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* offload.c - features of devices, by the names that ethtool has for them */
#include "offload.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "netlink.h"

static int request(int fd, const char *name, void *data)
{
	struct ifreq ifr = { .ifr_data = data };

	(void)snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	return ioctl(fd, SIOCETHTOOL, &ifr) < 0 ? -errno : 0;
}

/* How many features the kernel knows. */
static int count(int fd, const char *name, uint32_t *ret)
{
	struct {
		struct ethtool_sset_info info;
		uint32_t n;
	} sset = { .info = { .cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1ULL << ETH_SS_FEATURES } };
	int r = request(fd, name, &sset);

	if (r == 0)
		*ret = sset.n;
	return r;
}

static bool is_tunnel(const char *feature)
{
	return !strncmp(feature, "tx-udp_tnl-", 11) || !strncmp(feature, "tx-gre-", 7) ||
	       !strncmp(feature, "tx-ipxip", 8);
}

static int set(int fd, const char *name, uint32_t n)
{
	_free_ struct ethtool_gstrings *names = calloc(1, sizeof(*names) + n * ETH_GSTRING_LEN);
	size_t blocks = (n + 31) / 32;
	_free_ struct ethtool_sfeatures *features =
		calloc(1, sizeof(*features) + blocks * sizeof(features->features[0]));
	int r;

	if (!names || !features)
		return -ENOMEM;
	names->cmd = ETHTOOL_GSTRINGS;
	names->string_set = ETH_SS_FEATURES;
	names->len = n;
	r = request(fd, name, names);
	if (r < 0)
		return r;
	features->cmd = ETHTOOL_SFEATURES;
	features->size = (uint32_t)blocks;
	for (uint32_t i = 0; i < n; i++)
		if (is_tunnel((const char *)names->data + (size_t)i * ETH_GSTRING_LEN))
			features->features[i / 32].valid |= 1U << i % 32;
	r = request(fd, name, features);
	return r < 0 ? r : 0;
}

static int request_at(uint32_t ifindex, void *data)
{
	_close_ int fd = hd_netns_socket(-1);
	char name[IF_NAMESIZE];

	if (fd < 0)
		return fd;
	return if_indextoname(ifindex, name) ? request(fd, name, data) : -ENODEV;
}

int hd_offload_gro(uint32_t ifindex, bool *ret)
{
	struct ethtool_value value = { .cmd = ETHTOOL_GGRO };
	int r = request_at(ifindex, &value);

	if (r == 0)
		*ret = value.data;
	return r;
}

int hd_offload_set_gro(uint32_t ifindex, bool on)
{
	struct ethtool_value value = { .cmd = ETHTOOL_SGRO, .data = on };

	return request_at(ifindex, &value);
}

int hd_offload_rxvlan(uint32_t ifindex, bool *ret)
{
	struct ethtool_value value = { .cmd = ETHTOOL_GFLAGS };
	int r = request_at(ifindex, &value);

	if (r == 0)
		*ret = value.data & ETH_FLAG_RXVLAN;
	return r;
}

int hd_offload_set_rxvlan(uint32_t ifindex, bool on)
{
	struct ethtool_value value = { .cmd = ETHTOOL_GFLAGS };
	int r = request_at(ifindex, &value);

	if (r < 0)
		return r;
	value.cmd = ETHTOOL_SFLAGS;
	value.data = on ? value.data | ETH_FLAG_RXVLAN : value.data & ~(uint32_t)ETH_FLAG_RXVLAN;
	return request_at(ifindex, &value);
}

int hd_offload_no_tunnels(int netns, const char *name)
{
	_close_ int fd = hd_netns_socket(netns);
	uint32_t n = 0;
	int r = fd < 0 ? fd : count(fd, name, &n);

	return r < 0 || !n ? r : set(fd, name, n);
}
