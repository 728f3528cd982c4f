/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * model.h - the desired state: every configured object, checked
 *
 * An object is its options (JSON, canonical by schema.h, as the store keeps them and `export` prints them) and a view of them in C,
 * made once. Objects never change: a change makes a new object. So a candidate model is a cheap copy that shares the objects;
 * it is changed, validated whole, and then takes the place of the old one or is thrown away.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#include "heddle/config.h"
#include "heddle/tunnel.h"
#include "heddlectl/schema.h"

/**
 * struct hd_ip - an address with a prefix length
 * @bytes:  IPv6, or IPv4 as ::ffff:a.b.c.d; network order
 * @prefix: length in bits of the address's own family; HD_PREFIX_NONE if none was given
 * @is_v4:  it is an IPv4 address
 */
struct hd_ip {
	uint8_t bytes[16];
	uint8_t prefix;
	bool is_v4;
};
#define HD_PREFIX_NONE 255

/**
 * struct hd_network - view of a network
 * @mtu:         0 = not given, see hd_network_mtu()
 * @tunnel:      how it leaves the host
 * @tunnel_id:   VNI or key
 * @tunnel_port: UDP port, 0 for GRE
 * @tunnel_ttl:  TTL of outer packets
 * @has_dscp:    outer packets have @dscp; else that of what is inside
 * @physical:    physical network of a flat or vlan network, else NULL
 * @vlan:        its tag there, 0 = none
 */
struct hd_network {
	uint32_t mtu;
	enum hd_tunnel_type tunnel;
	uint32_t tunnel_id;
	uint16_t tunnel_port;
	uint8_t tunnel_ttl;
	uint8_t dscp;
	bool has_dscp;
	const char *physical;
	uint16_t vlan;
	uint32_t ageing_s; /* see hd_network_ageing() */
	uint32_t port_mac_limit;
	bool flood;
	bool suppress;
	const char *type;
};

/* Families of addresses, as an index. */
enum { HD_V4, HD_V6, HD_FAMILIES };

/** struct hd_subnet - view of a subnet; @pool_first and @pool_last with @has_pool */
struct hd_subnet {
	const char *network;
	struct hd_ip cidr;
	struct hd_ip gateway;
	bool has_gateway;
	bool has_pool;
	struct hd_ip pool_first;
	struct hd_ip pool_last;
};

/** enum hd_uplink_mode - whether XDP opens tunnel packets; AUTO: where it pays */
enum hd_uplink_mode { HD_UPLINK_AUTO, HD_UPLINK_XDP, HD_UPLINK_TC };
enum hd_uplink_forward { HD_FORWARD_AUTO, HD_FORWARD_ON, HD_FORWARD_OFF };

/** struct hd_uplink - view of an uplink; its name is that of the device. @ip with @has_ip; @physical: what is behind it, or NULL */
struct hd_uplink {
	const char *physical;
	enum hd_uplink_mode mode;
	enum hd_uplink_forward forward;
	struct hd_ip ip;
	bool has_ip;
};

/** struct hd_peer - view of a peer; no @networks = every one that leaves the host */
struct hd_peer {
	struct hd_ip ip;
	uint32_t mac_limit;
	const char **networks;
	size_t n_networks;
};

/**
 * struct hd_underlay - what the machine says about the way between hosts: the smallest MTU of the uplinks that tunnels use; for a flat or vlan
 * network the MTU of its uplink
 */
struct hd_underlay {
	uint32_t mtu;
	bool is_v6;
};

/** struct hd_static_route - one static route of a router; @via and @weight unless it is a @blackhole. @id: unique in the router */
struct hd_static_route {
	uint32_t id;
	struct hd_ip prefix;
	struct hd_ip via;
	uint8_t weight;
	bool blackhole;
};

/** HD_ROUTE_ID_MAX - numbers of the routes of one router are from 1 to this */
#define HD_ROUTE_ID_MAX 65535

/** HD_ROUTE_HOPS_MAX - routes for one prefix, among which its flows are shared out */
#define HD_ROUTE_HOPS_MAX 128

