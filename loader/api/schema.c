// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* schema.c - the table of nouns and options; what checks values against it is in spec.c */
#include "heddlectl/schema.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "heddle/nat.h"

static const char *const network_types[] = {
	"local", "flat", "vlan", "vxlan", "geneve", "gre", NULL
};
static const char *const vlan_modes[] = { "access",	     "trunk",	     "native-tagged",
					  "native-untagged", "dot1q-tunnel", NULL };

/* As RFC 4787 section 5 has them: endpoint-independent, address-dependent, address and port-dependent. */
static const char *const nat_filters[] = { "endpoint", "address", "address-and-port", NULL };

static const char *const inherit[] = { "inherit", NULL };

static const struct hd_option network_options[] = {
	{ .name = "type",
	  .type = HD_TYPE_WORD,
	  .flags = HD_OPT_REQUIRED | HD_OPT_FIXED,
	  .words = network_types,
	  .meta = "TYPE",
	  .help = "local, flat, vlan, vxlan, geneve or gre" },
	{ .name = "id",
	  .type = HD_TYPE_UINT,
	  .flags = HD_OPT_FIXED,
	  .max = UINT32_MAX,
	  .meta = "N",
	  .help = "VNI of a vxlan or geneve network, key of a gre network, VLAN of a vlan network" },
	{ .name = "physical",
	  .type = HD_TYPE_NAME,
	  .flags = HD_OPT_FIXED,
	  .meta = "NAME",
	  .help = "physical network of a flat or vlan network" },
	{ .name = "mtu",
	  .type = HD_TYPE_UINT,
	  .min = 576,
	  .max = 65535,
	  .meta = "N",
	  .help = "largest IP packet in bytes; if not given, 1500, or that of the uplink, less the "
		  "overhead of a tunnel; set on devices that heddle makes" },
	{ .name = "ageing",
	  .type = HD_TYPE_UINT,
	  .max = 1000000,
	  .meta = "SECONDS",
	  .dflt = "300",
	  .help = "how long a learned MAC lives unheard; 0 = for ever" },
	{ .name = "port-mac-limit",
	  .type = HD_TYPE_UINT,
	  .min = 1,
	  .max = 1000000,
	  .meta = "N",
	  .dflt = "1024",
	  .help = "MACs that one port may have learned at a time" },
	{ .name = "flood",
	  .type = HD_TYPE_ONOFF,
	  .meta = "on|off",
	  .dflt = "on",
	  .help = "send unicast for an unknown MAC to all members" },
	{ .name = "neighbour-suppression",
	  .type = HD_TYPE_ONOFF,
	  .meta = "on|off",
	  .dflt = "off",
	  .help = "answer ARP and ND for known addresses on the spot" },
	{ .name = "tunnel-port",
	  .type = HD_TYPE_UINT,
	  .flags = HD_OPT_FIXED,
	  .min = 1,
	  .max = 65535,
	  .meta = "N",
	  .help = "UDP port of a vxlan (4789) or geneve (6081) network" },
	{ .name = "tunnel-dscp",
	  .type = HD_TYPE_UINT,
	  .words = inherit,
	  .max = 63,
	  .meta = "inherit|N",
	  .help = "DSCP of tunnel packets; inherit, that of what is inside, if not given" },
	{ .name = "tunnel-ttl",
	  .type = HD_TYPE_UINT,
	  .min = 1,
	  .max = 255,
	  .meta = "N",
	  .help = "TTL or hop limit of tunnel packets; 64 if not given" },
};

static const char *const uplink_modes[] = { "auto", "xdp", "tc", NULL };

static const char *const uplink_forwards[] = { "auto", "on", "off", NULL };

static const struct hd_option uplink_options[] = {
	{ .name = "tunnel-ip",
	  .type = HD_TYPE_IP,
	  .meta = "ADDR",
	  .help = "address of this host at which tunnels end; the host keeps using it" },
	{ .name = "physical",
	  .type = HD_TYPE_NAME,
	  .meta = "NAME",
	  .help = "name of the physical network behind it, for flat and vlan networks" },
	{ .name = "mode",
	  .type = HD_TYPE_WORD,
	  .words = uplink_modes,
	  .meta = "auto|xdp|tc",
	  .dflt = "auto",
	  .help = "where tunnel packets are opened: by the driver, or later; auto chooses" },
	{ .name = "xdp-forward",
	  .type = HD_TYPE_WORD,
	  .words = uplink_forwards,
	  .meta = "auto|on|off",
	  .dflt = "auto",
	  .help = "whether XDP sends on what established flows lead from uplink to uplink; auto: "
		  "at hardware" },
};

