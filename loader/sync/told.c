// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* told.c - "too big" from the underlay */
#include "sync/told.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "cleanup.h"

#define LIFETIME_S 600

/* More than any router quotes (RFC 1812 section 4.3.2.3: 576 bytes in all, RFC 4443 section 2.4: 1280). */
#define ANSWER_MAX 2048

/* As bpf/lib/encap.h sends them. */
#define SOURCE_PORT_FIRST 49152
#define VXLAN_HEADER 0x08000000U
#define GENEVE_HEADER 0x6558U
#define GRE_HEADER 0x6558U
#define GRE_KEY_HEADER 0x20006558U

/*
 * Only "fragmentation needed" about UDP and GRE wakes us. A raw socket's filter sees the packet from the IP header on:
 * X = its length, then type, code, and the protocol in the header that is quoted 8 bytes further.
 */
static int filter_ipv4(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ICMP_DEST_UNREACH << 8 | ICMP_FRAG_NEEDED, 0,
			 4),
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, 8 + 9),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_GRE, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) < 0 ? -errno : 0;
}

static int filter_ipv6(int fd)
{
	struct icmp6_filter filter;

	ICMP6_FILTER_SETBLOCKALL(&filter);
	ICMP6_FILTER_SETPASS(ICMP6_PACKET_TOO_BIG, &filter);
	return setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter)) < 0 ? -errno
											 : 0;
}

int hd_told_open(bool is_v4)
{
	_close_ int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
				is_v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	int r;

	if (fd < 0)
		return -errno;
	r = is_v4 ? filter_ipv4(fd) : filter_ipv6(fd);
	if (r == 0 &&
	    setsockopt(fd, is_v4 ? IPPROTO_IP : IPPROTO_IPV6, is_v4 ? IP_PKTINFO : IPV6_RECVPKTINFO,
		       &(int){ 1 }, sizeof(int)) < 0)
		r = -errno;
	return r < 0 ? r : TAKE_FD(fd);
}

/* The device that a packet came in by; 0 if the kernel does not say. */
static uint32_t device_of(struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		struct in_pktinfo v4;
		struct in6_pktinfo v6;

		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&v4, CMSG_DATA(c), sizeof(v4));
			return (uint32_t)v4.ipi_ifindex;
		}
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&v6, CMSG_DATA(c), sizeof(v6));
			return v6.ipi6_ifindex;
		}
	}
	return 0;
}

int hd_told_read(int fd, bool is_v4, struct hd_told *ret)
{
	uint8_t data[ANSWER_MAX], control[256];
	struct iovec iov = { .iov_base = data, .iov_len = sizeof(data) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_TRUNC);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if ((size_t)n > sizeof(data) || !hd_told_parse(data, (size_t)n, is_v4, ret))
		return 0;
	ret->ifindex = device_of(&msg);
	return 1;
}

static uint16_t word16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t word32(const uint8_t *p)
{
	return (uint32_t)word16(p) << 16 | word16(p + 2);
}

/* RFC 1071 */
static bool checksum_is_right(const uint8_t *data, size_t len)
{
	uint32_t sum = len & 1 ? (uint32_t)data[len - 1] << 8 : 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += word16(data + i);
	sum = (sum & 0xffff) + (sum >> 16);
	return ((sum & 0xffff) + (sum >> 16)) == 0xffff;
}

static bool parse_udp(const uint8_t *udp, size_t len, struct hd_told *ret)
{
	if (len < 8 || word16(udp) < SOURCE_PORT_FIRST)
		return false;
	ret->port = word16(udp + 2);
	if (len < 16)
		return true; /* some quote no more than 8 bytes, as RFC 792 has it */
	if (word32(udp + 8) == VXLAN_HEADER)
		ret->type = HD_TUNNEL_VXLAN;
	else if (word32(udp + 8) == GENEVE_HEADER)
		ret->type = HD_TUNNEL_GENEVE;
	ret->id = word32(udp + 12) >> 8;
	return ret->type != HD_TUNNEL_NONE;
}