/** enum hd_nat_filter - who may begin something with an outside endpoint, beside those that are answered (RFC 4787 section 5) */
enum hd_nat_filter {
	HD_NAT_FILTER_ADDRESS,	/* an address that it has asked */
	HD_NAT_FILTER_ENDPOINT, /* everybody */
	HD_NAT_FILTER_PORT,	/* nobody */
};

/**
 * struct hd_router_gateway - way out of a router: at @network with one address of each family, or only one, or at @uplink; neither = there is none
 * @ip:     by family; see hd_gateway_ip()
 * @has_ip: likewise; at a @network of a valid model there is one at least, see hd_model_settle()
 * @nat_log: blocks of ports that are handed out or returned go to the log
 * @filter: of the datapath; at an @uplink always HD_NAT_FILTER_PORT
 * @address_blocks: blocks of ports that an inside address may have
 * @blocks: blocks that the router may have; 0 = as many as there are
 */
struct hd_router_gateway {
	const char *network;
	struct hd_ip ip[HD_FAMILIES];
	bool has_ip[HD_FAMILIES];
	bool snat;
	bool nat_log;
	enum hd_nat_filter filter;
	uint32_t address_blocks;
	uint32_t blocks;
	const char *uplink;
};

/**
 * struct hd_router - view of a router
 * @mac:     in all of its networks
 * @subnets: names of those attached, sorted; in a valid model each has a gateway, which is the router's address there
 * @routes:  in the order of their ids
 */
struct hd_router {
	uint8_t mac[6];
	const char **subnets;
	size_t n_subnets;
	struct hd_static_route *routes;
	size_t n_routes;
	struct hd_router_gateway gateway;
};

enum hd_port_kind {
	HD_PORT_DEVICE,	  /* a device that is there */
	HD_PORT_NETNS,	  /* a veth pair that heddle makes, one end in a namespace */
	HD_PORT_INTERNAL, /* a veth pair that heddle makes, both ends on the host */
	HD_PORT_REMOTE,	  /* at another host, behind a peer: it has no device here */
};

enum hd_vlan_mode {
	HD_VLAN_MODE_NONE, /* tags pass unseen */
	HD_VLAN_MODE_ACCESS,
	HD_VLAN_MODE_TRUNK,
	HD_VLAN_MODE_NATIVE_TAGGED,
	HD_VLAN_MODE_NATIVE_UNTAGGED,
	HD_VLAN_MODE_TUNNEL,
};

/**
 * struct hd_port - view of a port
 * @wish: it is to have an address that is free: HD_IP_AUTO or ranges; NULL in a valid model, see hd_model_settle()
 *
 * @netns, @peer and @ifname are NULL where they do not apply; @trunk is NULL for all VLANs
 */
struct hd_port {
	const char *network;
	enum hd_port_kind kind;
	const char *device;
	const char *netns;
	const char *peer;
	char ifname[16];
	uint8_t mac[6];
	bool has_mac;
	bool once; /* a device that has gone is not made again */
	bool isolated;
	bool hairpin;
	uint32_t mtu; /* 0 = the network's */
	enum hd_vlan_mode vlan_mode;
	uint16_t vlan;	 /* its own: that of untagged frames */
	uint32_t *trunk; /* HD_VLAN_WORDS */
	struct hd_ip *ips;
	size_t n_ips;
	const char *wish;
	bool secure;
	const char **
		groups; /* sorted; those that it names, and those that select it; one at least with @secure */
	size_t n_groups;
	const json_t *labels; /* KEY=VALUE; NULL if there are none */
	uint64_t rate[2];     /* by enum hd_direction: bits a second, 0 = no limit */
	uint64_t burst[2];    /* bytes; 0 = see hd_port_burst() */
	bool selected;	      /* @groups is from hd_settle_groups(), not of the options alone */
	struct hd_allowed *allowed;
	size_t n_allowed;
};

/**
 * struct hd_floating_ip - view of a floating IP
 * @ip:    its name; in a subnet of the network at which @router has its gateway
 * @fixed: with @has_fixed, which is always there in a valid model: the address of @port that it stands for
 */
