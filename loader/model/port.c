// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* port.c - ports */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "heddle/policy.h"
#include "model/views.h"

/* What a burst is that nobody has said; see docs/adr/0028-policing.md. */
enum { BURST_MS = 600, BURST_MIN = 128 * 1024 };

/* What is at another host has a MAC and addresses, and maybe groups; all else about it is decided there. */
static int remote_kind(const struct hd_object *object, enum hd_port_kind *ret, struct hd_error *err)
{
	static const char *const foreign[] = { "ifname",       "once",	      "isolated",
					       "hairpin",      "mtu",	      "allowed-address",
					       "vlan-mode",    "tag",	      "trunk",
					       "ingress-rate", "egress-rate", "ingress-burst",
					       "egress-burst" };

	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		if (json_object_get(object->spec, foreign[i]))
			return hd_error_set(err, HD_ERR_INVALID,
					    "port %s: %s does not go with peer", object->name,
					    foreign[i]);
	if (!hd_spec_text(object, "mac"))
		return hd_error_set(err, HD_ERR_INVALID, "port %s: peer needs mac", object->name);
	*ret = HD_PORT_REMOTE;
	return 0;
}

static int kind_of(const struct hd_object *object, enum hd_port_kind *ret, struct hd_error *err)
{
	bool device = hd_spec_text(object, "device"), netns = hd_spec_text(object, "netns");
	bool internal = hd_spec_bool(object, "internal"), peer = hd_spec_text(object, "peer");

	if (device + netns + internal + peer != 1) {
		hd_error_set(err, HD_ERR_INVALID,
			     "port %s: needs exactly one of device, netns, internal and peer",
			     object->name);
		hd_error_hint(
			err,
			"--device DEV for a device that is there, --netns NS --ifname IF to make "
			"one, --internal for the host's own leg, --peer PEER if it is there");
		return -EINVAL;
	}
	if (peer)
		return remote_kind(object, ret, err);
	if (!netns && hd_spec_bool(object, "once"))
		return hd_error_set(err, HD_ERR_INVALID, "port %s: once goes with netns only",
				    object->name);
	if (device && hd_spec_text(object, "ifname"))
		return hd_error_set(err, HD_ERR_INVALID, "port %s: ifname does not go with device",
				    object->name);
	if (netns && !hd_spec_text(object, "ifname"))
		return hd_error_set(err, HD_ERR_INVALID, "port %s: netns needs ifname",
				    object->name);
	*ret = device ? HD_PORT_DEVICE : netns ? HD_PORT_NETNS : HD_PORT_INTERNAL;
	return 0;
}

static int ifname_of(struct hd_object *object, struct hd_error *err)
{
	struct hd_port *port = &object->view.port;
	const char *ifname = hd_spec_text(object, "ifname");

	if (!ifname && port->kind == HD_PORT_INTERNAL)
		ifname = object->name;
	if (!ifname)
		return 0;
	if (strlen(ifname) >= sizeof(port->ifname)) {
		hd_error_set(err, HD_ERR_INVALID, "port %s: its name is too long for a device",
			     object->name);
		hd_error_hint(err, "name the host's leg with --ifname, up to 15 letters");
		return -EINVAL;
	}
	(void)snprintf(port->ifname, sizeof(port->ifname), "%s", ifname);
	return 0;
}

static int ips_of(struct hd_object *object, struct hd_error *err)
{
	struct hd_port *port = &object->view.port;
	const json_t *list = json_object_get(object->spec, "ip");
	const json_t *item;
	size_t i;

	port->ips = calloc(json_array_size(list) + 1, sizeof(*port->ips));
	if (!port->ips)
		return hd_error_set(err, HD_ERR_FAILED, "port %s: no memory", object->name);
	json_array_foreach(list, i, item) {
		if (hd_ip_parse(json_string_value(item), &port->ips[port->n_ips]) == 0)
			port->n_ips++;
		else if (!port->wish)
			port->wish = json_string_value(item);
	}
	return 0;
}

