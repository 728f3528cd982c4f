// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* route.c - routes in a container besides the default one, which heddled sets */
#include <stdint.h>
#include <string.h>

#include "cli/cni/cni.h"
#include "loader/cleanup.h"
#include "loader/model/model.h"
#include "loader/netlink.h"

struct far_end {
	int netns;
	struct hd_netlink *nl;
};

static void far_end_close(struct far_end *far)
{
	hd_netlink_close(far->nl);
	hd_closep(&far->netns);
}

static const void *bytes_of(const struct hd_ip *ip)
{
	return ip->is_v4 ? ip->bytes + 12 : ip->bytes;
}

static const char *delegated_gateway(const json_t *delegated, bool is_v4)
{
	const json_t *ip;
	size_t i;

	json_array_foreach(json_object_get(delegated, "ips"), i, ip) {
		const char *gateway = json_string_value(json_object_get(ip, "gateway"));

		if (gateway && !strchr(gateway, ':') == is_v4)
			return gateway;
	}
	return NULL;
}

static const char *subnet_gateway(const struct hd_cni *cni, const struct hd_cni_made *made,
				  bool is_v4)
{
	const json_t *ip;
	size_t i;

	json_array_foreach(json_object_get(made->port, "ip"), i, ip) {
		const char *text = json_string_value(ip),
			   *gateway = json_string_value(json_object_get(
				   hd_cni_subnet_of(cni, made->subnets, text), "gateway"));

		if (gateway && !strchr(text, ':') == is_v4)
			return gateway;
	}
	return NULL;
}

const char *hd_cni_gateway_for(const struct hd_cni *cni, const struct hd_cni_made *made,
			       const json_t *route)
{
	const char *dst = json_string_value(json_object_get(route, "dst"));
	const char *gateway = json_string_value(json_object_get(route, "gw"));
	bool is_v4 = dst && !strchr(dst, ':');

	if (!gateway)
		gateway = delegated_gateway(made->delegated, is_v4);
	return gateway ? gateway : subnet_gateway(cni, made, is_v4);
}

static int add_route(const struct far_end *far, uint32_t ifindex, const char *dst, const char *text,
		     struct hd_cni_error *err)
{
	struct hd_ip to, gateway;
	int r;

	if (!dst || hd_ip_parse(dst, &to) < 0 || to.prefix == HD_PREFIX_NONE)
		return hd_cni_fail(err, HD_CNI_CONF,
				   "conf: ipam: a route needs dst, as ADDRESS/LEN");
	if (text && (hd_ip_parse(text, &gateway) < 0 || gateway.is_v4 != to.is_v4))
		return hd_cni_fail(err, HD_CNI_CONF, "conf: ipam: %.80s can't be the gateway of %s",
				   text, dst);
	r = hd_netlink_route_add(far->nl, ifindex, to.is_v4, bytes_of(&to), to.prefix,
				 text ? bytes_of(&gateway) : NULL);
	return r < 0 ? hd_cni_fail(err, HD_CNI_CONF, "route %s by %s: %s", dst,
				   text ? text : "the link", strerror(-r))
		     : 0;
}

const json_t *hd_cni_routes(const struct hd_cni *cni, const struct hd_cni_made *made)
{
	const json_t *source = made->delegated;

	if (!source)
		source = json_object_get(cni->conf, "ipam");
	return json_object_get(source, "routes");
}

int hd_cni_add_routes(const struct hd_cni *cni, const struct hd_cni_made *made,
		      struct hd_cni_error *err)
{
	CLEANUP(far_end_close) struct far_end far = { .netns = -1 };
	const json_t *routes = hd_cni_routes(cni, made), *route;
	int ifindex = 0;
	size_t i;

	if (!json_array_size(routes))
		return 0;
	far.netns = hd_netns_open(cni->netns);
	if (far.netns >= 0 && hd_netlink_open_in(far.netns, &far.nl) == 0)
		ifindex = hd_netlink_link_find(far.nl, cni->ifname);
	if (ifindex <= 0)
		return hd_cni_fail(err, HD_CNI_CONTAINER, "interface %s has gone again",
				   cni->ifname);
	json_array_foreach(routes, i, route)
		if (add_route(&far, (uint32_t)ifindex,
			      json_string_value(json_object_get(route, "dst")),
			      hd_cni_gateway_for(cni, made, route), err) < 0)
			return -1;
	return 0;
}