static const struct hd_option peer_options[] = {
	{ .name = "tunnel-ip",
	  .type = HD_TYPE_IP,
	  .flags = HD_OPT_REQUIRED,
	  .meta = "ADDR",
	  .help = "address of the other tunnel endpoint" },
	{ .name = "network",
	  .type = HD_TYPE_NAME,
	  .flags = HD_OPT_LIST,
	  .refers = "network",
	  .meta = "NET",
	  .help = "a network that it is in; every one that leaves the host if none is given" },
	{ .name = "mac-limit",
	  .type = HD_TYPE_UINT,
	  .min = 1,
	  .max = 16777215,
	  .meta = "N",
	  .dflt = "65536",
	  .help = "MACs that may be learned behind it at a time" },
};

static const struct hd_option subnet_options[] = {
	{ .name = "network",
	  .type = HD_TYPE_NAME,
	  .flags = HD_OPT_REQUIRED | HD_OPT_FIXED,
	  .refers = "network",
	  .meta = "NET",
	  .help = "the network it lies on" },
	{ .name = "cidr",
	  .type = HD_TYPE_CIDR,
	  .flags = HD_OPT_REQUIRED | HD_OPT_FIXED,
	  .meta = "CIDR",
	  .help = "its addresses" },
	{ .name = "gateway",
	  .type = HD_TYPE_IP,
	  .meta = "IP",
	  .help = "default route of workloads that heddle configures; none if not given" },
	{ .name = "pool",
	  .type = HD_TYPE_RANGE,
	  .meta = "FIRST-LAST",
	  .help = "addresses to hand out: to ports with --ip auto, all of cidr if not given, and to "
		  "routers that have their gateway there" },
};

