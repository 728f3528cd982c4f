// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* other.bpf.c - somebody else's XDP program on a device: lets all go on */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("xdp")
int others(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
