// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* network.c - networks and their subnets */
#include <errno.h>
#include <string.h>

#include "model/views.h"

int hd_network_view(struct hd_object *object, struct hd_error *err)
{
	struct hd_network *network = &object->view.network;

	network->type = hd_spec_text(object, "type");
	if (strcmp(network->type, "local")) {
		hd_error_set(err, HD_ERR_USAGE, "network %s: type %s is not available yet",
			     object->name, network->type);
		hd_error_hint(err, "this version has networks of type local");
		hd_error_where(err, "networks/%s/type", object->name);
		return -EINVAL;
	}
	network->mtu = hd_spec_uint(object, "mtu");
	network->ageing_s = hd_spec_uint(object, "ageing");
	network->port_mac_limit = hd_spec_uint(object, "port-mac-limit");
	network->flood = hd_spec_bool(object, "flood");
	network->suppress = hd_spec_bool(object, "neighbour-suppression");
	return 0;
}

int hd_subnet_view(struct hd_object *object, struct hd_error *err)
{
	struct hd_subnet *subnet = &object->view.subnet;
	const char *gateway = hd_spec_text(object, "gateway");

	subnet->network = hd_spec_text(object, "network");
	if (hd_ip_parse(hd_spec_text(object, "cidr"), &subnet->cidr) < 0)
		return hd_error_set(err, HD_ERR_INVALID, "subnet %s: bad cidr", object->name);
	if (!gateway)
		return 0;
	subnet->has_gateway = true;
	if (hd_ip_parse(gateway, &subnet->gateway) < 0 ||
	    !hd_ip_in(&subnet->gateway, &subnet->cidr)) {
		hd_error_set(err, HD_ERR_INVALID, "subnet %s: gateway %s is not in %s",
			     object->name, gateway, hd_spec_text(object, "cidr"));
		hd_error_where(err, "subnets/%s/gateway", object->name);
		return -EINVAL;
	}
	return 0;
}

static bool overlaps(const struct hd_subnet *a, const struct hd_subnet *b)
{
	return hd_ip_in(&a->cidr, &b->cidr) || hd_ip_in(&b->cidr, &a->cidr);
}

int hd_subnet_validate(const struct hd_model *model, const struct hd_object *object,
		       struct hd_error *err)
{
	const struct hd_subnet *subnet = &object->view.subnet;

	hd_model_each(model, HD_NOUN_SUBNET, other) {
		if (other == object || strcmp(other->view.subnet.network, subnet->network) ||
		    !overlaps(subnet, &other->view.subnet))
			continue;
		hd_error_set(err, HD_ERR_CONFLICT, "subnet %s: %s overlaps with subnet %s (%s)",
			     object->name, hd_spec_text(object, "cidr"), other->name,
			     hd_spec_text(other, "cidr"));
		hd_error_where(err, "subnets/%s/cidr", object->name);
		return -EEXIST;
	}
	return 0;
}
