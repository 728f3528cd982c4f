// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* trace.c - what would happen to a packet, asked of the very programs that would decide */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/packet.h"
#include "cleanup.h"
#include "heddle/firewall.h"
#include "heddle/policy.h"
#include "heddle/reason.h"
#include "heddle/stage.h"
#include "heddle/trace.h"
#include "sync/fdb.h"

#define FRAME_MAX 9000

static const char *const stages[HD_STAGE_COUNT] = HD_STAGE_NAMES;

static const struct {
	uint32_t number;
	const char *name, *sentence;
} reasons[] = {
#define X(number, symbol, name, sentence, remedy) { number, name, sentence },
	HD_REASONS(X)
#undef X
};

/* A trace being told. */
struct telling {
	struct hd_model *
		model; /* whose names are used: the present configuration, or one that is asked about */
	json_t *steps;
	json_t *to;
	const char *verdict;
	const char *reason;
	uint32_t rule;
	uint32_t half[4]; /* of an IPv6 address, or all of it */
	uint32_t port;	  /* that belongs to it, 0 = none */
	bool is_told;	  /* dropped; what is delivered from now on is only an error about it */
};

static const char *port_name(const struct telling *t, uint32_t id)
{
	const struct hd_object *port = hd_model_get_port(t->model, id);

	return port ? port->name : "(none)";
}

static const char *network_name(const struct telling *t, uint32_t id)
{
	const struct hd_object *network = hd_model_get_id(t->model, HD_NOUN_NETWORK, id);

	return network ? network->name : "(none)";
}

/* What the underlay, and the peer, will see. */
static json_t *encap_text(const struct telling *t, const struct hd_trace_record *r)
{
	const struct hd_object *peer = hd_model_get_id(t->model, HD_NOUN_PEER, r->a);
	char ip[64] = "?";

	if (peer)
		hd_ip_format(&peer->view.peer.ip, ip);
	return json_sprintf("to peer %s at %s, in an outer packet of %u bytes", port_name(t, r->a),
			    ip, r->b);
}

static json_t *nat_text(const char *what, const char *where, const struct hd_trace_record *r)
{
	char text[INET_ADDRSTRLEN] = "?";

	(void)inet_ntop(AF_INET, &r->a, text, sizeof(text));
	return r->b ? json_sprintf("its %s is %s:%u %s", what, text, r->b, where)
		    : json_sprintf("its %s is %s %s", what, text, where);
}

/* The port, and the first half of the address, were in the records before. */
static json_t *nat6_text(struct telling *t, const char *what, const char *where,
			 const struct hd_trace_record *r)
{
	uint32_t addr[4] = { t->half[0], t->half[1], r->a, r->b }, port = t->port;
	char text[INET6_ADDRSTRLEN] = "?";

	t->port = 0;
	(void)inet_ntop(AF_INET6, addr, text, sizeof(text));
	if (port)
		return json_sprintf("its %s is [%s]:%u %s", what, text, port, where);
	return json_sprintf("its %s is %s %s", what, text, where);
}

/* The port forward that listens there; it may be gone by now. */
static json_t *forward_text(const struct telling *t, const struct hd_trace_record *r)
{
	hd_model_each(t->model, HD_NOUN_PORT_FORWARD, object) {
		const struct hd_port_forward *forward = &object->view.port_forward;
		const struct hd_ip *ip = hd_model_listen_ip(t->model, forward);

		if (forward->protocol == r->b >> 16 && forward->listen.port == (uint16_t)r->b &&
		    (!ip || !memcmp(ip->bytes + 12, &r->a, 4))) /* NULL: all of the host's */
			return json_sprintf("port forward %s of router %s", object->name,
					    forward->router);
	}
	return json_string("a port forward");
}

/* The same; at a masquerading router it listens at whichever address the host has. */
static json_t *forward6_text(const struct telling *t, const struct hd_trace_record *r)
{
	const struct hd_object *router = hd_model_get_id(t->model, HD_NOUN_ROUTER, r->a);

	hd_model_each(t->model, HD_NOUN_PORT_FORWARD, object) {
		const struct hd_port_forward *forward = &object->view.port_forward;
		const struct hd_ip *ip = hd_model_listen_ip(t->model, forward);

		if (router && !strcmp(forward->router, router->name) &&
		    forward->protocol == r->b >> 16 && forward->listen.port == (uint16_t)r->b &&
		    !forward->to.ip.is_v4 && (!ip || !memcmp(ip->bytes, t->half, 16)))
			return json_sprintf("port forward %s of router %s", object->name,
					    forward->router);
	}
	return json_string("a port forward");
}

