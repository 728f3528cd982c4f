// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* status.c - heddle status: is it well, on one screen */
#include <string.h>

#include "cli/groups.h"
#include "cli/url.h"
#include "loader/cleanup.h"

static int run(struct hd_cli *cli, struct hd_error *err);

static const struct hd_command commands[] = {
	{ .help = "whether all is well; exit status 8 when it is not", .run = run },
};

const struct hd_group hd_group_status = {
	.word = "status",
	.help = "whether all is well (the default)",
	.commands = commands,
	.n_commands = HD_COUNT(commands),
};

static const struct hd_column table_columns[] = {
	{ .title = "TABLE", .key = "name" },
	{ .title = "USED", .key = "used", .format = HD_FORMAT_NUMBER },
	{ .title = "SIZE", .key = "size", .format = HD_FORMAT_NUMBER },
};

static const struct hd_column uplink_columns[] = {
	{ .title = "UPLINK", .key = "name" },
	{ .title = "STATE", .key = "state" },
	{ .title = "MODE", .key = "mode-in-use" },
	{ .title = "NO-XDP", .key = "mode-reason", .flags = HD_COLUMN_SHRINK | HD_COLUMN_OPTIONAL },
};

static const struct hd_column peer_columns[] = {
	{ .title = "PEER", .key = "name", .flags = HD_COLUMN_SHRINK },
	{ .title = "STATE", .key = "state" },
	{ .title = "UPLINK", .key = "uplink" },
	{ .title = "NEXT-HOP", .key = "next-hop" },
	{ .title = "MTU", .key = "path-mtu", .format = HD_FORMAT_NUMBER },
	{ .title = "REASON", .key = "reason", .flags = HD_COLUMN_SHRINK | HD_COLUMN_OPTIONAL },
};

static const struct hd_column pool_columns[] = {
	{ .title = "NAT-POOL", .key = "ip" },
	{ .title = "NETWORK", .key = "network", .flags = HD_COLUMN_SHRINK },
	{ .title = "PORTS", .key = "ports", .format = HD_FORMAT_NUMBER },
	{ .title = "INSIDE", .key = "inside-addresses", .format = HD_FORMAT_NUMBER },
	{ .title = "BLOCKS", .key = "blocks", .format = HD_FORMAT_NUMBER },
	{ .title = "USED", .key = "used", .format = HD_FORMAT_NUMBER },
	{ .title = "RESTING", .key = "resting", .format = HD_FORMAT_NUMBER },
	{ .title = "FREE", .key = "free", .format = HD_FORMAT_NUMBER },
};

static const char *text_of(const json_t *status, const char *key)
{
	const char *text = json_string_value(json_object_get(status, key));

	return text ? text : "?";
}

/* "2 up, 1 down" of {"up": 2, "down": 1} */
static void print_counts(struct hd_out *out, const char *title, const json_t *counts)
{
	_free_ char *text = NULL;
	const char *key, *comma = "";
	json_t *value;
	size_t len;
	FILE *file = open_memstream(&text, &len);

	if (!file)
		return;
	json_object_foreach((json_t *)counts, key, value) {
		enum hd_format format = strstr(key, "bytes") ? HD_FORMAT_BYTES : HD_FORMAT_COUNT;
		_free_ char *number = hd_text_format(value, format);

		(void)fprintf(file, "%s%s %s", comma, number ? number : "?", key);
		comma = ", ";
	}
	(void)fclose(file); /* writes to memory */
	hd_out_line(out, "%-9s %s", title, text ? text : "?");
}

static void print_problems(struct hd_out *out, const json_t *problems)
{
	json_t *problem;
	size_t i;

	json_array_foreach(problems, i, problem) {
		const char *text = json_string_value(problem);

		hd_out_line(out, "problem   %s", text ? text : "?");
	}
}

static int print_part(struct hd_out *out, const struct hd_column *columns, size_t n,
		      const json_t *rows)
{
	if (!json_array_size(rows))
		return 0;
	hd_out_line(out, "%s", "");
	return hd_out_table(out, columns, n, rows);
}

static int print(struct hd_out *out, const json_t *status, struct hd_error *err)
{
	const json_t *tables = json_object_get(status, "tables");
	const json_t *uplinks = json_object_get(status, "uplinks");
	const json_t *peers = json_object_get(status, "peers");
	const json_t *pools = json_object_get(status, "nat-pools");
	_free_ char *uptime = hd_text_format(json_object_get(status, "uptime"), HD_FORMAT_SECONDS);
	_free_ char *pid = hd_text_value(json_object_get(status, "pid"));

	hd_out_line(out, "instance  %s: %s", text_of(status, "instance"), text_of(status, "state"));
	print_problems(out, json_object_get(status, "problems"));
	hd_out_line(out, "daemon    heddled %s, pid %s, up %s", text_of(status, "version"),
		    pid ? pid : "?", uptime ? uptime : "?");
	hd_out_line(out, "kernel    %s, attached by %s", text_of(status, "kernel"),
		    text_of(status, "attach"));
	print_counts(out, "objects", json_object_get(status, "objects"));
	print_counts(out, "ports", json_object_get(status, "ports"));
	print_counts(out, "counters", json_object_get(status, "counters"));
	if (print_part(out, uplink_columns, HD_COUNT(uplink_columns), uplinks) ||
	    print_part(out, peer_columns, HD_COUNT(peer_columns), peers) ||
	    print_part(out, pool_columns, HD_COUNT(pool_columns), pools) ||
	    print_part(out, table_columns, HD_COUNT(table_columns), tables))
		return hd_no_memory(err);
	return 0;
}

/* A degraded state is told by the text and the exit status; there is no error message to add. */
static int run(struct hd_cli *cli, struct hd_error *err)
{
	_json_ json_t *status = NULL;
	int r = hd_get(cli, "status", NULL, &status, err);

	if (r)
		return r;
	if (cli->out.json)
		hd_out_json(&cli->out, status);
	else
		r = print(&cli->out, status, err);
	if (!r && strcmp(text_of(status, "state"), "ok"))
		r = hd_error_set(err, HD_ERR_DEGRADED, "%s", "");
	return r;
}
