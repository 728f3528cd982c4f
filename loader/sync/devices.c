// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* devices.c - the network devices of this namespace: what is there, and those that heddle makes */
#include "sync/devices.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "log.h"
#include "offload.h"

#define ALIAS_PREFIX "heddle:"

static struct hd_device *find_index(const struct hd_devices *devices, uint32_t ifindex)
{
	struct hd_device *device;

	HASH_FIND(by_index, devices->by_index, &ifindex, sizeof(ifindex), device);
	return device;
}

static struct hd_device *find_name(const struct hd_devices *devices, const char *name)
{
	struct hd_device *device;

	HASH_FIND(by_name, devices->by_name, name, strlen(name), device);
	return device;
}

static void forget(struct hd_devices *devices, struct hd_device *device)
{
	HASH_DELETE(by_index, devices->by_index, device);
	HASH_DELETE(by_name, devices->by_name, device);
	free(device);
}

static void remember(struct hd_devices *devices, const struct hd_link *link)
{
	struct hd_device *device = calloc(1, sizeof(*device));
	struct hd_device *namesake;

	if (!device)
		return;
	/* A name that was taken over: the news about its former owner comes later. */
	namesake = find_name(devices, link->name);
	if (namesake)
		forget(devices, namesake);
	device->link = *link;
	HASH_ADD_KEYPTR(by_index, devices->by_index, &device->link.ifindex,
			sizeof(device->link.ifindex), device);
	HASH_ADD_KEYPTR(by_name, devices->by_name, device->link.name, strlen(device->link.name),
			device);
}

bool hd_devices_update(struct hd_devices *devices, const struct hd_link *link)
{
	struct hd_device *device = find_index(devices, link->ifindex);

	if (device && !link->gone && !memcmp(&device->link, link, sizeof(*link)))
		return false;
	if (device)
		forget(devices, device);
	if (!link->gone)
		remember(devices, link);
	return device || !link->gone;
}

static void on_link(void *arg, const struct hd_link *link)
{
	(void)hd_devices_update(arg, link);
}

int hd_devices_load(struct hd_devices *devices)
{
	hd_devices_done(devices);
	return hd_netlink_links(devices->nl, on_link, devices);
}

void hd_devices_done(struct hd_devices *devices)
{
	while (devices->by_index)
		forget(devices, devices->by_index);
}

void hd_device_name(const char *instance, uint32_t id, char name[IFNAMSIZ])
{
	uint32_t hash = 5381;

	if (!strcmp(instance, "default")) {
		(void)snprintf(name, IFNAMSIZ, "hdp%u", id);
		return;
	}
	for (const char *c = instance; *c; c++)
		hash = hash * 33 ^ (unsigned char)*c;
	(void)snprintf(name, IFNAMSIZ, "hd%04x-%u", hash & 0xffff, id);
}

static void make_alias(const char *instance, const char *port, char alias[128])
{
	(void)snprintf(alias, 128, ALIAS_PREFIX "%s:%s", instance, port);
}

/* The port that a link was made for by this instance, or NULL. */
static const char *port_of_alias(const struct hd_devices *devices, const struct hd_link *link)
{
	char prefix[128];

	make_alias(devices->instance, "", prefix);
	return strncmp(link->alias, prefix, strlen(prefix)) ? NULL : link->alias + strlen(prefix);
}

const struct hd_link *hd_device_of(const struct hd_devices *devices, const struct hd_object *port)
{
	const struct hd_device *device;
	char name[IFNAMSIZ];
	const char *owner;

	if (port->noun->id == HD_NOUN_UPLINK) {
		device = find_name(devices, port->name);
		return device ? &device->link : NULL;
	}
	if (port->view.port.kind == HD_PORT_REMOTE)
		return NULL;
	if (port->view.port.kind == HD_PORT_DEVICE) {
		device = find_name(devices, port->view.port.device);
		return device ? &device->link : NULL;
	}
	hd_device_name(devices->instance, port->id, name);
	device = find_name(devices, name);
	owner = device ? port_of_alias(devices, &device->link) : NULL;
	return owner && !strcmp(owner, port->name) ? &device->link : NULL;
}

