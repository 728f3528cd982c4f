// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* count.bpf.c - somebody else's program on a device: counts what it sees, and lets it go on */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} seen SEC(".maps");

SEC("tc")
int count(struct __sk_buff *ctx)
{
	__u32 zero = 0;
	__u64 *packets = bpf_map_lookup_elem(&seen, &zero);

	if (packets)
		__sync_fetch_and_add(packets, 1);
	return -1; /* TC_ACT_UNSPEC, TCX_NEXT */
}

char _license[] SEC("license") = "Dual BSD/GPL";
