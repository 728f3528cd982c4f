// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* network.c - networks and their subnets */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "heddle/vlan.h"
#include "model/views.h"

static int tunnel_error(const struct hd_object *object, const char *option, const char *what,
			struct hd_error *err)
{
	hd_error_set(err, HD_ERR_INVALID, "network %s: %s", object->name, what);
	hd_error_where(err, "networks/%s/%s", object->name, option);
	return -EINVAL;
}

static enum hd_tunnel_type tunnel_type(const char *type, bool has_id)
{
	if (!strcmp(type, "vxlan"))
		return HD_TUNNEL_VXLAN;
	if (!strcmp(type, "geneve"))
		return HD_TUNNEL_GENEVE;
	if (!strcmp(type, "gre"))
		return has_id ? HD_TUNNEL_GRE_KEY : HD_TUNNEL_GRE;
	return HD_TUNNEL_NONE;
}

/* Of options that only tunnels have: the first that is there is refused. */
static int refuse_tunnel_options(const struct hd_object *object, struct hd_error *err)
{
	static const char *const all[] = { "tunnel-dscp", "tunnel-ttl" };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		char what[64];

		if (!json_object_get(object->spec, all[i]))
			continue;
		(void)snprintf(what, sizeof(what), "%s is for type vxlan, geneve and gre", all[i]);
		return tunnel_error(object, all[i], what, err);
	}
	return 0;
}

static void outer_view(struct hd_object *object)
{
	struct hd_network *network = &object->view.network;
	uint32_t ttl = hd_spec_uint(object, "tunnel-ttl");

	network->tunnel_ttl = ttl ? (uint8_t)ttl : HD_TUNNEL_TTL;
	network->has_dscp = json_is_integer(json_object_get(object->spec, "tunnel-dscp"));
	network->dscp = (uint8_t)hd_spec_uint(object, "tunnel-dscp");
}

/* How the network leaves the host: ids of VXLAN and Geneve have 24 bits, GRE has a key of 32 or none. */
static int tunnel_view(struct hd_object *object, struct hd_error *err)
{
	struct hd_network *network = &object->view.network;
	bool has_id = json_object_get(object->spec, "id");
	bool udp = !strcmp(network->type, "vxlan") || !strcmp(network->type, "geneve");

	network->tunnel = tunnel_type(network->type, has_id);
	network->tunnel_id = hd_spec_uint(object, "id");
	network->tunnel_port = (uint16_t)hd_spec_uint(object, "tunnel-port");
	if (hd_spec_text(object, "physical"))
		return tunnel_error(object, "physical",
				    network->tunnel == HD_TUNNEL_NONE
					    ? "a local network has no physical network"
					    : "a tunnel has no physical network: it follows routes",
				    err);
	if (network->tunnel == HD_TUNNEL_NONE && has_id)
		return tunnel_error(object, "id", "a local network has no id", err);
	if (udp && !has_id)
		return tunnel_error(object, "id", "this type needs id, the VNI", err);
	if (udp && network->tunnel_id > 0xffffff)
		return tunnel_error(object, "id", "id: a VNI is a number up to 16777215", err);
	if (!udp && network->tunnel_port)
		return tunnel_error(object, "tunnel-port",
				    "tunnel-port is for type vxlan and geneve", err);
	if (network->tunnel == HD_TUNNEL_NONE)
		return refuse_tunnel_options(object, err);
	if (udp && !network->tunnel_port)
		network->tunnel_port =
			network->tunnel == HD_TUNNEL_VXLAN ? HD_VXLAN_PORT : HD_GENEVE_PORT;
	outer_view(object);
	return 0;
}

/* flat: as it comes; vlan: with a tag. */
static int provider_view(struct hd_object *object, struct hd_error *err)
{
	struct hd_network *network = &object->view.network;
	bool has_id = json_object_get(object->spec, "id"), vlan = !strcmp(network->type, "vlan");
	uint32_t id = hd_spec_uint(object, "id");

	network->physical = hd_spec_text(object, "physical");
	if (!network->physical) {
		(void)tunnel_error(
			object, "physical",
			vlan ? "type vlan needs physical, the name of a physical network"
			     : "type flat needs physical, the name of a physical network",
			err);
		hd_error_hint(err, "an uplink has it: 'heddle uplink add DEV --physical NAME'");
		return -EINVAL;
	}
	if (!vlan && has_id)
		return tunnel_error(object, "id",
				    "a flat network has no id: its frames have no tag", err);
	if (vlan && !has_id)
		return tunnel_error(object, "id", "type vlan needs id, the VLAN", err);
	if (vlan && (id < 1 || id > HD_VLAN_MAX))
		return tunnel_error(object, "id", "id: a VLAN is a number from 1 to 4094", err);
	if (json_object_get(object->spec, "tunnel-port"))
		return tunnel_error(object, "tunnel-port",
				    "tunnel-port is for type vxlan and geneve", err);
	network->vlan = (uint16_t)id;
	return refuse_tunnel_options(object, err);
}