static int check_free(const struct hd_devices *devices, const struct hd_object *port,
		      const struct hd_link *link, struct hd_error *err)
{
	const char *noun = port->noun->name;

	if (!strncmp(link->alias, ALIAS_PREFIX, strlen(ALIAS_PREFIX)))
		return hd_error_set(err, HD_ERR_CONFLICT, "%s %s: device %s belongs to heddle (%s)",
				    noun, port->name, link->name, link->alias);
	if (link->master) {
		const struct hd_device *master = find_index(devices, link->master);

		hd_error_set(err, HD_ERR_CONFLICT, "%s %s: device %s is already part of %s", noun,
			     port->name, link->name, master ? master->link.name : "a bridge");
		hd_error_hint(err, "ip link set %s nomaster", link->name);
		return -EBUSY;
	}
	return 0;
}

int hd_device_check(const struct hd_devices *devices, const struct hd_object *port,
		    struct hd_error *err)
{
	const char *name = port->view.port.device;
	const struct hd_device *device = find_name(devices, name);

	if (!device) {
		hd_error_set(err, HD_ERR_NOT_FOUND, "port %s: device %s does not exist", port->name,
			     name);
		hd_error_hint(err, "'ip link' lists the devices of this namespace");
		hd_error_where(err, "ports/%s/device", port->name);
		return -ENODEV;
	}
	if (!device->link.is_ethernet ||
	    (strcmp(device->link.kind, "veth") && strcmp(device->link.kind, "tun"))) {
		hd_error_set(err, HD_ERR_INVALID, "port %s: device %s is not a veth or tap device",
			     port->name, name);
		hd_error_hint(err, "other kinds are not available yet");
		hd_error_where(err, "ports/%s/device", port->name);
		return -EINVAL;
	}
	return check_free(devices, port, &device->link, err);
}

int hd_uplink_check(const struct hd_devices *devices, const struct hd_object *uplink,
		    struct hd_error *err)
{
	const struct hd_device *device = find_name(devices, uplink->name);

	if (!device) {
		hd_error_set(err, HD_ERR_NOT_FOUND, "uplink %s: the device does not exist",
			     uplink->name);
		hd_error_hint(err, "'ip link' lists the devices of this namespace");
		return -ENODEV;
	}
	if (!device->link.is_ethernet) {
		hd_error_set(err, HD_ERR_INVALID, "uplink %s: not an Ethernet device",
			     uplink->name);
		return -EINVAL;
	}
	return check_free(devices, uplink, &device->link, err);
}

struct hd_underlay hd_devices_underlay(const struct hd_devices *devices,
				       const struct hd_model *model,
				       const struct hd_network *network)
{
	const struct hd_object *only = network ? hd_model_physical(model, network->physical) : NULL;
	struct hd_underlay ret = { .is_v6 = hd_model_underlay_is_v6(model) };

	hd_model_each(model, HD_NOUN_UPLINK, uplink) {
		const struct hd_link *link = hd_device_of(devices, uplink);

		if (only && uplink != only)
			continue;
		if (link && (!ret.mtu || link->mtu < ret.mtu))
			ret.mtu = link->mtu;
	}
	if (!ret.mtu)
		ret.mtu = 1500;
	return ret;
}

/* The namespace of the far end and a socket in it. */
struct far_end {
	int netns;
	struct hd_netlink *nl;
	uint32_t ifindex;
};

static void far_end_close(struct far_end *far)
{
	hd_netlink_close(far->nl);
	if (far->netns >= 0)
		(void)close(far->netns);
}

enum hd_error_code hd_netns_error(int r)
{
	if (r == -EINVAL)
		return HD_ERR_INVALID; /* something else than a network namespace */
	return r == -ENOENT ? HD_ERR_NOT_FOUND : HD_ERR_FAILED;
}

const char *hd_netns_reason(int r)
{
	return r == -EINVAL ? "it is not a network namespace" : strerror(-r);
}

static int far_end_open(const struct hd_object *port, struct far_end *far, struct hd_error *err)
{
	const char *netns = port->view.port.netns;
	int r;

	if (port->view.port.kind == HD_PORT_INTERNAL)
		return hd_netlink_open(&far->nl);
	far->netns = hd_netns_open(netns);
	if (far->netns < 0) {
		hd_error_set(err, hd_netns_error(far->netns),
			     "port %s: namespace %s can't be opened: %s", port->name, netns,
			     hd_netns_reason(far->netns));
		hd_error_hint(
			err,
			"'ip netns list' shows named ones; a path like /proc/PID/ns/net works too");
		hd_error_where(err, "ports/%s/netns", port->name);
		return far->netns;
	}
	r = hd_netlink_open_in(far->netns, &far->nl);
	if (r < 0)
		return hd_error_set(err, HD_ERR_INVALID,
				    "port %s: %s is not a network namespace: %s", port->name, netns,
				    strerror(-r));
	return 0;
}

