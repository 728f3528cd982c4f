// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* sync.c - bring the kernel to what the model says */
#include "sync/sync.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <limits.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cleanup.h"
#include "flow_class.h"
#include "host.h"
#include "log.h"
#include "offload.h"
#include "sync/expedite.h"
#include "sync/fdb.h"
#include "sync/gro.h"
#include "sync/nat.h"
#include "sync/state.h"
#include "sync/tables.h"
#include "sync/xdp.h"

static struct run *run_find(const struct hd_sync *sync, uint32_t port)
{
	struct run *run;

	HASH_FIND(hh, sync->runs, &port, sizeof(port), run);
	return run;
}

static struct run *run_get(struct hd_sync *sync, uint32_t port)
{
	struct run *run = run_find(sync, port);

	if (run)
		return run;
	run = calloc(1, sizeof(*run));
	if (!run)
		return NULL;
	run->port = port;
	run->attachment.port = port;
	HASH_ADD(hh, sync->runs, port, sizeof(run->port), run);
	return run;
}

static void run_free(struct hd_sync *sync, struct run *run)
{
	HASH_DEL(sync->runs, run);
	free(run);
}

static int adopt_link(void *arg, const struct hd_attachment *a)
{
	struct run *run = run_get(arg, a->port);

	if (!run)
		return -ENOMEM;
	run->attachment = *a;
	return 0;
}

int hd_sync_open(const char *instance, const struct hd_limits *limits, hd_sync_port_fn fn,
		 void *arg, struct hd_sync **ret, struct hd_error *err)
{
	struct hd_sync *sync = calloc(1, sizeof(*sync));
	int r;

	if (!sync)
		return hd_error_set(err, HD_ERR_FAILED, "no memory");
	sync->fn = fn;
	sync->arg = arg;
	hd_tables_init(&sync->current);
	r = hd_datapath_open(instance, limits, &sync->dp, err);
	if (r == 0) {
		hd_expedite_end(sync->dp.dir); /* left on by a daemon that was killed */
		r = hd_netlink_open(&sync->nl);
		sync->devices.nl = sync->nl;
		sync->devices.instance = instance;
		sync->devices.remover = hd_remover_open();
		if (r == 0 && !sync->devices.remover)
			r = -ENOMEM;
		if (r == 0)
			r = hd_devices_load(&sync->devices);
		hd_devices_remove_nameless(&sync->devices);
		if (r == 0)
			r = hd_links_find(&sync->dp, adopt_link, sync);
		if (r < 0)
			(void)hd_error_set(err, HD_ERR_FAILED, "can't look at the devices: %s",
					   strerror(-r));
	}
	if (r == 0)
		r = hd_tables_read(&sync->dp, &sync->current, err);
	if (r == 0) {
		sync->announcer = hd_announcer_new(&sync->current);
		sync->seeker = hd_seeker_new();
		sync->publisher = hd_publisher_new(sync->dp.dir);
		if (!sync->announcer || !sync->seeker || !sync->publisher)
			r = hd_error_set(err, HD_ERR_FAILED, "no memory");
	}
	if (r < 0)
		hd_sync_close(sync);
	else
		*ret = sync;
	return r;
}

void hd_sync_close(struct hd_sync *sync)
{
	if (!sync)
		return;
	while (sync->runs)
		run_free(sync, sync->runs);
	hd_tables_done(&sync->current);
	hd_ways_done(&sync->ways);
	hd_announcer_free(sync->announcer);
	hd_seeker_free(sync->seeker);
	hd_publisher_free(sync->publisher);
	free(sync->host);
	hd_devices_done(&sync->devices);
	hd_remover_close(sync->devices.remover);
	hd_netlink_close(sync->nl);
	hd_datapath_close(&sync->dp);
	free(sync);
}

/* Whether a port or uplink is as it was in @old; then what can't be done about it is no reason to refuse a change of something else. */
static bool is_same(const struct hd_model *old, const struct hd_object *port)
{
	return !old || hd_model_get(old, port->noun->id, port->name) == port;
}

static int check_port(struct hd_sync *sync, const struct hd_model *old,
		      const struct hd_object *port, struct hd_error *err)
{
	int netns;

	if (hd_model_get(old, HD_NOUN_PORT, port->name)) /* its device can't be changed by "set" */
		return 0;
	if (port->view.port.kind == HD_PORT_DEVICE)
		return hd_device_check(&sync->devices, port, err);
	if (port->view.port.kind != HD_PORT_NETNS)
		return 0;
	netns = hd_netns_open(port->view.port.netns);
	if (netns >= 0) {
		hd_closep(&netns);
		return 0;
	}
	hd_error_set(err, hd_netns_error(netns), "port %s: namespace %s can't be opened: %s",
		     port->name, port->view.port.netns, hd_netns_reason(netns));
	hd_error_hint(err,
		      "'ip netns list' shows named ones; a path like /proc/PID/ns/net works too");
	hd_error_where(err, "ports/%s/netns", port->name);
	return netns;
}

static void say_why(const struct hd_attachment *a, int r, char why[160])
{
	struct hd_xdp_other other = hd_xdp_other(a);

	if (other.id)
		(void)snprintf(why, 160, "another XDP program is on it: %s (id %u)",
			       other.name[0] ? other.name : "without a name", other.id);
	else if (r == -EOPNOTSUPP)
		(void)snprintf(why, 160,
			       "its driver has no native XDP, or not as the device is set up");
	else
		(void)snprintf(why, 160, "XDP can't be attached: %s", strerror(-r));
}

static int refuse_xdp(const struct hd_object *uplink, int r, const char *why, struct hd_error *err)
{
	hd_error_set(err,
		     r == -EBUSY	? HD_ERR_CONFLICT
		     : r == -EOPNOTSUPP ? HD_ERR_INVALID
					: HD_ERR_FAILED,
		     "uplink %s: %s", uplink->name, why);
	hd_error_hint(err,
		      "--mode tc does without XDP; with --mode auto it is used where it can be");
	hd_error_where(err, "uplinks/%s/mode", uplink->name);
	hd_error_object(err, uplink->noun->name, uplink->name);
	return r;
}