struct hd_floating_ip {
	struct hd_ip ip;
	const char *router;
	const char *port;
	struct hd_ip fixed;
	bool has_fixed;
};

/**
 * struct hd_endpoint - an address and a port
 * @port: host order
 */
struct hd_endpoint {
	struct hd_ip ip;
	uint16_t port;
};

/**
 * struct hd_port_forward - view of a port forward
 * @protocol: IPPROTO_TCP or IPPROTO_UDP
 * @listen:   outside; address 0.0.0.0 or ::, that of the router's gateway. Of a router that masquerades: an address of the host, 0.0.0.0 or :: for all
 * @to:       inside
 */
struct hd_port_forward {
	const char *router;
	uint8_t protocol;
	struct hd_endpoint listen;
	struct hd_endpoint to;
};

/**
 * struct hd_rule - one rule of a security group
 * @id:        number, unique among all groups; index of its counters
 * @direction: enum hd_direction
 * @ipv4:      it is about IPv4 packets
 * @ipv6:      it is about IPv6 packets
 * @protocol:  -1 = any
 * @first:     destination ports, or type << 8 | code of ICMP
 * @last:      likewise; 0 to 65535 = any
 * @remote:    with @has_remote
 * @except:    parts of it that are not meant; list of texts, NULL if there are none; borrowed from the rule's JSON
 * @group:     remote group, NULL if none
 */
struct hd_rule {
	uint32_t id;
	int direction;
	bool ipv4;
	bool ipv6;
	int protocol;
	uint16_t first;
	uint16_t last;
	bool has_remote;
	struct hd_ip remote;
	const json_t *except;
	const char *group;
};

/** HD_EXCEPT_MAX - exceptions of one rule */
#define HD_EXCEPT_MAX 64

/**
 * struct hd_group - view of a security group
 * @select: KEY=VALUE or KEY: what the labels of ports must match, all of it, for them to be members without naming the group
 * @isolates: by enum hd_direction: nothing passes at members but what rules allow. Its rules for a direction that it does not isolate
 *            count only where no other group of the port isolates that. One that isolates neither is a set of ports, for rules of others
 *            to name
 */
struct hd_group {
	const char **select;
	size_t n_select;
	bool isolates[2];
	struct hd_rule *rules;
	size_t n_rules;
};

/**
 * struct hd_fw_rule - one rule of a firewall
 * @id:       number, unique among these and the rules of groups; index of its counters
 * @action:   enum hd_fw_action
 * @ipv4:     it is about IPv4 packets
 * @ipv6:     it is about IPv6 packets
 * @protocol: -1 = any
 * @first:    destination ports
 * @last:     likewise; 0 to 65535 = any
 * @from:     source, with @has_from
 * @to:       destination, with @has_to
 */
struct hd_fw_rule {
	uint32_t id;
	uint32_t action;
	bool ipv4;
	bool ipv6;
	int protocol;
	uint16_t first;
	uint16_t last;
	bool has_from;
	bool has_to;
	struct hd_ip from;
	struct hd_ip to;
};

/** struct hd_firewall - view of a firewall; @rules: in their order */
struct hd_firewall {
	const char *router;
	struct hd_fw_rule *rules;
	size_t n_rules;
};

/** HD_GROUP_DEFAULT - the group of ports that name none; always there */
#define HD_GROUP_DEFAULT "default"

/** struct hd_allowed - an address or prefix that a port may send from besides its own; @mac with @has_mac, else the port's */
struct hd_allowed {
	struct hd_ip ip;
	uint8_t mac[6];
	bool has_mac;
};

/** struct hd_fdb - view of a static FDB entry */
struct hd_fdb {
	char network[64];
	uint8_t mac[6];
	const char *port;
	const char *peer;
};

/** struct hd_neighbour - view of a static neighbour */
struct hd_neighbour {
	char network[64];
	struct hd_ip ip;
	uint8_t mac[6];
};

/**
 * struct hd_object - one configured object; immutable, counted references
 * @noun: what it is
 * @name: unique among its noun
 * @id:   number by which the datapath knows a network or port; 0 for other nouns. Uplinks, peers and routers have theirs
 *        out of the ports' numbers
 * @leg:  number of a network's leg in its physical network, out of the ports' numbers too; 0 = none (yet)
 * @spec: options, canonical
 * @view: the same in C, by noun; strings point into @spec
 */
