// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* trace.c - heddle trace: what would happen to this packet, and who decides it */
#include <errno.h>
#include <string.h>

#include "cli/explain.h"
#include "cli/file.h"
#include "cli/groups.h"
#include "cli/rule.h"
#include "cli/trace.h"
#include "loader/cleanup.h"

static int run(struct hd_cli *cli, struct hd_error *err);

static const struct hd_option options[] = {
	{ .name = "port",
	  .type = HD_TYPE_NAME,
	  .meta = "PORT",
	  .refers = "port",
	  .help = "the port whose workload sends it; with --live, one that it comes from or goes to" },
	HD_OPTION_FILE(0, "as if this file were applied: "),
	{ .name = "live",
	  .type = HD_TYPE_FLAG,
	  .help = "show real packets instead, those that match all of:" },
	{ .name = "network",
	  .type = HD_TYPE_NAME,
	  .meta = "NET",
	  .refers = "network",
	  .help = "the network that it is in" },
	{ .name = "address",
	  .type = HD_TYPE_IP,
	  .meta = "IP",
	  .help = "the address of either end" },
	{ .name = "protocol",
	  .type = HD_TYPE_PROTOCOL,
	  .meta = "NAME|N",
	  .help = "tcp, udp, icmp, ... or a number" },
	{ .name = "dport",
	  .type = HD_TYPE_UINT,
	  .max = 65535,
	  .meta = "N",
	  .help = "the port number of either end" },
	{ .name = "count",
	  .type = HD_TYPE_UINT,
	  .min = 1,
	  .max = UINT32_MAX,
	  .meta = "COUNT",
	  .help = "with --live, stop after so many; also -n" },
};

static const struct hd_command commands[] = {
	{ .help = "send a packet through the real programs, without effect, and tell what they do",
	  .args = "[PACKET]",
	  .max_args = 1,
	  .options = options,
	  .n_options = HD_COUNT(options),
	  .run = run },
};

const struct hd_group hd_group_trace = {
	.word = "trace",
	.help = "what would happen to a packet, and which rule decides",
	.commands = commands,
	.n_commands = HD_COUNT(commands),
};

/* ---- the steps ---- */

static unsigned int wider(unsigned int width, const json_t *step, const char *key)
{
	size_t len = strlen(hd_text_at(step, key));

	return len > width ? (unsigned int)len : width;
}

static void print_steps(struct hd_out *out, const json_t *steps)
{
	unsigned int stage = 0, what = 0;
	const json_t *step;
	size_t i;

	json_array_foreach(steps, i, step) {
		stage = wider(stage, step, "stage");
		what = wider(what, step, "what");
	}
	json_array_foreach(steps, i, step) {
		const char *detail = hd_text_at(step, "detail");

		hd_out_line(out, "  %-*s  %-*s%s%s", (int)stage, hd_text_at(step, "stage"),
			    detail[0] ? (int)what : 0, hd_text_at(step, "what"),
			    detail[0] ? "  " : "", detail);
	}
}

/* ---- the verdict ---- */

/* "web1, web2" */
static char *ports_text(const json_t *ports)
{
	const json_t *port;
	char *text = NULL;
	size_t len, i;
	FILE *file = open_memstream(&text, &len);

	if (!file)
		return NULL;
	json_array_foreach(ports, i, port) {
		const char *name = json_string_value(port);

		(void)fprintf(file, "%s%s", i ? ", " : "", name ? name : "?");
	}
	(void)fclose(file); /* writes to memory */
	return text;
}

static void print_rule(struct hd_out *out, const json_t *rule);

/* The stage that had the last word, and the port that it worked for. */
static void print_drop(struct hd_out *out, const json_t *trace)
{
	const json_t *steps = json_object_get(trace, "steps");
	const json_t *last = json_array_get(steps, json_array_size(steps) - 1);
	const char *to = json_string_value(json_array_get(json_object_get(trace, "to"), 0));
	const char *name = hd_text_at(trace, "reason");
	const struct hd_reason_text *reason = hd_reason_find(name);

	hd_out_line(out, "verdict: dropped at port %s (stage %s): %s%s%s",
		    to ? to : hd_text_at(trace, "port"), hd_text_at(last, "stage"), name,
		    reason ? ": " : "", reason ? reason->sentence : "");
	if (json_object_get(json_object_get(trace, "rule"), "firewall"))
		print_rule(out, json_object_get(trace, "rule"));
	if (reason)
		hd_out_line(out, "hint: %s", reason->remedy);
}