/* hd_model_settle() has left it, as there is none. */
static int no_address(const struct hd_model *model, const struct hd_object *object,
		      struct hd_error *err)
{
	const struct hd_port *port = &object->view.port;
	bool has_subnet = false;

	hd_model_each(model, HD_NOUN_SUBNET, subnet)
		has_subnet |= !strcmp(subnet->view.subnet.network, port->network);
	if (!has_subnet) {
		hd_error_set(err, HD_ERR_INVALID,
			     "port %s: network %s has no subnet to take an address from",
			     object->name, port->network);
		hd_error_hint(err, "'heddle subnet add NAME --network %s --cidr CIDR' gives it one",
			      port->network);
	} else if (!strcmp(port->wish, HD_IP_AUTO)) {
		hd_error_set(err, HD_ERR_CONFLICT,
			     "port %s: no address of the subnets of network %s is free",
			     object->name, port->network);
		hd_error_hint(err, "'heddle port list' shows who has them; a subnet with a pool "
				   "hands out that alone");
	} else {
		hd_error_set(err, HD_ERR_CONFLICT,
			     "port %s: no address of %s in network %s is free", object->name,
			     port->wish, port->network);
		hd_error_hint(err, "'heddle port list' shows who has them, 'heddle subnet list' "
				   "what subnets hold");
	}
	hd_error_where(err, "ports/%s/ip", object->name);
	return -ENOSPC;
}

/* Sorted, so that ports that name the same groups in another order are the same to the compiler. */
static int groups_of(struct hd_object *object, struct hd_error *err)
{
	struct hd_port *port = &object->view.port;
	const json_t *list = json_object_get(object->spec, "security-group"), *item;
	size_t i;

	port->groups = calloc(json_array_size(list) + 1, sizeof(*port->groups));
	if (!port->groups)
		return hd_error_set(err, HD_ERR_FAILED, "port %s: no memory", object->name);
	if (port->secure && !json_array_size(list))
		port->groups[port->n_groups++] = HD_GROUP_DEFAULT;
	json_array_foreach(list, i, item)
		port->groups[port->n_groups++] = json_string_value(item);
	hd_names_sort(port->groups, port->n_groups);
	if (port->secure || !port->n_groups)
		return 0;
	hd_error_set(err, HD_ERR_INVALID, "port %s: security-group does not go with no-security",
		     object->name);
	hd_error_where(err, "ports/%s/security-group", object->name);
	return -EINVAL;
}

static int limit_of(struct hd_object *object, int direction, const char *rate, const char *burst,
		    struct hd_error *err)
{
	const char *rate_text = hd_spec_text(object, rate),
		   *burst_text = hd_spec_text(object, burst);
	struct hd_port *port = &object->view.port;

	if (rate_text)
		(void)hd_rate_parse(rate_text, &port->rate[direction]); /* canonical already */
	if (burst_text)
		(void)hd_size_parse(burst_text, &port->burst[direction]);
	return burst_text && !rate_text ? hd_refuse(object, err, burst, "%s needs %s", burst, rate)
					: 0;
}

static int limits_of(struct hd_object *object, struct hd_error *err)
{
	int r = limit_of(object, HD_INGRESS, "ingress-rate", "ingress-burst", err);

	return r < 0 ? r : limit_of(object, HD_EGRESS, "egress-rate", "egress-burst", err);
}

uint64_t hd_port_burst(const struct hd_port *port, int direction)
{
	uint64_t bytes = port->rate[direction] / 8 * BURST_MS / 1000;

	if (port->burst[direction])
		return port->burst[direction];
	return bytes < BURST_MIN ? BURST_MIN : bytes;
}