static const struct hd_option port_options[] = {
	{ .name = "network",
	  .type = HD_TYPE_NAME,
	  .flags = HD_OPT_REQUIRED | HD_OPT_FIXED,
	  .refers = "network",
	  .meta = "NET",
	  .help = "the network it joins" },
	{ .name = "device",
	  .type = HD_TYPE_DEVICE,
	  .flags = HD_OPT_FIXED,
	  .meta = "DEV",
	  .help = "an existing veth or tap device" },
	{ .name = "netns",
	  .type = HD_TYPE_NETNS,
	  .flags = HD_OPT_FIXED,
	  .meta = "PATH-OR-NAME",
	  .help = "make a veth pair and move one end into this namespace" },
	{ .name = "internal",
	  .type = HD_TYPE_FLAG,
	  .flags = HD_OPT_FIXED,
	  .help = "the host's own leg in the network" },
	{ .name = "peer",
	  .type = HD_TYPE_NAME,
	  .flags = HD_OPT_FIXED,
	  .refers = "peer",
	  .meta = "PEER",
	  .help = "it is at another host: only what others must know about it" },
	{ .name = "ifname",
	  .type = HD_TYPE_DEVICE,
	  .flags = HD_OPT_FIXED,
	  .meta = "IF",
	  .help = "name of the device in the namespace, or of the host's leg" },
	{ .name = "once",
	  .type = HD_TYPE_FLAG,
	  .flags = HD_OPT_FIXED,
	  .help = "its device is made once: if it goes, with its namespace, it is not made again" },
	{ .name = "mac",
	  .type = HD_TYPE_MAC,
	  .meta = "MAC",
	  .help = "its MAC; never learned elsewhere" },
	{ .name = "ip",
	  .type = HD_TYPE_IPLEN,
	  .flags = HD_OPT_LIST,
	  .meta = "IP[/LEN]",
	  .help = "an address, LEN comes from the subnet that holds it; auto: a free one of each "
		  "family; FIRST-LAST[,FIRST-LAST]...: a free one of these" },
	{ .name = "isolated",
	  .type = HD_TYPE_FLAG,
	  .help = "no frames to or from other isolated ports" },
	{ .name = "hairpin",
	  .type = HD_TYPE_FLAG,
	  .help = "frames may leave by the port they came in by" },
	{ .name = "mtu",
	  .type = HD_TYPE_UINT,
	  .min = 576,
	  .max = 65535,
	  .meta = "N",
	  .help = "largest IP packet; the network's if not given" },
	{ .name = "ingress-rate",
	  .type = HD_TYPE_RATE,
	  .meta = "RATE",
	  .help = "most that it is sent, towards the workload: bits a second, such as 10mbit" },
	{ .name = "ingress-burst",
	  .type = HD_TYPE_SIZE,
	  .meta = "SIZE",
	  .help = "how far that may be exceeded for a moment: bytes, such as 256kb" },
	{ .name = "egress-rate",
	  .type = HD_TYPE_RATE,
	  .meta = "RATE",
	  .help = "most that its workload sends" },
	{ .name = "egress-burst",
	  .type = HD_TYPE_SIZE,
	  .meta = "SIZE",
	  .help = "how far that may be exceeded for a moment" },
	{ .name = "label",
	  .type = HD_TYPE_LABEL,
	  .flags = HD_OPT_LIST,
	  .meta = "KEY=VALUE",
	  .help = "label, for people and tools, and for groups that select by it" },
	{ .name = "owner",
	  .type = HD_TYPE_STRING,
	  .meta = "TEXT",
	  .help = "what the tool that made it has to remember; heddle-cni has it" },
	{ .name = "security-group",
	  .type = HD_TYPE_NAME,
	  .flags = HD_OPT_LIST,
	  .refers = "security-group",
	  .meta = "GROUP",
	  .help = "security group of the port; 'default' if it is in no other" },
	{ .name = "no-security",
	  .type = HD_TYPE_FLAG,
	  .help = "no filtering and no source checks" },
	{ .name = "allowed-address",
	  .type = HD_TYPE_ADDRESS,
	  .flags = HD_OPT_LIST,
	  .meta = "IP[/LEN][,MAC]",
	  .help = "may be a source address too" },
	{ .name = "vlan-mode",
	  .type = HD_TYPE_WORD,
	  .words = vlan_modes,
	  .meta = "MODE",
	  .help = "how the port treats VLAN tags; they pass unseen if not given" },
	{ .name = "tag",
	  .type = HD_TYPE_UINT,
	  .min = 1,
	  .max = 4094,
	  .meta = "N",
	  .help = "the port's own VLAN: access, native or service VLAN" },
	{ .name = "trunk",
	  .type = HD_TYPE_VLANS,
	  .meta = "N,N-N",
	  .help = "VLANs of a trunk, 0 for untagged frames; all if not given" },
};

static const struct hd_option route_options[] = {
	{ .name = "id",
	  .type = HD_TYPE_UINT,
	  .flags = HD_OPT_UNTYPED,
	  .min = 1,
	  .max = UINT32_MAX,
	  .meta = "ID",
	  .help = "given by heddle when the route is added; what route-del takes" },
	{ .name = "prefix",
	  .type = HD_TYPE_CIDR,
	  .flags = HD_OPT_REQUIRED | HD_OPT_UNTYPED,
	  .meta = "PREFIX",
	  .help = "where it leads" },
	{ .name = "via",
	  .type = HD_TYPE_IP,
	  .meta = "IP",
	  .help = "next hop: an address in one of the router's subnets" },
	{ .name = "weight",
	  .type = HD_TYPE_UINT,
	  .min = 1,
	  .max = 255,
	  .meta = "N",
	  .dflt = "1",
	  .help = "share of the flows among routes for the same prefix" },
	{ .name = "blackhole",
	  .type = HD_TYPE_FLAG,
	  .help = "drop what goes there, instead of via" },
};

