/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * reason.h - why a packet was dropped: the one list
 *
 * Number, symbol, name, sentence, remedy. The enum of the datapath, `heddle explain`, `heddle drops` and the man page are made from
 * it. Numbers are part of the ABI: append, never renumber.
 */
#pragma once

#include "heddle/types.h"

#define HD_REASONS(X)                                                                                                                          \
	X(1, HD_DROP_NO_PORT, "no-port",                                                                                                       \
	  "The packet came in on a device that belongs to no port.",                                                                           \
	  "Usual for a moment while a port is being removed; else 'heddle status'.")                                                           \
	X(2, HD_DROP_SHORT_FRAME, "short-frame",                                                                                               \
	  "The frame is shorter than the headers it announces.",                                                                               \
	  "Look at what sends it; a correct network stack does not.")                                                                          \
	X(3, HD_DROP_SOURCE_MAC, "source-mac",                                                                                                 \
	  "The frame's source MAC is a multicast address or zero.",                                                                            \
	  "Look at what sends it; such an address can't be a sender.")                                                                         \
	X(4, HD_DROP_MAC_STATIC, "mac-static",                                                                                                 \
	  "The frame's source MAC is configured at another port of the network.",                                                              \
	  "Someone uses another's MAC, or the MAC moved: see 'heddle fdb' and 'heddle port set'.")                                             \
	X(5, HD_DROP_MAC_LIMIT, "mac-limit",                                                                                                   \
	  "The port has learned as many MACs as the network allows, and this source is a new one.",                                            \
	  "Raise it with 'heddle network set NET --port-mac-limit N' if so many are meant.")                                                   \
	X(6, HD_DROP_LINK_LOCAL, "link-local-multicast",                                                                                       \
	  "The destination is one that bridges never forward (01:80:c2:00:00:01 to :0f).",                                                     \
	  "None is needed: LLDP, LACP, pause and 802.1X frames end at the next device.")                                                       \
	X(7, HD_DROP_NO_MEMBER, "no-member",                                                                                                   \
	  "There is no other port in the network that could take this frame.",                                                                 \
	  "Usual for broadcasts while a port is alone or the others are down.")                                                                \
	X(8, HD_DROP_UNKNOWN_UNICAST, "unknown-unicast",                                                                                       \
	  "The destination MAC is not known, and the network does not flood.",                                                                 \
	  "Add it with 'heddle fdb add', or 'heddle network set NET --flood on'.")                                                             \
	X(9, HD_DROP_SAME_PORT, "same-port",                                                                                                   \
	  "The destination MAC is behind the port the frame came from.",                                                                       \
	  "If it should be sent back: 'heddle port set PORT --hairpin'.")                                                                      \
	X(10, HD_DROP_ISOLATED, "isolated",                                                                                                    \
	  "Both ports are isolated: they may not talk to each other.",                                                                         \
	  "'heddle port show PORT' shows it; clear it at one of the two.")                                                                     \
	X(11, HD_DROP_PORT_DOWN, "port-down", "The port that the packet should leave by is down.",                                             \
	  "'heddle port show PORT' says why.")                                                                                                 \
	X(12, HD_DROP_MTU, "mtu",                                                                                                              \
	  "The packet is larger than the MTU of the port it should leave by.",                                                                 \
	  "Use the same MTU on all ports of a network.")                                                                                       \
	X(13, HD_DROP_REDIRECT, "redirect-failed",                                                                                             \
	  "The kernel could not hand the packet to the port's device.",                                                                        \
	  "The device vanished or is out of memory at this moment; see 'heddle monitor'.")                                                     \
	X(14, HD_DROP_TAIL_CALL, "tail-call", "A stage of the pipeline is not loaded.",                                                        \
	  "This is a fault of heddle: restart heddled, then report it.")                                                                       \
	X(15, HD_DROP_NO_MEMORY, "no-memory",                                                                                                  \
	  "The kernel had no memory for a change of the packet.", "The host is short of memory.")                                              \
	X(16, HD_DROP_IP_MALFORMED, "ip-malformed",                                                                                            \
	  "The IP header contradicts itself or the frame.",                                                                                    \
	  "Look at what sends it; a correct network stack does not.")                                                                          \
	X(17, HD_DROP_L4_MALFORMED, "l4-malformed",                                                                                            \
	  "The TCP, UDP, SCTP or ICMP header is cut short or contradicts itself.",                                                             \
	  "Look at what sends it; a correct network stack does not.")                                                                          \
	X(18, HD_DROP_ETHERTYPE, "ethertype",                                                                                                  \
	  "Only IPv4, IPv6 and ARP pass a port with security.",                                                                                \
	  "If the workload must speak something else: 'heddle port set PORT --no-security'.")                                                  \
	X(19, HD_DROP_TAGGED, "tagged",                                                                                                        \
	  "A VLAN tag hides the packet from the rules of a port with security.",                                                               \
	  "Send untagged, or 'heddle port set PORT --no-security'.")                                                                           \
	X(20, HD_DROP_SPOOF_MAC, "spoof-mac", "The source MAC is not one that the port may use.",                                              \
	  "'heddle port set PORT --mac MAC' or '--allowed-address IP,MAC' allows it.")                                                         \
	X(21, HD_DROP_SPOOF_IP, "spoof-ip",                                                                                                    \
	  "The source address is not one that the port may use.",                                                                              \
	  "'heddle port set PORT --ip IP' or '--allowed-address IP' allows it.")                                                               \
	X(22, HD_DROP_SPOOF_NEIGH, "spoof-neighbour",                                                                                          \
	  "The ARP or ND packet speaks for an address or MAC that the port may not use.",                                                      \
	  "'heddle port set PORT --ip IP' or '--allowed-address IP' allows it.")                                                               \
	X(23, HD_DROP_GATEWAY, "gateway-claimed",                                                                                              \
	  "The packet uses the address of the subnet's gateway as its own.",                                                                   \
	  "Only the gateway may; give the workload another address.")                                                                          \
	X(24, HD_DROP_DHCP_SERVER, "dhcp-server",                                                                                              \
	  "A workload behind a port with security may not answer DHCP.",                                                                       \
	  "If it is meant to be the server: 'heddle port set PORT --no-security'.")                                                            \
	X(25, HD_DROP_ROUTER_ADVERT, "router-advertisement",                                                                                   \
	  "A workload behind a port with security may not announce itself as a router.",                                                       \
	  "If it is meant to be a router: 'heddle port set PORT --no-security'.")                                                              \
	X(26, HD_DROP_EGRESS, "group-egress",                                                                                                  \
	  "No rule of the port's security groups lets it send this: default deny.",                                                            \
	  "'heddle security-group rule-add GROUP --direction egress ...' allows it.")                                                          \
	X(27, HD_DROP_INGRESS, "group-ingress",                                                                                                \
	  "No rule of the port's security groups lets it receive this: default deny.",                                                         \
	  "'heddle security-group rule-add GROUP --direction ingress ...' allows it.")                                                         \
	X(28, HD_DROP_NO_CONNECTION, "tcp-no-connection",                                                                                      \
	  "The TCP packet belongs to no connection that heddle has seen begin.",                                                               \
	  "Usual after an idle time beyond the timeout; the connection must be made anew.")                                                    \
	X(29, HD_DROP_FLOW_FULL, "flow-table-full",                                                                                            \
	  "There is no room for a new connection; those that exist go on.",                                                                    \
	  "Look at 'heddle flow list' for who fills it; table-sizes/flows in heddled.conf.")                                                   \
	X(30, HD_DROP_ICMP_UNRELATED, "icmp-unrelated",                                                                                        \
	  "The ICMP error quotes a packet of no connection that heddle knows.",                                                                \
	  "None is needed: late or forged errors.")                                                                                            \
	X(31, HD_DROP_FRAG_ORPHAN, "fragment-orphan",                                                                                          \
	  "The fragment's first one has not been let through.",                                                                                \
	  "See what dropped the first fragment, or why it never came.")                                                                        \
	X(32, HD_DROP_FRAG_OVERLAP, "fragment-overlap",                                                                                        \
	  "The fragment overlaps with one that has passed (RFC 5722).",                                                                        \
	  "Look at what sends it; a correct network stack does not.")                                                                          \
	X(33, HD_DROP_EXT_HEADERS, "extension-headers",                                                                                        \
	  "The IPv6 packet has more extension headers than are looked through, or unknown ones.",                                              \
	  "Look at what sends it; eight are looked through.")                                                                                  \
	X(34, HD_DROP_FRAG_FULL, "fragment-limit",                                                                                             \
	  "There are too many pieces, or too many packets in pieces, to keep track of.",                                                       \
	  "Lower the sender's packet size to the MTU; path MTU discovery does it.")                                                            \
	X(35, HD_DROP_FLOW_PORT, "flow-port",                                                                                                  \
	  "The packet belongs to a connection of another port.",                                                                               \
	  "Someone uses another's address, or the address moved: then the next try works.")                                                    \
	X(36, HD_DROP_FLOW_LIMIT, "flow-limit",                                                                                                \
	  "The port has begun as many connections as one port may have at a time.",                                                            \
	  "Look at 'heddle flow list --port PORT'; table-sizes/flows-per-port in heddled.conf.")                                               \
	X(37, HD_DROP_VLAN_TAGGED, "vlan-tagged",                                                                                              \
	  "A frame with a VLAN tag came in by an access port.",                                                                                \
	  "The workload must send untagged, or the port must be a trunk: 'heddle port set'.")                                                  \
	X(38, HD_DROP_VLAN, "vlan-not-allowed", "The port does not carry the VLAN of the frame.",                                              \
	  "'heddle port show PORT' says which it does; 'heddle port set PORT --trunk' adds some.")                                             \
	X(39, HD_DROP_PEER_DOWN, "peer-unreachable",                                                                                           \
	  "There is no route to the peer, or its next hop does not answer.",                                                                   \
	  "'heddle peer show PEER' says which; look at the underlay.")                                                                         \
	X(40, HD_DROP_TUNNEL_LOOP, "tunnel-to-tunnel",                                                                                         \
	  "The packet came out of a tunnel and would go into one.",                                                                            \
	  "None is needed: peers reach each other directly. Else give each of them all others as peers.")                                      \
	X(41, HD_DROP_TUNNEL_SOURCE, "tunnel-source",                                                                                          \
	  "A tunnel packet came from an address that is no peer.",                                                                             \
	  "'heddle peer add NAME --tunnel-ip ADDR' if it should be one.")                                                                      \
	X(42, HD_DROP_TUNNEL_ID, "tunnel-id",                                                                                                  \
	  "A tunnel packet names a network (VNI, key, UDP port) that is not here.",                                                            \
	  "Compare type, id and tunnel-port of the network on both hosts.")                                                                    \
	X(43, HD_DROP_TUNNEL_MEMBER, "tunnel-member",                                                                                          \
	  "A tunnel packet came from a peer that is not in the network which it names.",                                                       \
	  "'heddle peer set PEER --network NET' if it should be.")                                                                             \
	X(44, HD_DROP_TUNNEL_IP, "tunnel-ip",                                                                                                  \
	  "The outer IP header of a tunnel packet contradicts itself, has options, or a wrong checksum.",                                      \
	  "Look at what sends it; a tunnel endpoint does not.")                                                                                \
	X(45, HD_DROP_TUNNEL_FRAGMENT, "tunnel-fragment", "A tunnel packet came in pieces.",                                                   \
	  "Lower the MTU inside, at the peer, by the overhead of the tunnel.")                                                                 \
	X(46, HD_DROP_TUNNEL_HEADER, "tunnel-header",                                                                                          \
	  "The UDP, VXLAN, Geneve or GRE header of a tunnel packet is cut short, contradicts itself, or lacks what must be there.",            \
	  "Look at what sends it; a tunnel endpoint does not.")                                                                                \
	X(47, HD_DROP_TUNNEL_SHORT, "tunnel-short",                                                                                            \
	  "A tunnel packet holds less than an Ethernet frame.",                                                                                \
	  "Look at what sends it; a tunnel endpoint does not.")                                                                                \
	X(48, HD_DROP_TUNNEL_OPTION, "tunnel-option",                                                                                          \
	  "A Geneve packet has an option that must be understood and is not, or is meant for the endpoint itself (RFC 8926).",                 \
	  "Switch that option off at the peer.")                                                                                               \
	X(49, HD_DROP_TUNNEL_CSUM, "tunnel-checksum", "The checksum of a GRE packet is wrong.",                                                \
	  "Something on the way damages packets.")                                                                                             \
	X(50, HD_DROP_TUNNEL_ECN, "tunnel-congestion",                                                                                         \
	  "The underlay has marked congestion on a packet whose sender would not learn of it (RFC 6040).",                                     \
	  "The underlay is congested.")                                                                                                        \
	X(51, HD_DROP_ENCAP, "encap",                                                                                                          \
	  "A super-packet that is or was in a tunnel already can't be wrapped again.",                                                         \
	  "'ethtool -K DEV tx-udp_tnl-segmentation off' in the workload; for a leg of the host that routes, tso and gso.")                     \
	X(52, HD_DROP_TUNNEL_FORGED, "tunnel-forged",                                                                                          \
	  "A workload's packet, forwarded or sent to a physical network, looks like a tunnel packet of ours.",                                 \
	  "A workload tries to get into other networks; or it makes tunnels: then by another UDP port.")                                       \
	X(53, HD_DROP_NO_ROUTE, "no-route", "The router has no route to the destination.",                                                     \
	  "'heddle router show R' lists its routes; 'heddle router route-add R PREFIX --via IP' adds one.")                                    \
	X(54, HD_DROP_BLACKHOLE, "blackhole",                                                                                                  \
	  "A route of the router says that such packets are dropped.",                                                                         \
	  "'heddle router show R' lists its routes; 'heddle router route-del R ROUTE' removes one.")                                           \
	X(55, HD_DROP_TTL, "ttl-expired", "The packet has passed as many routers as it may.",                                                  \
	  "Usual for traceroute; else look for routers that send packets to each other in a circle.")                                          \
	X(56, HD_DROP_UNRESOLVED, "unresolved",                                                                                                \
	  "The next hop has not said yet which MAC it has; it has been asked.",                                                                \
	  "Usual for a first packet; else the address is not in use: 'heddle neighbour list' shows those that are known.")                     \
	X(57, HD_DROP_TO_ROUTER, "to-router",                                                                                                  \
	  "The packet is for the router itself, which answers to nothing but ping, ARP and neighbour discovery.",                              \
	  "None is needed, unless a server was meant to have this address.")                                                                   \
	X(58, HD_DROP_ROUTE_CAST, "not-routable",                                                                                              \
	  "The packet's source or destination address is one that never crosses a router: multicast, broadcast, link-local.",                  \
	  "Look at what sends it; a broadcast into another subnet is switched off (RFC 2644).")                                                \
	X(59, HD_DROP_OUTSIDE, "outside",                                                                                                      \
	  "The packet comes from outside of a router that translates addresses, and belongs to no connection from inside.",                    \
	  "Who should be reached from outside needs a floating IP or a port forward; see also 'heddle router gateway --nat-filter'.")          \
	X(60, HD_DROP_NAT_PORTS, "nat-ports",                                                                                                  \
	  "The router's external address has no port left for the sender, or the sender has as many as it may.",                               \
	  "'heddle status' shows how many are in use; a floating IP needs none, another router gateway has its own.")                          \
	X(61, HD_DROP_NAT_PROTOCOL, "nat-protocol",                                                                                            \
	  "The packet's protocol has no ports, so many can't share one address.",                                                              \
	  "Give its sender a floating IP: 'heddle floating-ip add'.")                                                                          \
	X(62, HD_DROP_NAT_CLASH, "nat-clash",                                                                                                  \
	  "Inside, the connection would be the same as one that came by another outside address or port.",                                     \
	  "It is over when its client takes another port; usual where one client asks several port forwards to the same server.")              \
	X(63, HD_DROP_FIREWALL, "firewall",                                                                                                    \
	  "A rule of the router's firewall denies or rejects the packet.",                                                                     \
	  "'heddle drops' names the rule; 'heddle firewall show F' lists them in their order.")                                                \
	X(64, HD_DROP_LIMIT_INGRESS, "rate-limit-ingress",                                                                                     \
	  "The port is sent more than its ingress rate allows.",                                                                               \
	  "Usual with TCP, which finds its pace by it; 'heddle port set PORT --ingress-rate RATE' raises it, '--unset ingress-rate' ends it.") \
	X(65, HD_DROP_LIMIT_EGRESS, "rate-limit-egress",                                                                                       \
	  "The port's workload sends more than its egress rate allows.",                                                                       \
	  "Usual with TCP, which finds its pace by it; 'heddle port set PORT --egress-rate RATE' raises it, '--unset egress-rate' ends it.")

enum hd_reason {
	HD_DROP_NONE = 0,
#define X(number, symbol, name, sentence, remedy) symbol = number,
	HD_REASONS(X)
#undef X
};

#define HD_REASON_MAX 128

/**
 * struct hd_drop_key - key of hd_drops: one counter for each cause
 * @port:   port that the packet came from (port-out: goes to); HD_PORT_NONE if it is unknown or the table is full
 * @reason: enum hd_reason
 * @stage:  enum hd_stage in which it was decided
 * @rule:   rule that decided, with HD_DROP_FIREWALL; else 0
 */
struct hd_drop_key {
	__u32 port;
	__u16 reason;
	__u16 stage;
	__u32 rule;
};
HD_ASSERT_SIZE(struct hd_drop_key, 12);

/**
 * struct hd_drop_value - value of hd_drops, one for each CPU
 * @packets: as the kernel hands them over
 * @bytes:   Ethernet header included
 */
struct hd_drop_value {
	__u64 packets;
	__u64 bytes;
};
HD_ASSERT_SIZE(struct hd_drop_value, 16);
