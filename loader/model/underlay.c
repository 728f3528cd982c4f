// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* underlay.c - uplinks and peers, and what networks that leave the host ask of them */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/views.h"

/* Inner Ethernet header, and what is between it and the outer IP header (RFC 7348, RFC 8926, RFC 2784, RFC 2890). */
static const uint8_t overheads[] = {
	[HD_TUNNEL_NONE] = 0,	  [HD_TUNNEL_VXLAN] = 14 + 8 + 8,   [HD_TUNNEL_GENEVE] = 14 + 8 + 8,
	[HD_TUNNEL_GRE] = 14 + 4, [HD_TUNNEL_GRE_KEY] = 14 + 4 + 4,
};

uint8_t hd_tunnel_overhead(enum hd_tunnel_type type)
{
	return overheads[type];
}

#define LOCAL_MTU 1500
#define MTU_MIN 576

uint32_t hd_network_mtu(const struct hd_network *network, const struct hd_underlay *underlay)
{
	uint32_t overhead = overheads[network->tunnel] + (underlay->is_v6 ? 40 : 20);

	if (network->mtu)
		return network->mtu;
	if (network->physical)
		return underlay->mtu;
	if (network->tunnel == HD_TUNNEL_NONE)
		return LOCAL_MTU;
	return underlay->mtu < MTU_MIN + overhead ? MTU_MIN : underlay->mtu - overhead;
}

uint32_t hd_network_ageing(const struct hd_network *network, uint32_t hz)
{
	return network->ageing_s ? (network->ageing_s + 1) * hz : 0;
}

struct hd_object *hd_model_physical(const struct hd_model *model, const char *name)
{
	hd_model_each(model, HD_NOUN_UPLINK, uplink)
		if (name && uplink->view.uplink.physical &&
		    !strcmp(uplink->view.uplink.physical, name))
			return uplink;
	return NULL;
}

bool hd_model_has_legs(const struct hd_model *model, const struct hd_object *uplink)
{
	const char *physical = uplink->view.uplink.physical;

	hd_model_each(model, HD_NOUN_NETWORK, network)
		if (physical && network->view.network.physical &&
		    !strcmp(network->view.network.physical, physical))
			return true;
	return false;
}

const struct hd_ip *hd_model_tunnel_ip(const struct hd_model *model)
{
	hd_model_each(model, HD_NOUN_UPLINK, uplink)
		if (uplink->view.uplink.has_ip)
			return &uplink->view.uplink.ip;
	return NULL;
}

bool hd_model_wants_socket(const struct hd_model *model, uint16_t port)
{
	if (!port || !hd_model_tunnel_ip(model))
		return false;
	hd_model_each(model, HD_NOUN_NETWORK, network)
		if (network->view.network.tunnel_port == port)
			return true;
	return false;
}

bool hd_model_underlay_is_v6(const struct hd_model *model)
{
	const struct hd_ip *ip = hd_model_tunnel_ip(model);

	if (ip)
		return !ip->is_v4;
	hd_model_each(model, HD_NOUN_PEER, peer)
		return !peer->view.peer.ip.is_v4;
	return false;
}

int hd_uplink_view(struct hd_object *object, struct hd_error *err)
{
	struct hd_uplink *uplink = &object->view.uplink;
	const char *ip = hd_spec_text(object, "tunnel-ip"), *mode = hd_spec_text(object, "mode"),
		   *forward = hd_spec_text(object, "xdp-forward");

	if (strlen(object->name) >= 16)
		return hd_error_set(err, HD_ERR_INVALID,
				    "uplink %s: not the name of a device: it is too long",
				    object->name);
	uplink->mode = !mode || !strcmp(mode, "auto") ? HD_UPLINK_AUTO
		       : !strcmp(mode, "xdp")	      ? HD_UPLINK_XDP
						      : HD_UPLINK_TC;
	uplink->forward = !forward || !strcmp(forward, "auto") ? HD_FORWARD_AUTO
			  : !strcmp(forward, "on")	       ? HD_FORWARD_ON
							       : HD_FORWARD_OFF;
	uplink->physical = hd_spec_text(object, "physical");
	uplink->has_ip = ip;
	if (ip && hd_ip_parse(ip, &uplink->ip) < 0)
		return hd_error_set(err, HD_ERR_INVALID, "uplink %s: bad address %s", object->name,
				    ip);
	return 0;
}

int hd_peer_view(struct hd_object *object, struct hd_error *err)
{
	struct hd_peer *peer = &object->view.peer;
	const char *ip = hd_spec_text(object, "tunnel-ip");

	if (hd_ip_parse(ip, &peer->ip) < 0)
		return hd_error_set(err, HD_ERR_INVALID, "peer %s: bad address %s", object->name,
				    ip);
	peer->mac_limit = hd_spec_uint(object, "mac-limit");
	return hd_spec_names(object, "network", &peer->networks, &peer->n_networks, err);
}

/* One underlay has one family: a packet that goes to several peers is wrapped once. */
static int validate_family(const struct hd_model *model, const struct hd_object *object,
			   const struct hd_ip *ip, struct hd_error *err)
{
	if (ip->is_v4 == !hd_model_underlay_is_v6(model))
		return 0;
	hd_error_set(err, HD_ERR_CONFLICT, "%s %s: tunnel-ip %s is not of the family of the others",
		     object->noun->name, object->name, hd_spec_text(object, "tunnel-ip"));
	hd_error_hint(err,
		      "the tunnel addresses of a host and its peers are all IPv4, or all IPv6");
	hd_error_where(err, "%s/%s/tunnel-ip", object->noun->plural, object->name);
	return -EEXIST;
}

int hd_uplink_validate(const struct hd_model *model, const struct hd_object *object,
		       struct hd_error *err)
{
	const struct hd_uplink *uplink = &object->view.uplink;

	return uplink->has_ip ? validate_family(model, object, &uplink->ip, err) : 0;
}

int hd_peer_validate(const struct hd_model *model, const struct hd_object *object,
		     struct hd_error *err)
{
	const struct hd_peer *peer = &object->view.peer;

	for (size_t i = 0; i < peer->n_networks; i++) {
		const struct hd_object *network =
			hd_model_get(model, HD_NOUN_NETWORK, peer->networks[i]);

		if (network->view.network.tunnel != HD_TUNNEL_NONE)
			continue;
		hd_error_set(err, HD_ERR_INVALID, "peer %s: network %s does not leave the host",
			     object->name, network->name);
		hd_error_hint(err, "its type is %s; those of type vxlan, geneve and gre do",
			      network->view.network.type);
		hd_error_where(err, "peers/%s/network/%zu", object->name, i);
		return -EINVAL;
	}
	return validate_family(model, object, &peer->ip, err);
}

bool hd_peer_is_in(const struct hd_peer *peer, const struct hd_object *network)
{
	if (network->view.network.tunnel == HD_TUNNEL_NONE)
		return false;
	for (size_t i = 0; i < peer->n_networks; i++)
		if (!strcmp(peer->networks[i], network->name))
			return true;
	return !peer->n_networks;
}