/* The last one that allowed it; of a drop the rule of a firewall: those of groups drop nothing, so for a drop they would mislead. */
static void print_rule(struct hd_out *out, const json_t *rule)
{
	_free_ char *text = json_is_object(rule) ? hd_rule_ref_text(rule) : NULL;

	if (text)
		hd_out_line(out, "rule: %s", text);
}

void hd_trace_print(struct hd_out *out, const json_t *trace)
{
	const char *port = hd_text_at(trace, "port");
	const json_t *to = json_object_get(trace, "to");
	const char *verdict = hd_text_at(trace, "verdict");
	_free_ char *ports = ports_text(to);

	hd_out_line(out, "%s from %s%s", hd_text_at(trace, "packet"),
		    port[0] ? "port " : "the host", port);
	print_steps(out, json_object_get(trace, "steps"));
	if (!strcmp(verdict, "dropped")) {
		print_drop(out, trace);
		return;
	}
	print_rule(out, json_object_get(trace, "rule"));
	hd_out_line(out, "verdict: %s%s%s", verdict, json_array_size(to) ? " to " : "",
		    ports ? ports : "?");
}

/* ---- the request ---- */

static int add_file(struct hd_cli *cli, json_t *body, struct hd_error *err)
{
	_free_ char *text = NULL;
	json_t *value;
	size_t len;
	int r = hd_cli_read_file(cli, &text, &len, err);

	if (r)
		return r;
	value = json_stringn(text, len);
	if (!value)
		return hd_error_set(err, HD_ERR_INVALID, "%s is not UTF-8", cli->file);
	return json_object_set_new(body, "file", value) ? hd_no_memory(err) : 0;
}

static int make_body(struct hd_cli *cli, char **ret, struct hd_error *err)
{
	_json_ json_t *body = NULL;
	int r;

	body = json_pack("{s:O, s:s}", "port", json_object_get(cli->options, "port"), "packet",
			 cli->args[0]);
	if (!body)
		return hd_error_set(err, HD_ERR_INVALID, "trace: the packet is not UTF-8");
	r = cli->file ? add_file(cli, body, err) : 0;
	if (r)
		return r;
	*ret = json_dumps(body, JSON_COMPACT);
	return *ret ? 0 : hd_no_memory(err);
}

static int run_once(struct hd_cli *cli, struct hd_error *err)
{
	struct hd_request request = { .method = "POST", .path = "/v1/trace" };
	_json_ json_t *trace = NULL;
	_free_ char *body = NULL;
	int r = make_body(cli, &body, err);

	if (r)
		return r;
	request.body = body;
	request.len = strlen(body);
	r = hd_client_call(&cli->client, &request, &trace, err);
	if (r)
		return r;
	if (cli->out.json)
		hd_out_json(&cli->out, trace);
	else
		hd_trace_print(&cli->out, trace);
	return 0;
}

/* Which options go together depends on --live. */
static int check(const struct hd_cli *cli, struct hd_error *err)
{
	static const char *const filters[] = { "network", "address", "protocol", "dport", "count" };

	if (hd_cli_flag(cli, "live"))
		return cli->n_args || cli->file
			       ? hd_error_set(err, HD_ERR_USAGE,
					      "trace: with --live real packets are shown: no "
					      "PACKET and no --file")
			       : 0;
	for (size_t i = 0; i < HD_COUNT(filters); i++)
		if (json_object_get(cli->options, filters[i]))
			return hd_error_set(err, HD_ERR_USAGE, "trace: --%s needs --live",
					    filters[i]);
	if (!json_object_get(cli->options, "port"))
		return hd_error_set(err, HD_ERR_USAGE, "trace: --port is missing");
	return cli->n_args ? 0 : hd_error_set(err, HD_ERR_USAGE, "trace: PACKET is missing");
}

/* A drop is an answer, not a failure. */
static int run(struct hd_cli *cli, struct hd_error *err)
{
	int r = check(cli, err);

	if (r)
		return r;
	return hd_cli_flag(cli, "live") ? hd_trace_live(cli, err) : run_once(cli, err);
}