static const struct hd_option gateway_options[] = {
	{ .name = "network",
	  .type = HD_TYPE_NAME,
	  .refers = "network",
	  .meta = "EXT",
	  .help = "the network outside, flat or vlan as a rule" },
	{ .name = "ip",
	  .type = HD_TYPE_IP,
	  .flags = HD_OPT_LIST,
	  .meta = "IP",
	  .help = "address of the router there, one of each family; out of the subnets' pools if "
		  "none is given" },
	{ .name = "snat",
	  .type = HD_TYPE_ONOFF,
	  .meta = "on|off",
	  .dflt = "on",
	  .help = "IPv4 goes out with the router's address as its source; IPv6 goes out as it is; "
		  "only answers come in" },
	{ .name = "nat-log",
	  .type = HD_TYPE_ONOFF,
	  .meta = "on|off",
	  .dflt = "off",
	  .help = "a line in the log for each block of ports that is handed out or returned" },
	{ .name = "nat-filter",
	  .type = HD_TYPE_WORD,
	  .words = nat_filters,
	  .meta = "WHO",
	  .dflt = "address",
	  .help = "who outside may begin something with a port that is somebody's: endpoint = "
		  "everybody, address = those it has asked, address-and-port = nobody" },
	{ .name = "nat-ports-per-address",
	  .type = HD_TYPE_UINT,
	  .min = HD_NAT_BLOCK_PORTS,
	  .max = HD_NAT_BLOCK_PORTS * HD_NAT_USER_BLOCKS,
	  .meta = "N",
	  .dflt = "2048",
	  .help = "ports that one inside address may have at a time, a multiple of 64" },
	{ .name = "nat-ports",
	  .type = HD_TYPE_UINT,
	  .min = HD_NAT_BLOCK_PORTS,
	  .max = HD_NAT_BLOCK_PORTS * (HD_NAT_BLOCKS - HD_NAT_BLOCK_FIRST),
	  .meta = "N",
	  .help = "ports that all of them together may have, a multiple of 64; all of the "
		  "address if not given" },
	{ .name = "uplink",
	  .type = HD_TYPE_DEVICE,
	  .refers = "uplink",
	  .meta = "DEV",
	  .help = "go out by this uplink instead, with the host's address as source" },
};

static const struct hd_option router_options[] = {
	{ .name = "mac",
	  .type = HD_TYPE_MAC,
	  .meta = "MAC",
	  .help = "its MAC in all of its networks; made of its name if not given, the same on "
		  "every host" },
	{ .name = "subnets",
	  .type = HD_TYPE_NAME,
	  .flags = HD_OPT_LIST | HD_OPT_UNTYPED,
	  .refers = "subnet",
	  .meta = "SUBNET",
	  .help = "the subnets that it joins" },
	{ .name = "routes",
	  .type = HD_TYPE_ITEM,
	  .flags = HD_OPT_LIST | HD_OPT_UNTYPED,
	  .item = &hd_route_noun,
	  .help = "static routes" },
	{ .name = "gateway",
	  .type = HD_TYPE_ITEM,
	  .flags = HD_OPT_UNTYPED,
	  .item = &hd_gateway_noun,
	  .help = "its way out" },
};

static const char *const directions[] = { "ingress", "egress", NULL };
static const char *const ethertypes[] = { "ipv4", "ipv6", NULL };

static const struct hd_option rule_options[] = {
	{ .name = "id",
	  .type = HD_TYPE_UINT,
	  .flags = HD_OPT_UNTYPED,
	  .min = 1,
	  .max = UINT32_MAX,
	  .meta = "ID",
	  .help = "given by heddle when the rule is added; what rule-del takes" },
	{ .name = "direction",
	  .type = HD_TYPE_WORD,
	  .flags = HD_OPT_REQUIRED,
	  .words = directions,
	  .meta = "ingress|egress",
	  .help = "ingress is towards the port's workload" },
	{ .name = "ethertype",
	  .type = HD_TYPE_WORD,
	  .words = ethertypes,
	  .meta = "ipv4|ipv6",
	  .help = "both if not given" },
	{ .name = "protocol",
	  .type = HD_TYPE_PROTOCOL,
	  .meta = "NAME|N",
	  .help = "any if not given" },
	{ .name = "port",
	  .type = HD_TYPE_PORTS,
	  .meta = "N[-M]",
	  .help = "destination port of tcp, udp or sctp" },
	{ .name = "icmp-type",
	  .type = HD_TYPE_UINT,
	  .max = 255,
	  .meta = "N",
	  .help = "type of icmp or icmpv6" },
	{ .name = "icmp-code",
	  .type = HD_TYPE_UINT,
	  .max = 255,
	  .meta = "N",
	  .help = "code of that type" },
	{ .name = "remote",
	  .type = HD_TYPE_CIDR,
	  .meta = "CIDR",
	  .help = "addresses of the other side" },
	{ .name = "except",
	  .type = HD_TYPE_CIDR,
	  .flags = HD_OPT_LIST,
	  .meta = "CIDR",
	  .help = "but not these of them" },
	{ .name = "remote-group",
	  .type = HD_TYPE_NAME,
	  .meta = "GROUP",
	  .refers = "security-group",
	  .help = "members of this group as the other side" },
};