static json_t *rule_text(const struct telling *t, uint32_t id)
{
	const struct hd_object *group = hd_model_rule_group(t->model, id);

	if (!group)
		return json_sprintf("rule %u", id);
	return json_sprintf("rule %u of %s %s", id,
			    group->noun->id == HD_NOUN_FIREWALL ? "firewall" : "security group",
			    group->name);
}

static json_t *firewall_text(const struct telling *t, const struct hd_trace_record *r)
{
	const struct hd_object *router = hd_model_get_port(t->model, r->b >> 8);
	const struct hd_object *firewall =
		router ? hd_model_firewall_of(t->model, router->name) : NULL;

	if (r->a)
		return rule_text(t, r->a);
	return json_sprintf("no rule of firewall %s of router %s matches",
			    firewall ? firewall->name : "(none)", router ? router->name : "(none)");
}

static const char *firewall_word(uint32_t action)
{
	return action == HD_FW_ALLOW  ? "firewall allowed"
	       : action == HD_FW_DENY ? "firewall denied"
				      : "firewall rejected";
}

static json_t *flow_text(const struct telling *t, const struct hd_trace_record *r)
{
	_json_ json_t *egress = rule_text(t, r->a);
	_json_ json_t *ingress = rule_text(t, r->b);

	return json_sprintf("allowed by %s and %s",
			    r->a ? json_string_value(egress) : "no rule (sender without security)",
			    r->b ? json_string_value(ingress)
				 : "no rule (receiver without security)");
}

static const char *direction(uint32_t dir)
{
	return dir == HD_EGRESS ? "egress" : "ingress";
}

/* Notes the reason; "NAME: SENTENCE" in @text. */
static void reason_text(struct telling *t, uint32_t number, char *text, size_t size)
{
	(void)snprintf(text, size, "reason %u", number);
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].number == number) {
			t->reason = reasons[i].name;
			(void)snprintf(text, size, "%s: %s", reasons[i].name, reasons[i].sentence);
		}
}

static json_t *drop_text(struct telling *t, const struct hd_trace_record *r)
{
	char text[256];

	reason_text(t, r->a, text, sizeof(text));
	return json_sprintf("port %s: %s", port_name(t, r->b), text);
}

static json_t *told_text(struct telling *t, const struct hd_trace_record *r)
{
	char text[256];

	reason_text(t, r->b, text, sizeof(text));
	if ((r->a & 0xffff) == HD_TELL_RESET)
		return json_sprintf("dropped, and its sender is told by TCP RST: %s", text);
	return json_sprintf("dropped, and its sender is told by ICMP type %u, code %u: %s",
			    r->a >> 8 & 0xff, r->a & 0xff, text);
}

static void deliver(struct telling *t, const char *verdict, uint32_t port)
{
	if (t->is_told)
		return;
	if (!strcmp(t->verdict, "dropped"))
		(void)json_array_clear(t->to); /* one of many receivers refused it before */
	t->verdict = verdict;
	(void)json_array_append_new(t->to, json_string(port_name(t, port)));
}

/* Dropped altogether, not only for one of many receivers; @port decided. */
static void refuse(struct telling *t, uint32_t port)
{
	t->verdict = "dropped";
	(void)json_array_clear(t->to);
	(void)json_array_append_new(t->to, json_string(port_name(t, port)));
}