static int parse_allowed(const char *text, struct hd_allowed *ret)
{
	const char *comma = strchr(text, ',');
	char ip[64];

	(void)snprintf(ip, sizeof(ip), "%.*s", comma ? (int)(comma - text) : (int)sizeof(ip) - 1,
		       text);
	ret->has_mac = comma;
	if (comma && hd_mac_parse(comma + 1, ret->mac) < 0)
		return -EINVAL;
	return hd_ip_parse(ip, &ret->ip);
}

static int allowed_of(struct hd_object *object, struct hd_error *err)
{
	struct hd_port *port = &object->view.port;
	const json_t *list = json_object_get(object->spec, "allowed-address"), *item;
	size_t i;

	port->allowed = calloc(json_array_size(list) + 1, sizeof(*port->allowed));
	if (!port->allowed)
		return hd_error_set(err, HD_ERR_FAILED, "port %s: no memory", object->name);
	json_array_foreach(list, i, item)
		if (parse_allowed(json_string_value(item), &port->allowed[port->n_allowed++]) < 0)
			return hd_error_set(err, HD_ERR_INVALID, "port %s: bad address %s",
					    object->name, json_string_value(item));
	return 0;
}

/* What each mode asks for. The order is that of enum hd_vlan_mode. */
static const struct {
	const char *word;
	bool wants_tag;
	bool may_trunk;
} vlan_modes[] = {
	{ "", false, false },
	{ "access", true, false },
	{ "trunk", false, true },
	{ "native-tagged", true, true },
	{ "native-untagged", true, true },
	{ "dot1q-tunnel", true, false },
};

static enum hd_vlan_mode find_vlan_mode(const char *word)
{
	enum hd_vlan_mode mode = HD_VLAN_MODE_TUNNEL;

	while (mode && (!word || strcmp(word, vlan_modes[mode].word)))
		mode--;
	return mode;
}

static int bad_vlan(const struct hd_object *object, const char *option, const char *hint,
		    struct hd_error *err, const char *format, const char *mode)
{
	char what[96];

	(void)snprintf(what, sizeof(what), format, mode);
	hd_error_set(err, HD_ERR_INVALID, "port %s: %s", object->name, what);
	hd_error_hint(err, "%s", hint);
	hd_error_where(err, "ports/%s/%s", object->name, option);
	return -EINVAL;
}

/* Which of tag and trunk go with the mode. */
static int check_vlan(const struct hd_object *object, enum hd_vlan_mode mode, struct hd_error *err)
{
	bool tag = hd_spec_uint(object, "tag"), trunk = hd_spec_text(object, "trunk");
	const char *word = vlan_modes[mode].word;

	if (!mode && (tag || trunk))
		return bad_vlan(
			object, tag ? "tag" : "trunk",
			"'--vlan-mode access --tag N', or '--vlan-mode trunk --trunk N,N-N'", err,
			tag ? "tag needs a vlan-mode%s" : "trunk needs a vlan-mode%s", "");
	if (tag && !vlan_modes[mode].wants_tag)
		return bad_vlan(object, "tag",
				"take it back with --unset tag; a trunk with an own VLAN is "
				"native-tagged or native-untagged",
				err, "tag does not go with vlan-mode %s", word);
	if (!tag && vlan_modes[mode].wants_tag)
		return bad_vlan(object, "vlan-mode", "give its own VLAN with --tag N", err,
				"vlan-mode %s needs tag", word);
	if (trunk && !vlan_modes[mode].may_trunk)
		return bad_vlan(object, "trunk",
				"take it back with --unset trunk; only trunk, native-tagged and "
				"native-untagged carry several VLANs",
				err, "trunk does not go with vlan-mode %s", word);
	return 0;
}

