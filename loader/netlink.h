/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * netlink.h - devices, addresses and routes, by rtnetlink through libmnl
 *
 * Each call is one request and its answer. Return 0 or -errno unless said otherwise; nothing is logged.
 */
#pragma once

#include <linux/if.h>
#include <stdbool.h>
#include <stdint.h>

struct hd_netlink;

/**
 * struct hd_link - what the kernel says about a device
 * @ifindex: its number in this namespace
 * @name:    its name
 * @kind:    "veth", "tun", "bridge" ...; empty for hardware and others without a kind
 * @alias:   what IFLA_IFALIAS holds; how heddle knows its own devices again
 * @flags:   IFF_*, with IFF_LOWER_UP
 * @mtu:     bytes
 * @master:  ifindex of the bridge or bond it belongs to, 0 if none
 * @far_peer: it is half of a pair whose other half is in another namespace
 * @is_ethernet: ARPHRD_ETHER
 * @mac:     its address
 * @gone:    the message was about its end
 */
struct hd_link {
	uint32_t ifindex;
	char name[IFNAMSIZ];
	char kind[16];
	char alias[128];
	uint32_t flags;
	uint32_t mtu;
	uint32_t master;
	bool far_peer;
	bool is_ethernet;
	bool gone;
	uint8_t mac[6];
};

/** hd_link_fn - called for each link; borrowed */
typedef void (*hd_link_fn)(void *arg, const struct hd_link *link);

/** hd_netlink_open - a socket in the namespace of the caller; hd_netlink_close() takes NULL */
int hd_netlink_open(struct hd_netlink **ret);

/** hd_netlink_open_in - a socket in another namespace; @netns: fd of it. The caller's namespace is as before on return. */
int hd_netlink_open_in(int netns, struct hd_netlink **ret);
void hd_netlink_close(struct hd_netlink *nl);

/** hd_netns_open - open a namespace: a name under /run/netns, or an absolute path. Returns an fd or -errno. */
int hd_netns_open(const char *name_or_path);

/** hd_netns_socket - a socket to ask about the devices of a namespace by ioctl(); @netns: fd of it, -1 = this one. An fd or -errno. */
int hd_netns_socket(int netns);

/** hd_netlink_links - report every link */
int hd_netlink_links(struct hd_netlink *nl, hd_link_fn fn, void *arg);

/** hd_netlink_link_get - report one link; -ENODEV if it is not there */
int hd_netlink_link_get(struct hd_netlink *nl, uint32_t ifindex, hd_link_fn fn, void *arg);

/** hd_netlink_watch - subscribe this socket to changes of links, neighbours, routes and addresses; hd_netlink_fd() becomes readable */
int hd_netlink_watch(struct hd_netlink *nl);
int hd_netlink_fd(const struct hd_netlink *nl);

/** hd_way_fn - called for news about neighbours, routes and addresses, which are not told apart */
typedef void (*hd_way_fn)(void *arg);

/** hd_netlink_read - report the changes that are there; -ENOBUFS: some were lost, list the links again */
int hd_netlink_read(struct hd_netlink *nl, hd_link_fn fn, hd_way_fn way, void *arg);

/**
 * struct hd_route - the way to an address, as the kernel would send
 * @ifindex:  device
 * @mtu:      of the path, if the kernel knows one that is smaller than the device's; else 0
 * @is_local: the address is this host's own
 * @next:     next hop, 4 or 16 bytes: the gateway, or the address itself
 */
struct hd_route {
	uint32_t ifindex;
	uint32_t mtu;
	bool is_local;
	uint8_t next[16];
};

/** hd_netlink_route - how an address is reached from @from, NULL for any; -ENETUNREACH and the like if it is not */
int hd_netlink_route(struct hd_netlink *nl, bool is_v4, const void *to, const void *from,
		     struct hd_route *ret);

/** hd_netlink_neigh - MAC of a neighbour that has answered; -ENOENT if none is known, -EHOSTUNREACH if it was asked in vain */
int hd_netlink_neigh(struct hd_netlink *nl, uint32_t ifindex, bool is_v4, const void *addr,
		     uint8_t ret[6]);

/**
 * hd_netlink_neigh_use - as if a packet was sent to a neighbour: the kernel asks for its MAC, or whether it is still right
 *
 * Permanent neighbours, and those that a routing daemon or the kernel keeps by itself, are left alone.
 */
int hd_netlink_neigh_use(struct hd_netlink *nl, uint32_t ifindex, bool is_v4, const void *addr);

/**
 * struct hd_veth - a pair to make
 * @name:   this end, in the caller's namespace
 * @peer:   the other end
 * @netns:  fd of the namespace of the other end, -1 for the caller's
 * @mtu:    of both
 * @mac:    of the other end, NULL for a random one
 */
struct hd_veth {
	const char *name;
	const char *peer;
	int netns;
	uint32_t mtu;
	const uint8_t *mac;
};
int hd_netlink_veth_add(struct hd_netlink *nl, const struct hd_veth *veth);

