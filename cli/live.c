// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * live.c - heddle trace --live: real packets with what was decided about them
 *
 * The daemon keeps what has come in a ring; it is asked for a few times a second. An interrupt ends it properly; who is
 * killed is found out by the daemon.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/trace.h"
#include "loader/cleanup.h"

enum { PAUSE_NS = 100 * 1000 * 1000, FULL_ANSWER = 200 };

static volatile sig_atomic_t is_interrupted;

static void interrupt(int signal)
{
	(void)signal;
	is_interrupted = 1;
}

/* Also wakes up from the pause: without SA_RESTART. */
static void catch_interrupts(void)
{
	struct sigaction action = { .sa_handler = interrupt };

	(void)sigaction(SIGINT, &action, NULL); /* can't fail for these */
	(void)sigaction(SIGTERM, &action, NULL);
}

static int post(struct hd_cli *cli, const char *path, const json_t *body, json_t **ret,
		struct hd_error *err)
{
	struct hd_request request = { .method = "POST", .path = path };
	_free_ char *text = json_dumps(body, JSON_COMPACT);

	if (!text)
		return hd_no_memory(err);
	request.body = text;
	request.len = strlen(text);
	return hd_client_call(&cli->client, &request, ret, err);
}

static int begin(struct hd_cli *cli, json_int_t *ret_id, struct hd_error *err)
{
	static const char *const filters[] = { "port", "network", "address", "protocol", "dport" };
	_json_ json_t *body = json_object();
	_json_ json_t *answer = NULL;
	int r;

	for (size_t i = 0; i < HD_COUNT(filters); i++) {
		_free_ char *value = hd_text_value(json_object_get(cli->options, filters[i]));

		if (value && value[0] && json_object_set_new(body, filters[i], json_string(value)))
			return hd_no_memory(err);
	}
	r = post(cli, "/v1/live", body, &answer, err);
	if (r)
		return r;
	*ret_id = json_integer_value(json_object_get(answer, "id"));
	return 0;
}

static void end(struct hd_cli *cli)
{
	struct hd_error unheard = { 0 };
	_json_ json_t *body = json_object();
	_json_ json_t *answer = NULL;

	(void)post(cli, "/v1/live/stop", body, &answer, &unheard); /* else it ends by itself */
}

/* ---- printing ---- */

static void print_text(struct hd_out *out, const json_t *packet)
{
	double at = json_number_value(json_object_get(packet, "time"));
	time_t seconds = (time_t)at;
	char text[16];
	struct tm tm;

	(void)strftime(text, sizeof(text), "%H:%M:%S", gmtime_r(&seconds, &tm));
	(void)fprintf(out->file, "%s.%06dZ  ", text, (int)((at - (double)seconds) * 1e6));
	hd_trace_print(out, packet);
}

static void print_packet(struct hd_out *out, const json_t *packet)
{
	if (!out->json) {
		print_text(out, packet);
		return;
	}
	(void)json_dumpf(packet, out->file, JSON_COMPACT | JSON_ENSURE_ASCII); /* fflush() tells */
	(void)fputc('\n', out->file);
}

/* ---- asking ---- */

/* @left: packets still to be shown, -1 = no limit. @lost: told last. */
struct looking {
	json_int_t id;
	json_int_t left;
	json_int_t lost;
};

static void tell_lost(struct looking *looking, const json_t *answer)
{
	json_int_t lost = json_integer_value(json_object_get(answer, "lost"));

	if (lost > looking->lost)
		(void)fprintf(stderr,
			      "heddle: %" JSON_INTEGER_FORMAT
			      " packets came too fast to be shown; a narrower filter helps\n",
			      lost - looking->lost);
	looking->lost = lost;
}

/* Returns how many came, or -errno. */
static int ask(struct hd_cli *cli, struct looking *looking, struct hd_error *err)
{
	_json_ json_t *answer = NULL;
	json_t *packets, *packet;
	char path[64];
	size_t i;
	int r;

	(void)snprintf(path, sizeof(path), "/v1/live?id=%" JSON_INTEGER_FORMAT, looking->id);
	r = hd_client_call(&cli->client, &(struct hd_request){ .method = "GET", .path = path },
			   &answer, err);
	if (r)
		return r;
	packets = json_object_get(answer, "packets");
	json_array_foreach(packets, i, packet) {
		if (!looking->left)
			break;
		print_packet(&cli->out, packet);
		looking->left -= looking->left > 0;
	}
	tell_lost(looking, answer);
	return (int)json_array_size(packets);
}

/* When nobody takes the lines there is no point in going on: hd_out_end() tells. */
int hd_trace_live(struct hd_cli *cli, struct hd_error *err)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	struct looking looking = { .left = hd_cli_number(cli, "count", -1) };
	int r;

	catch_interrupts();
	r = begin(cli, &looking.id, err);
	if (r)
		return r;
	if (!cli->out.json)
		(void)fprintf(stderr, "heddle: looking; interrupt to end\n");
	while (looking.left && !is_interrupted) {
		r = ask(cli, &looking, err);
		if (r < 0 || fflush(cli->out.file))
			break;
		if (r < FULL_ANSWER && looking.left)
			(void)nanosleep(&pause, NULL); /* cut short by an interrupt */
	}
	end(cli);
	return r < 0 && !is_interrupted ? r : 0;
}