struct hd_object {
	const struct hd_noun *noun;
	char *name;
	uint32_t id;
	uint32_t leg;
	json_t *spec;
	union {
		struct hd_network network;
		struct hd_subnet subnet;
		struct hd_uplink uplink;
		struct hd_peer peer;
		struct hd_router router;
		struct hd_group group;
		struct hd_firewall firewall;
		struct hd_port port;
		struct hd_floating_ip floating_ip;
		struct hd_port_forward port_forward;
		struct hd_fdb fdb;
		struct hd_neighbour neighbour;
	} view;
	const struct hd_object *replaces; /* only while it is being made */
	unsigned int refs;
};

/**
 * hd_object_renew - make an object in the place of another; what both have in common need not be read again
 * @old: NULL if there is none
 *
 * Otherwise as hd_object_new(), with the number of the old one.
 */
int hd_object_renew(const struct hd_object *old, const struct hd_noun *noun, const char *name,
		    json_t *spec, struct hd_object **ret, struct hd_error *err);

/**
 * hd_object_new - make an object
 * @noun: what
 * @name: copied
 * @id:   0 if it has none yet
 * @spec: canonical; copied, in the order of the schema
 * @ret:  new object with one reference, untouched on failure
 * @err:  what is wrong with the options taken together
 */
int hd_object_new(const struct hd_noun *noun, const char *name, uint32_t id, json_t *spec,
		  struct hd_object **ret, struct hd_error *err);
struct hd_object *hd_object_ref(struct hd_object *object);
void hd_object_unref(struct hd_object *object); /* NULL is fine */

struct hd_model;

struct hd_model *hd_model_new(void);
void hd_model_free(struct hd_model *model); /* NULL is fine */

/** hd_model_next_address - where in its range the last address of a family was, that was handed out, and one more: for hd_pool_next() */
uint64_t *hd_model_next_address(struct hd_model *model, bool is_v4);

/** hd_model_copy - a model with the same objects; NULL without memory */
struct hd_model *hd_model_copy(const struct hd_model *model);

/** hd_model_put - add or replace; takes a reference of @object. 0 or -ENOMEM. */
int hd_model_put(struct hd_model *model, struct hd_object *object);

/** hd_model_del - remove; false if it was not there */
bool hd_model_del(struct hd_model *model, enum hd_noun_id noun, const char *name);

/** hd_model_get - borrowed; NULL if there is none */
struct hd_object *hd_model_get(const struct hd_model *model, enum hd_noun_id noun,
			       const char *name);

/** hd_model_get_id - the network, port, uplink, peer or router with a number; borrowed, NULL if there is none */
struct hd_object *hd_model_get_id(const struct hd_model *model, enum hd_noun_id noun, uint32_t id);

/** hd_model_get_port - the same for what is a port to the datapath: port, uplink, peer or router; for a leg the uplink that it is
 * at */
struct hd_object *hd_model_get_port(const struct hd_model *model, uint32_t id);

/** hd_model_leg - the network whose leg has a number; NULL if there is none */
struct hd_object *hd_model_leg(const struct hd_model *model, uint32_t id);

/** hd_model_has_member - whether a port with that number is in a network, or a peer, or a router by one of its subnets, or its leg */
bool hd_model_has_member(const struct hd_model *model, const struct hd_object *network,
			 uint32_t id);

/** hd_model_count - how many objects of a noun there are */
size_t hd_model_count(const struct hd_model *model, enum hd_noun_id noun);

/** hd_model_first, hd_model_next - walk over a noun, sorted by name after hd_model_sort() */
struct hd_object *hd_model_first(const struct hd_model *model, enum hd_noun_id noun);
struct hd_object *hd_model_next(const struct hd_model *model, const struct hd_object *object);
void hd_model_sort(struct hd_model *model);

#define hd_model_each(model, noun, object)                                                         \
	for (struct hd_object *object = hd_model_first(model, noun); object;                       \
	     object = hd_model_next(model, object))

