// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* monitor.c - heddle monitor: events as they happen, until interrupted */
#include "cli/groups.h"
#include "loader/cleanup.h"

static int run(struct hd_cli *cli, struct hd_error *err);

static const struct hd_option options[] = {
	{ .name = "count",
	  .type = HD_TYPE_UINT,
	  .min = 1,
	  .max = UINT32_MAX,
	  .meta = "COUNT",
	  .help = "stop after so many events; also -n" },
};

static const struct hd_command commands[] = {
	{ .help = "events as they happen, a line for each",
	  .options = options,
	  .n_options = HD_COUNT(options),
	  .run = run },
};

const struct hd_group hd_group_monitor = {
	.word = "monitor",
	.help = "events as they happen",
	.commands = commands,
	.n_commands = HD_COUNT(commands),
};

struct watch {
	struct hd_out *out;
	json_int_t left; /* 0: no limit */
};

static void print_text(struct hd_out *out, const json_t *event)
{
	const char *detail = hd_text_at(event, "detail");

	hd_out_line(out, "%s  %-9s  %s %s%s%s", hd_text_at(event, "time"),
		    hd_text_at(event, "event"), hd_text_at(event, "noun"),
		    hd_text_at(event, "name"), detail[0] ? ": " : "", detail);
}

static void print_json(struct hd_out *out, const json_t *event)
{
	(void)json_dumpf(event, out->file, JSON_COMPACT | JSON_ENSURE_ASCII); /* fflush() tells */
	(void)fputc('\n', out->file);
}

/* Each line goes out at once; when nobody takes it there is no point in going on. */
static bool take_event(void *arg, const char *line)
{
	struct watch *watch = arg;
	_json_ json_t *event = json_loads(line, 0, NULL);

	if (!event)
		return true;
	if (watch->out->json)
		print_json(watch->out, event);
	else
		print_text(watch->out, event);
	if (fflush(watch->out->file))
		return false;
	return !watch->left || --watch->left;
}

static int run(struct hd_cli *cli, struct hd_error *err)
{
	struct watch watch = { .out = &cli->out, .left = hd_cli_number(cli, "count", 0) };

	return hd_client_stream(&cli->client, "/v1/events", take_event, &watch, err);
}