static uint32_t mtu_of(const struct hd_devices *devices, const struct hd_model *model,
		       const struct hd_object *port)
{
	const struct hd_network *network =
		&hd_model_network_of(model, &port->view.port)->view.network;
	struct hd_underlay underlay = hd_devices_underlay(devices, model, network);

	return port->view.port.mtu ? port->view.port.mtu : hd_network_mtu(network, &underlay);
}

static uint8_t prefix_of(const struct hd_model *model, const struct hd_object *port,
			 const struct hd_ip *ip)
{
	const struct hd_object *subnet = hd_model_subnet_of(model, port->view.port.network, ip);

	if (ip->prefix != HD_PREFIX_NONE)
		return ip->prefix;
	return subnet ? subnet->view.subnet.cidr.prefix : ip->is_v4 ? 32 : 128;
}

static const void *wire_bytes(const struct hd_ip *ip)
{
	return ip->is_v4 ? ip->bytes + 12 : ip->bytes;
}

static bool has_ip(const struct hd_object *port, const struct hd_ip *ip)
{
	for (size_t i = 0; i < port->view.port.n_ips; i++)
		if (!memcmp(&port->view.port.ips[i], ip, sizeof(*ip)))
			return true;
	return false;
}

static int add_addresses(const struct hd_model *model, const struct hd_object *port,
			 struct far_end *far)
{
	const struct hd_port *view = &port->view.port;

	for (size_t i = 0; i < view->n_ips; i++) {
		const struct hd_ip *ip = &view->ips[i];
		int r = hd_netlink_addr(far->nl, far->ifindex, ip->is_v4, wire_bytes(ip),
					prefix_of(model, port, ip));

		if (r < 0)
			return r;
	}
	return 0;
}

static void remove_addresses(const struct hd_object *port, const struct hd_model *old,
			     const struct hd_object *before, struct far_end *far)
{
	for (size_t i = 0; i < before->view.port.n_ips; i++) {
		const struct hd_ip *ip = &before->view.port.ips[i];

		if (!has_ip(port, ip)) /* somebody may have removed it by hand: fine */
			(void)hd_netlink_addr_del(far->nl, far->ifindex, ip->is_v4, wire_bytes(ip),
						  prefix_of(old, before, ip));
	}
}

/*
 * The new ones come first, so that the device is never without an address; but of one IPv4 subnet the first address owns the others, and
 * takes them along when it goes (net.ipv4.conf.*.promote_secondaries is off by default). So they are put back after.
 */
static int change_addresses(const struct hd_model *model, const struct hd_object *port,
			    const struct hd_model *old, const struct hd_object *before,
			    struct far_end *far)
{
	int r = add_addresses(model, port, far);

	if (r < 0 || !before)
		return r;
	remove_addresses(port, old, before, far);
	return add_addresses(model, port, far);
}

/*
 * The gateway of the first subnet of each family that has one, by is_v4; NULL = none. Only inside a namespace, the host has routes of its own.
 */
static void find_gateways(const struct hd_model *model, const struct hd_object *port,
			  const struct hd_ip *ret[2])
{
	const struct hd_port *view = &port->view.port;

	ret[0] = ret[1] = NULL;
	for (size_t i = 0; view->kind == HD_PORT_NETNS && i < view->n_ips; i++) {
		const struct hd_object *subnet =
			hd_model_subnet_of(model, view->network, &view->ips[i]);
		const struct hd_ip *gateway = subnet ? &subnet->view.subnet.gateway : NULL;

		if (!gateway || !subnet->view.subnet.has_gateway || ret[gateway->is_v4])
			continue;
		if (!hd_ip_same(gateway, &view->ips[i])) /* else it is the gateway itself */
			ret[gateway->is_v4] = gateway;
	}
}

bool hd_device_gateways_changed(const struct hd_model *model, const struct hd_model *old,
				const struct hd_object *port, const struct hd_object *before)
{
	const struct hd_ip *is[2], *was[2];

	find_gateways(model, port, is);
	find_gateways(old, before, was);
	for (int v4 = 0; v4 < 2; v4++)
		if (!is[v4] != !was[v4] || (is[v4] && !hd_ip_same(is[v4], was[v4])))
			return true;
	return false;
}

/*
 * Of each family a default route, or none if there is no gateway any more; another than ours stays (-ESRCH), so does one that is there before a
 * new device: of several ports in a namespace the first has it.
 */