static const char *const isolated_directions[] = { "ingress", "egress", "none", NULL };

static const struct hd_option group_options[] = {
	{ .name = "select",
	  .type = HD_TYPE_SELECTOR,
	  .flags = HD_OPT_LIST,
	  .meta = "KEY[=VALUE]",
	  .help = "ports with this label are members, too; if given several times, those that "
		  "have all of them" },
	{ .name = "isolate",
	  .type = HD_TYPE_WORD,
	  .flags = HD_OPT_LIST,
	  .words = isolated_directions,
	  .meta = "ingress|egress|none",
	  .help = "directions that it closes at its members but for its rules; both if not given" },
	{ .name = "rules",
	  .type = HD_TYPE_ITEM,
	  .flags = HD_OPT_LIST | HD_OPT_UNTYPED,
	  .item = &hd_rule_noun,
	  .help = "allow rules; without this option everything out is allowed, nothing in" },
};

static const struct hd_option floating_ip_options[] = {
	{ .name = "router",
	  .type = HD_TYPE_NAME,
	  .flags = HD_OPT_REQUIRED,
	  .refers = "router",
	  .meta = "ROUTER",
	  .help = "the router with its gateway where the address is" },
	{ .name = "port",
	  .type = HD_TYPE_NAME,
	  .flags = HD_OPT_REQUIRED,
	  .refers = "port",
	  .meta = "PORT",
	  .help = "the port that it stands for" },
	{ .name = "fixed-ip",
	  .type = HD_TYPE_IP,
	  .meta = "IP",
	  .help = "which address of the port; its only one of the family if not given" },
};

static const char *const forwarded[] = { "tcp", "udp", NULL };

static const struct hd_option port_forward_options[] = {
	{ .name = "router",
	  .type = HD_TYPE_NAME,
	  .flags = HD_OPT_REQUIRED,
	  .refers = "router",
	  .meta = "ROUTER",
	  .help = "the router with its gateway where it listens" },
	{ .name = "protocol",
	  .type = HD_TYPE_WORD,
	  .words = forwarded,
	  .flags = HD_OPT_REQUIRED,
	  .meta = "tcp|udp",
	  .help = "tcp or udp" },
	{ .name = "listen",
	  .type = HD_TYPE_ENDPOINT,
	  .flags = HD_OPT_REQUIRED,
	  .meta = "IP:PORT",
	  .help = "address and port outside, IPv6 as [IP]:PORT; 0.0.0.0 and [::] are the router's own "
		  "address there" },
	{ .name = "to",
	  .type = HD_TYPE_ENDPOINT,
	  .flags = HD_OPT_REQUIRED,
	  .meta = "IP:PORT",
	  .help = "address and port inside" },
};

static const char *const actions[] = { "allow", "deny", "reject", NULL };