/** struct hd_limits - how many there may be, and for how long; from heddled.conf */
struct hd_limits {
	uint32_t ports;
	uint32_t networks;
	uint32_t fdb;
	uint32_t neighbours;
	uint32_t drops;
	uint32_t flows; /* established, for each family */
	uint32_t flows_per_port;
	uint32_t new_flows; /* not answered, for each family */
	uint32_t rules;	    /* rows that rules are compiled to */
	uint32_t rule_ids;  /* rules */
	uint32_t policies;
	uint32_t members;
	uint32_t sources;
	uint32_t fragments;
	uint32_t routes;
	uint32_t arp;			       /* neighbours that routers have learned */
	uint32_t timeouts_s[HD_TIMEOUT_COUNT]; /* idle times, by enum hd_timeout */
};

/**
 * hd_model_assign_ids - number the networks and ports that have none yet
 *
 * Goes on from the highest number ever given, so that a number that was just freed rests before it is used again.
 * Return: 0, or -ENOSPC with @err naming the table that is full.
 */
int hd_model_assign_ids(struct hd_model *model, const struct hd_limits *limits,
			struct hd_error *err);

/**
 * hd_model_settle - give objects what they leave to others: comes before hd_model_validate()
 *
 * Ports become members of the groups that select their labels, see hd_settle_groups(). A port with HD_IP_AUTO or a range among its addresses gets free
 * ones, for good; they are handed out in turn, so that one that was returned rests. A router's gateway without an address gets the first free one of a
 * pool of its network, of each family that has a pool, for good; a floating IP without a fixed-ip stands for the only address of its family that its
 * port has, whichever that is. Where none is to be had things stay as they are, for hd_model_validate()
 * to say so. What changes is a new object in the model's place of the old one.
 * Return: 0 or -errno.
 */
int hd_model_settle(struct hd_model *model, struct hd_error *err);

/**
 * hd_model_validate - check the objects against each other
 * @err: names the object, the cause, and the place in a file
 *
 * References, uniqueness of devices, addresses and MACs, subnets. Knows nothing of the machine.
 * Return: 0 or -errno.
 */
int hd_model_validate(const struct hd_model *model, struct hd_error *err);

/**
 * hd_spec_complete - what heddle adds to the options that were asked for: numbers of rules and routes
 * @model: numbers that are taken
 * @also:  more of them, NULL if there are none
 * @old:   the object as it was, NULL if it is new
 * @spec:  canonical; changed in place
 */
int hd_spec_complete(const struct hd_model *model, const struct hd_model *also,
		     const struct hd_noun *noun, const struct hd_object *old,
		     const struct hd_limits *limits, json_t *spec, struct hd_error *err);

/** hd_items_sort - bring items (JSON) into the order of their numbers, which those are kept in that have no order of their own; 0 or -ENOMEM */
int hd_items_sort(json_t *items);

/**
 * hd_items_compare - what changed from one list of items to another
 * @item:    what they are; of firewall rules the order counts: what is between the first and the last change is gone and new
 * @from:    in order; NULL = none
 * @to:      likewise
 * @removed: array that gets those that are gone
 * @added:   array that gets those that are new
 */
void hd_items_compare(const struct hd_noun *item, const json_t *from, const json_t *to,
		      json_t *removed, json_t *added);

/** hd_item_same - whether two items (JSON) say the same; their numbers don't count */
bool hd_item_same(const json_t *a, const json_t *b);

/** hd_items_plain - the same without numbers; new reference, NULL if there is no list */
json_t *hd_items_plain(const json_t *items);

/**
 * hd_group_number - give each rule of a group a number
 * @model: numbers that are taken
 * @also:  more of them, NULL if there are none
 * @old:   the group as it was: a rule that says the same keeps its number; NULL if it is new
 * @limits: how many rules there may be
 * @spec:  options of the group, changed in place; without "rules" it gets those of a new group; they are sorted by number
 */
int hd_group_number(const struct hd_model *model, const struct hd_model *also,
		    const struct hd_object *old, const struct hd_limits *limits, json_t *spec,
		    struct hd_error *err);