static int change_routes(const struct hd_model *model, const struct hd_object *port,
			 const struct hd_model *old, const struct hd_object *before,
			 struct far_end *far)
{
	const struct hd_ip *is[2], *was[2] = { NULL, NULL };
	int r = 0;

	find_gateways(model, port, is);
	if (before)
		find_gateways(old, before, was);
	for (int v4 = 0; r == 0 && v4 < 2; v4++) {
		if (is[v4] && !before)
			r = hd_netlink_default_route_add(far->nl, far->ifindex, v4,
							 wire_bytes(is[v4]));
		else if (is[v4])
			r = hd_netlink_default_route(far->nl, far->ifindex, v4, wire_bytes(is[v4]));
		else if (was[v4])
			(void)hd_netlink_default_route_del(far->nl, far->ifindex, v4,
							   wire_bytes(was[v4]));
	}
	return r;
}

static int find_far_end(const struct hd_object *port, struct far_end *far, struct hd_error *err)
{
	int ifindex = hd_netlink_link_find(far->nl, port->view.port.ifname);

	if (ifindex <= 0)
		return hd_error_set(err, HD_ERR_FAILED,
				    "port %s: device %s is gone from its namespace", port->name,
				    port->view.port.ifname);
	far->ifindex = (uint32_t)ifindex;
	return 0;
}

int hd_device_configure(struct hd_devices *devices, const struct hd_model *model,
			const struct hd_object *port, const struct hd_model *old,
			struct hd_error *err)
{
	const struct hd_object *before = old ? hd_model_get(old, HD_NOUN_PORT, port->name) : NULL;
	CLEANUP(far_end_close) struct far_end far = { .netns = -1 };
	const struct hd_link *near = hd_device_of(devices, port);
	uint32_t mtu = mtu_of(devices, model, port);
	int r = far_end_open(port, &far, err);

	if (r == 0)
		r = find_far_end(port, &far, err);
	if (r < 0)
		return r;
	if (near && near->mtu != mtu)
		r = hd_netlink_link_mtu(devices->nl, near->ifindex, mtu);
	if (r == 0)
		r = hd_netlink_link_mtu(far.nl, far.ifindex, mtu);
	if (r == 0 && port->view.port.has_mac)
		r = hd_netlink_link_mac(far.nl, far.ifindex, port->view.port.mac);
	if (r == 0)
		r = hd_netlink_link_up(far.nl, far.ifindex);
	if (r == 0)
		r = change_addresses(model, port, old, before, &far);
	if (r == 0)
		r = change_routes(model, port, old, before, &far);
	if (r < 0)
		return hd_error_set(err, HD_ERR_FAILED, "port %s: can't configure device %s: %s",
				    port->name, port->view.port.ifname, strerror(-r));
	return 0;
}

static bool follows_underlay(const struct hd_model *model, const struct hd_object *port)
{
	const struct hd_network *network =
		&hd_model_network_of(model, &port->view.port)->view.network;

	return !port->view.port.mtu && !network->mtu &&
	       (network->tunnel != HD_TUNNEL_NONE || network->physical);
}

int hd_device_follow_mtu(struct hd_devices *devices, const struct hd_model *model,
			 const struct hd_object *port, struct hd_error *err)
{
	CLEANUP(far_end_close) struct far_end far = { .netns = -1 };
	const struct hd_link *near = hd_device_of(devices, port);
	uint32_t mtu = mtu_of(devices, model, port);
	int r;

	if (!near || near->mtu == mtu || !follows_underlay(model, port))
		return 0;
	r = far_end_open(port, &far, err);
	if (r == 0)
		r = find_far_end(port, &far, err);
	if (r < 0)
		return r;
	r = hd_netlink_link_mtu(far.nl, far.ifindex, mtu);
	if (r == 0)
		r = hd_netlink_link_mtu(devices->nl, near->ifindex, mtu);
	return r < 0 ? hd_error_set(err, HD_ERR_FAILED, "port %s: can't set its MTU to %u: %s",
				    port->name, mtu, strerror(-r))
		     : 0;
}