/* Whether XDP is the driver's business is found out by attaching; whose program is there can be said before. */
static int check_xdp(const struct hd_sync *sync, const struct hd_object *uplink,
		     struct hd_error *err)
{
	const struct hd_link *link = hd_device_of(&sync->devices, uplink);
	const struct run *run = run_find(sync, uplink->id);
	struct hd_attachment a = { .ifindex = link ? link->ifindex : 0,
				   .xdp = run && run->attachment.xdp };
	char why[160];

	if (!link || uplink->view.uplink.mode != HD_UPLINK_XDP || !hd_xdp_other(&a).id)
		return 0;
	say_why(&a, -EBUSY, why);
	return refuse_xdp(uplink, -EBUSY, why, err);
}

int hd_sync_check(struct hd_sync *sync, const struct hd_model *model, const struct hd_model *old,
		  struct hd_error *err)
{
	hd_model_each(model, HD_NOUN_UPLINK, uplink) {
		int r = hd_model_get(old, HD_NOUN_UPLINK, uplink->name)
				? 0
				: hd_uplink_check(&sync->devices, uplink, err);

		if (r == 0 && !is_same(old, uplink))
			r = check_xdp(sync, uplink, err);
		if (r < 0) {
			hd_error_object(err, "uplink", uplink->name);
			return r;
		}
	}
	hd_model_each(model, HD_NOUN_PORT, port) {
		int r = is_same(old, port) ? 0 : check_port(sync, old, port, err);

		if (r < 0) {
			hd_error_object(err, "port", port->name);
			return r;
		}
	}
	return 0;
}

/* A port that could not be set up: an error if it must, else a line in the log the first time. */
static int port_failed(struct hd_sync *sync, const struct hd_model *old,
		       const struct hd_object *port, int r, const struct hd_error *cause,
		       struct hd_error *err)
{
	struct run *run = run_get(sync, port->id);

	if (!is_same(old, port)) {
		if (err)
			*err = *cause;
		hd_error_object(err, port->noun->name, port->name);
		return r;
	}
	if (run && !run->failed)
		(void)log_warn(0, "%s, ignoring", cause->message);
	if (run)
		run->failed = true;
	return 0;
}

/* Whether any subnet is another; then, and only then, ports may have other gateways. */
static bool subnets_changed(const struct hd_model *model, const struct hd_model *old)
{
	if (!old)
		return false;
	hd_model_each(model, HD_NOUN_SUBNET, subnet)
		if (!is_same(old, subnet))
			return true;
	return hd_model_count(model, HD_NOUN_SUBNET) != hd_model_count(old, HD_NOUN_SUBNET);
}

/* @subnets: see subnets_changed(). @before: the port in @old, or NULL. */
static bool needs_configuring(const struct hd_model *model, const struct hd_model *old,
			      const struct hd_object *port, const struct hd_object *before,
			      bool subnets)
{
	if (!before)
		return false;
	return before != port ||
	       hd_model_network_of(old, &port->view.port) !=
		       hd_model_network_of(model, &port->view.port) ||
	       (subnets && hd_device_gateways_changed(model, old, port, before));
}

/*
 * A port whose device is made once, and was: the store is written last, so one that is in the model now had its device. What its path leads
 * to by now may be the namespace of somebody else: /proc/PID/ns/net of another process.
 */
static bool has_gone(const struct hd_model *old, const struct hd_object *port)
{
	return port->view.port.once && (!old || hd_model_get(old, HD_NOUN_PORT, port->name));
}

/*
 * New pairs, and changes of old ones. A pair whose options changed is configured anew; one that is there and did not change is
 * taken to be as we left it.
 */
static int make_device(struct hd_sync *sync, const struct hd_model *model,
		       const struct hd_model *old, const struct hd_object *port, bool subnets,
		       struct hd_error *err)
{
	const struct hd_object *before = old ? hd_model_get(old, HD_NOUN_PORT, port->name) : NULL;
	struct hd_error cause = { 0 };
	int r = 0;

	if (port->view.port.kind == HD_PORT_DEVICE || port->view.port.kind == HD_PORT_REMOTE)
		return 0;
	if (!hd_device_of(&sync->devices, port) && has_gone(old, port))
		return 0;
	if (!hd_device_of(&sync->devices, port))
		r = hd_device_make(&sync->devices, model, port, &cause);
	else if (needs_configuring(model, old, port, before, subnets))
		r = hd_device_configure(&sync->devices, model, port, old, &cause);
	else
		r = hd_device_follow_mtu(&sync->devices, model, port, &cause);
	return r < 0 ? port_failed(sync, old, port, r, &cause, err) : 0;
}