static const struct hd_option fw_rule_options[] = {
	{ .name = "id",
	  .type = HD_TYPE_UINT,
	  .flags = HD_OPT_UNTYPED,
	  .min = 1,
	  .max = UINT32_MAX,
	  .meta = "ID",
	  .help = "given by heddle when the rule is added; what rule-del takes" },
	{ .name = "action",
	  .type = HD_TYPE_WORD,
	  .flags = HD_OPT_REQUIRED,
	  .words = actions,
	  .meta = "allow|deny|reject",
	  .help = "reject tells the sender, deny drops in silence" },
	{ .name = "protocol",
	  .type = HD_TYPE_PROTOCOL,
	  .meta = "NAME|N",
	  .help = "any if not given" },
	{ .name = "from",
	  .type = HD_TYPE_CIDR,
	  .meta = "CIDR",
	  .help = "source addresses; any if not given" },
	{ .name = "to",
	  .type = HD_TYPE_CIDR,
	  .meta = "CIDR",
	  .help = "destination addresses; any if not given" },
	{ .name = "port",
	  .type = HD_TYPE_PORTS,
	  .meta = "N[-M]",
	  .help = "destination port of tcp, udp or sctp" },
};

static const struct hd_option firewall_options[] = {
	{ .name = "router",
	  .type = HD_TYPE_NAME,
	  .flags = HD_OPT_REQUIRED,
	  .refers = "router",
	  .meta = "ROUTER",
	  .help = "the router whose traffic it filters; a router has one firewall" },
	{ .name = "rules",
	  .type = HD_TYPE_ITEM,
	  .flags = HD_OPT_LIST | HD_OPT_UNTYPED,
	  .item = &hd_fw_rule_noun,
	  .help = "in order: the first that matches decides; what none matches is allowed" },
};

static const struct hd_option fdb_options[] = {
	{ .name = "port",
	  .type = HD_TYPE_NAME,
	  .refers = "port",
	  .meta = "PORT",
	  .help = "the port behind which the MAC is" },
	{ .name = "peer",
	  .type = HD_TYPE_NAME,
	  .refers = "peer",
	  .meta = "PEER",
	  .help = "the peer behind which the MAC is, instead of a port" },
};

static const struct hd_option neighbour_options[] = {
	{ .name = "mac",
	  .type = HD_TYPE_MAC,
	  .flags = HD_OPT_REQUIRED,
	  .meta = "MAC",
	  .help = "the MAC that answers for the address" },
};

#define OPTIONS(table) .options = (table), .n_options = sizeof(table) / sizeof((table)[0])

const struct hd_noun hd_nouns[HD_NOUN_COUNT] = {
	[HD_NOUN_NETWORK] = { HD_NOUN_NETWORK, "network", "networks", NULL, "NET", "an L2 segment",
			      OPTIONS(network_options) },
	[HD_NOUN_SUBNET] = { HD_NOUN_SUBNET, "subnet", "subnets", NULL, "SUBNET",
			     "addresses of a network", OPTIONS(subnet_options) },
	[HD_NOUN_UPLINK] = { HD_NOUN_UPLINK, "uplink", "uplinks", NULL, "DEV",
			     "a host NIC that heddle uses", OPTIONS(uplink_options) },
	[HD_NOUN_PEER] = { HD_NOUN_PEER, "peer", "peers", NULL, "PEER", "another tunnel endpoint",
			   OPTIONS(peer_options) },
	[HD_NOUN_ROUTER] = { HD_NOUN_ROUTER, "router", "routers", NULL, "ROUTER",
			     "a routing domain joining subnets", OPTIONS(router_options) },
	[HD_NOUN_GROUP] = { HD_NOUN_GROUP, "security-group", "security-groups", "sg", "GROUP",
			    "stateful allow rules of ports", OPTIONS(group_options) },
	[HD_NOUN_PORT] = { HD_NOUN_PORT, "port", "ports", NULL, "PORT", "a device on a network",
			   OPTIONS(port_options) },
	[HD_NOUN_FLOATING_IP] = { HD_NOUN_FLOATING_IP, "floating-ip", "floating-ips", "fip", "IP",
				  "an outside address for a port: 1:1 NAT",
				  OPTIONS(floating_ip_options) },
	[HD_NOUN_PORT_FORWARD] = { HD_NOUN_PORT_FORWARD, "port-forward", "port-forwards", "pf",
				   "NAME", "a port outside for one inside",
				   OPTIONS(port_forward_options) },
	[HD_NOUN_FIREWALL] = { HD_NOUN_FIREWALL, "firewall", "firewalls", NULL, "FIREWALL",
			       "ordered rules of a router", OPTIONS(firewall_options) },
	[HD_NOUN_FDB] = { HD_NOUN_FDB, "fdb", "fdb", NULL, "MAC", "which MAC is behind which port",
			  OPTIONS(fdb_options) },
	[HD_NOUN_NEIGHBOUR] = { HD_NOUN_NEIGHBOUR, "neighbour", "neighbours", "neigh", "IP",
				"which MAC an address has", OPTIONS(neighbour_options) },
};

