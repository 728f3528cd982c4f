// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* entries.c - configured FDB entries and neighbours, which are named by network and address */
#include <errno.h>
#include <string.h>

#include "model/views.h"

int hd_fdb_view(struct hd_object *object, struct hd_error *err)
{
	struct hd_fdb *fdb = &object->view.fdb;
	const char *mac;
	int r = hd_name_split(object, fdb->network, &mac, err);

	if (r < 0)
		return r;
	fdb->port = hd_spec_text(object, "port");
	fdb->peer = hd_spec_text(object, "peer");
	if (!fdb->port == !fdb->peer) {
		hd_error_set(err, HD_ERR_INVALID, "fdb %s: needs exactly one of port and peer",
			     object->name);
		hd_error_hint(err, "to move it to the other kind: 'heddle fdb set MAC --network "
				   "NET --peer PEER --unset port'");
		return -EINVAL;
	}
	if (hd_mac_parse(mac, fdb->mac) < 0 || (fdb->mac[0] & 1))
		return hd_error_set(err, HD_ERR_INVALID, "fdb %s: %s is not the MAC of a station",
				    object->name, mac);
	return 0;
}

int hd_neighbour_view(struct hd_object *object, struct hd_error *err)
{
	struct hd_neighbour *neighbour = &object->view.neighbour;
	const char *ip;
	int r = hd_name_split(object, neighbour->network, &ip, err);

	if (r < 0)
		return r;
	if (hd_ip_parse(ip, &neighbour->ip) < 0 || neighbour->ip.prefix != HD_PREFIX_NONE)
		return hd_error_set(err, HD_ERR_INVALID, "neighbour %s: %s is not an address",
				    object->name, ip);
	return hd_mac_parse(hd_spec_text(object, "mac"), neighbour->mac);
}

static int need_network(const struct hd_model *model, const struct hd_object *object,
			const char *network, struct hd_error *err)
{
	if (hd_model_get(model, HD_NOUN_NETWORK, network))
		return 0;
	hd_error_set(err, HD_ERR_NOT_FOUND, "%s %s: network %s does not exist", object->noun->name,
		     object->name, network);
	hd_error_where(err, "%s/%s", object->noun->plural, object->name);
	return -ENOENT;
}

int hd_fdb_validate(const struct hd_model *model, const struct hd_object *object,
		    struct hd_error *err)
{
	const struct hd_fdb *fdb = &object->view.fdb;
	const struct hd_object *port, *peer;
	int r = need_network(model, object, fdb->network, err);

	if (r < 0)
		return r;
	peer = fdb->peer ? hd_model_get(model, HD_NOUN_PEER, fdb->peer) : NULL;
	if (peer &&
	    !hd_peer_is_in(&peer->view.peer, hd_model_get(model, HD_NOUN_NETWORK, fdb->network))) {
		hd_error_set(err, HD_ERR_INVALID, "fdb %s: peer %s is not in network %s",
			     object->name, fdb->peer, fdb->network);
		hd_error_where(err, "fdb/%s/peer", object->name);
		return -EINVAL;
	}
	port = fdb->port ? hd_model_get(model, HD_NOUN_PORT, fdb->port) : NULL;
	if (port && strcmp(port->view.port.network, fdb->network)) {
		hd_error_set(err, HD_ERR_INVALID, "fdb %s: port %s is on network %s", object->name,
			     fdb->port, port->view.port.network);
		hd_error_where(err, "fdb/%s/port", object->name);
		return -EINVAL;
	}
	return 0;
}

int hd_neighbour_validate(const struct hd_model *model, const struct hd_object *object,
			  struct hd_error *err)
{
	return need_network(model, object, object->view.neighbour.network, err);
}
