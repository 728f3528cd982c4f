// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* nat_flow.c - what the ends of flows are called outside; the datapath finds it in the same way (bpf/lib/nat.h) */
#include <bpf/bpf.h>
#include <string.h>

#include "flow_class.h"
#include "heddle/nat.h"
#include "sync/nat.h"
#include "sync/nat_name.h"

static uint32_t address_of(const struct hd_flow *flow, int side)
{
	uint32_t addr;

	memcpy(&addr, flow->addr[side] + 12, sizeof(addr));
	return addr;
}

static struct hd_ip ipv4(uint32_t addr)
{
	struct hd_ip ip = { .is_v4 = true,
			    .prefix = HD_PREFIX_NONE,
			    .bytes = { [10] = 0xff, 0xff } };

	memcpy(ip.bytes + 12, &addr, sizeof(addr));
	return ip;
}

/* Whether the other end of the flow is outside of its router. */
static bool is_seen_outside(const struct hd_datapath *dp, const struct hd_flow *flow, int side)
{
	struct hd_end_value end;

	return bpf_map_lookup_elem(dp->maps[HD_MAP_ENDS], &flow->router, &end) == 0 &&
	       end.ifindex && flow->hop[!side].network == end.ifindex;
}

static bool floating4(const struct hd_datapath *dp, const struct hd_flow *flow, int side,
		      struct hd_ip *ret)
{
	struct hd_fip_key key = { .zone = flow->router,
				  .addr = address_of(flow, side),
				  .dir = HD_NAT_OUT };
	struct hd_fip_value fip;

	if (bpf_map_lookup_elem(dp->maps[HD_MAP_FIPS], &key, &fip) < 0)
		return false;
	*ret = ipv4(fip.addr);
	return true;
}

static bool floating6(const struct hd_datapath *dp, const struct hd_flow *flow, int side,
		      struct hd_ip *ret)
{
	struct hd_fip6_key key = { .zone = flow->router, .dir = HD_NAT_OUT };
	struct hd_fip6_value fip;

	memcpy(key.addr, flow->addr[side], sizeof(key.addr));
	if (bpf_map_lookup_elem(dp->maps[HD_MAP_FIPS6], &key, &fip) < 0)
		return false;
	*ret = hd_ip_of_bytes(fip.addr);
	return true;
}

/* By its endpoint. */
static bool mapped(const struct hd_datapath *dp, const struct hd_flow *flow, int side,
		   struct hd_ip *ret_addr, uint16_t *ret_port)
{
	struct hd_nat_key key = { .zone = flow->router,
				  .addr = address_of(flow, side),
				  .port = flow->port[side],
				  .class = hd_flow_class(flow->proto),
				  .dir = HD_NAT_OUT };
	struct hd_nat_name_key name = { .router = flow->router };
	struct hd_nat_value nat;

	memcpy(name.addr, flow->addr[side], sizeof(name.addr));
	if (!flow->is_v4 && bpf_map_lookup_elem(dp->maps[HD_MAP_NAT_NAMES], &name, &key.addr) < 0)
		return false;
	if (bpf_map_lookup_elem(dp->maps[HD_MAP_NAT], &key, &nat) < 0)
		return false;
	*ret_addr = hd_nat_outside_ip(dp, flow->hop[!side].network, nat.addr);
	*ret_port = nat.port;
	return true;
}

/* Where the port forward of IPv6 listens, that the flow came by, if it is still there. */
static bool listens6(const struct hd_datapath *dp, const struct hd_flow *flow, int side,
		     struct hd_ip *ret)
{
	struct hd_nat6_key key = { .zone = flow->listen_addr,
				   .port = flow->port[side],
				   .class = hd_flow_class(flow->proto),
				   .dir = HD_NAT_OUT };
	struct hd_forward6_value forward;

	memcpy(key.addr, flow->addr[side], sizeof(key.addr));
	if (bpf_map_lookup_elem(dp->maps[HD_MAP_FORWARDS6], &key, &forward) < 0)
		return false;
	*ret = hd_ip_of_bytes(forward.addr);
	return true;
}

bool hd_nat_outside(const struct hd_datapath *dp, const struct hd_flow *flow, int side,
		    struct hd_ip *ret_addr, uint16_t *ret_port)
{
	*ret_addr = ipv4(flow->listen_addr);
	*ret_port = flow->listen_port;
	if (flow->listen_addr && side != (flow->value.opener & 1))
		return flow->is_v4 || listens6(dp, flow, side, ret_addr);
	*ret_port = flow->port[side];
	if (!flow->router || !is_seen_outside(dp, flow, side))
		return false;
	if (flow->is_v4 ? floating4(dp, flow, side, ret_addr) : floating6(dp, flow, side, ret_addr))
		return true;
	return mapped(dp, flow, side, ret_addr, ret_port);
}
