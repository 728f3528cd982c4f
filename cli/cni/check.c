// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* check.c - CHECK: is a container as ADD has left it? STATUS: could there be another ADD? */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "cli/cni/cni.h"
#include "loader/cleanup.h"
#include "loader/model/model.h"
#include "loader/netlink.h"

static void freeifaddrsp(struct ifaddrs **list)
{
	if (*list)
		freeifaddrs(*list);
}

static int wrong(const struct hd_cni *cni, const char *what, struct hd_cni_error *err)
{
	hd_cni_fail(err, HD_CNI_WRONG, "interface %s: %s", cni->ifname, what);
	return hd_cni_hint(err, "'heddle port show %s' shows what heddle knows", cni->port);
}

/* ---- what the daemon says ---- */

static int check_port(struct hd_cni *cni, json_t **ret, struct hd_cni_error *err)
{
	_json_ json_t *port = NULL;
	struct hd_cni_owner owner;
	const char *reason;
	char path[96];

	(void)snprintf(path, sizeof(path), "/v1/ports/%s", cni->port);
	if (hd_cni_get(cni, path, &port, err) < 0) {
		if (err->code == HD_CNI_CONF)
			err->code = HD_CNI_CONTAINER; /* not found */
		return -1;
	}
	if (!hd_cni_owner(port, &owner) || strcmp(owner.container, cni->container))
		return hd_cni_fail(err, HD_CNI_CONTAINER, "port %s is of another container",
				   cni->port);
	reason = json_string_value(json_object_get(port, "reason"));
	if (reason && *reason)
		return wrong(cni, reason, err);
	*ret = TAKE_PTR(port);
	return 0;
}

/* ---- what the namespace says: we are in it ---- */

static const struct ifaddrs *find_link(const struct hd_cni *cni, const struct ifaddrs *list)
{
	for (; list; list = list->ifa_next)
		if (list->ifa_addr && list->ifa_addr->sa_family == AF_PACKET &&
		    !strcmp(list->ifa_name, cni->ifname))
			return list;
	return NULL;
}

static bool has_mac(const struct ifaddrs *link, const char *text)
{
	const struct sockaddr_ll *ll = (const struct sockaddr_ll *)(const void *)link->ifa_addr;
	uint8_t mac[6];

	return !text || (hd_mac_parse(text, mac) == 0 && !memcmp(mac, ll->sll_addr, 6));
}

static bool is_ip(const struct sockaddr *addr, const struct hd_ip *ip)
{
	if (addr->sa_family == AF_INET && ip->is_v4)
		return !memcmp(&((const struct sockaddr_in *)(const void *)addr)->sin_addr,
			       ip->bytes + 12, 4);
	return addr->sa_family == AF_INET6 && !ip->is_v4 &&
	       !memcmp(&((const struct sockaddr_in6 *)(const void *)addr)->sin6_addr, ip->bytes,
		       16);
}

static bool has_ip(const struct hd_cni *cni, const struct ifaddrs *list, const char *text)
{
	struct hd_ip ip;

	if (hd_ip_parse(text, &ip) < 0)
		return false;
	for (; list; list = list->ifa_next)
		if (list->ifa_addr && !strcmp(list->ifa_name, cni->ifname) &&
		    is_ip(list->ifa_addr, &ip))
			return true;
	return false;
}

static int check_ips(const struct hd_cni *cni, const struct ifaddrs *list, const json_t *port,
		     struct hd_cni_error *err)
{
	const json_t *ip;
	char what[96];
	size_t i;

	json_array_foreach(json_object_get(port, "ip"), i, ip) {
		if (has_ip(cni, list, json_string_value(ip)))
			continue;
		(void)snprintf(what, sizeof(what), "address %.60s is missing",
			       json_string_value(ip));
		return wrong(cni, what, err);
	}
	return 0;
}

/* Any will do: of several networks the first has it, and a container may have set its own. */
static bool has_default(bool is_v4)
{
	static const uint8_t anywhere[2][16] = { { 0x20, 0x01, 0x0d, 0xb8 }, { 192, 0, 2, 1 } };
	struct hd_netlink *nl = NULL;
	struct hd_route route;
	int r = hd_netlink_open(&nl);

	if (r == 0)
		r = hd_netlink_route(nl, is_v4, anywhere[is_v4], NULL, &route);
	hd_netlink_close(nl);
	return r == 0;
}

static int check_routes(const struct hd_cni *cni, struct hd_cni_error *err)
{
	const json_t *route;
	size_t i;

	json_array_foreach(json_object_get(cni->prev, "routes"), i, route) {
		const char *dst = json_string_value(json_object_get(route, "dst"));

		if (dst && !strcmp(dst, "0.0.0.0/0") && !has_default(true))
			return wrong(cni, "the default route is missing", err);
		if (dst && !strcmp(dst, "::/0") && !has_default(false))
			return wrong(cni, "the IPv6 default route is missing", err);
	}
	return 0;
}

static int check_inside(const struct hd_cni *cni, const json_t *port, struct hd_cni_error *err)
{
	CLEANUP(freeifaddrsp) struct ifaddrs *list = NULL;
	const struct ifaddrs *link;

	if (getifaddrs(&list) < 0)
		return hd_cni_fail(err, HD_CNI_IO, "addresses of the container: %s",
				   strerror(errno));
	link = find_link(cni, list);
	if (!link)
		return wrong(cni, "it is missing", err);
	if (!(link->ifa_flags & IFF_UP))
		return wrong(cni, "it is set down", err);
	if (!has_mac(link, json_string_value(json_object_get(port, "mac"))))
		return wrong(cni, "it has another MAC", err);
	if (check_ips(cni, list, port, err) < 0)
		return -1;
	return check_routes(cni, err);
}

int hd_cni_check(struct hd_cni *cni, struct hd_cni_error *err)
{
	_json_ json_t *port = NULL;
	_close_ int netns = -1;

	if (!cni->prev)
		return hd_cni_fail(err, HD_CNI_CONF, "conf: prevResult is missing, CHECK needs it");
	netns = hd_netns_open(cni->netns);
	if (netns < 0)
		return hd_cni_fail(err, HD_CNI_CONTAINER, "namespace %.200s can't be opened: %s",
				   cni->netns, strerror(-netns));
	if (check_port(cni, &port, err) < 0)
		return -1;
	if (hd_cni_delegates(cni) && hd_cni_delegate(cni, "CHECK", NULL, err) < 0)
		return -1;
	if (setns(netns, CLONE_NEWNET) < 0)
		return hd_cni_fail(err, HD_CNI_IO, "namespace %.200s can't be entered: %s",
				   cni->netns, strerror(errno));
	return check_inside(cni, port, err);
}

/* ---- STATUS ---- */

static bool is_there(const json_t *networks, const char *name)
{
	const json_t *network;
	size_t i;

	json_array_foreach(networks, i, network)
		if (!strcmp(json_string_value(json_object_get(network, "name")), name))
			return true;
	return false;
}

int hd_cni_status(struct hd_cni *cni, struct hd_cni_error *err)
{
	_json_ json_t *networks = NULL;

	if (hd_cni_get(cni, "/v1/networks", &networks, err) < 0) {
		err->code = HD_CNI_UNAVAILABLE;
		return -1;
	}
	if (is_there(networks, cni->network) || json_object_get(cni->conf, "subnet") ||
	    json_object_get(cni->conf, "vni"))
		return 0;
	hd_cni_fail(err, HD_CNI_UNAVAILABLE, "network %s does not exist", cni->network);
	return hd_cni_hint(err, "'heddle network add %s --type local' makes it", cni->network);
}