static int make_pair(struct hd_devices *devices, const struct hd_model *model,
		     const struct hd_object *port, struct hd_error *err)
{
	const struct hd_port *view = &port->view.port;
	_close_ int netns = view->kind == HD_PORT_NETNS ? hd_netns_open(view->netns) : -1;
	char name[IFNAMSIZ];
	struct hd_veth veth = { .name = name,
				.peer = view->ifname,
				.netns = netns,
				.mtu = mtu_of(devices, model, port),
				.mac = view->has_mac ? view->mac : NULL };
	int r;

	hd_device_name(devices->instance, port->id, name);
	r = hd_netlink_veth_add(devices->nl, &veth);
	if (r == -EEXIST) {
		hd_error_set(err, HD_ERR_CONFLICT, "port %s: a device %s exists already%s%s",
			     port->name, view->ifname, view->netns ? " in namespace " : "",
			     view->netns ? view->netns : "");
		hd_error_where(err, "ports/%s/ifname", port->name);
		return r;
	}
	if (r < 0)
		return hd_error_set(err, HD_ERR_FAILED, "port %s: can't make a veth pair: %s",
				    port->name, strerror(-r));
	return 0;
}

/* Our end: known by its alias, without a voice of its own, and in the list of devices before the kernel's message comes. */
static int adorn_near_end(struct hd_devices *devices, const struct hd_object *port,
			  struct hd_error *err)
{
	char name[IFNAMSIZ], alias[128];
	int ifindex, r;

	hd_device_name(devices->instance, port->id, name);
	make_alias(devices->instance, port->name, alias);
	ifindex = hd_netlink_link_find(devices->nl, name);
	r = ifindex > 0 ? hd_netlink_link_alias(devices->nl, (uint32_t)ifindex, alias) : -ENODEV;
	if (r == 0)
		r = hd_netlink_link_mute(devices->nl, (uint32_t)ifindex);
	if (r == 0)
		r = hd_netlink_link_get(devices->nl, (uint32_t)ifindex, on_link, devices);
	if (r < 0)
		return hd_error_set(err, HD_ERR_FAILED, "port %s: can't set up device %s: %s",
				    port->name, name, strerror(-r));
	return 0;
}

static void unmake(struct hd_devices *devices, const struct hd_object *port)
{
	char name[IFNAMSIZ];
	int ifindex;

	hd_device_name(devices->instance, port->id, name);
	ifindex = hd_netlink_link_find(devices->nl, name);
	if (ifindex > 0)
		(void)hd_netlink_link_del(devices->nl, (uint32_t)ifindex);
}

/* A pair whose maker was killed before it could say whose it is. */
static void remove_nameless(struct hd_devices *devices, const struct hd_object *port)
{
	const struct hd_device *device;
	char name[IFNAMSIZ];

	hd_device_name(devices->instance, port->id, name);
	device = find_name(devices, name);
	if (device && !strcmp(device->link.kind, "veth") && !device->link.alias[0])
		unmake(devices, port);
}

static bool is_our_name(const struct hd_devices *devices, const char *name)
{
	const char *digits = name + strlen(name);
	char own[IFNAMSIZ];

	while (digits > name && digits[-1] >= '0' && digits[-1] <= '9')
		digits--;
	hd_device_name(devices->instance, (uint32_t)strtoul(digits, NULL, 10), own);
	return !strcmp(own, name);
}

/* The list is fresh; later it may be behind what we have just made. One that is up is none of ours: that comes after the alias. */
void hd_devices_remove_nameless(struct hd_devices *devices)
{
	struct hd_device *device, *next;

	HASH_ITER(by_index, devices->by_index, device, next) {
		if (strcmp(device->link.kind, "veth") || device->link.alias[0] ||
		    device->link.flags & IFF_UP || !is_our_name(devices, device->link.name))
			continue;
		if (hd_netlink_link_del(devices->nl, device->link.ifindex) == 0)
			forget(devices, device);
	}
}

/* What goes into a tunnel of ours can't be in one already that is to be cut later. Without it all else works: no reason to fail. */
static void refuse_tunnels(const struct hd_model *model, const struct hd_object *port, int netns)
{
	const struct hd_port *view = &port->view.port;
	int r = 0;

	if (hd_model_network_of(model, view)->view.network.tunnel != HD_TUNNEL_NONE)
		r = hd_offload_no_tunnels(netns, view->ifname);
	if (r < 0)
		(void)log_warn(r,
			       "port %s: can't turn off offloads of tunnels at device %s, ignoring",
			       port->name, view->ifname);
}