/**
 * hd_rules_number - give each rule of a list a number: one that says the same as one of the object as it was keeps that one's
 * @rules: of a group or a firewall (JSON), changed in place; they stay where they are
 * @ret_sorted: whether they are in the order of their numbers; NULL if nobody asks
 *
 * Otherwise as hd_group_number().
 */
int hd_rules_number(const struct hd_model *model, const struct hd_model *also,
		    const struct hd_object *old, const struct hd_limits *limits, json_t *rules,
		    bool *ret_sorted, struct hd_error *err);

/** hd_firewall_number - the same for a firewall, whose rules stay in their order */
int hd_firewall_number(const struct hd_model *model, const struct hd_model *also,
		       const struct hd_object *old, const struct hd_limits *limits, json_t *spec,
		       struct hd_error *err);

/** hd_model_firewall_of - the firewall of a router; NULL if it has none */
const struct hd_object *hd_model_firewall_of(const struct hd_model *model, const char *router);

/** hd_rule_find - the rule of a group that says the same as @rule (JSON, canonical); borrowed, NULL if there is none */
const json_t *hd_rule_find(const struct hd_object *group, const json_t *rule);

/** hd_group_default - the group `default` as it is at first; new reference, NULL without memory */
struct hd_object *hd_group_default(void);

/**
 * hd_model_rule_group - the group or firewall that has the rule with a number; NULL if there is none
 *
 * The first call after a change makes an index.
 */
const struct hd_object *hd_model_rule_group(struct hd_model *model, uint32_t id);

/** hd_object_rules, hd_object_rule - how many rules a group or firewall has, and the number of one of them; other objects have none */
size_t hd_object_rules(const struct hd_object *object);
uint32_t hd_object_rule(const struct hd_object *object, size_t i);

/** hd_model_rule_taken - whether a rule has that number */
bool hd_model_rule_taken(const struct hd_model *model, uint32_t id);

/** hd_model_subnet_of - the subnet of @network that holds @ip; NULL if there is none */
const struct hd_object *hd_model_subnet_of(const struct hd_model *model, const char *network,
					   const struct hd_ip *ip);

/** hd_port_burst - bytes by which a port may exceed its rate in a direction for a moment */
uint64_t hd_port_burst(const struct hd_port *port, int direction);

/** hd_model_vlan_of - own VLAN of a port, by name; 0 if there is no such port */
uint16_t hd_model_vlan_of(const struct hd_model *model, const char *port);

/** hd_model_network_of - the network of a port's view; never NULL in a validated model */
const struct hd_object *hd_model_network_of(const struct hd_model *model,
					    const struct hd_port *port);

/**
 * hd_model_del_cascade - remove a port and all that is there because of it: floating IPs that stand for it, FDB entries that name it, and
 * security groups and port forwards that are called NAME.something
 */
void hd_model_del_cascade(struct hd_model *model, const char *port);

/** hd_port_keep_ips - what a port had handed out it keeps, where @spec asks for a free address; as hd_spec_complete() */
int hd_port_keep_ips(const struct hd_object *old, json_t *spec, struct hd_error *err);

/* router.c */
/** hd_router_number - give each route of a router a number, sort its subnets, keep its gateway's address; as hd_spec_complete() */
int hd_router_number(const struct hd_object *old, json_t *spec, struct hd_error *err);

/** hd_model_router_of - the router that a subnet is attached to; NULL if there is none */
struct hd_object *hd_model_router_of(const struct hd_model *model, const char *subnet);

/** hd_gateway_ip - address of a gateway, of one family: HD_V4, HD_V6; NULL if it has none */
const struct hd_ip *hd_gateway_ip(const struct hd_router_gateway *gateway, int family);

/** hd_gateway_has - whether an address is one of a gateway's */
bool hd_gateway_has(const struct hd_router_gateway *gateway, const struct hd_ip *ip);

/** hd_router_outside - the subnet that holds the address of a router's gateway, of one family; NULL if there is none */
const struct hd_object *hd_router_outside(const struct hd_model *model,
					  const struct hd_router *router, int family);

