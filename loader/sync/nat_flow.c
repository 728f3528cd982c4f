// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* nat_flow.c - what the ends of flows are called outside; the datapath finds it in the same way (bpf/lib/nat.h) */
#include <bpf/bpf.h>
#include <string.h>

#include "flow_class.h"
#include "heddle/nat.h"
#include "sync/nat.h"

static uint32_t address_of(const struct hd_flow *flow, int side)
{
	uint32_t addr;

	memcpy(&addr, flow->addr[side] + 12, sizeof(addr));
	return addr;
}

/* Whether the other end of the flow is outside of its router. */
static bool is_seen_outside(const struct hd_datapath *dp, const struct hd_flow *flow, int side)
{
	struct hd_end_value end;

	return bpf_map_lookup_elem(dp->maps[HD_MAP_ENDS], &flow->router, &end) == 0 &&
	       end.ifindex && flow->hop[!side].network == end.ifindex;
}

bool hd_nat_outside(const struct hd_datapath *dp, const struct hd_flow *flow, int side,
		    uint32_t *ret_addr, uint16_t *ret_port)
{
	uint32_t addr = address_of(flow, side);
	struct hd_fip_key fip_key = { .zone = flow->router, .addr = addr, .dir = HD_NAT_OUT };
	struct hd_nat_key key = { .zone = flow->router,
				  .addr = addr,
				  .port = flow->port[side],
				  .class = hd_flow_class(flow->proto),
				  .dir = HD_NAT_OUT };
	struct hd_fip_value fip;
	struct hd_nat_value nat;

	*ret_addr = flow->listen_addr;
	*ret_port = flow->listen_port;
	if (flow->listen_addr && side != (flow->value.opener & 1))
		return true;
	*ret_port = flow->port[side];
	if (!flow->router || !flow->is_v4 || !is_seen_outside(dp, flow, side))
		return false;
	if (bpf_map_lookup_elem(dp->maps[HD_MAP_FIPS], &fip_key, &fip) == 0) {
		*ret_addr = fip.addr;
		return true;
	}
	if (bpf_map_lookup_elem(dp->maps[HD_MAP_NAT], &key, &nat) < 0)
		return false;
	*ret_addr = nat.addr;
	*ret_port = nat.port;
	return true;
}
