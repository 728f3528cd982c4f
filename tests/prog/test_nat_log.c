// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* test_nat_log.c - what the log says of blocks of ports: as the datapath tells it, and as the tables have it when that was lost */
#include "tests/prog/natted.h"

#include <bpf/bpf.h>
#include <stdio.h>
#include <stdlib.h>

#include "sync/nat_log.h"

#define LOGGED (HD_END_SNAT | HD_END_NAT_LOG)
#define ROOM 128 /* events for which the ring of the fixture has room, at most */

/* A daemon with what it has said. @model: with the router of natted.h, which has a log */
struct scribe {
	struct fixture *f;
	struct hd_datapath dp;
	struct hd_model *model;
	struct hd_nat_log *log;
	char lines[64 * 1024];
	size_t n;
};

static void take_line(void *arg, const char *line)
{
	struct scribe *s = arg;
	size_t len = strlen(s->lines);

	(void)snprintf(s->lines + len, sizeof(s->lines) - len, "%s\n", line);
	s->n++;
}

static void forget_lines(struct scribe *s)
{
	s->lines[0] = '\0';
	s->n = 0;
}

static void log_is(struct scribe *s, bool on)
{
	model_put(
		s->model, HD_NOUN_ROUTER, "r1", ROUTER,
		on ? "{\"gateway\":{\"network\":\"ext\",\"ip\":\"198.51.100.1\",\"nat-log\":true}}"
		   : "{\"gateway\":{\"network\":\"ext\",\"ip\":\"198.51.100.1\"}}");
}

static struct scribe *scribe_of(struct fixture *f)
{
	struct scribe *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->f = f;
	s->dp = datapath_of(f);
	s->model = hd_model_new();
	assert_non_null(s->model);
	model_put(s->model, HD_NOUN_NETWORK, "ext", OUTSIDE,
		  "{\"type\":\"flat\",\"physical\":\"one\"}");
	log_is(s, true);
	assert_int_equal(hd_nat_log_open(&s->dp, take_line, s, &s->log), 0);
	hd_nat_log_read(s->log, s->model); /* of tests before */
	hd_nat_log_compare(s->log, s->model);
	forget_lines(s);
	return s;
}

static void scribe_free(struct scribe *s)
{
	hd_nat_log_close(s->log);
	hd_model_free(s->model);
	free(s);
}

static void asks(struct fixture *f, const struct host *who, uint16_t port)
{
	struct pkt p = to_router(udp4(who, &dan, port, 53));

	assert_int_equal(run_in(f, who->port, &p), REDIRECTED);
}

#define OF_ANN "router=r1 inside=192.0.2.10 outside=198.51.100.1 "
#define OF_CAT "router=r1 inside=192.0.2.12 outside=198.51.100.1 "

static void a_block_is_a_line(void **state)
{
	struct fixture *f = *state;
	struct hd_nat_user none = { 0 };
	struct scribe *s;

	natted_world(f, 3);
	gateway_set(f, ROUTER, GATE, LOGGED);
	s = scribe_of(f);
	for (uint16_t i = 0; i < 65; i++)
		asks(f, &ann, (uint16_t)(4000 + i));
	asks(f, &cat, 4000);
	hd_nat_log_read(s->log, s->model);
	assert_string_equal(s->lines, "nat-log: allocated " OF_ANN "ports=1088-1151\n"
				      "nat-log: allocated " OF_ANN "ports=1152-1215\n"
				      "nat-log: allocated " OF_CAT "ports=1216-1279\n");
	forget_lines(s);
	hd_nat_log_compare(s->log, s->model);
	assert_string_equal(s->lines, "");
	user_put(f, cat.v4, &none); /* as when the sweep takes it back */
	hd_nat_log_compare(s->log, s->model);
	assert_string_equal(s->lines, "nat-log: returned " OF_CAT "ports=1216-1279\n");
	scribe_free(s);
}

/* A block is said once, whether it is found in the tables or told first. */
static void found_before_it_is_told(void **state)
{
	struct fixture *f = *state;
	struct scribe *s;

	natted_world(f, 3);
	s = scribe_of(f);
	asks(f, &ann, 4000);
	hd_nat_log_read(s->log, s->model);
	assert_string_equal(s->lines, ""); /* the datapath tells nothing yet */
	hd_nat_log_compare(s->log, s->model);
	assert_string_equal(s->lines, "nat-log: held " OF_ANN "ports=1088-1151\n");
	gateway_set(f, ROUTER, GATE, LOGGED);
	asks(f, &cat, 4000);
	forget_lines(s);
	hd_nat_log_compare(s->log, s->model);
	assert_string_equal(s->lines, "nat-log: allocated " OF_CAT "ports=1152-1215\n");
	scribe_free(s);
}

static void nobody_asked_for_it(void **state)
{
	struct fixture *f = *state;
	struct scribe *s;

	natted_world(f, 3);
	gateway_set(f, ROUTER, GATE, LOGGED);
	s = scribe_of(f);
	log_is(s, false);
	asks(f, &ann, 4000);
	hd_nat_log_read(s->log, s->model);
	hd_nat_log_compare(s->log, s->model);
	assert_string_equal(s->lines, "");
	scribe_free(s);
}

/* Nobody reads: packets go on, what is lost is counted, and what of it is in use is found. */
static void ring_is_full(void **state)
{
	struct fixture *f = *state;
	struct hd_nat_user none = { 0 };
	struct scribe *s;

	fixture_resize(f, (struct sizes){ .endpoints = 4096, .new_flows = 4096 });
	natted_world(f, 2);
	gateway_set(f, ROUTER, GATE, LOGGED);
	s = scribe_of(f);
	for (uint16_t i = 0; i < ROOM + 20; i++) {
		user_put(f, ann.v4, &none);
		pool_set(f, GATE, (uint32_t)(BLOCK + i), 2, 0);
		asks(f, &ann, (uint16_t)(4000 + i));
	}
	hd_nat_log_read(s->log, s->model);
	assert_non_null(strstr(s->lines, "nat-log: lost events="));
	assert_non_null(
		strstr(s->lines, "nat-log: held " OF_ANN "ports=10496-10559\n")); /* 17 + 147 */
	assert_null(strstr(s->lines, "nat-log: allocated " OF_ANN "ports=10496-10559\n"));
	forget_lines(s);
	hd_nat_log_read(s->log, s->model);
	assert_string_equal(s->lines, ""); /* told once */
	asks(f, &cat, 4000);
	hd_nat_log_read(s->log, s->model);
	assert_string_equal(s->lines, "nat-log: allocated " OF_CAT "ports=10560-10623\n");
	scribe_free(s);
}

int nat_log_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_block_is_a_line),
		TEST(found_before_it_is_told),
		TEST(nobody_asked_for_it),
		TEST(ring_is_full),
	};

	return cmocka_run_group_tests_name("nat_log", tests, NULL, NULL);
}