/** hd_model_listen_ip - the outside address of a port forward; NULL if its router has none */
const struct hd_ip *hd_model_listen_ip(const struct hd_model *model,
				       const struct hd_port_forward *forward);

/** hd_model_listens_at_host - whether its router masquerades, so that it listens at addresses of the host */
bool hd_model_listens_at_host(const struct hd_model *model, const struct hd_port_forward *forward);

/** hd_listens_at_any - whether it listens at 0.0.0.0 or :: */
bool hd_listens_at_any(const struct hd_port_forward *forward);

/** hd_ip_is_loopback - of 127.0.0.0/8, or ::1 */
bool hd_ip_is_loopback(const struct hd_ip *ip);

/** hd_model_listen_network - the network that it is on; NULL if its router has no gateway */
const char *hd_model_listen_network(const struct hd_model *model,
				    const struct hd_port_forward *forward);

/** hd_model_floating_network - the network that a floating IP is on; NULL if its router has no gateway */
const char *hd_model_floating_network(const struct hd_model *model,
				      const struct hd_floating_ip *floating_ip);

/** hd_router_is_in - whether one of the subnets of a router lies on a network */
bool hd_router_is_in(const struct hd_model *model, const struct hd_object *router,
		     const char *network);

/* underlay.c */
/** hd_model_physical - the uplink that carries a physical network; NULL if there is none, or no @name */
struct hd_object *hd_model_physical(const struct hd_model *model, const char *name);
/** hd_model_has_legs - whether a network goes on in the physical network of an uplink */
bool hd_model_has_legs(const struct hd_model *model, const struct hd_object *uplink);
uint8_t hd_tunnel_overhead(enum hd_tunnel_type type); /* see struct hd_tunnel */
bool hd_peer_is_in(const struct hd_peer *peer, const struct hd_object *network);
/** hd_model_tunnel_ip - address from which peers are reached, and to which tunnel packets come at uplinks without one of their own; NULL = none */
const struct hd_ip *hd_model_tunnel_ip(const struct hd_model *model);
bool hd_model_underlay_is_v6(const struct hd_model *model);

/** hd_model_wants_socket - whether tunnel packets come to a UDP port, at an uplink */
bool hd_model_wants_socket(const struct hd_model *model, uint16_t port);

/**
 * hd_network_ageing - how long an entry of the FDB may not have been touched before it is old, in jiffies; 0 = for ever
 * @hz: jiffies in a second
 *
 * The datapath touches one at most once a second, so that what is heard all the time may look a second old.
 */
uint32_t hd_network_ageing(const struct hd_network *network, uint32_t hz);

/** hd_network_mtu - largest IP packet in a network */
uint32_t hd_network_mtu(const struct hd_network *network, const struct hd_underlay *underlay);

/* addr.c: text and bits of addresses */
/** hd_ip_of_bytes - an address as the datapath has it: IPv6, or IPv4 mapped */
struct hd_ip hd_ip_of_bytes(const void *bytes);
int hd_ip_parse(const char *text, struct hd_ip *ret);	  /* "IP" or "IP/LEN"; 0 or -EINVAL */
void hd_ip_format(const struct hd_ip *ip, char text[64]); /* without length */
bool hd_ip_in(const struct hd_ip *ip, const struct hd_ip *cidr);
bool hd_ip_same(const struct hd_ip *a, const struct hd_ip *b); /* lengths don't count */
/** hd_ip_overlaps - whether two prefixes have addresses in common */
bool hd_ip_overlaps(const struct hd_ip *a, const struct hd_ip *b);
/** hd_ip_is_host - whether a host of @cidr may have this address: not the network's own, nor IPv4's broadcast */
bool hd_ip_is_host(const struct hd_ip *ip, const struct hd_ip *cidr);
/** hd_ip_unrouted - what keeps a prefix from being routed: "multicast", "link-local", "loopback"; NULL if nothing does */
const char *hd_ip_unrouted(const struct hd_ip *cidr);
int hd_mac_parse(const char *text, uint8_t ret[6]); /* 0 or -EINVAL */
void hd_mac_format(const uint8_t mac[6], char text[18]);