/* A port with an own VLAN always carries that, and has no use for VLAN 0: its untagged frames are in its own. */
static int trunk_of(struct hd_object *object, struct hd_error *err)
{
	const char *text = hd_spec_text(object, "trunk");
	struct hd_port *port = &object->view.port;

	if (!text)
		return 0;
	port->trunk = calloc(HD_VLAN_WORDS, sizeof(*port->trunk));
	if (!port->trunk)
		return hd_error_set(err, HD_ERR_FAILED, "port %s: no memory", object->name);
	if (hd_vlans_parse(text, port->trunk))
		return hd_error_set(err, HD_ERR_INVALID, "port %s: bad list of VLANs %s",
				    object->name, text);
	if (port->vlan && (port->trunk[0] & 1))
		return bad_vlan(object, "trunk", "its untagged frames belong to its own VLAN", err,
				"VLAN 0 does not go with vlan-mode %s",
				vlan_modes[port->vlan_mode].word);
	if (port->vlan)
		port->trunk[port->vlan / 32] |= 1u << port->vlan % 32;
	return 0;
}

static int vlan_of(struct hd_object *object, struct hd_error *err)
{
	struct hd_port *port = &object->view.port;
	int r;

	port->vlan_mode = find_vlan_mode(hd_spec_text(object, "vlan-mode"));
	port->vlan = (uint16_t)hd_spec_uint(object, "tag");
	r = check_vlan(object, port->vlan_mode, err);
	return r < 0 ? r : trunk_of(object, err);
}

int hd_port_view(struct hd_object *object, struct hd_error *err)
{
	struct hd_port *port = &object->view.port;
	const char *mac = hd_spec_text(object, "mac");
	int r;

	port->network = hd_spec_text(object, "network");
	port->device = hd_spec_text(object, "device");
	port->netns = hd_spec_text(object, "netns");
	port->peer = hd_spec_text(object, "peer");
	port->once = hd_spec_bool(object, "once");
	port->isolated = hd_spec_bool(object, "isolated");
	port->hairpin = hd_spec_bool(object, "hairpin");
	port->mtu = hd_spec_uint(object, "mtu");
	port->has_mac = mac && hd_mac_parse(mac, port->mac) == 0;
	r = kind_of(object, &port->kind, err);
	if (r < 0)
		return r;
	port->secure = !hd_spec_bool(object, "no-security");
	port->labels = json_object_get(object->spec, "label");
	r = ifname_of(object, err);
	if (r == 0)
		r = vlan_of(object, err);
	if (r == 0)
		r = ips_of(object, err);
	if (r == 0)
		r = groups_of(object, err);
	if (r == 0)
		r = limits_of(object, err);
	return r < 0 ? r : allowed_of(object, err);
}

static int validate_ip(const struct hd_model *model, const struct hd_object *object,
		       const struct hd_ip *ip, size_t index, struct hd_error *err)
{
	const struct hd_port *port = &object->view.port;
	char text[64];

	if (ip->prefix != HD_PREFIX_NONE || port->kind == HD_PORT_DEVICE ||
	    port->kind == HD_PORT_REMOTE || hd_model_subnet_of(model, port->network, ip))
		return 0;
	hd_ip_format(ip, text);
	hd_error_set(err, HD_ERR_INVALID,
		     "port %s: address %s has no length, and no subnet of network %s holds it",
		     object->name, text, port->network);
	hd_error_hint(err, "give it as %s/LEN, or add the subnet first", text);
	hd_error_where(err, "ports/%s/ip/%zu", object->name, index);
	return -EINVAL;
}

int hd_port_validate(const struct hd_model *model, const struct hd_object *object,
		     struct hd_error *err)
{
	const struct hd_port *port = &object->view.port;