static int validate_physical(const struct hd_model *model, const struct hd_object *object,
			     struct hd_error *err)
{
	const char *physical = object->view.network.physical;

	if (!physical || hd_model_physical(model, physical))
		return 0;
	hd_error_set(err, HD_ERR_NOT_FOUND, "network %s: physical network %s does not exist",
		     object->name, physical);
	hd_error_hint(err, "an uplink has it: 'heddle uplink add DEV --physical %s'", physical);
	hd_error_where(err, "networks/%s/physical", object->name);
	return -ENOENT;
}

/* What comes to a UDP port is of one type. */
int hd_network_validate(const struct hd_model *model, const struct hd_object *object,
			struct hd_error *err)
{
	const struct hd_network *network = &object->view.network;

	if (!network->tunnel_port)
		return validate_physical(model, object, err);
	hd_model_each(model, HD_NOUN_NETWORK, other) {
		if (other->view.network.tunnel_port != network->tunnel_port ||
		    other->view.network.tunnel == network->tunnel)
			continue;
		hd_error_set(err, HD_ERR_CONFLICT,
			     "network %s: UDP port %u is that of network %s, of type %s",
			     object->name, network->tunnel_port, other->name,
			     other->view.network.type);
		hd_error_where(err, "networks/%s/tunnel-port", object->name);
		return -EEXIST;
	}
	return 0;
}

int hd_network_view(struct hd_object *object, struct hd_error *err)
{
	struct hd_network *network = &object->view.network;

	int r;

	network->type = hd_spec_text(object, "type");
	if (!strcmp(network->type, "flat") || !strcmp(network->type, "vlan"))
		r = provider_view(object, err);
	else
		r = tunnel_view(object, err);
	if (r < 0)
		return r;
	network->mtu = hd_spec_uint(object, "mtu");
	network->ageing_s = hd_spec_uint(object, "ageing");
	network->port_mac_limit = hd_spec_uint(object, "port-mac-limit");
	network->flood = hd_spec_bool(object, "flood");
	network->suppress = hd_spec_bool(object, "neighbour-suppression");
	return 0;
}

/* FIRST-LAST, both inside. */
static int pool_of(struct hd_object *object, struct hd_error *err)
{
	struct hd_subnet *subnet = &object->view.subnet;
	const char *pool = hd_spec_text(object, "pool");
	const char *dash = pool ? strchrnul(pool, '-') : NULL;
	char first[64];

	if (!pool)
		return 0;
	subnet->has_pool = true;
	(void)snprintf(first, sizeof(first), "%.*s", (int)(dash - pool), pool);
	if (*dash && hd_ip_parse(first, &subnet->pool_first) == 0 &&
	    hd_ip_parse(dash + 1, &subnet->pool_last) == 0 &&
	    hd_ip_in(&subnet->pool_first, &subnet->cidr) &&
	    hd_ip_in(&subnet->pool_last, &subnet->cidr))
		return 0;
	hd_error_set(err, HD_ERR_INVALID, "subnet %s: pool %s is not in %s", object->name, pool,
		     hd_spec_text(object, "cidr"));
	hd_error_where(err, "subnets/%s/pool", object->name);
	return -EINVAL;
}

int hd_subnet_view(struct hd_object *object, struct hd_error *err)
{
	struct hd_subnet *subnet = &object->view.subnet;
	const char *gateway = hd_spec_text(object, "gateway");

	subnet->network = hd_spec_text(object, "network");
	if (hd_ip_parse(hd_spec_text(object, "cidr"), &subnet->cidr) < 0)
		return hd_error_set(err, HD_ERR_INVALID, "subnet %s: bad cidr", object->name);
	if (!gateway)
		return pool_of(object, err);
	subnet->has_gateway = true;
	if (hd_ip_parse(gateway, &subnet->gateway) < 0 ||
	    !hd_ip_in(&subnet->gateway, &subnet->cidr)) {
		hd_error_set(err, HD_ERR_INVALID, "subnet %s: gateway %s is not in %s",
			     object->name, gateway, hd_spec_text(object, "cidr"));
		hd_error_where(err, "subnets/%s/gateway", object->name);
		return -EINVAL;
	}
	return pool_of(object, err);
}

int hd_subnet_validate(const struct hd_model *model, const struct hd_object *object,
		       struct hd_error *err)
{
	const struct hd_subnet *subnet = &object->view.subnet;

	hd_model_each(model, HD_NOUN_SUBNET, other) {
		if (other == object || strcmp(other->view.subnet.network, subnet->network) ||
		    !hd_ip_overlaps(&subnet->cidr, &other->view.subnet.cidr))
			continue;
		hd_error_set(err, HD_ERR_CONFLICT, "subnet %s: %s overlaps with subnet %s (%s)",
			     object->name, hd_spec_text(object, "cidr"), other->name,
			     hd_spec_text(other, "cidr"));
		hd_error_where(err, "subnets/%s/cidr", object->name);
		return -EEXIST;
	}
	return 0;
}