/** hd_netlink_tunnel_add - a vxlan or geneve device in metadata mode: it takes all ids that come to a UDP port */
int hd_netlink_tunnel_add(struct hd_netlink *nl, const char *name, bool geneve, uint16_t port);
int hd_netlink_link_del(struct hd_netlink *nl, uint32_t ifindex);
int hd_netlink_link_up(struct hd_netlink *nl, uint32_t ifindex);
int hd_netlink_link_mtu(struct hd_netlink *nl, uint32_t ifindex, uint32_t mtu);
int hd_netlink_link_mac(struct hd_netlink *nl, uint32_t ifindex, const uint8_t mac[6]);

/** hd_netlink_link_promisc - let frames for other MACs in, as IFF_PROMISC; others who want the same are not concerned */
int hd_netlink_link_promisc(struct hd_netlink *nl, uint32_t ifindex, bool on);

/** hd_netlink_has_address - whether the host has an address at a device, besides that which IPv6 gives to each */
bool hd_netlink_has_address(struct hd_netlink *nl, uint32_t ifindex);

/** HD_LOOPBACK - ifindex of the loopback, in each namespace */
#define HD_LOOPBACK 1

/**
 * struct hd_address - an address of the host
 * @ifindex:   the device that it is at
 * @is_v4:     the first 4 of @bytes, else all; network order
 * @scope:     RT_SCOPE_*
 * @secondary: the kernel prefers another one of the same prefix; of IPv6: it is temporary (RFC 8981)
 * @flags:     IFA_F_*
 */
struct hd_address {
	uint32_t ifindex;
	uint8_t bytes[16];
	bool is_v4;
	uint8_t scope;
	bool secondary;
	uint8_t flags;
};

/** hd_netlink_addresses - all addresses of the host, in the kernel's order; 0 or -errno. @ret: an array that the caller frees */
int hd_netlink_addresses(struct hd_netlink *nl, struct hd_address **ret, size_t *ret_n);
int hd_netlink_link_alias(struct hd_netlink *nl, uint32_t ifindex, const char *alias);

/** hd_netlink_link_mute - no IPv6 link-local address, so the host says nothing of its own on this device */
int hd_netlink_link_mute(struct hd_netlink *nl, uint32_t ifindex);

/** hd_netlink_link_find - ifindex of a name, 0 if there is none, or -errno */
int hd_netlink_link_find(struct hd_netlink *nl, const char *name);

/**
 * hd_netlink_addr - add an address, or replace the same one
 * @is_v4: @addr has 4 bytes, else 16; network order
 * @len:   prefix length
 *
 * An IPv6 address is usable at once: nobody else has it, so no duplicate address detection.
 */
int hd_netlink_addr(struct hd_netlink *nl, uint32_t ifindex, bool is_v4, const void *addr,
		    uint8_t len);
int hd_netlink_addr_del(struct hd_netlink *nl, uint32_t ifindex, bool is_v4, const void *addr,
			uint8_t len);

/**
 * hd_netlink_nsid_add - the number by which this namespace knows another one; it lasts as long as that exists. -EEXIST: it has one, or the number is taken
 * hd_netlink_nsid_of - that number; -ENOENT if it has none
 * hd_netlink_nsid_check - 0 if there is a namespace of that number, -ENOENT if not
 */
int hd_netlink_nsid_add(struct hd_netlink *nl, int netns, int nsid);
int hd_netlink_nsid_of(struct hd_netlink *nl, int netns);
int hd_netlink_nsid_check(struct hd_netlink *nl, int nsid);

/** hd_netlink_route_add - a route to @to/@len, by @gateway or, if that is NULL, on the link; one that is there, by whatever device, stays */
int hd_netlink_route_add(struct hd_netlink *nl, uint32_t ifindex, bool is_v4, const void *to,
			 uint8_t len, const void *gateway);

/** hd_netlink_default_route_add - likewise, but one that is there, by whatever device, stays */
int hd_netlink_default_route_add(struct hd_netlink *nl, uint32_t ifindex, bool is_v4,
				 const void *gateway);

/** hd_netlink_default_route - add or replace the default route by @gateway; same form as the address */
int hd_netlink_default_route(struct hd_netlink *nl, uint32_t ifindex, bool is_v4,
			     const void *gateway);

/** hd_netlink_default_route_del - remove it if it is by @gateway; -ESRCH if it is not */
int hd_netlink_default_route_del(struct hd_netlink *nl, uint32_t ifindex, bool is_v4,
				 const void *gateway);

/* Our filters stand behind everybody else's: a high number is late. */
#define HD_TC_PRIORITY 0xfde8

/** hd_netlink_foreign_filters - how many clsact filters of others a device has in one direction */
int hd_netlink_foreign_filters(struct hd_netlink *nl, uint32_t ifindex, bool ingress);

/** hd_netlink_has_clsact - whether a device has a clsact qdisc */
bool hd_netlink_has_clsact(struct hd_netlink *nl, uint32_t ifindex);
