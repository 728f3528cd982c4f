/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* uapi.h - constants of the kernel's interface that BTF does not carry, because the kernel has them as macros */
#pragma once

/* linux/pkt_cls.h */
#define TC_ACT_UNSPEC (-1)
#define TC_ACT_SHOT 2
#define TC_ACT_REDIRECT 7

/* linux/if_packet.h */
#define PACKET_HOST 0
#define PACKET_BROADCAST 1
#define PACKET_MULTICAST 2
#define PACKET_OTHERHOST 3

/* linux/if_ether.h */
#define ETH_HLEN 14
#define ETH_P_IP 0x0800
#define ETH_P_ARP 0x0806
#define ETH_P_8021Q 0x8100
#define ETH_P_IPV6 0x86DD
#define ETH_P_8021AD 0x88A8
#define ETH_P_TEB 0x6558 /* Ethernet inside */
#define VLAN_HLEN 4

/* linux/if_arp.h */
#define ARPHRD_ETHER 1
#define ARPOP_REQUEST 1
#define ARPOP_REPLY 2

/* linux/icmpv6.h, net/ndisc.h */
#define NDISC_NEIGHBOUR_SOLICITATION 135
#define NDISC_NEIGHBOUR_ADVERTISEMENT 136
#define ND_OPT_TARGET_LL_ADDR 2

/* linux/in.h, linux/in6.h */
#define IPPROTO_HOPOPTS 0
#define IPPROTO_ICMP 1
#define IPPROTO_IGMP 2
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define IPPROTO_DCCP 33
#define IPPROTO_ROUTING 43
#define IPPROTO_FRAGMENT 44
#define IPPROTO_GRE 47
#define IPPROTO_AH 51
#define IPPROTO_ICMPV6 58
#define IPPROTO_DSTOPTS 60
#define IPPROTO_SCTP 132
#define IPPROTO_UDPLITE 136

/* net/ip.h */
#define IP_MF 0x2000
#define IP_OFFSET 0x1fff

/* linux/icmp.h */
#define ICMP_ECHOREPLY 0
#define ICMP_DEST_UNREACH 3
#define ICMP_SOURCE_QUENCH 4
#define ICMP_REDIRECT 5
#define ICMP_ECHO 8
#define ICMP_TIME_EXCEEDED 11
#define ICMP_PARAMETERPROB 12
#define ICMP_TIMESTAMP 13
#define ICMP_TIMESTAMPREPLY 14
#define ICMP_NET_UNREACHABLE 0
#define ICMP_PKT_FILTERED 13
#define ICMP_HOST_UNREACHABLE 1
#define ICMP_PORT_UNREACHABLE 3
#define ICMP_FRAG_NEEDED 4

/* linux/icmpv6.h, net/ndisc.h, RFC 4861, RFC 3810 */
#define ICMPV6_DEST_UNREACH 1
#define ICMPV6_PACKET_TOO_BIG 2
#define ICMPV6_TIME_EXCEEDED 3
#define ICMPV6_NO_ROUTE 0
#define ICMPV6_ADM_PROHIBITED 1
#define ICMPV6_ADDR_UNREACHABLE 3
#define ICMPV6_PORT_UNREACHABLE 4
#define ICMPV6_ERROR_MAX 127
#define ICMPV6_ECHO_REQUEST 128
#define ICMPV6_ECHO_REPLY 129
#define ICMPV6_MGM_QUERY 130
#define ICMPV6_MGM_REDUCTION 132
#define NDISC_ROUTER_SOLICITATION 133
#define NDISC_ROUTER_ADVERTISEMENT 134
#define NDISC_REDIRECT 137
#define ND_OPT_SOURCE_LL_ADDR 1
#define ICMPV6_MLD2_REPORT 143

/* bytes of the flags of a TCP header */
#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

/* linux/errno.h */
#define EEXIST 17
#define EINVAL 22
#define ENOTSUPP 524 /* include/linux/errno.h: not for user space, but what helpers return */

/* linux/bpf.h */
#define BPF_F_ADJ_ROOM_ENCAP_L2(len) (((__u64)(len)&0xff) << 56)

/* The smallest Ethernet frame, without its checksum. */
#define FRAME_MIN 60

/* linux/tcp.h; of a UDP socket: it is connected */
#define TCP_ESTABLISHED 1

/* linux/bpf.h, since 5.1 and 5.2 */
struct bpf_spin_lock {
	__u32 val;
};
#define BPF_LOCAL_STORAGE_GET_F_CREATE 1ULL

/* What programs of types cgroup/connect4 and its kin are given: include/uapi/linux/bpf.h, since 4.17. The header of types has what structs of ours need only. */
struct bpf_sock_addr {
	__u32 user_family;
	__u32 user_ip4;
	__u32 user_ip6[4];
	__u32 user_port;
	__u32 family;
	__u32 type;
	__u32 protocol;
	__u32 msg_src_ip4;
	__u32 msg_src_ip6[4];
	union {
		struct bpf_sock *sk;
		__u64 sk_width; /* as wide as a pointer of the kernel, whatever the compiler's is */
	} __attribute__((aligned(8)));
};