const struct hd_noun hd_rule_noun = {
	HD_NOUN_COUNT,	      "rule", "rules", NULL, "ID", "one rule of a security group",
	OPTIONS(rule_options)
};

const struct hd_noun hd_route_noun = {
	HD_NOUN_COUNT,	       "route", "routes", NULL, "ID", "one static route of a router",
	OPTIONS(route_options)
};

const struct hd_noun hd_fw_rule_noun = {
	HD_NOUN_COUNT,		 "rule", "rules", NULL, "ID", "one rule of a firewall",
	OPTIONS(fw_rule_options)
};

const struct hd_noun hd_gateway_noun = {
	HD_NOUN_COUNT,		 "gateway", "gateway", NULL, "GATEWAY", "the way out of a router",
	OPTIONS(gateway_options)
};

/* Ends with a NULL name. */
static const struct protocol {
	const char *name;
	uint8_t number;
} protocols[] = {
	{ "icmp", 1 },	 { "igmp", 2 },	  { "tcp", 6 },	      { "udp", 17 },	{ "dccp", 33 },
	{ "gre", 47 },	 { "esp", 50 },	  { "ah", 51 },	      { "icmpv6", 58 }, { "ospf", 89 },
	{ "vrrp", 112 }, { "sctp", 132 }, { "udplite", 136 }, { NULL, 0 },
};

const struct hd_later hd_later_words[] = {
	{ "capture", "record packets with their verdicts" },
	{ "try", "apply a file and take it back unless confirmed" },
	{ "rollback", "go back to the state before the last change" },
	{ "doctor", "look for what is wrong on this host" },
	{ "support-bundle", "collect what a bug report needs" },
	{ "panic-open", "let everything pass, with a dead daemon too" },
	{ NULL, NULL },
};

int hd_protocol_parse(const char *text)
{
	char *end;
	long n;

	for (const struct protocol *p = protocols; p->name; p++)
		if (!strcmp(p->name, text))
			return p->number;
	n = strtol(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && !*end && n <= 255 ? (int)n : -1;
}

const char *hd_protocol_name(uint8_t number)
{
	for (const struct protocol *p = protocols; p->name; p++)
		if (p->number == number)
			return p->name;
	return NULL;
}

struct unit {
	const char *name, *alias; /* the alias is that of Kubernetes */
	uint64_t factor;
};

/* Ascending; as tc has them. Each ends with a NULL name. */
static const struct unit rate_units[] = {
	{ "bit", "", 1 },	  { "kbit", "k", 1000 },
	{ "mbit", "M", 1000000 }, { "gbit", "G", 1000000000 },
	{ NULL, NULL, 0 },
};

static const struct unit size_units[] = {
	{ "b", "", 1 },
	{ "kb", "k", 1024 },
	{ "mb", "m", 1024 * 1024 },
	{ NULL, NULL, 0 },
};

static bool parse_amount(const char *text, const struct unit *units, uint64_t *ret)
{
	uint64_t n = 0;
	const char *c = text;

	for (; *c >= '0' && *c <= '9'; c++)
		if (__builtin_mul_overflow(n, (uint64_t)10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*c - '0'), &n))
			return false;
	for (const struct unit *unit = units; c > text && unit->name; unit++)
		if (!strcasecmp(c, unit->name) || !strcasecmp(c, unit->alias))
			return !__builtin_mul_overflow(n, unit->factor, ret);
	return false;
}

static void format_amount(uint64_t n, const struct unit *units, char text[HD_AMOUNT_MAX])
{
	const struct unit *unit = units;

	while (unit[1].name && n && n % unit[1].factor == 0)
		unit++;
	(void)snprintf(text, HD_AMOUNT_MAX, "%" PRIu64 "%s", n / unit->factor, unit->name);
}

