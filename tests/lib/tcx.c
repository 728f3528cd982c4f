// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* tcx.c - tcx PROG-PIN DEVICE ingress|egress LINK-PIN: attach a pinned program as tcx link, which bpftool 7.1 can't */
#include <bpf/bpf.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* linux/bpf.h of 6.6 */
#define TCX_INGRESS 46
#define TCX_EGRESS 47

int main(int argc, char *argv[])
{
	int prog, link;

	if (argc != 5)
		return 2;
	prog = bpf_obj_get(argv[1]);
	if (prog < 0) {
		perror(argv[1]);
		return 1;
	}
	link = bpf_link_create(prog, (int)if_nametoindex(argv[2]),
			       strcmp(argv[3], "ingress") ? TCX_EGRESS : TCX_INGRESS, NULL);
	if (link < 0) {
		perror("bpf_link_create");
		return 4; /* a kernel before 6.6 */
	}
	if (bpf_obj_pin(link, argv[4]) < 0) {
		perror(argv[4]);
		return 1;
	}
	return 0;
}