static int make_devices(struct hd_sync *sync, const struct hd_model *model,
			const struct hd_model *old, struct hd_error *err)
{
	bool subnets = subnets_changed(model, old);

	hd_model_each(model, HD_NOUN_PORT, port) {
		int r = make_device(sync, model, old, port, subnets, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int compare_facts(const void *a, const void *b)
{
	const struct hd_fact *x = a, *y = b;

	return x->port < y->port ? -1 : x->port > y->port;
}

/* A test run needs a device that is there: the port that is asked about gets the loopback, which is never one; others what nobody has. */
static uint32_t imagined_ifindex(const struct hd_sync *sync, const struct hd_object *port)
{
	return port->id == sync->imagined ? 1 : 0x40000000 + port->id;
}

/* Whether the host uses an uplink as well: it has an address there, or tunnels end there. */
static bool is_shared(const struct hd_sync *sync, const struct hd_object *uplink,
		      const struct hd_link *link)
{
	return uplink->view.uplink.has_ip || hd_netlink_has_address(sync->nl, link->ifindex);
}

static struct hd_fact make_fact(const struct hd_sync *sync, const struct hd_object *port)
{
	const struct hd_link *link = hd_device_of(&sync->devices, port);
	const struct run *run = run_find(sync, port->id);
	struct hd_fact fact = { .port = port->id };

	if (!link && sync->imagined)
		return (struct hd_fact){ .port = port->id,
					 .ifindex = imagined_ifindex(sync, port),
					 .up = true };
	if (!link)
		return fact;
	fact.ifindex = link->ifindex;
	fact.mtu = link->mtu;
	fact.up = (link->flags & IFF_UP) && (link->flags & IFF_LOWER_UP);
	fact.peer = !strcmp(link->kind, "veth") && link->far_peer && !(run && run->foreign);
	fact.shared = port->noun->id == HD_NOUN_UPLINK && is_shared(sync, port, link);
	fact.partial = link->kind[0];
	memcpy(fact.from, link->mac, 6);
	return fact;
}

/* --mode: with auto XDP is for hardware; on a veth it is slower for all that other programs there send. */
static bool wants_xdp(const struct hd_object *uplink, const struct hd_link *link)
{
	enum hd_uplink_mode mode = uplink->view.uplink.mode;

	return mode == HD_UPLINK_XDP || (mode == HD_UPLINK_AUTO && !link->kind[0]);
}

/* Whether a router masquerades by an uplink. */
static bool is_way_out(const struct hd_model *model, const struct hd_object *uplink)
{
	hd_model_each(model, HD_NOUN_ROUTER, router) {
		const char *name = router->view.router.gateway.uplink;

		if (name && !strcmp(name, uplink->name))
			return true;
	}
	return false;
}

/* What is at no wire is reached by any; what the host has for itself alone, by none. */
static bool is_reached(const struct hd_address *address, uint32_t ifindex)
{
	return address->scope < RT_SCOPE_LINK &&
	       (address->ifindex == ifindex || address->ifindex == HD_LOOPBACK);
}

/* Not yet known to be nobody else's (RFC 4862 section 5.4), or known to be somebody's. */
static bool is_tentative(const struct hd_address *address)
{
	return (address->flags & IFA_F_DADFAILED) ||
	       ((address->flags & IFA_F_TENTATIVE) && !(address->flags & IFA_F_OPTIMISTIC));
}

/*
 * Which address of IPv6 is the better one to go out with, 0 the best: one that is not about to go (deprecated), that the world can answer (not fc00::/7), and
 * that does not change every day (temporary): with the address connections end.
 */
static int rank6(const struct hd_address *address)
{
	return (address->flags & IFA_F_DEPRECATED ? 4 : 0) +
	       ((address->bytes[0] & 0xfe) == 0xfc ? 2 : 0) + (address->secondary ? 1 : 0);
}

/* By which address workloads go out now by an uplink; all zero = by none. */
static void present6(const struct hd_sync *sync, const struct hd_model *model,
		     const struct hd_object *uplink, uint8_t ret[16])
{
	memset(ret, 0, 16);
	hd_model_each(model, HD_NOUN_ROUTER, router) {
		struct hd_fip6_key key = { .zone = router->id, .dir = HD_NAT_OUT };
		const char *name = router->view.router.gateway.uplink;
		const void *row =
			name && !strcmp(name, uplink->name)
				? hd_table_find(&sync->current.table[HD_TABLE_OUTSIDES6], &key)
				: NULL;

		if (row)
			memcpy(ret, row, 16); /* the address comes first */
	}
}

/* The same for IPv6: the best, as long as none is better the one that it is now. @ret_at: as there */
static void find_host6(const struct hd_sync *sync, uint32_t ifindex, const uint8_t now[16],
		       struct hd_fact *ret, uint8_t (*ret_at)[16])
{
	int best = INT_MAX;

	ret->at6 = (const uint8_t(*)[16])ret_at;
	for (size_t i = 0; i < sync->n_host; i++) {
		const struct hd_address *address = &sync->host[i];
		int rank = rank6(address) * 2 + (memcmp(address->bytes, now, 16) != 0);

		if (address->is_v4 || !is_reached(address, ifindex) || is_tentative(address))
			continue;
		memcpy(ret_at[ret->n_at6++], address->bytes, 16);
		if (address->ifindex != ifindex || rank >= best)
			continue;
		best = rank;
		memcpy(ret->address6, address->bytes, 16);
	}
	if (best == INT_MAX)
		ret->n_at6 = 0;
}

/* The host's first address at an uplink, and all that are reached there, in @ret_at, as many as the host has at most. */
static void find_host(const struct hd_sync *sync, uint32_t ifindex, struct hd_fact *ret,
		      uint32_t *ret_at)
{
	ret->at = ret_at;
	for (size_t i = 0; i < sync->n_host; i++) {
		const struct hd_address *address = &sync->host[i];
		uint32_t ip;

		if (!address->is_v4 || !is_reached(address, ifindex))
			continue;
		memcpy(&ip, address->bytes, sizeof(ip));
		ret_at[ret->n_at++] = ip;
		if (!ret->address && address->ifindex == ifindex && !address->secondary)
			ret->address = ip;
	}
	if (!ret->address)
		ret->n_at = 0;
}

/* Why XDP does not send on what leaves by an uplink: "" if it does. */
static const char *no_forward(const struct hd_object *uplink, const struct hd_link *link,
			      const struct run *run)
{
	enum hd_uplink_forward forward = uplink->view.uplink.forward;
	bool hidden = true;

	if (forward == HD_FORWARD_OFF)
		return "it is switched off";
	if (!link || !run || !run->attachment.xdp || !wants_xdp(uplink, link))
		return "XDP is not on it";
	if (forward == HD_FORWARD_AUTO && link->kind[0])
		return "it is no hardware";
	if (hd_offload_rxvlan(link->ifindex, &hidden) < 0 || hidden)
		return "its driver takes tags off before XDP sees them (rx-vlan-offload)";
	return "";
}

/* @at, @at6: where the host's addresses are put */
static struct hd_fact uplink_fact(const struct hd_sync *sync, const struct hd_model *model,
				  const struct hd_object *uplink, uint32_t *at, uint8_t (*at6)[16])
{
	struct hd_fact fact = make_fact(sync, uplink);
	uint8_t now[16];

	if (fact.ifindex && is_way_out(model, uplink)) {
		find_host(sync, fact.ifindex, &fact, at);
		present6(sync, model, uplink, now);
		find_host6(sync, fact.ifindex, now, &fact, at6);
	}
	fact.forward = !no_forward(uplink, hd_device_of(&sync->devices, uplink),
				   run_find(sync, uplink->id))[0];
	return fact;
}

/* The way to a peer. */
static struct hd_fact peer_fact(const struct hd_sync *sync, const struct hd_object *peer)
{
	const struct hd_way *way = hd_way_of(sync->ways, peer->id);
	struct hd_fact fact = { .port = peer->id };

	if (!way)
		return fact;
	fact.ifindex = way->ifindex;
	fact.mtu = way->mtu;
	fact.up = way->up;
	memcpy(fact.to, way->to, 6);
	memcpy(fact.from, way->from, 6);
	memcpy(fact.local, way->local, 16);
	return fact;
}

/* The MAC that a router asks with on this host: no other host, and no other instance here, has the same. */
static struct hd_fact router_fact(const struct hd_sync *sync, const struct hd_object *router)
{
	struct hd_fact fact = { .port = router->id, .up = true };

	hd_host_mac(sync->devices.instance, router->name, fact.from);
	return fact;
}

static int compile(const struct hd_sync *sync, const struct hd_model *model, struct hd_tables *ret,
		   struct hd_error *err)
{
	size_t n = 0,
	       space = hd_model_count(model, HD_NOUN_PORT) + hd_model_count(model, HD_NOUN_UPLINK) +
		       hd_model_count(model, HD_NOUN_PEER) + hd_model_count(model, HD_NOUN_ROUTER);
	_free_ struct hd_fact *facts = calloc(space + 1, sizeof(*facts));
	size_t n_at = hd_model_count(model, HD_NOUN_UPLINK) * sync->n_host + 1;
	_free_ uint32_t *at = calloc(n_at, sizeof(*at));
	_free_ uint8_t(*at6)[16] = calloc(n_at, sizeof(*at6));
	size_t next = 0;
	int r;

	if (!facts || !at || !at6)
		return hd_error_set(err, HD_ERR_FAILED, "no memory");
	hd_model_each(model, HD_NOUN_PORT, port)
		if (port->view.port.kind != HD_PORT_REMOTE)
			facts[n++] = make_fact(sync, port);
	hd_model_each(model, HD_NOUN_UPLINK, uplink) {
		facts[n++] = uplink_fact(sync, model, uplink, at + next, at6 + next);
		next += sync->n_host;
	}
	hd_model_each(model, HD_NOUN_PEER, peer)
		facts[n++] = peer_fact(sync, peer);
	hd_model_each(model, HD_NOUN_ROUTER, router)
		facts[n++] = router_fact(sync, router);
	qsort(facts, n, sizeof(*facts), compare_facts);
	r = hd_compile(model, facts, n, sync->dp.hz, ret, err);
	return r == -ENOMEM ? hd_error_set(err, HD_ERR_FAILED, "no memory") : r;
}

/* From the first link that is touched to the end of the run. */
static void expedite(struct hd_sync *sync)
{
	if (!sync->expedited)
		sync->expedited = hd_expedite_begin(sync->dp.dir);
}

static int attach(struct hd_sync *sync, const struct hd_model *old, const struct hd_object *port,
		  struct hd_error *err)
{
	const struct hd_link *link = hd_device_of(&sync->devices, port);
	struct run *run = run_get(sync, port->id);
	struct hd_attachment *a = run ? &run->attachment : NULL;
	struct hd_error cause = { 0 };
	int r;

	if (!a)
		return hd_error_set(err, HD_ERR_FAILED, "no memory");
	if (!link) {
		hd_links_detach(&sync->dp, sync->nl, a);
		a->ifindex = 0;
		return 0;
	}
	if (a->ifindex != link->ifindex && a->how == HD_ATTACH_TCX)
		hd_links_detach(&sync->dp, sync->nl,
				a); /* the device was replaced by another of its name */
	if (a->how != HD_ATTACH_NONE && a->ifindex == link->ifindex && run->current)
		return 0;
	a->ifindex = link->ifindex;
	a->uplink = port->noun->id == HD_NOUN_UPLINK;
	expedite(sync);
	r = hd_links_attach(&sync->dp, sync->nl, a);
	run->current = r == 0;
	run->foreign = hd_links_foreign_egress(&sync->dp, sync->nl, link->ifindex);
	if (r == 0)
		return 0;
	hd_error_set(&cause, HD_ERR_FAILED, "%s %s: can't attach to device %s: %s",
		     port->noun->name, port->name, link->name, strerror(-r));
	return port_failed(sync, old, port, r, &cause, err);
}

/* What is told of an uplink whose mode is auto or xdp, and which has to do without. */
static void no_xdp(struct run *run, const struct hd_object *uplink, const char *why)
{
	if (why[0] && strcmp(run->no_xdp, why))
		log_info("uplink %s: packets are opened by TC: %s", uplink->name, why);
	(void)snprintf(run->no_xdp, sizeof(run->no_xdp), "%s", why);
}

/* An uplink that was there before goes on by TC if it must; a new one, or one whose mode is changed, is refused. */
static int try_xdp(struct hd_sync *sync, const struct hd_model *old, const struct hd_object *uplink,
		   const struct hd_link *link, struct run *run, struct hd_error *err)
{
	struct hd_attachment *a = &run->attachment;
	bool must = uplink->view.uplink.mode == HD_UPLINK_XDP && !is_same(old, uplink);
	char why[160];
	int r;

	if (a->xdp || (!must && run->xdp_tried == a->ifindex))
		return 0;
	expedite(sync);
	r = hd_xdp_on(&sync->dp, sync->nl, a, link->kind[0]);
	run->xdp_tried = r == 0 || r == -EBUSY ? 0 : a->ifindex;
	if (r == 0) {
		no_xdp(run, uplink, "");
		return 0;
	}
	say_why(a, r, why);
	if (must)
		return refuse_xdp(uplink, r, why, err);
	no_xdp(run, uplink, why);
	return 0;
}

/* Before XDP sends anything on it must see all tags. Not from the moment on at which it is not wanted: until the tables say so, too, it may. */
static void follow_forward(const struct hd_sync *sync, const struct hd_object *uplink,
			   const struct hd_link *link, const struct hd_attachment *a)
{
	enum hd_uplink_forward forward = uplink->view.uplink.forward;

	(void)hd_xdp_see_tags(&sync->dp, a,
			      forward == HD_FORWARD_ON ||
				      (forward == HD_FORWARD_AUTO && !link->kind[0]));
}

static int follow_mode(struct hd_sync *sync, const struct hd_model *old,
		       const struct hd_object *uplink, struct hd_error *err)
{
	const struct hd_link *link = hd_device_of(&sync->devices, uplink);
	struct run *run = run_find(sync, uplink->id);
	char why[160] = "";
	int r;

	if (!link || !run || run->attachment.how == HD_ATTACH_NONE)
		return 0;
	if (wants_xdp(uplink, link)) {
		r = try_xdp(sync, old, uplink, link, run, err);
		follow_forward(sync, uplink, link, &run->attachment);
		return r;
	}
	if (run->attachment.xdp)
		expedite(sync);
	hd_xdp_off(&sync->dp, sync->nl, &run->attachment);
	if (uplink->view.uplink.mode == HD_UPLINK_AUTO)
		(void)snprintf(why, sizeof(why), "it is a %s device, and no hardware", link->kind);
	no_xdp(run, uplink, why);
	return 0;
}

/* Our own ends come up only now, that the programs are on them. */
static int attach_all(struct hd_sync *sync, const struct hd_model *model,
		      const struct hd_model *old, struct hd_error *err)
{
	hd_model_each(model, HD_NOUN_UPLINK, uplink) {
		int r = attach(sync, old, uplink, err);

		if (r == 0)
			r = follow_mode(sync, old, uplink, err);
		if (r < 0)
			return r;
	}
	hd_model_each(model, HD_NOUN_PORT, port) {
		const struct hd_link *link;
		int r;

		if (port->view.port.kind == HD_PORT_REMOTE)
			continue;
		r = attach(sync, old, port, err);
		if (r < 0)
			return r;
		link = hd_device_of(&sync->devices, port);
		if (link && port->view.port.kind != HD_PORT_DEVICE && !(link->flags & IFF_UP) &&
		    hd_device_up(&sync->devices, link) < 0)
			(void)log_warn(0, "port %s: can't set its device up, ignoring", port->name);
	}
	return 0;
}

/* Frames for the MACs of workloads come in where their networks go on; without them it works for what is broadcast, and can be looked into. */
static void let_frames_in(struct hd_sync *sync, const struct hd_model *model)
{
	hd_model_each(model, HD_NOUN_UPLINK, uplink) {
		const struct hd_link *link = hd_device_of(&sync->devices, uplink);
		const struct run *run = run_find(sync, uplink->id);
		int r = 0;

		if (link && run)
			r = hd_links_promisc(&sync->dp, sync->nl, &run->attachment,
					     link->flags & IFF_PROMISC,
					     hd_model_has_legs(model, uplink));
		if (r < 0)
			(void)log_warn(r, "uplink %s: can't make it promiscuous, ignoring",
				       uplink->name);
	}
}

static bool detach_gone(struct hd_sync *sync, const struct hd_model *model)
{
	struct run *run, *next;
	bool any = false;

	HASH_ITER(hh, sync->runs, run, next) {
		if (hd_model_get_port(model, run->port))
			continue;
		expedite(sync);
		hd_links_detach(&sync->dp, sync->nl, &run->attachment);
		run_free(sync, run);
		any = true;
	}
	return any;
}

struct hd_port_run hd_sync_port(const struct hd_sync *sync, const struct hd_object *port)
{
	const struct hd_link *link = hd_device_of(&sync->devices, port);
	const struct run *run = run_find(sync, port->id);
	struct hd_port_run ret = { .reason = "", .no_xdp = "", .no_forward = "" };

	if (port->noun->id == HD_NOUN_PORT && port->view.port.kind == HD_PORT_REMOTE) {
		ret.up = true; /* what is at another host is not looked at from here */
		return ret;
	}
	if (run) {
		ret.attach = run->attachment.how;
		ret.xdp = run->attachment.xdp;
		ret.no_xdp = run->no_xdp;
	}
	if (port->noun->id == HD_NOUN_UPLINK)
		ret.no_forward = no_forward(port, link, run);
	if (!link) {
		ret.reason = "its device is missing";
		return ret;
	}
	ret.ifindex = link->ifindex;
	memcpy(ret.device, link->name, sizeof(ret.device));
	ret.shared = port->noun->id == HD_NOUN_UPLINK && is_shared(sync, port, link);
	if (ret.attach == HD_ATTACH_NONE)
		ret.reason = "no program is attached to its device";
	else if (!(link->flags & IFF_UP))
		ret.reason = "its device is set down";
	else if (!(link->flags & IFF_LOWER_UP))
		ret.reason = "no carrier: the other end is down or nobody holds it open";
	ret.up = !ret.reason[0];
	return ret;
}

struct hd_ip hd_sync_router_ip(const struct hd_sync *sync, const struct hd_object *router)
{
	const void *row = hd_table_find(&sync->current.table[HD_TABLE_ENDS], &router->id);
	struct hd_ip ip = { .prefix = HD_PREFIX_NONE };
	struct hd_end_value end;

	if (!row)
		return ip;
	memcpy(&end, row, sizeof(end));
	ip.is_v4 = end.ifindex && end.local[3];
	memcpy(ip.bytes, end.local, 16);
	return ip;
}

bool hd_sync_router_ip6(const struct hd_sync *sync, const struct hd_object *router,
			struct hd_ip *ret)
{
	struct hd_fip6_key key = { .zone = router->id, .dir = HD_NAT_OUT };
	const void *row = hd_table_find(&sync->current.table[HD_TABLE_OUTSIDES6], &key);

	if (row)
		*ret = hd_ip_of_bytes(row);
	return row;
}

/* The same as is_outside(), for IPv6. */
static bool is_outside6(const struct hd_sync *sync, const struct hd_model *model,
			const struct hd_port_forward *forward)
{
	struct hd_ip ip = forward->listen.ip;
	struct hd_nat6_key key = { .zone = HD_NETWORK_HOST,
				   .port = htons(forward->listen.port),
				   .class = hd_flow_class(forward->protocol),
				   .dir = HD_NAT_IN };

	if (hd_listens_at_any(forward) &&
	    !hd_sync_router_ip6(sync, hd_model_get(model, HD_NOUN_ROUTER, forward->router), &ip))
		return false;
	memcpy(key.addr, ip.bytes, 16);
	return hd_table_find(&sync->current.table[HD_TABLE_FORWARDS6], &key);
}

/* Its address, or with 0.0.0.0 the one that its router masquerades with, is one of the datapath's. */
static bool is_outside(const struct hd_sync *sync, const struct hd_model *model,
		       const struct hd_port_forward *forward)
{
	struct hd_ip ip = forward->listen.ip;
	struct hd_nat_key key = { .zone = HD_NETWORK_HOST,
				  .port = htons(forward->listen.port),
				  .class = hd_flow_class(forward->protocol),
				  .dir = HD_NAT_IN };

	if (!ip.is_v4)
		return is_outside6(sync, model, forward);
	if (hd_listens_at_any(forward))
		ip = hd_sync_router_ip(sync, hd_model_get(model, HD_NOUN_ROUTER, forward->router));
	memcpy(&key.addr, ip.bytes + 12, 4);
	return hd_table_find(&sync->current.table[HD_TABLE_FORWARDS], &key);
}

struct hd_reach hd_sync_reach(const struct hd_sync *sync, const struct hd_model *model,
			      const struct hd_port_forward *forward)
{
	struct hd_reach reach = { .outside = true, .reason = "" };

	if (!hd_model_listens_at_host(model, forward))
		return reach;
	reach.outside = is_outside(sync, model, forward);
	reach.reason = hd_publisher_lacks(sync->publisher, model, forward);
	reach.host = !*reach.reason;
	if (reach.host && !reach.outside && !hd_ip_is_loopback(&forward->listen.ip))
		reach.reason = "its address is not at the uplink of the router";
	return reach;
}

struct hd_next_hop hd_sync_next_hop(const struct hd_sync *sync, const struct hd_object *router,
				    int family)
{
	return hd_seeker_next_hop(sync->seeker, &sync->dp, &sync->current, router->id, family);
}

struct hd_peer_run hd_sync_peer(const struct hd_sync *sync, const struct hd_object *peer)
{
	const struct hd_way *way = hd_way_of(sync->ways, peer->id);
	struct hd_peer_run ret = { .reason = "it was not looked for" };

	if (!way)
		return ret;
	ret.up = way->up;
	ret.reason = way->reason;
	ret.mtu = way->mtu;
	if (way->ifindex)
		hd_ip_format(&way->next, ret.next);
	memcpy(ret.device, way->device, sizeof(ret.device));
	memcpy(ret.mac, way->to, sizeof(ret.mac));
	return ret;
}

struct hd_underlay hd_sync_underlay(const struct hd_sync *sync, const struct hd_model *model,
				    const struct hd_network *network)
{
	return hd_devices_underlay(&sync->devices, model, network);
}

/* At start only what is wrong is news. */
static void report(struct hd_sync *sync, const struct hd_object *object, bool up,
		   const char *reason, bool starting)
{
	struct run *run = run_get(sync, object->id);

	if (!run || (run->reported && run->up == up))
		return;
	if (run->reported || !starting || !up)
		sync->fn(sync->arg, object, up, reason);
	run->reported = true;
	run->up = up;
	run->failed = run->failed && !up;
}

static void report_states(struct hd_sync *sync, const struct hd_model *model, bool starting)
{
	static const enum hd_noun_id nouns[] = { HD_NOUN_UPLINK, HD_NOUN_PORT };

	for (size_t i = 0; i < 2; i++)
		hd_model_each(model, nouns[i], port) {
			struct hd_port_run state = hd_sync_port(sync, port);

			if (port->noun->id == HD_NOUN_PORT &&
			    port->view.port.kind == HD_PORT_REMOTE)
				continue;
			report(sync, port, state.up, state.reason, starting);
		}
	hd_model_each(model, HD_NOUN_PEER, peer) {
		struct hd_peer_run state = hd_sync_peer(sync, peer);

		report(sync, peer, state.up, state.reason, starting);
	}
}

/*
 * While rows come and go, a flow may be judged by rules of which some belong to the old and some to the new configuration. So a port whose
 * generation changes, or that is new, gets one in between first, before any row is touched, and its final one when all is done: what was judged
 * meanwhile is judged again. It is made with a number that never comes back, or such a flow could once be taken for current.
 */
static uint32_t in_between(const struct hd_sync *sync, uint32_t gen)
{
	return (gen ^ sync->epoch) * 0x9e3779b1U ^ sync->epoch >> 7;
}

static struct hd_port_value port_row(const void *row)
{
	struct hd_port_value value = { 0 };

	if (row)
		memcpy(&value, row, sizeof(value));
	return value;
}

/* Into the map at once, for ports that are there; and into @next, for all that change. */
static int unsettle(struct hd_sync *sync, struct hd_tables *next, struct hd_error *err)
{
	struct hd_table *ports = &next->table[HD_TABLE_PORTS];
	struct hd_tables now;
	int r = 0;

	if (getrandom(&sync->epoch, sizeof(sync->epoch), 0) < 0)
		sync->epoch++;
	hd_tables_init(&now);
	for (size_t i = 0; r == 0 && i < ports->n; i++) {
		const void *key = hd_table_key(ports, i);
		void *row = hd_table_find(&sync->current.table[HD_TABLE_PORTS], key);
		struct hd_port_value is = port_row(hd_table_value(ports, i)), was = port_row(row);

		if (row && was.gen == is.gen && !sync->unsettled)
			continue;
		was.gen = is.gen = in_between(sync, is.gen);
		memcpy(hd_table_value(ports, i), &is, sizeof(is));
		if (row)
			r = hd_table_add(&now.table[HD_TABLE_PORTS], key, &was);
	}
	if (r == 0)
		r = hd_tables_put(&sync->dp, &now, &sync->current, HD_TABLE_PORTS, err);
	hd_tables_done(&now);
	return r;
}

/* @transitional: rows that are to go have not gone yet */
static int write_tables(struct hd_sync *sync, const struct hd_model *model, struct hd_tables *next,
			bool transitional, struct hd_error *err)
{
	int r = compile(sync, model, next, err);

	if (r == 0 && transitional)
		r = unsettle(sync, next, err);
	if (r == 0)
		r = hd_tables_write(&sync->dp, &sync->current, next, HD_TABLE_ADD, err);
	if (r == 0 && transitional)
		r = hd_tables_prune_rules(&sync->dp, &sync->current, next, err);
	if (r == 0)
		r = hd_tables_write(&sync->dp, &sync->current, next, HD_TABLE_SET, err);
	return r;
}

/* After a failure half-way @current is what the maps say. */
static void reread(struct hd_sync *sync)
{
	struct hd_error ignored;

	sync->unsettled = true; /* who knows by what flows were judged meanwhile */
	hd_tables_done(&sync->current);
	hd_tables_init(&sync->current);
	(void)hd_tables_read(&sync->dp, &sync->current,
			     &ignored); /* unread rows are written again */
}

static void sweep(struct hd_sync *sync, const struct hd_model *model)
{
	(void)hd_fdb_sweep(&sync->dp, model);
	hd_drops_sweep(&sync->dp, model);
}

static bool clear_new_rules_of(struct hd_sync *sync, const struct hd_object *object,
			       const struct hd_model *old)
{
	bool any = false;

	for (size_t i = 0; i < hd_object_rules(object); i++) {
		uint32_t id = hd_object_rule(object, i);

		if (hd_model_rule_taken(old, id))
			continue;
		hd_rule_clear(&sync->dp, id);
		any = true;
	}
	return any;
}

/* A number that an old rule had begins to count from zero for a new one. */
static void clear_new_rules(struct hd_sync *sync, const struct hd_model *model,
			    const struct hd_model *old)
{
	static const enum hd_noun_id nouns[] = { HD_NOUN_GROUP, HD_NOUN_FIREWALL };
	bool any = false;

	for (size_t k = 0; old && k < 2; k++)
		hd_model_each(model, nouns[k], object)
			any |= !is_same(old, object) && clear_new_rules_of(sync, object, old);
	if (any)
		hd_drops_forget_rules(&sync->dp, old);
}

/*
 * Bringing a device up changes what its port's flags should be; the second round of compile and write carries that, so that a port
 * is usable when the command returns.
 */
/* If the kernel does not say, what it has said last is taken for true. */
static void look_at_addresses(struct hd_sync *sync)
{
	struct hd_address *host;
	size_t n;

	if (hd_netlink_addresses(sync->nl, &host, &n) < 0)
		return;
	free(sync->host);
	sync->host = host;
	sync->n_host = n;
}

static int apply(struct hd_sync *sync, const struct hd_model *model, const struct hd_model *old,
		 struct hd_tables *next, struct hd_error *err)
{
	int r;

	(void)hd_ways_look(&sync->ways, &sync->devices, model);
	r = make_devices(sync, model, old, err);
	look_at_addresses(sync);
	clear_new_rules(sync, model, old);
	if (r == 0)
		r = write_tables(sync, model, next, true, err);
	if (r == 0)
		r = attach_all(sync, model, old, err);
	if (r < 0)
		return r;
	hd_gro_sync(&sync->dp, &sync->devices, model);
	let_frames_in(sync, model);
	hd_tables_swap(&sync->current, next);
	return 0;
}

static int finish(struct hd_sync *sync, const struct hd_model *model, struct hd_tables *before,
		  struct hd_error *err)
{
	bool any = detach_gone(sync, model) ||
		   before->table[HD_TABLE_LEGS].n > sync->current.table[HD_TABLE_LEGS].n;
	struct hd_tables next;
	int r;

	hd_tables_wait(before, &sync->current);
	r = hd_tables_write(&sync->dp, before, &sync->current, HD_TABLE_DEL, err);
	hd_devices_remove_orphans(&sync->devices, model);
	hd_gro_sweep(&sync->dp, model);
	hd_tables_init(&next);
	if (r == 0)
		r = write_tables(sync, model, &next, false, err);
	if (r == 0)
		hd_tables_swap(&sync->current, &next);
	hd_tables_done(&next);
	if (any)
		sweep(sync, model);
	return r;
}

/* Looks at all that is translated, so only when there is something to do. */
static int sync_nat(struct hd_sync *sync, const struct hd_model *model, struct hd_error *err)
{
	uint32_t state = hd_nat_state(&sync->dp, model);
	int r = state == sync->nat ? 0 : hd_nat_sync(&sync->dp, model);

	if (r < 0)
		return hd_error_set(err, HD_ERR_FAILED, "no room for another external address: %s",
				    strerror(-r));
	sync->nat = state;
	return 0;
}

int hd_sync_run(struct hd_sync *sync, const struct hd_model *model, const struct hd_model *old,
		struct hd_error *err)
{
	struct hd_tables next;
	int r;

	hd_tables_init(&next);
	r = apply(sync, model, old, &next, err);
	if (r == 0) /* @next now holds what was there before */
		r = finish(sync, model, &next, err);
	hd_tables_done(&next);
	if (r == 0)
		r = sync_nat(sync, model, err);
	if (r == 0)
		r = hd_datapath_commit(&sync->dp, err);
	if (sync->expedited)
		hd_expedite_end(sync->dp.dir);
	sync->expedited = false;
	if (r < 0) {
		reread(sync);
		return r;
	}
	sync->unsettled = false;
	if (hd_announcer_follow(sync->announcer, &sync->current) < 0 ||
	    hd_seeker_follow(sync->seeker, &sync->current) < 0)
		(void)log_warn(0, "no memory for ARP, ignoring");
	hd_publisher_follow(sync->publisher, model, sync->host, sync->n_host);
	report_states(sync, model, !old);
	return 0;
}

uint32_t hd_sync_twin_ifindex(const struct hd_sync *sync, const struct hd_object *port)
{
	const struct hd_link *link = hd_device_of(&sync->devices, port);

	return link ? link->ifindex : 1;
}

int hd_sync_twin(struct hd_sync *sync, const struct hd_model *model, const struct hd_object *port,
		 struct hd_twin **ret, struct hd_error *err)
{
	struct hd_tables nothing, next;
	struct hd_datapath tables;
	struct hd_twin *twin = NULL;
	int r = hd_twin_open_apart(&sync->dp, &twin, &tables, err);

	if (r < 0)
		return r;
	hd_tables_init(&nothing);
	hd_tables_init(&next);
	sync->imagined = port->id;
	r = compile(sync, model, &next, err);
	sync->imagined = 0;
	if (r == 0)
		r = hd_tables_write(&tables, &nothing, &next, HD_TABLE_ADD, err);
	hd_tables_done(&next);
	if (r < 0)
		hd_twin_close(twin);
	else
		*ret = twin;
	return r;
}

void hd_sync_swap(struct hd_sync *sync, struct hd_live *live)
{
	struct run *run, *next;

	hd_live_swap(live, &sync->dp);
	HASH_ITER(hh, sync->runs, run, next) {
		int r = run->attachment.how == HD_ATTACH_NONE
				? 0
				: hd_links_attach(&sync->dp, sync->nl, &run->attachment);

		run->current = run->current && r == 0;
		if (r < 0)
			(void)log_warn(r, "port %u: can't exchange its programs", run->port);
	}
}

bool hd_sync_link(struct hd_sync *sync, const struct hd_link *link)
{
	return hd_devices_update(&sync->devices, link);
}

int hd_sync_reload_links(struct hd_sync *sync)
{
	return hd_devices_load(&sync->devices);
}

/* Whether an uplink has become the host's as well, or has ceased to be. */
static bool sharing_changed(const struct hd_sync *sync, const struct hd_model *model)
{
	hd_model_each(model, HD_NOUN_NETWORK, network) {
		const struct hd_object *uplink =
			hd_model_physical(model, network->view.network.physical);
		const void *row =
			hd_table_find(&sync->current.table[HD_TABLE_PORTS], &network->leg);

		if (uplink && row && !network->view.network.vlan &&
		    !(port_row(row).flags & HD_PORT_SHARED) == make_fact(sync, uplink).shared)
			return true;
	}
	return false;
}

/* Whether the host has other addresses now, if that matters to somebody. */
static bool addresses_changed(const struct hd_sync *sync, const struct hd_model *model)
{
	_free_ struct hd_address *host = NULL;
	bool wanted = false;
	size_t n;

	hd_model_each(model, HD_NOUN_ROUTER, router)
		wanted |= router->view.router.gateway.uplink != NULL;
	if (!wanted || hd_netlink_addresses(sync->nl, &host, &n) < 0)
		return false;
	return n != sync->n_host || (n && memcmp(host, sync->host, n * sizeof(*host)) != 0);
}

bool hd_sync_ways(struct hd_sync *sync, const struct hd_model *model)
{
	bool changed = hd_model_count(model, HD_NOUN_PEER) &&
		       hd_ways_look(&sync->ways, &sync->devices, model);

	return sharing_changed(sync, model) || addresses_changed(sync, model) || changed;
}

void hd_sync_announce(struct hd_sync *sync)
{
	hd_announcer_repeat(sync->announcer);
	hd_seeker_repeat(sync->seeker, &sync->dp);
}

void hd_sync_keep_published(struct hd_sync *sync)
{
	hd_publisher_keep(sync->publisher);
}

void hd_sync_keep_ways(struct hd_sync *sync)
{
	hd_ways_keep(sync->ways, &sync->devices);
}

/* A flood of them must not keep us from everything else. */
#define TOLD_AT_ONCE 32

bool hd_sync_told(struct hd_sync *sync, const struct hd_model *model, int fd, bool is_v4)
{
	bool changed = false;
	struct hd_told told;

	for (int i = 0, r = 0; i < TOLD_AT_ONCE && r >= 0; i++) {
		r = hd_told_read(fd, is_v4, &told);
		if (r > 0)
			changed = hd_ways_told(sync->ways, model, &told) || changed;
	}
	return changed;
}

bool hd_sync_wants_retry(const struct hd_sync *sync)
{
	const struct run *run, *next;

	HASH_ITER(hh, sync->runs, run, next)
		if (run->failed)
			return true;
	return false;
}

size_t hd_sync_rows(const struct hd_sync *sync, enum hd_table_id table)
{
	return sync->current.table[table].n;
}

static uint32_t gen_of(const struct hd_sync *sync, uint32_t port)
{
	const void *row = hd_table_find(&sync->current.table[HD_TABLE_PORTS], &port);
	struct hd_port_value value = { 0 };

	if (row)
		memcpy(&value, row, sizeof(value));
	return value.gen;
}

static uint32_t neighbours_moved(const struct hd_sync *sync, uint32_t router)
{
	struct hd_router_state state = { 0 };

	(void)bpf_map_lookup_elem(sync->dp.maps[HD_MAP_ROUTER_STATE], &router, &state);
	return state.moved;
}

/* What its neighbours have changed, and those outside, belongs to the generation of a router's flows, too. */
static uint32_t router_gen(const struct hd_sync *sync, uint32_t router)
{
	return gen_of(sync, router) + neighbours_moved(sync, router) +
	       neighbours_moved(sync, HD_PORT_NONE);
}

bool hd_sync_flow_is_current(const struct hd_sync *sync, const struct hd_flow *flow)
{
	uint32_t gen = gen_of(sync, flow->value.port[0]) + gen_of(sync, flow->value.port[1]);

	return gen + (flow->router ? router_gen(sync, flow->router) : 0) == flow->value.gen;
}

const struct hd_datapath *hd_sync_datapath(const struct hd_sync *sync)
{
	return &sync->dp;
}

int hd_sync_purge(struct hd_sync *sync, struct hd_error *err)
{
	struct hd_model *nothing = hd_model_new();
	int r = nothing ? hd_sync_run(sync, nothing, NULL, err)
			: hd_error_set(err, HD_ERR_FAILED, "no memory");

	hd_model_free(nothing);
	if (r < 0)
		return r;
	hd_devices_remove_orphans(&sync->devices, NULL);
	r = hd_datapath_unpin(&sync->dp);
	return r < 0 ? hd_error_set(err, HD_ERR_FAILED, "can't remove %s: %s", sync->dp.dir,
				    strerror(-r))
		     : 0;
}