/* What a step is called, and what it found. */
static const char *tell(struct telling *t, const struct hd_trace_record *r, json_t **detail)
{
	switch (r->what) {
	case HD_TRACE_PORT:
		*detail = json_sprintf("port %s of network %s", port_name(t, r->a),
				       network_name(t, r->b));
		return "arrives";
	case HD_TRACE_HOST:
		*detail = json_sprintf("from the host, for port %s of network %s",
				       port_name(t, r->a), network_name(t, r->b));
		return "leaves";
	case HD_TRACE_FDB:
		*detail =
			r->a ? json_sprintf("destination MAC is behind port %s", port_name(t, r->a))
			     : json_string("destination MAC is not known");
		return "fdb";
	case HD_TRACE_LEARN:
		*detail =
			json_sprintf("source MAC would be learned at port %s", port_name(t, r->a));
		return "learn";
	case HD_TRACE_FLOW_HIT:
		*detail = flow_text(t, r);
		return "known flow";
	case HD_TRACE_FLOW_UNCONFIRMED:
		*detail = flow_text(t, r);
		return "unanswered flow";
	case HD_TRACE_FLOW_STALE:
		*detail = json_string("the configuration has changed since: judged again");
		return "stale flow";
	case HD_TRACE_FLOW_NEW:
		*detail = json_sprintf("from port %s to port %s", port_name(t, r->a),
				       port_name(t, r->b));
		return "new flow";
	case HD_TRACE_RULE:
		t->rule = r->a;
		*detail = rule_text(t, r->a);
		return r->b == HD_EGRESS ? "egress allowed" : "ingress allowed";
	case HD_TRACE_FIREWALL:
		if (r->a)
			t->rule = r->a;
		*detail = firewall_text(t, r);
		return firewall_word(r->b & 0xff);
	case HD_TRACE_NO_RULE:
		t->rule = 0;
		*detail = json_sprintf("no %s rule of port %s allows it: default deny",
				       direction(r->b), port_name(t, r->a));
		return r->b == HD_EGRESS ? "egress denied" : "ingress denied";
	case HD_TRACE_NO_SECURITY:
		*detail = json_sprintf("port %s has no security: no %s rules", port_name(t, r->a),
				       direction(r->b));
		return "no rules";
	case HD_TRACE_SOURCE_OK:
		*detail = json_sprintf("source MAC and address belong to port %s",
				       port_name(t, r->a));
		return "source check";
	case HD_TRACE_RELATED:
		*detail = json_string("an error about a known flow");
		return "related";
	case HD_TRACE_FRAGMENT:
		*detail = json_string("follows its first piece");
		return "fragment";
	case HD_TRACE_ANSWERED:
		*detail = json_string("answered on the spot for the owner of the address");
		deliver(t, "answered", r->a);
		return "neighbour";
	case HD_TRACE_FLOOD:
		*detail = json_sprintf("a copy to port %s", port_name(t, r->a));
		deliver(t, "flooded", r->a);
		return "flood";
	case HD_TRACE_SEND:
		*detail = json_sprintf("to port %s", port_name(t, r->a));
		deliver(t, "delivered", r->a);
		return "send";
	case HD_TRACE_VLAN:
		*detail = json_sprintf(
			r->b ? "in VLAN %u, by its tag" : "in VLAN %u, as all untagged", r->a);
		return "vlan";
	case HD_TRACE_ROUTE:
		*detail = json_sprintf("router %s: a neighbour in network %s", port_name(t, r->a),
				       network_name(t, r->b));
		return "route";
	case HD_TRACE_ROUTE_STATIC:
		*detail = json_sprintf("router %s: static route %u", port_name(t, r->a), r->b);
		return "route";
	case HD_TRACE_ROUTED:
		*detail = json_sprintf("router %s has sent it on into network %s, at another host",
				       port_name(t, r->a), network_name(t, r->b));
		return "routed";
	case HD_TRACE_NEXT_HOP:
		*detail = r->b ? json_sprintf("the next hop in network %s is behind port %s",
					      network_name(t, r->a), port_name(t, r->b))
			       : json_sprintf("the next hop in network %s is not known: asked for",
					      network_name(t, r->a));
		return "next hop";
	case HD_TRACE_TOLD:
		*detail = told_text(t, r);
		refuse(t, r->a >> 16);
		t->is_told = true;
		return "told";
	case HD_TRACE_FORWARD:
		*detail = forward_text(t, r);
		return "port forward";
	case HD_TRACE_FORWARD6:
		*detail = forward6_text(t, r);
		return "port forward";
	case HD_TRACE_DNAT:
		*detail = nat_text("destination", "inside", r);
		return "translate";
	case HD_TRACE_SNAT:
		*detail = nat_text("source", "outside", r);
		return "translate";
	case HD_TRACE_DNAT6:
		*detail = nat6_text(t, "destination", "inside", r);
		return "translate";
	case HD_TRACE_SNAT6:
		*detail = nat6_text(t, "source", "outside", r);
		return "translate";
	case HD_TRACE_ENCAP:
		*detail = encap_text(t, r);
		deliver(t, "delivered", r->a);
		return "encapsulate";
	case HD_TRACE_DROP:
		*detail = drop_text(t, r);
		if (!json_array_size(t->to) || !strcmp(t->verdict, "dropped"))
			refuse(t, r->b);
		return "drop";
	default:
		*detail = json_string("");
		return "step";
	}
}

static void tell_step(struct telling *t, const struct hd_trace_record *record)
{
	json_t *detail = NULL;
	const char *what;

	if (record->what == HD_TRACE_PORT6) {
		t->port = record->a;
		return;
	}
	if (record->what == HD_TRACE_ADDRESS6) {
		t->half[0] = record->a;
		t->half[1] = record->b;
		return;
	}
	if (record->what == HD_TRACE_REST6) {
		t->half[2] = record->a;
		t->half[3] = record->b;
		return;
	}
	what = tell(t, record, &detail);
	(void)json_array_append_new(
		t->steps, json_pack("{s:s, s:s, s:o}", "stage",
				    record->stage < HD_STAGE_COUNT ? stages[record->stage] : "",
				    "what", what, "detail", detail));
}

