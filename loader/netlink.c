// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* netlink.c - devices, addresses and routes */
#include "netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/magic.h>
#include <linux/neighbour.h>
#include <linux/net_namespace.h>
#include <linux/nsfs.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <time.h>

#include "cleanup.h"

struct hd_netlink {
	struct mnl_socket *socket;
	unsigned int seq;
	unsigned int port;
	char buf[32768];
};

/* What a callback of libmnl needs to report links. */
struct report {
	hd_link_fn fn;
	void *arg;
};

int hd_netlink_open(struct hd_netlink **ret)
{
	struct hd_netlink *nl = calloc(1, sizeof(*nl));
	int r, yes = 1;

	if (!nl)
		return -ENOMEM;
	nl->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!nl->socket || mnl_socket_bind(nl->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		r = -errno;
		hd_netlink_close(nl);
		return r;
	}
	nl->seq = (unsigned int)time(NULL);
	nl->port = mnl_socket_get_portid(nl->socket);
	(void)mnl_socket_setsockopt(nl->socket, NETLINK_CAP_ACK, &yes,
				    sizeof(yes)); /* only saves copying */
	*ret = nl;
	return 0;
}

static int enter(int netns)
{
	return setns(netns, CLONE_NEWNET) < 0 ? -errno : 0;
}

int hd_netlink_open_in(int netns, struct hd_netlink **ret)
{
	_close_ int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int r;

	if (home < 0)
		return -errno;
	r = enter(netns);
	if (r < 0)
		return r;
	r = hd_netlink_open(ret);
	if (enter(home) < 0)
		abort(); /* in the wrong namespace everything that follows would hit the wrong machine */
	return r;
}

int hd_netns_socket(int netns)
{
	_close_ int home = netns < 0 ? -1 : open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int fd, r;

	if (netns >= 0 && home < 0)
		return -errno;
	r = netns < 0 ? 0 : enter(netns);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	r = fd < 0 ? -errno : fd;
	if (netns >= 0 && enter(home) < 0)
		abort(); /* as above */
	return r;
}

void hd_netlink_close(struct hd_netlink *nl)
{
	if (!nl)
		return;
	if (nl->socket)
		(void)mnl_socket_close(nl->socket);
	free(nl);
}

int hd_netns_open(const char *name_or_path)
{
	struct statfs fs;
	char path[300];
	int fd, r;

	(void)snprintf(path, sizeof(path), "%s%s", name_or_path[0] == '/' ? "" : "/run/netns/",
		       name_or_path);
	/* The name comes from outside: a FIFO must not block us, and a device must not be touched by being opened. */
	if (statfs(path, &fs) < 0)
		return -errno;
	if (fs.f_type != NSFS_MAGIC)
		return -EINVAL;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0 && ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET)
		return fd;
	r = fd < 0 ? -errno : -EINVAL;
	hd_closep(&fd);
	return r;
}

static void parse_kind(const struct nlattr *info, struct hd_link *link)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, info)
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
			(void)snprintf(link->kind, sizeof(link->kind), "%s",
				       mnl_attr_get_str(attr));
}

static void parse_attr(const struct nlattr *attr, struct hd_link *link)
{
	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		(void)snprintf(link->name, sizeof(link->name), "%s", mnl_attr_get_str(attr));
		break;
	case IFLA_IFALIAS:
		(void)snprintf(link->alias, sizeof(link->alias), "%s", mnl_attr_get_str(attr));
		break;
	case IFLA_MTU:
		link->mtu = mnl_attr_get_u32(attr);
		break;
	case IFLA_MASTER:
		link->master = mnl_attr_get_u32(attr);
		break;
	case IFLA_LINK_NETNSID:
		link->far_peer = true;
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(attr) == sizeof(link->mac))
			memcpy(link->mac, mnl_attr_get_payload(attr), sizeof(link->mac));
		break;
	case IFLA_LINKINFO:
		parse_kind(attr, link);
		break;
	default:
		break;
	}
}