bool hd_rate_parse(const char *text, uint64_t *ret)
{
	return parse_amount(text, rate_units, ret) && *ret >= 8000 && *ret <= 1000000000000;
}

bool hd_size_parse(const char *text, uint64_t *ret)
{
	return parse_amount(text, size_units, ret) && *ret >= 1024 && *ret <= 1024 * 1024 * 1024;
}

void hd_rate_format(uint64_t bits, char text[HD_AMOUNT_MAX])
{
	format_amount(bits, rate_units, text);
}

void hd_size_format(uint64_t bytes, char text[HD_AMOUNT_MAX])
{
	format_amount(bytes, size_units, text);
}

/* Digits only, at most five of them. */
static const char *parse_port(const char *text, uint16_t *ret)
{
	unsigned long n = 0;
	int digits = 0;

	for (; *text >= '0' && *text <= '9' && digits < 6; text++, digits++)
		n = n * 10 + (unsigned long)(*text - '0');
	*ret = (uint16_t)n;
	return digits && n <= 65535 ? text : NULL;
}

bool hd_ports_parse(const char *text, uint16_t *ret_first, uint16_t *ret_last)
{
	text = parse_port(text, ret_first);
	if (text && !*text) {
		*ret_last = *ret_first;
		return true;
	}
	if (!text || *text != '-')
		return false;
	text = parse_port(text + 1, ret_last);
	return text && !*text && *ret_first <= *ret_last;
}

/* "N" or "N-M", up to a comma or the end. */
static const char *parse_vlan_range(const char *text, uint16_t *ret_first, uint16_t *ret_last)
{
	text = parse_port(text, ret_first);
	*ret_last = *ret_first;
	if (text && *text == '-')
		text = parse_port(text + 1, ret_last);
	return text && (!*text || *text == ',') ? text : NULL;
}

const char *hd_vlans_parse(const char *text, uint32_t ret[HD_VLAN_WORDS])
{
	uint16_t first, last;

	memset(ret, 0, HD_VLAN_WORDS * sizeof(*ret));
	for (;;) {
		text = parse_vlan_range(text, &first, &last);
		if (!text)
			return "VLANs as N,N-M";
		if (last > 4094)
			return "VLANs from 0 to 4094";
		if (first > last)
			return "ranges that go upwards";
		for (uint32_t vlan = first; vlan <= last; vlan++) {
			if (ret[vlan / 32] & 1u << vlan % 32)
				return "no VLAN twice";
			ret[vlan / 32] |= 1u << vlan % 32;
		}
		if (!*text)
			return NULL;
		text++;
	}
}

static bool has_vlan(const uint32_t vlans[HD_VLAN_WORDS], uint32_t vlan)
{
	return vlan < HD_VLAN_WORDS * 32 && vlans[vlan / 32] >> vlan % 32 & 1;
}

char *hd_vlans_format(const uint32_t vlans[HD_VLAN_WORDS])
{
	char *text = NULL;
	const char *comma = "";
	size_t len;
	FILE *file = open_memstream(&text, &len);

	for (uint32_t vlan = 0, last; file && vlan < HD_VLAN_WORDS * 32; vlan = last + 1) {
		last = vlan;
		if (!has_vlan(vlans, vlan))
			continue;
		while (has_vlan(vlans, last + 1))
			last++;
		(void)fprintf(file, last > vlan ? "%s%u-%u" : "%s%u", comma, vlan, last);
		comma = ",";
	}
	return file && fclose(file) == 0 ? text : NULL;
}

const struct hd_noun *hd_noun_find(const char *word)
{
	for (size_t i = 0; i < HD_NOUN_COUNT; i++) {
		const struct hd_noun *noun = &hd_nouns[i];

		if (!strcmp(word, noun->name) || !strcmp(word, noun->plural) ||
		    (noun->alias && !strcmp(word, noun->alias)))
			return noun;
	}
	return NULL;
}

const struct hd_option *hd_option_find(const struct hd_noun *noun, const char *name)
{
	for (size_t i = 0; i < noun->n_options; i++)
		if (!strcmp(noun->options[i].name, name))
			return &noun->options[i];
	return NULL;
}