static json_t *show_rule(const struct telling *t)
{
	const struct hd_object *group = hd_model_rule_group(t->model, t->rule);

	if (!group)
		return json_null();
	return hd_api_rule_ref(group, t->rule);
}

json_t *hd_api_rule_ref(const struct hd_object *owner, uint32_t rule)
{
	return json_pack("{s:s, s:I}", owner->noun->id == HD_NOUN_FIREWALL ? "firewall" : "group",
			 owner->name, "id", (json_int_t)rule);
}

json_t *hd_api_tell(struct hd_model *model, const struct hd_trace_record *records, size_t n)
{
	_json_ json_t *steps = json_array();
	_json_ json_t *to = json_array();
	struct telling t = {
		.model = model, .steps = steps, .to = to, .verdict = "passed", .reason = ""
	};

	for (size_t i = 0; i < n; i++)
		tell_step(&t, &records[i]);
	return json_pack("{s:O, s:s, s:O, s:s, s:o}", "steps", steps, "verdict", t.verdict, "to",
			 to, "reason", strcmp(t.verdict, "dropped") ? "" : t.reason, "rule",
			 show_rule(&t));
}

/* Looking for a MAC that was learned at a port. */
struct search {
	uint32_t port;
	bool found;
	uint8_t mac[6];
};

static int compare_learned(void *arg, const void *key, const void *value)
{
	struct search *search = arg;
	struct hd_fdb_value entry;
	struct hd_fdb_key where;

	memcpy(&entry, value, sizeof(entry));
	memcpy(&where, key, sizeof(where));
	if (entry.port != search->port)
		return 0;
	memcpy(search->mac, where.mac, 6);
	search->found = true;
	return 1;
}

/* A port's MAC: configured, or learned; false if it is not known. @dp: NULL if nothing can have been learned. */
static bool mac_of(const struct hd_datapath *dp, const struct hd_object *port, uint8_t ret[6])
{
	struct search search = { .port = port->id };

	if (port->view.port.has_mac) {
		memcpy(ret, port->view.port.mac, 6);
		return true;
	}
	if (dp)
		(void)hd_map_walk(dp->maps[HD_MAP_FDB], sizeof(struct hd_fdb_key),
				  sizeof(struct hd_fdb_value), compare_learned,
				  &search); /* unread is not found */
	if (search.found)
		memcpy(ret, search.mac, 6);
	return search.found;
}

/* @vlan: the packet's, as far as the port that it comes from can say */
static const struct hd_object *owner_of(const struct hd_model *model, const char *network,
					uint16_t vlan, const struct hd_ip *ip)
{
	hd_model_each(model, HD_NOUN_PORT, port) {
		const struct hd_port *view = &port->view.port;

		for (size_t i = 0;
		     i < view->n_ips && view->vlan == vlan && !strcmp(view->network, network); i++)
			if (!memcmp(view->ips[i].bytes, ip->bytes, 16))
				return port;
	}
	return NULL;
}

/* The router that a packet to another network is for: of the subnet that holds its source, else of any in the port's network. */
static const struct hd_object *router_for(const struct hd_model *model, const char *network,
					  const struct hd_packet *packet)
{
	const struct hd_object *to = hd_model_subnet_of(model, network, &packet->dst);
	const struct hd_object *from = hd_model_subnet_of(model, network, &packet->src);
	const struct hd_object *router = from ? hd_model_router_of(model, from->name) : NULL;

	if (router && hd_ip_same(&from->view.subnet.gateway, &packet->dst))
		return router;
	if (to)
		return NULL;
	hd_model_each(model, HD_NOUN_ROUTER, any)
		if (!router && hd_router_is_in(model, any, network))
			router = any;
	return router;
}

/* MACs that were not given: the port's own, and the one that the destination's owner, or the way to it, has. */
static void fill_macs(const struct hd_datapath *dp, const struct hd_model *model,
		      const struct hd_object *port, struct hd_packet *packet)
{
	static const uint8_t unknown[6] = { 0x02, 0, 0, 0, 0, 0xfe };
	const struct hd_object *owner =
		owner_of(model, port->view.port.network,
			 packet->vlan ? packet->vlan : port->view.port.vlan, &packet->dst);
	const struct hd_object *router =
		owner ? NULL : router_for(model, port->view.port.network, packet);

	if (!packet->has_src_mac && !mac_of(dp, port, packet->src_mac))
		memcpy(packet->src_mac, unknown, 6);
	if (packet->has_dst_mac)
		return;
	if (packet->proto < 0)
		memset(packet->dst_mac, 0xff, 6);
	else if (router)
		memcpy(packet->dst_mac, router->view.router.mac, 6);
	else if (!owner || !mac_of(dp, owner, packet->dst_mac))
		memcpy(packet->dst_mac, unknown, 6);
}