	if (port->kind == HD_PORT_REMOTE &&
	    !hd_peer_is_in(&hd_model_get(model, HD_NOUN_PEER, port->peer)->view.peer,
			   hd_model_network_of(model, port))) {
		hd_error_set(err, HD_ERR_INVALID, "port %s: peer %s is not in network %s",
			     object->name, port->peer, port->network);
		hd_error_where(err, "ports/%s/peer", object->name);
		return -EINVAL;
	}
	if (port->wish)
		return no_address(model, object, err);
	for (size_t i = 0; i < port->n_ips; i++) {
		int r = validate_ip(model, object, &port->ips[i], i, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static bool is_listed(const json_t *list, const char *text)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
		if (!strcmp(json_string_value(item), text))
			return true;
	return false;
}

static bool is_between(const struct hd_ip *ip, const struct hd_ip *first, const struct hd_ip *last)
{
	return ip->is_v4 == first->is_v4 &&
	       memcmp(ip->bytes, first->bytes, sizeof(ip->bytes)) >= 0 &&
	       memcmp(ip->bytes, last->bytes, sizeof(ip->bytes)) <= 0;
}

/* Whether an address is one that a wish stands for. */
static bool fulfils(const char *text, const char *wish)
{
	_free_ char *copy = strdup(wish);
	struct hd_ip ip, first, last;
	char *rest = copy, *one;

	if (!copy || hd_ip_parse(text, &ip) < 0)
		return false;
	while ((one = strsep(&rest, ","))) {
		char *dash = strchr(one, '-');

		if (!dash)
			return ip.prefix == HD_PREFIX_NONE; /* HD_IP_AUTO */
		*dash = 0;
		if (hd_ip_parse(one, &first) == 0 && hd_ip_parse(dash + 1, &last) == 0 &&
		    is_between(&ip, &first, &last))
			return true;
	}
	return false;
}

/* What the port has for a wish; the wish itself if there is nothing. */
static int keep(const struct hd_object *old, const json_t *given, json_t *wish, json_t *list)
{
	bool is_auto = !strcmp(json_string_value(wish), HD_IP_AUTO), any = false;
	json_t *item;
	size_t i;

	json_array_foreach(json_object_get(old->spec, "ip"), i, item) {
		const char *text = json_string_value(item);

		if ((any && !is_auto) || is_listed(list, text) || is_listed(given, text) ||
		    !fulfils(text, json_string_value(wish)))
			continue;
		if (json_array_append(list, item) < 0)
			return -ENOMEM;
		any = true;
	}
	return any ? 0 : json_array_append(list, wish);
}

int hd_port_keep_ips(const struct hd_object *old, json_t *spec, struct hd_error *err)
{
	const json_t *given = json_object_get(spec, "ip");
	_json_ json_t *list = json_array();
	struct hd_ip ip;
	json_t *item;
	size_t i;
	int r = list ? 0 : -ENOMEM;

	if (!old || !given)
		return 0;
	json_array_foreach(given, i, item)
		if (r == 0)
			r = hd_ip_parse(json_string_value(item), &ip) == 0
				    ? json_array_append(list, item)
				    : keep(old, given, item, list);
	if (r < 0 || json_object_set(spec, "ip", list) < 0)
		return hd_error_set(err, HD_ERR_FAILED, "port %s: no memory", old->name);
	return 0;
}

/* Whether an object is there because of a port. */
static bool hangs_on(const struct hd_object *object, const char *port)
{
	size_t len = strlen(port);

	if (object->noun->id == HD_NOUN_FLOATING_IP)
		return !strcmp(object->view.floating_ip.port, port);
	if (object->noun->id == HD_NOUN_FDB)
		return object->view.fdb.port && !strcmp(object->view.fdb.port, port);
	return !strncmp(object->name, port, len) && object->name[len] == '.';
}

void hd_model_del_cascade(struct hd_model *model, const char *port)
{
	static const enum hd_noun_id nouns[] = { HD_NOUN_FLOATING_IP, HD_NOUN_FDB,
						 HD_NOUN_PORT_FORWARD, HD_NOUN_GROUP };
	struct hd_object *object, *next;

	for (size_t i = 0; i < sizeof(nouns) / sizeof(nouns[0]); i++)
		for (object = hd_model_first(model, nouns[i]); object; object = next) {
			next = hd_model_next(model, object);
			if (hangs_on(object, port))
				(void)hd_model_del(model, nouns[i], object->name);
		}
	(void)hd_model_del(model, HD_NOUN_PORT, port);
}
