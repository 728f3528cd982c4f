/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* uapi.h - constants of the kernel's interface that BTF does not carry, because the kernel has them as macros */
#pragma once

/* linux/pkt_cls.h */
#define TC_ACT_UNSPEC (-1)
#define TC_ACT_SHOT 2
#define TC_ACT_REDIRECT 7

/* linux/if_packet.h */
#define PACKET_HOST 0

/* linux/if_ether.h */
#define ETH_HLEN 14
#define ETH_P_IP 0x0800
#define ETH_P_ARP 0x0806
#define ETH_P_8021Q 0x8100
#define ETH_P_IPV6 0x86DD
#define ETH_P_8021AD 0x88A8
#define VLAN_HLEN 4

/* linux/if_arp.h */
#define ARPHRD_ETHER 1
#define ARPOP_REQUEST 1
#define ARPOP_REPLY 2

/* linux/in.h, linux/icmpv6.h, net/ndisc.h */
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define IPPROTO_ICMPV6 58
#define NDISC_NEIGHBOUR_SOLICITATION 135
#define NDISC_NEIGHBOUR_ADVERTISEMENT 136
#define ND_OPT_TARGET_LL_ADDR 2