/* What a run wrote down. */
struct steps {
	struct hd_trace_record records[HD_TRACE_MAX];
	size_t n;
};

static int run(struct hd_twin *twin, const struct hd_datapath *dp, const struct hd_model *model,
	       const struct hd_object *port, uint32_t ifindex, struct hd_packet *packet,
	       struct steps *ret, struct hd_error *err)
{
	uint8_t frame[FRAME_MAX];
	int len, r;

	if (!ifindex)
		return hd_error_set(err, HD_ERR_CONFLICT, "trace: port %s has no device",
				    port->name);
	fill_macs(dp, model, port, packet);
	len = hd_packet_build(packet, frame, sizeof(frame));
	if (len < 0)
		return hd_error_set(err, HD_ERR_INVALID, "packet: at most %d bytes can be traced",
				    FRAME_MAX);
	r = hd_twin_run(twin, ifindex, frame, (size_t)len, ret->records, &ret->n);
	return r < 0 ? hd_error_set(err, HD_ERR_FAILED, "trace: %s", strerror(-r)) : 0;
}

/* On the tables as they are. */
static int run_present(struct hd_daemon *daemon, const char *name, struct hd_packet *packet,
		       struct steps *ret, struct hd_error *err)
{
	const struct hd_object *port = hd_model_get(daemon->model, HD_NOUN_PORT, name);
	int r = 0;

	if (!port)
		return hd_api_no_such(&hd_nouns[HD_NOUN_PORT], name, err);
	if (!daemon->twin)
		r = hd_twin_open(hd_sync_datapath(daemon->sync), &daemon->twin, err);
	if (r < 0)
		return r;
	return run(daemon->twin, hd_sync_datapath(daemon->sync), daemon->model, port,
		   hd_sync_port(daemon->sync, port).ifindex, packet, ret, err);
}

/* On tables of its own, filled as they would be if a file were applied; nothing is known there of flows and learned MACs. */
static int run_candidate(struct hd_daemon *daemon, const char *name, const char *file,
			 struct hd_packet *packet, struct steps *ret, struct hd_model **ret_model,
			 struct hd_error *err)
{
	const struct hd_object *port;
	struct hd_twin *twin = NULL;
	int r = hd_api_candidate(daemon, file, strlen(file), ret_model, err);

	if (r < 0)
		return r;
	port = hd_model_get(*ret_model, HD_NOUN_PORT, name);
	if (!port)
		return hd_api_no_such(&hd_nouns[HD_NOUN_PORT], name, err);
	r = hd_sync_twin(daemon->sync, *ret_model, port, &twin, err);
	if (r == 0)
		r = run(twin, NULL, *ret_model, port, hd_sync_twin_ifindex(daemon->sync, port),
			packet, ret, err);
	hd_twin_close(twin);
	return r;
}

int hd_api_trace(struct hd_daemon *daemon, const struct hd_http_request *req, const char *rest,
		 json_t **ret, struct hd_error *err)
{
	const char *port = NULL, *text = NULL, *file = NULL;
	struct hd_model *candidate = NULL;
	struct steps steps = { .n = 0 };
	_json_ json_t *body = NULL;
	struct hd_packet packet;
	json_error_t where;
	int r = hd_api_body(req, &body, err);

	(void)rest;
	if (r == 0 && json_unpack_ex(body, &where, JSON_STRICT, "{s:s, s:s, s?s}", "port", &port,
				     "packet", &text, "file", &file) < 0)
		r = hd_error_set(err, HD_ERR_INVALID, "trace: %s", where.text);
	if (r == 0)
		r = hd_packet_parse(text, &packet, err);
	if (r == 0)
		r = file ? run_candidate(daemon, port, file, &packet, &steps, &candidate, err)
			 : run_present(daemon, port, &packet, &steps, err);
	if (r == 0) {
		*ret = json_pack("{s:s, s:s}", "port", port, "packet", text);
		(void)json_object_update_new(
			*ret,
			hd_api_tell(candidate ? candidate : daemon->model, steps.records, steps.n));
	}
	hd_model_free(candidate);
	return r;
}
