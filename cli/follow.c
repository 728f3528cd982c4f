// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * follow.c - heddle drops --follow: what is dropped from second to second
 *
 * The daemon only has totals. They are asked for once a second; rates are made with the time that
 * really went by.
 */
#include "cli/follow.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "cli/rule.h"
#include "cli/url.h"
#include "loader/cleanup.h"

enum { NS_PER_S = 1000000000 };

static json_int_t number_at(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* ---- the difference ---- */

/* No name holds a blank. */
static char *key_of(const json_t *drop)
{
	const json_t *rule = json_object_get(drop, "rule");
	char *key;

	return asprintf(&key, "%s %s %s %" JSON_INTEGER_FORMAT, hd_text_at(drop, "reason"),
			hd_text_at(drop, "port"), hd_text_at(drop, "stage"),
			number_at(rule, "id")) < 0
		       ? NULL
		       : key;
}

static json_t *index_drops(const json_t *drops)
{
	json_t *index = json_object();
	json_t *drop;
	size_t i;

	json_array_foreach(drops, i, drop) {
		_free_ char *key = key_of(drop);

		if (key && !json_object_set(index, key, drop))
			continue;
		json_decref(index);
		return NULL;
	}
	return index;
}

static json_int_t grown(const json_t *was, const json_t *is, const char *key)
{
	json_int_t before = number_at(was, key), after = number_at(is, key);

	return after >= before ? after - before : after;
}

static json_int_t rate(json_int_t n, double seconds)
{
	return seconds > 0 ? (json_int_t)((double)n / seconds + 0.5) : 0;
}

/* Appends nothing if nothing was dropped. */
static int append_rate(json_t *rates, const json_t *was, const json_t *is, double seconds)
{
	json_int_t packets = grown(was, is, "packets"), bytes = grown(was, is, "bytes");
	json_t *rule = json_object_get(is, "rule"), *drop;

	if (!packets)
		return 0;
	drop = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I}", "reason", hd_text_at(is, "reason"),
			 "port", hd_text_at(is, "port"), "stage", hd_text_at(is, "stage"),
			 "packets", packets, "bytes", bytes, "packets-per-second",
			 rate(packets, seconds), "bytes-per-second", rate(bytes, seconds));
	if (rule && json_object_set(drop, "rule", rule)) {
		json_decref(drop);
		return -ENOMEM;
	}
	return json_array_append_new(rates, drop);
}

json_t *hd_drops_rates(const json_t *before, const json_t *after, double seconds)
{
	_json_ json_t *index = index_drops(before);
	_json_ json_t *rates = json_array();
	json_t *drop;
	size_t i;

	if (!index || !rates)
		return NULL;
	json_array_foreach(after, i, drop) {
		_free_ char *key = key_of(drop);

		if (!key || append_rate(rates, json_object_get(index, key), drop, seconds))
			return NULL;
	}
	return TAKE_PTR(rates);
}

/* ---- printing ---- */

enum { REASON_WIDTH = 20, PORT_WIDTH = 16, STAGE_WIDTH = 9, RATE_WIDTH = 9 };

static void print_header(struct hd_out *out)
{
	hd_out_line(out, "%-20s  %-*s  %-*s  %-*s  %*s  %*s", "TIME", REASON_WIDTH, "REASON",
		    PORT_WIDTH, "PORT", STAGE_WIDTH, "STAGE", RATE_WIDTH, "PACKETS/S", RATE_WIDTH,
		    "BYTES/S");
}

static void print_text(struct hd_out *out, const json_t *drop)
{
	_free_ char *packets =
		hd_text_format(json_object_get(drop, "packets-per-second"), HD_FORMAT_COUNT);
	_free_ char *bytes =
		hd_text_format(json_object_get(drop, "bytes-per-second"), HD_FORMAT_BYTES);
	const json_t *rule = json_object_get(drop, "rule");
	_free_ char *by = rule ? hd_rule_ref_text(rule) : NULL;
	const char *port = hd_text_at(drop, "port");

	hd_out_line(out, "%s  %-*s  %-*s  %-*s  %*s  %*s%s%s", hd_text_at(drop, "time"),
		    REASON_WIDTH, hd_text_at(drop, "reason"), PORT_WIDTH, port[0] ? port : "-",
		    STAGE_WIDTH, hd_text_at(drop, "stage"), RATE_WIDTH, packets ? packets : "?",
		    RATE_WIDTH, bytes ? bytes : "?", by ? "  rule " : "", by ? by : "");
}

static void print_json(struct hd_out *out, const json_t *drop)
{
	(void)json_dumpf(drop, out->file, JSON_COMPACT | JSON_ENSURE_ASCII); /* fflush() tells */
	(void)fputc('\n', out->file);
}

static int print_rates(struct hd_out *out, const json_t *rates)
{
	time_t now = time(NULL);
	struct tm tm;
	char text[32];
	json_t *drop;
	size_t i;

	(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
	json_array_foreach(rates, i, drop) {
		_json_ json_t *line = json_pack("{s:s}", "time", text);

		if (!line || json_object_update(line, drop))
			return -ENOMEM;
		if (out->json)
			print_json(out, line);
		else
			print_text(out, line);
	}
	return 0;
}

/* ---- once a second ---- */

/* One answer, and when it came. */
struct sample {
	json_t *drops;
	struct timespec at;
};

static void sample_done(struct sample *sample)
{
	json_decref(sample->drops);
}

static int take_sample(const struct hd_cli *cli, struct sample *ret, struct hd_error *err)
{
	int r = hd_get(cli, "drops", NULL, &ret->drops, err);

	(void)clock_gettime(CLOCK_MONOTONIC, &ret->at); /* that clock is always there */
	return r;
}

static double seconds_between(const struct timespec *from, const struct timespec *to)
{
	return (double)(to->tv_sec - from->tv_sec) +
	       (double)(to->tv_nsec - from->tv_nsec) / NS_PER_S;
}

/* Until the next full second after the start, so that slow answers don't add up. */
static void wait_until(const struct timespec *at)
{
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, at, NULL) == EINTR)
		;
}

/* The new sample takes the place of the old one. */
static int follow_once(struct hd_cli *cli, struct sample *sample, struct hd_error *err)
{
	struct sample next CLEANUP(sample_done) = {};
	_json_ json_t *rates = NULL;
	struct sample old;
	int r = take_sample(cli, &next, err);

	if (r)
		return r;
	rates = hd_drops_rates(sample->drops, next.drops, seconds_between(&sample->at, &next.at));
	if (!rates || print_rates(&cli->out, rates))
		return hd_no_memory(err);
	old = *sample, *sample = next, next = old;
	return 0;
}

/* When nobody takes the lines there is no point in going on: hd_out_end() tells. */
int hd_drops_follow(struct hd_cli *cli, struct hd_error *err)
{
	json_int_t left = hd_cli_number(cli, "count", -1);
	struct sample sample CLEANUP(sample_done) = {};
	int r = take_sample(cli, &sample, err);
	struct timespec at = sample.at;

	if (!r && !cli->out.json)
		print_header(&cli->out);
	while (!r && !fflush(cli->out.file) && left) {
		at.tv_sec++;
		wait_until(&at);
		r = follow_once(cli, &sample, err);
		left -= left > 0;
	}
	return r;
}
