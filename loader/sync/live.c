// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* live.c - the datapath with a reporter in it, in the place of the datapath while somebody looks */
#include "sync/live.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "port.skel.h"
#include "sync/grace.h"
#include "uplink.skel.h"

/* @progs, @ids: what goes into the datapath at the next swap. @fn, @arg: of the reading under way. */
struct hd_live {
	struct port_bpf *skel;
	struct uplink_bpf *xdp;
	struct ring_buffer *ring;
	int progs[HD_PROG_COUNT];
	uint32_t ids[HD_PROG_COUNT];
	hd_live_fn fn;
	void *arg;
};

static int take_record(void *arg, void *data, size_t size)
{
	struct hd_live *live = arg;

	return size < sizeof(struct hd_live_packet) ? 0 : live->fn(live->arg, data);
}

static int take_progs(struct hd_live *live, const struct hd_datapath *dp)
{
	const struct bpf_program *progs[HD_PROG_COUNT] = {
		[HD_PROG_IN] = live->skel->progs.hd_port_in,
		[HD_PROG_OUT] = live->skel->progs.hd_port_out,
		[HD_PROG_UPLINK] = live->skel->progs.hd_uplink_in,
		[HD_PROG_UPLINK_OUT] = live->skel->progs.hd_uplink_out,
		[HD_PROG_UPLINK_OPENED] = live->skel->progs.hd_uplink_opened,
		[HD_PROG_UPLINK_XDP] = live->xdp->progs.hd_uplink_xdp,
	};

	memcpy(live->progs, dp->progs, sizeof(live->progs));
	memcpy(live->ids, dp->prog_ids, sizeof(live->ids));
	for (int i = 0; i < HD_PROG_COUNT; i++) {
		int r;

		if (!progs[i])
			continue;
		live->progs[i] = bpf_program__fd(progs[i]);
		r = hd_prog_id(live->progs[i], &live->ids[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

static void pin_path(const struct hd_datapath *dp, char path[300])
{
	(void)snprintf(path, 300, "%s/live-stages", dp->dir);
}

/*
 * The kernel empties a table of tail calls when nobody outside holds it any more, even while programs that use it still run: it must outlive a
 * daemon that is killed.
 */
static int pin_stages(const struct hd_live *live, const struct hd_datapath *dp)
{
	char path[300];

	hd_live_forget(dp);
	pin_path(dp, path);
	return bpf_obj_pin(bpf_map__fd(live->skel->maps.hd_stages), path) < 0 ? -errno : 0;
}

void hd_live_forget(const struct hd_datapath *dp)
{
	char path[300];

	pin_path(dp, path);
	(void)unlink(path); /* nearly always there is none */
}

static int load(struct hd_live *live, const struct hd_datapath *dp,
		const struct hd_live_filter *filter)
{
	uint32_t key = 0;
	int r = hd_datapath_load_again(dp, HD_TRACE_LIVE, false, &live->skel);

	if (r == 0)
		r = hd_datapath_load_xdp_again(dp, HD_TRACE_LIVE, live->skel, &live->xdp);
	if (r < 0)
		return r;
	if (bpf_map_update_elem(bpf_map__fd(live->skel->maps.hd_live_filter), &key, filter,
				BPF_ANY) < 0)
		return -errno;
	live->ring =
		ring_buffer__new(bpf_map__fd(live->skel->maps.hd_live), take_record, live, NULL);
	if (!live->ring)
		return -errno;
	r = pin_stages(live, dp);
	return r < 0 ? r : take_progs(live, dp);
}

int hd_live_open(const struct hd_datapath *dp, const struct hd_live_filter *filter,
		 struct hd_live **ret, struct hd_error *err)
{
	struct hd_live *live = calloc(1, sizeof(*live));
	int r;

	if (!live)
		return hd_error_set(err, HD_ERR_FAILED, "trace: no memory");
	r = load(live, dp, filter);
	if (r < 0) {
		hd_live_close(live);
		return hd_error_set(err, HD_ERR_FAILED, "trace: can't load the programs: %s",
				    strerror(-r));
	}
	*ret = live;
	return 0;
}

void hd_live_swap(struct hd_live *live, struct hd_datapath *dp)
{
	for (int i = 0; i < HD_PROG_COUNT; i++) {
		int prog = dp->progs[i];
		uint32_t id = dp->prog_ids[i];

		dp->progs[i] = live->progs[i];
		dp->prog_ids[i] = live->ids[i];
		live->progs[i] = prog;
		live->ids[i] = id;
	}
}

void hd_live_read(struct hd_live *live, hd_live_fn fn, void *arg)
{
	live->fn = fn;
	live->arg = arg;
	(void)ring_buffer__consume(live->ring); /* what fn did not want is read the next time */
}

uint64_t hd_live_lost(const struct hd_live *live)
{
	size_t cpus = (size_t)libbpf_num_possible_cpus();
	_free_ uint64_t *counts = calloc(cpus, sizeof(*counts));
	uint64_t sum = 0;
	uint32_t key = 0;

	if (!counts ||
	    bpf_map_lookup_elem(bpf_map__fd(live->skel->maps.hd_live_lost), &key, counts) < 0)
		return 0;
	for (size_t i = 0; i < cpus; i++)
		sum += counts[i];
	return sum;
}

/* Packets that are on their way through its programs still need its tail calls: that waits for an RCU grace period. */
void hd_live_close(struct hd_live *live)
{
	if (!live)
		return;
	hd_grace_wait();
	ring_buffer__free(live->ring);
	uplink_bpf__destroy(live->xdp);
	port_bpf__destroy(live->skel);
	free(live);
}