static bool parse_gre(const uint8_t *gre, size_t len, struct hd_told *ret)
{
	if (len < 8)
		return false;
	if (word32(gre) == GRE_HEADER) {
		ret->type = HD_TUNNEL_GRE;
		return true;
	}
	ret->type = HD_TUNNEL_GRE_KEY;
	ret->id = word32(gre + 4);
	return word32(gre) == GRE_KEY_HEADER;
}

static bool parse_quote(uint8_t proto, const uint8_t *data, size_t len, struct hd_told *ret)
{
	if (proto == IPPROTO_UDP)
		return parse_udp(data, len, ret);
	return proto == IPPROTO_GRE && parse_gre(data, len, ret);
}

/* IP (@data), ICMP, the IP header that is quoted (without options, and not to be cut: so we send them), and what was behind it. */
static bool parse_ipv4(const uint8_t *data, size_t len, struct hd_told *ret)
{
	size_t ihl = len ? (data[0] & 15) * 4U : 0;
	const uint8_t *icmp = data + ihl, *ip = icmp + 8;

	if (ihl < 20 || len < ihl + 8 + 20)
		return false;
	if (icmp[0] != ICMP_DEST_UNREACH || icmp[1] != ICMP_FRAG_NEEDED ||
	    !checksum_is_right(icmp, len - ihl))
		return false;
	if (ip[0] != 0x45 || word16(ip + 6) != 0x4000)
		return false;
	ret->mtu = word16(icmp + 6);
	if (ret->mtu < HD_TOLD_MIN_IPV4)
		ret->mtu = HD_TOLD_MIN_IPV4;
	ret->local[10] = ret->local[11] = ret->remote[10] = ret->remote[11] = 0xff;
	memcpy(ret->local + 12, ip + 12, 4);
	memcpy(ret->remote + 12, ip + 16, 4);
	return parse_quote(ip[9], ip + 20, len - ihl - 8 - 20, ret);
}

static bool parse_ipv6(const uint8_t *data, size_t len, struct hd_told *ret)
{
	const uint8_t *ip = data + 8;

	if (len < 8 + 40 || data[0] != ICMP6_PACKET_TOO_BIG || ip[0] >> 4 != 6)
		return false;
	ret->mtu = word32(data + 4);
	if (ret->mtu < HD_TOLD_MIN_IPV6)
		ret->mtu = HD_TOLD_MIN_IPV6;
	memcpy(ret->local, ip + 8, 16);
	memcpy(ret->remote, ip + 24, 16);
	return parse_quote(ip[6], ip + 40, len - 8 - 40, ret);
}

bool hd_told_parse(const uint8_t *data, size_t len, bool is_v4, struct hd_told *ret)
{
	struct hd_told told = { .is_v4 = is_v4 };

	if (!(is_v4 ? parse_ipv4(data, len, &told) : parse_ipv6(data, len, &told)))
		return false;
	*ret = told;
	return true;
}

bool hd_told_is_ours(const struct hd_told *told, const struct hd_model *model)
{
	hd_model_each(model, HD_NOUN_NETWORK, object) {
		const struct hd_network *network = &object->view.network;

		if (network->tunnel == HD_TUNNEL_NONE || network->tunnel_port != told->port)
			continue;
		if (told->type == HD_TUNNEL_NONE ||
		    (told->type == network->tunnel && told->id == network->tunnel_id))
			return true;
	}
	return false;
}

int64_t hd_told_lifetime_s(bool is_v4)
{
	_fclose_ FILE *file = fopen(is_v4 ? "/proc/sys/net/ipv4/route/mtu_expires"
					  : "/proc/sys/net/ipv6/route/mtu_expires",
				    "re");
	int s;

	return file && fscanf(file, "%d", &s) == 1 && s > 0 ? s : LIFETIME_S;
}