int hd_device_make(struct hd_devices *devices, const struct hd_model *model,
		   const struct hd_object *port, struct hd_error *err)
{
	CLEANUP(far_end_close) struct far_end far = { .netns = -1 };
	int r = far_end_open(port, &far, err); /* first, for its better errors */

	if (r < 0)
		return r;
	remove_nameless(devices, port);
	r = make_pair(devices, model, port, err);
	if (r < 0)
		return r;
	refuse_tunnels(model, port, far.netns);
	r = adorn_near_end(devices, port, err);
	if (r == 0)
		r = hd_device_configure(devices, model, port, NULL, err);
	if (r < 0)
		unmake(devices, port);
	return r;
}

/* Known by their alias too: no port is called "@...". */
#define SOCKET_PREFIX "@udp-"

static void socket_name(const struct hd_devices *devices, uint16_t port, char name[IFNAMSIZ],
			char alias[128])
{
	char owner[32];

	hd_device_name(devices->instance, port, name);
	name[1] = 'u'; /* hdp4789 -> hup4789, hd1234-4789 -> hu1234-4789 */
	(void)snprintf(owner, sizeof(owner), SOCKET_PREFIX "%u", port);
	make_alias(devices->instance, owner, alias);
}

const struct hd_link *hd_device_of_socket(const struct hd_devices *devices, uint16_t port)
{
	char name[IFNAMSIZ], alias[128];
	const struct hd_device *device;

	socket_name(devices, port, name, alias);
	device = find_name(devices, name);
	return device && !strcmp(device->link.alias, alias) ? &device->link : NULL;
}

int hd_device_make_socket(struct hd_devices *devices, const struct hd_network *network)
{
	char name[IFNAMSIZ], alias[128];
	int ifindex, r;

	socket_name(devices, network->tunnel_port, name, alias);
	r = hd_netlink_tunnel_add(devices->nl, name, network->tunnel == HD_TUNNEL_GENEVE,
				  network->tunnel_port);
	if (r < 0)
		return r;
	ifindex = hd_netlink_link_find(devices->nl, name);
	if (ifindex <= 0)
		return -ENODEV;
	r = hd_netlink_link_alias(devices->nl, (uint32_t)ifindex, alias);
	if (r == 0)
		r = hd_netlink_link_mute(devices->nl, (uint32_t)ifindex);
	if (r == 0)
		r = hd_netlink_link_get(devices->nl, (uint32_t)ifindex, on_link, devices);
	if (r < 0)
		(void)hd_netlink_link_del(devices->nl, (uint32_t)ifindex);
	return r;
}

static bool is_wanted_socket(const struct hd_model *model, const char *owner)
{
	unsigned int port;

	return model && sscanf(owner, SOCKET_PREFIX "%u", &port) == 1 &&
	       hd_model_wants_socket(model, (uint16_t)port);
}

int hd_device_up(struct hd_devices *devices, const struct hd_link *link)
{
	uint32_t ifindex = link->ifindex;
	int r = link->flags & IFF_UP ? 0 : hd_netlink_link_up(devices->nl, ifindex);

	return r < 0 ? r : hd_netlink_link_get(devices->nl, ifindex, on_link, devices);
}

static bool is_orphan(const struct hd_devices *devices, const struct hd_model *model,
		      const struct hd_link *link)
{
	const char *owner = port_of_alias(devices, link);
	const struct hd_object *port =
		owner && model ? hd_model_get(model, HD_NOUN_PORT, owner) : NULL;

	return owner && !(port && hd_device_of(devices, port) == link) &&
	       !is_wanted_socket(model, owner);
}

static void on_nothing(void *arg, const struct hd_link *link)
{
	(void)arg, (void)link;
}

static bool has_gone(const struct hd_devices *devices, const struct hd_removal *removal)
{
	return removal->r == 0 || removal->r == -ENODEV ||
	       (removal->r == -EAGAIN &&
		hd_netlink_link_get(devices->nl, removal->ifindex, on_nothing, NULL) == -ENODEV);
}

void hd_devices_remove_orphans(struct hd_devices *devices, const struct hd_model *model)
{
	_free_ struct hd_removal *list =
		calloc(HASH_CNT(by_index, devices->by_index) + 1, sizeof(*list));
	struct hd_device *device, *next;
	size_t n = 0;

	HASH_ITER(by_index, devices->by_index, device, next)
		if (list && is_orphan(devices, model, &device->link))
			list[n++].ifindex = device->link.ifindex;
	hd_remover_run(devices->remover, list, n);
	for (size_t i = 0; i < n; i++) {
		device = find_index(devices, list[i].ifindex);
		if (device && has_gone(devices, &list[i]))
			forget(devices, device);
	}
}