static int on_link(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(nlh);
	const struct report *report = arg;
	struct hd_link link = { 0 };
	const struct nlattr *attr;

	if ((nlh->nlmsg_type != RTM_NEWLINK && nlh->nlmsg_type != RTM_DELLINK) ||
	    info->ifi_family != AF_UNSPEC)
		return MNL_CB_OK;
	link.ifindex = (uint32_t)info->ifi_index;
	link.flags = info->ifi_flags;
	link.is_ethernet = info->ifi_type == ARPHRD_ETHER;
	link.gone = nlh->nlmsg_type == RTM_DELLINK;
	mnl_attr_for_each(attr, nlh, sizeof(*info))
		parse_attr(attr, &link);
	report->fn(report->arg, &link);
	return MNL_CB_OK;
}

static struct nlmsghdr *request(struct hd_netlink *nl, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(nl->buf);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++nl->seq;
	return nlh;
}

/* Sends what stands in the buffer and reads the answer into it. */
static int talk(struct hd_netlink *nl, struct nlmsghdr *nlh, mnl_cb_t cb, void *arg)
{
	unsigned int seq = nlh->nlmsg_seq;
	ssize_t n;
	int r = 1;

	if (mnl_socket_sendto(nl->socket, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	while (r > 0) {
		n = mnl_socket_recvfrom(nl->socket, nl->buf, sizeof(nl->buf));
		if (n < 0)
			return -errno;
		r = mnl_cb_run(nl->buf, (size_t)n, seq, nl->port, cb, arg);
	}
	return r < 0 ? -errno : 0;
}

int hd_netlink_links(struct hd_netlink *nl, hd_link_fn fn, void *arg)
{
	struct nlmsghdr *nlh = request(nl, RTM_GETLINK, NLM_F_DUMP);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(nlh, sizeof(*info));
	struct report report = { fn, arg };

	info->ifi_family = AF_UNSPEC;
	return talk(nl, nlh, on_link, &report);
}

int hd_netlink_link_get(struct hd_netlink *nl, uint32_t ifindex, hd_link_fn fn, void *arg)
{
	struct nlmsghdr *nlh = request(nl, RTM_GETLINK, NLM_F_ACK);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(nlh, sizeof(*info));
	struct report report = { fn, arg };

	info->ifi_family = AF_UNSPEC;
	info->ifi_index = (int)ifindex;
	return talk(nl, nlh, on_link, &report);
}

int hd_netlink_watch(struct hd_netlink *nl)
{
	const int groups[] = { RTNLGRP_LINK,	   RTNLGRP_NEIGH,	RTNLGRP_IPV4_ROUTE,
			       RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR };
	int size = 4 << 20, fd = mnl_socket_get_fd(nl->socket);

	/* A burst of new devices should fit; if it does not, -ENOBUFS tells and everything is listed again. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (mnl_socket_setsockopt(nl->socket, NETLINK_ADD_MEMBERSHIP, (void *)&groups[i],
					  sizeof(groups[i])) < 0)
			return -errno;
	return 0;
}

int hd_netlink_fd(const struct hd_netlink *nl)
{
	return mnl_socket_get_fd(nl->socket);
}

/* News of links by themselves, those of the ways to others only as that there are some. */
struct news {
	struct report links;
	bool ways;
};

static int on_news(const struct nlmsghdr *nlh, void *arg)
{
	struct news *news = arg;

	if (nlh->nlmsg_type == RTM_NEWLINK || nlh->nlmsg_type == RTM_DELLINK)
		return on_link(nlh, &news->links);
	news->ways = true;
	return MNL_CB_OK;
}

static int read_news(struct hd_netlink *nl, struct news *news)
{
	ssize_t n;

	for (;;) {
		n = recv(mnl_socket_get_fd(nl->socket), nl->buf, sizeof(nl->buf), MSG_DONTWAIT);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		if (mnl_cb_run(nl->buf, (size_t)n, 0, 0, on_news, news) < 0)
			return -errno;
	}
}

int hd_netlink_read(struct hd_netlink *nl, hd_link_fn fn, hd_way_fn way, void *arg)
{
	struct news news = { .links = { fn, arg } };
	int r = read_news(nl, &news);

	if (news.ways)
		way(arg);
	return r;
}

/* A route being read. @has_gateway: @ret.next is set. */
struct routing {
	struct hd_route ret;
	bool has_gateway;
	size_t size;
};

static int on_route(const struct nlmsghdr *nlh, void *arg)
{
	const struct rtmsg *msg = mnl_nlmsg_get_payload(nlh);
	struct routing *routing = arg;
	const struct nlattr *attr, *metric;

	if (nlh->nlmsg_type != RTM_NEWROUTE)
		return MNL_CB_OK;
	routing->ret.is_local = msg->rtm_type == RTN_LOCAL;
	mnl_attr_for_each(attr, nlh, sizeof(*msg)) {
		uint16_t type = mnl_attr_get_type(attr);

		if (type == RTA_OIF)
			routing->ret.ifindex = mnl_attr_get_u32(attr);
		if (type == RTA_GATEWAY && mnl_attr_get_payload_len(attr) == routing->size) {
			memcpy(routing->ret.next, mnl_attr_get_payload(attr), routing->size);
			routing->has_gateway = true;
		}
		if (type != RTA_METRICS)
			continue;
		mnl_attr_for_each_nested(metric, attr)
			if (mnl_attr_get_type(metric) == RTAX_MTU)
				routing->ret.mtu = mnl_attr_get_u32(metric);
	}
	return MNL_CB_OK;
}

int hd_netlink_route(struct hd_netlink *nl, bool is_v4, const void *to, const void *from,
		     struct hd_route *ret)
{
	struct nlmsghdr *nlh = request(nl, RTM_GETROUTE, NLM_F_ACK);
	struct rtmsg *msg = mnl_nlmsg_put_extra_header(nlh, sizeof(*msg));
	struct routing routing = { .size = is_v4 ? 4 : 16 };
	int r;

	msg->rtm_family = is_v4 ? AF_INET : AF_INET6;
	msg->rtm_dst_len = (uint8_t)(routing.size * 8);
	msg->rtm_src_len = from ? (uint8_t)(routing.size * 8) : 0;
	mnl_attr_put(nlh, RTA_DST, routing.size, to);
	if (from)
		mnl_attr_put(nlh, RTA_SRC, routing.size, from);
	r = talk(nl, nlh, on_route, &routing);
	if (r < 0)
		return r;
	if (!routing.has_gateway)
		memcpy(routing.ret.next, to, routing.size);
	*ret = routing.ret;
	return 0;
}

static int on_nsid(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *attr;
	int *nsid = arg;

	mnl_attr_for_each(attr, nlh, sizeof(struct rtgenmsg))
		if (mnl_attr_get_type(attr) == NETNSA_NSID)
			*nsid = (int)mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

/* @what: NETNSA_FD or NETNSA_NSID, with @value */
static struct nlmsghdr *nsid_request(struct hd_netlink *nl, uint16_t type, uint16_t what, int value)
{
	struct nlmsghdr *nlh = request(nl, type, NLM_F_ACK);

	(void)mnl_nlmsg_put_extra_header(nlh, sizeof(struct rtgenmsg));
	mnl_attr_put_u32(nlh, what, (uint32_t)value);
	return nlh;
}

int hd_netlink_nsid_add(struct hd_netlink *nl, int netns, int nsid)
{
	struct nlmsghdr *nlh = nsid_request(nl, RTM_NEWNSID, NETNSA_FD, netns);

	mnl_attr_put_u32(nlh, NETNSA_NSID, (uint32_t)nsid);
	return talk(nl, nlh, NULL, NULL);
}

int hd_netlink_nsid_of(struct hd_netlink *nl, int netns)
{
	int nsid = NETNSA_NSID_NOT_ASSIGNED;
	int r = talk(nl, nsid_request(nl, RTM_GETNSID, NETNSA_FD, netns), on_nsid, &nsid);

	if (r < 0)
		return r;
	return nsid == NETNSA_NSID_NOT_ASSIGNED ? -ENOENT : nsid;
}

int hd_netlink_nsid_check(struct hd_netlink *nl, int nsid)
{
	return talk(nl, nsid_request(nl, RTM_GETNSID, NETNSA_NSID, nsid), NULL, NULL);
}

static struct nlmsghdr *neigh_request(struct hd_netlink *nl, uint16_t type, uint16_t flags,
				      uint32_t ifindex, bool is_v4, const void *addr, uint8_t ntf)
{
	struct nlmsghdr *nlh = request(nl, type, NLM_F_ACK | flags);
	struct ndmsg *msg = mnl_nlmsg_put_extra_header(nlh, sizeof(*msg));

	msg->ndm_family = is_v4 ? AF_INET : AF_INET6;
	msg->ndm_ifindex = (int)ifindex;
	msg->ndm_flags = ntf;
	mnl_attr_put(nlh, NDA_DST, is_v4 ? 4 : 16, addr);
	return nlh;
}

/* A neighbour being read. @failed: it was asked, and has not answered. @kept: its state is somebody else's business: an operator's, a routing daemon's, the kernel's own. */
struct neighbour {
	uint8_t mac[6];
	bool found;
	bool failed;
	bool kept;
};

#define NUD_KNOWN (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE)

static int on_neigh(const struct nlmsghdr *nlh, void *arg)
{
	const struct ndmsg *msg = mnl_nlmsg_get_payload(nlh);
	struct neighbour *neighbour = arg;
	const struct nlattr *attr;

	if (nlh->nlmsg_type != RTM_NEWNEIGH)
		return MNL_CB_OK;
	neighbour->failed = msg->ndm_state & NUD_FAILED;
	neighbour->kept = (msg->ndm_state & (NUD_PERMANENT | NUD_NOARP)) ||
			  (msg->ndm_flags & NTF_EXT_LEARNED);
	mnl_attr_for_each(attr, nlh, sizeof(*msg)) {
		uint16_t type = mnl_attr_get_type(attr);

		if (type == NDA_FLAGS_EXT && (mnl_attr_get_u32(attr) & NTF_EXT_MANAGED))
			neighbour->kept = true;
		if (type != NDA_LLADDR || mnl_attr_get_payload_len(attr) != 6 ||
		    !(msg->ndm_state & NUD_KNOWN))
			continue;
		memcpy(neighbour->mac, mnl_attr_get_payload(attr), 6);
		neighbour->found = true;
	}
	return MNL_CB_OK;
}

static int neigh_get(struct hd_netlink *nl, uint32_t ifindex, bool is_v4, const void *addr,
		     struct neighbour *ret)
{
	struct nlmsghdr *nlh = neigh_request(nl, RTM_GETNEIGH, 0, ifindex, is_v4, addr, 0);

	*ret = (struct neighbour){ 0 };
	return talk(nl, nlh, on_neigh, ret);
}

int hd_netlink_neigh(struct hd_netlink *nl, uint32_t ifindex, bool is_v4, const void *addr,
		     uint8_t ret[6])
{
	struct neighbour neighbour;
	int r = neigh_get(nl, ifindex, is_v4, addr, &neighbour);

	if (r == 0 && neighbour.failed)
		return -EHOSTUNREACH;
	if (r < 0 || !neighbour.found)
		return r < 0 ? r : -ENOENT;
	memcpy(ret, neighbour.mac, 6);
	return 0;
}

/*
 * Since 5.16 NTF_USE takes NUD_PERMANENT off (__neigh_update()), and NTF_EXT_LEARNED and NTF_EXT_MANAGED as well (neigh_update_flags()): an
 * address that an operator has written down would be lost. What is kept in another way needs no question of ours.
 */
int hd_netlink_neigh_use(struct hd_netlink *nl, uint32_t ifindex, bool is_v4, const void *addr)
{
	struct neighbour neighbour;
	struct nlmsghdr *nlh;

	if (neigh_get(nl, ifindex, is_v4, addr, &neighbour) == 0 && neighbour.kept)
		return 0;
	nlh = neigh_request(nl, RTM_NEWNEIGH, NLM_F_CREATE, ifindex, is_v4, addr, NTF_USE);
	return talk(nl, nlh, NULL, NULL);
}

static struct ifinfomsg *link_request(struct hd_netlink *nl, struct nlmsghdr **ret, uint16_t type,
				      uint16_t flags, uint32_t ifindex)
{
	struct nlmsghdr *nlh = request(nl, type, NLM_F_ACK | flags);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(nlh, sizeof(*info));

	info->ifi_family = AF_UNSPEC;
	info->ifi_index = (int)ifindex;
	*ret = nlh;
	return info;
}

static void put_veth_peer(struct nlmsghdr *nlh, const struct hd_veth *veth)
{
	struct nlattr *peer = mnl_attr_nest_start(nlh, VETH_INFO_PEER);

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, veth->peer);
	mnl_attr_put_u32(nlh, IFLA_MTU, veth->mtu);
	if (veth->netns >= 0)
		mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, (uint32_t)veth->netns);
	if (veth->mac)
		mnl_attr_put(nlh, IFLA_ADDRESS, 6, veth->mac);
	mnl_attr_nest_end(nlh, peer);
}

int hd_netlink_veth_add(struct hd_netlink *nl, const struct hd_veth *veth)
{
	struct nlattr *info, *data;
	struct nlmsghdr *nlh;

	(void)link_request(nl, &nlh, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, veth->name);
	mnl_attr_put_u32(nlh, IFLA_MTU, veth->mtu);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	put_veth_peer(nlh, veth);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	return talk(nl, nlh, NULL, NULL);
}

int hd_netlink_tunnel_add(struct hd_netlink *nl, const char *name, bool geneve, uint16_t port)
{
	struct nlattr *info, *data;
	struct nlmsghdr *nlh;

	(void)link_request(nl, &nlh, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, geneve ? "geneve" : "vxlan");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	if (geneve) {
		mnl_attr_put(nlh, IFLA_GENEVE_COLLECT_METADATA, 0, NULL);
		mnl_attr_put_u16(nlh, IFLA_GENEVE_PORT, htons(port));
	} else {
		mnl_attr_put_u8(nlh, IFLA_VXLAN_COLLECT_METADATA, 1);
		mnl_attr_put_u8(nlh, IFLA_VXLAN_LEARNING, 0);
		mnl_attr_put_u16(nlh, IFLA_VXLAN_PORT, htons(port));
	}
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	return talk(nl, nlh, NULL, NULL);
}

int hd_netlink_link_del(struct hd_netlink *nl, uint32_t ifindex)
{
	struct nlmsghdr *nlh;

	(void)link_request(nl, &nlh, RTM_DELLINK, 0, ifindex);
	return talk(nl, nlh, NULL, NULL);
}

int hd_netlink_link_up(struct hd_netlink *nl, uint32_t ifindex)
{
	struct nlmsghdr *nlh;
	struct ifinfomsg *info = link_request(nl, &nlh, RTM_NEWLINK, 0, ifindex);

	info->ifi_flags = IFF_UP;
	info->ifi_change = IFF_UP;
	return talk(nl, nlh, NULL, NULL);
}

int hd_netlink_link_promisc(struct hd_netlink *nl, uint32_t ifindex, bool on)
{
	struct nlmsghdr *nlh;
	struct ifinfomsg *info = link_request(nl, &nlh, RTM_NEWLINK, 0, ifindex);

	info->ifi_flags = on ? IFF_PROMISC : 0;
	info->ifi_change = IFF_PROMISC;
	return talk(nl, nlh, NULL, NULL);
}

/* An address being looked for. */
struct addressed {
	uint32_t ifindex;
	bool found;
};

static int on_addr(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifaddrmsg *msg = mnl_nlmsg_get_payload(nlh);
	struct addressed *addressed = arg;

	if (nlh->nlmsg_type == RTM_NEWADDR && msg->ifa_index == addressed->ifindex &&
	    !(msg->ifa_family == AF_INET6 && msg->ifa_scope == RT_SCOPE_LINK))
		addressed->found = true;
	return MNL_CB_OK;
}

bool hd_netlink_has_address(struct hd_netlink *nl, uint32_t ifindex)
{
	struct nlmsghdr *nlh = request(nl, RTM_GETADDR, NLM_F_DUMP);
	struct addressed addressed = { .ifindex = ifindex };
	struct ifaddrmsg *msg = mnl_nlmsg_put_extra_header(nlh, sizeof(*msg));

	msg->ifa_family = AF_UNSPEC;
	/* What can't be found out is taken for shared: the host keeps what is its own. */
	return talk(nl, nlh, on_addr, &addressed) < 0 || addressed.found;
}

struct addresses {
	struct hd_address *all;
	size_t n, space;
	int failed; /* the rest of what the kernel says is read, so that it is no answer to the next question */
};

static int room_for_address(struct addresses *addresses)
{
	size_t space = addresses->space ? addresses->space * 2 : 16;
	struct hd_address *all;

	if (addresses->n < addresses->space)
		return 0;
	all = realloc(addresses->all, space * sizeof(*all));
	if (!all)
		return -ENOMEM;
	addresses->all = all;
	addresses->space = space;
	return 0;
}

/* IPv4 says its own address as LOCAL, and IPv6 does where there is another one at the far end. */
static int on_address(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifaddrmsg *msg = mnl_nlmsg_get_payload(nlh);
	struct addresses *addresses = arg;
	struct hd_address address;
	const struct nlattr *attr;
	size_t len = msg->ifa_family == AF_INET ? 4 : 16;
	bool found = false;

	if (nlh->nlmsg_type != RTM_NEWADDR ||
	    (msg->ifa_family != AF_INET && msg->ifa_family != AF_INET6))
		return MNL_CB_OK;
	memset(&address, 0, sizeof(address)); /* the padding too: lists are compared as bytes */
	address.ifindex = msg->ifa_index;
	address.is_v4 = msg->ifa_family == AF_INET;
	address.scope = msg->ifa_scope;
	address.secondary = msg->ifa_flags & IFA_F_SECONDARY;
	address.flags = msg->ifa_flags;
	mnl_attr_for_each(attr, nlh, sizeof(*msg)) {
		bool local = mnl_attr_get_type(attr) == IFA_LOCAL;

		if ((!local && (mnl_attr_get_type(attr) != IFA_ADDRESS || found)) ||
		    mnl_attr_get_payload_len(attr) < len)
			continue;
		memcpy(address.bytes, mnl_attr_get_payload(attr), len);
		found |= local;
	}
	if (addresses->failed == 0)
		addresses->failed = room_for_address(addresses);
	if (addresses->failed == 0)
		addresses->all[addresses->n++] = address;
	return MNL_CB_OK;
}

int hd_netlink_addresses(struct hd_netlink *nl, struct hd_address **ret, size_t *ret_n)
{
	struct nlmsghdr *nlh = request(nl, RTM_GETADDR, NLM_F_DUMP);
	struct ifaddrmsg *msg = mnl_nlmsg_put_extra_header(nlh, sizeof(*msg));
	struct addresses addresses = { 0 };
	int r;

	msg->ifa_family = AF_UNSPEC;
	r = talk(nl, nlh, on_address, &addresses);
	if (r == 0)
		r = addresses.failed;
	if (r < 0) {
		free(addresses.all);
		return r;
	}
	*ret = addresses.all;
	*ret_n = addresses.n;
	return 0;
}

int hd_netlink_link_mtu(struct hd_netlink *nl, uint32_t ifindex, uint32_t mtu)
{
	struct nlmsghdr *nlh;

	(void)link_request(nl, &nlh, RTM_NEWLINK, 0, ifindex);
	mnl_attr_put_u32(nlh, IFLA_MTU, mtu);
	return talk(nl, nlh, NULL, NULL);
}

int hd_netlink_link_mac(struct hd_netlink *nl, uint32_t ifindex, const uint8_t mac[6])
{
	struct nlmsghdr *nlh;

	(void)link_request(nl, &nlh, RTM_NEWLINK, 0, ifindex);
	mnl_attr_put(nlh, IFLA_ADDRESS, 6, mac);
	return talk(nl, nlh, NULL, NULL);
}

int hd_netlink_link_alias(struct hd_netlink *nl, uint32_t ifindex, const char *alias)
{
	struct nlmsghdr *nlh;

	(void)link_request(nl, &nlh, RTM_SETLINK, 0, ifindex);
	mnl_attr_put(nlh, IFLA_IFALIAS, strlen(alias), alias);
	return talk(nl, nlh, NULL, NULL);
}

int hd_netlink_link_mute(struct hd_netlink *nl, uint32_t ifindex)
{
	struct nlattr *spec, *inet6;
	struct nlmsghdr *nlh;
	int r;

	(void)link_request(nl, &nlh, RTM_SETLINK, 0, ifindex);
	spec = mnl_attr_nest_start(nlh, IFLA_AF_SPEC);
	inet6 = mnl_attr_nest_start(nlh, AF_INET6);
	mnl_attr_put_u8(nlh, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(nlh, inet6);
	mnl_attr_nest_end(nlh, spec);
	r = talk(nl, nlh, NULL, NULL);
	return r == -EAFNOSUPPORT ? 0 : r; /* no IPv6 here: silent already */
}

static void found(void *arg, const struct hd_link *link)
{
	*(uint32_t *)arg = link->ifindex;
}

int hd_netlink_link_find(struct hd_netlink *nl, const char *name)
{
	struct nlmsghdr *nlh;
	uint32_t ifindex = 0;
	struct report report = { found, &ifindex };
	int r;

	(void)link_request(nl, &nlh, RTM_GETLINK, 0, 0);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	r = talk(nl, nlh, on_link, &report);
	if (r == -ENODEV)
		return 0;
	return r < 0 ? r : (int)ifindex;
}

static int change_addr(struct hd_netlink *nl, uint16_t type, uint16_t flags, uint32_t ifindex,
		       bool is_v4, const void *addr, uint8_t len)
{
	struct nlmsghdr *nlh = request(nl, type, NLM_F_ACK | flags);
	struct ifaddrmsg *msg = mnl_nlmsg_put_extra_header(nlh, sizeof(*msg));
	size_t size = is_v4 ? 4 : 16;

	msg->ifa_family = is_v4 ? AF_INET : AF_INET6;
	msg->ifa_prefixlen = len;
	msg->ifa_flags = is_v4 ? 0 : IFA_F_NODAD;
	msg->ifa_index = ifindex;
	mnl_attr_put(nlh, IFA_LOCAL, size, addr);
	mnl_attr_put(nlh, IFA_ADDRESS, size, addr);
	if (is_v4 && len < 31 && type == RTM_NEWADDR) {
		uint32_t broadcast;

		memcpy(&broadcast, addr, sizeof(broadcast));
		broadcast |= htonl(len ? UINT32_MAX >> len : UINT32_MAX);
		mnl_attr_put(nlh, IFA_BROADCAST, sizeof(broadcast), &broadcast);
	}
	return talk(nl, nlh, NULL, NULL);
}

int hd_netlink_addr(struct hd_netlink *nl, uint32_t ifindex, bool is_v4, const void *addr,
		    uint8_t len)
{
	return change_addr(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, ifindex, is_v4, addr,
			   len);
}

int hd_netlink_addr_del(struct hd_netlink *nl, uint32_t ifindex, bool is_v4, const void *addr,
			uint8_t len)
{
	return change_addr(nl, RTM_DELADDR, 0, ifindex, is_v4, addr, len);
}

static int change_default(struct hd_netlink *nl, uint16_t type, uint16_t flags, uint32_t ifindex,
			  bool is_v4, const void *gateway)
{
	struct nlmsghdr *nlh = request(nl, type, NLM_F_ACK | flags);
	struct rtmsg *msg = mnl_nlmsg_put_extra_header(nlh, sizeof(*msg));

	msg->rtm_family = is_v4 ? AF_INET : AF_INET6;
	msg->rtm_table = RT_TABLE_MAIN;
	msg->rtm_protocol = RTPROT_STATIC;
	msg->rtm_scope = RT_SCOPE_UNIVERSE;
	msg->rtm_type = RTN_UNICAST;
	mnl_attr_put(nlh, RTA_GATEWAY, is_v4 ? 4 : 16, gateway);
	mnl_attr_put_u32(nlh, RTA_OIF, ifindex);
	return talk(nl, nlh, NULL, NULL);
}

int hd_netlink_route_add(struct hd_netlink *nl, uint32_t ifindex, bool is_v4, const void *to,
			 uint8_t len, const void *gateway)
{
	struct nlmsghdr *nlh = request(nl, RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
	struct rtmsg *msg = mnl_nlmsg_put_extra_header(nlh, sizeof(*msg));
	int r;

	msg->rtm_family = is_v4 ? AF_INET : AF_INET6;
	msg->rtm_dst_len = len;
	msg->rtm_table = RT_TABLE_MAIN;
	msg->rtm_protocol = RTPROT_STATIC;
	msg->rtm_scope = gateway || !is_v4 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	msg->rtm_type = RTN_UNICAST;
	if (len)
		mnl_attr_put(nlh, RTA_DST, is_v4 ? 4 : 16, to);
	if (gateway)
		mnl_attr_put(nlh, RTA_GATEWAY, is_v4 ? 4 : 16, gateway);
	mnl_attr_put_u32(nlh, RTA_OIF, ifindex);
	r = talk(nl, nlh, NULL, NULL);
	return r == -EEXIST ? 0 : r;
}

int hd_netlink_default_route_add(struct hd_netlink *nl, uint32_t ifindex, bool is_v4,
				 const void *gateway)
{
	return hd_netlink_route_add(nl, ifindex, is_v4, NULL, 0, gateway);
}

int hd_netlink_default_route(struct hd_netlink *nl, uint32_t ifindex, bool is_v4,
			     const void *gateway)
{
	return change_default(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, ifindex, is_v4,
			      gateway);
}

int hd_netlink_default_route_del(struct hd_netlink *nl, uint32_t ifindex, bool is_v4,
				 const void *gateway)
{
	return change_default(nl, RTM_DELROUTE, 0, ifindex, is_v4, gateway);
}

static int on_filter(const struct nlmsghdr *nlh, void *arg)
{
	const struct tcmsg *tc = mnl_nlmsg_get_payload(nlh);
	unsigned int priority = tc->tcm_info >> 16;

	if (nlh->nlmsg_type == RTM_NEWTFILTER && tc->tcm_handle && priority != HD_TC_PRIORITY)
		(*(int *)arg)++;
	return MNL_CB_OK;
}

int hd_netlink_foreign_filters(struct hd_netlink *nl, uint32_t ifindex, bool ingress)
{
	struct nlmsghdr *nlh = request(nl, RTM_GETTFILTER, NLM_F_DUMP);
	struct tcmsg *tc = mnl_nlmsg_put_extra_header(nlh, sizeof(*tc));
	int n = 0, r;

	tc->tcm_family = AF_UNSPEC;
	tc->tcm_ifindex = (int)ifindex;
	tc->tcm_parent = TC_H_MAKE(TC_H_CLSACT, ingress ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS);
	r = talk(nl, nlh, on_filter, &n);
	return r < 0 && !n
		       ? 0
		       : n; /* no clsact there is an error to the kernel, and no filters to us */
}

static int on_qdisc(const struct nlmsghdr *nlh, void *arg)
{
	const struct tcmsg *tc = mnl_nlmsg_get_payload(nlh);
	struct tcmsg *wanted = arg;

	if (nlh->nlmsg_type == RTM_NEWQDISC && tc->tcm_ifindex == wanted->tcm_ifindex &&
	    tc->tcm_parent == TC_H_CLSACT)
		wanted->tcm_info = 1;
	return MNL_CB_OK;
}

bool hd_netlink_has_clsact(struct hd_netlink *nl, uint32_t ifindex)
{
	struct nlmsghdr *nlh = request(nl, RTM_GETQDISC, NLM_F_DUMP);
	struct tcmsg *tc = mnl_nlmsg_put_extra_header(nlh, sizeof(*tc));
	struct tcmsg wanted = { .tcm_ifindex = (int)ifindex };

	tc->tcm_family = AF_UNSPEC;
	tc->tcm_ifindex = (int)ifindex;
	(void)talk(nl, nlh, on_qdisc, &wanted); /* unknown is no */
	return wanted.tcm_info;
}
