// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* main.c - all tests that send composed packets through the programs */
#include "tests/prog/fixture.h"

int main(void)
{
	int failed = 0;
	int status = world_setup();

	if (status)
		return status;
	failed += eth_tests();
	failed += learn_tests();
	failed += forward_tests();
	failed += flood_tests();
	failed += neigh_tests();
	failed += out_tests();
	failed += flow_tests();
	failed += tcp_tests();
	failed += icmp_tests();
	failed += group_tests();
	failed += source_tests();
	failed += frag_tests();
	failed += header_tests();
	failed += trace_tests();
	failed += vlan_tests();
	failed += tunnel_tests();
	failed += leg_tests();
	failed += onward_tests();
	failed += route_tests();
	failed += resolve_tests();
	failed += tell_tests();
	failed += firewall_tests();
	failed += nat_tests();
	failed += fip6_tests();
	failed += nat6_tests();
	failed += listen_tests();
	failed += nat_sweep_tests();
	failed += nat_log_tests();
	failed += nat_quota_tests();
	failed += nat_filter_tests();
	failed += limit_tests();
	failed += reason_tests(); /* last: it looks at what the others provoked */
	return failed != 0;
}
