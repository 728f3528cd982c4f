/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* handlers.h - inside api/: one function for each kind of request; docs/api.md says what they answer */
#pragma once

#include "daemon.h"

/*
 * Each returns 0 with @ret a new reference, or -errno with @err. @rest is what follows the noun in the path, without a leading
 * slash; "" if there is nothing.
 */
typedef int (*hd_handler)(struct hd_daemon *daemon, const struct hd_http_request *req,
			  const char *rest, json_t **ret, struct hd_error *err);

/* objects.c */
int hd_api_get(struct hd_daemon *daemon, const struct hd_noun *noun,
	       const struct hd_http_request *req, const char *name, json_t **ret,
	       struct hd_error *err);
int hd_api_add(struct hd_daemon *daemon, const struct hd_noun *noun,
	       const struct hd_http_request *req, json_t **ret, struct hd_error *err);
int hd_api_set(struct hd_daemon *daemon, const struct hd_noun *noun,
	       const struct hd_http_request *req, const char *name, json_t **ret,
	       struct hd_error *err);
int hd_api_del(struct hd_daemon *daemon, const struct hd_noun *noun,
	       const struct hd_http_request *req, const char *name, json_t **ret,
	       struct hd_error *err);

/** hd_api_commit - put an object with these options in the place of the old one, NULL: remove it; a change */
int hd_api_commit(struct hd_daemon *daemon, const struct hd_noun *noun,
		  const struct hd_http_request *req, const char *name, json_t *spec, json_t **ret,
		  struct hd_error *err);

/** hd_api_no_change - the change that has nothing in it; new reference */
json_t *hd_api_no_change(const struct hd_http_request *req);

/* inside.c: what stands in a list inside an object, one by one; @rest is "NAME/OPTION" or "NAME/OPTION/ID" */
bool hd_api_is_inside(const struct hd_noun *noun, const char *rest);
int hd_api_inside(struct hd_daemon *daemon, const struct hd_noun *noun,
		  const struct hd_http_request *req, const char *rest, json_t **ret,
		  struct hd_error *err);
json_t *hd_api_show_rules(struct hd_daemon *daemon, const struct hd_object *group);

/* flows.c, trace.c */
int hd_api_flows(struct hd_daemon *daemon, const struct hd_http_request *req, char **ret_text,
		 struct hd_error *err);
int hd_api_flows_flush(struct hd_daemon *daemon, const struct hd_http_request *req,
		       const char *rest, json_t **ret, struct hd_error *err);
int hd_api_trace(struct hd_daemon *daemon, const struct hd_http_request *req, const char *rest,
		 json_t **ret, struct hd_error *err);

/** hd_api_tell - steps in words: an object with steps, verdict, to, reason and rule; names are those of @model */
json_t *hd_api_tell(struct hd_model *model, const struct hd_trace_record *records, size_t n);

/** hd_api_rule_ref - a rule as others name it: {"group" or "firewall": its owner, "id"} */
json_t *hd_api_rule_ref(const struct hd_object *owner, uint32_t rule);

/* live.c: real packets as they come */
int hd_api_live_begin(struct hd_daemon *daemon, const struct hd_http_request *req, const char *rest,
		      json_t **ret, struct hd_error *err);
int hd_api_live_read(struct hd_daemon *daemon, const struct hd_http_request *req, const char *rest,
		     json_t **ret, struct hd_error *err);

/** hd_api_live_end - put the datapath's own programs back; nothing to do if nobody looks */
void hd_api_live_end(struct hd_daemon *daemon);

/* show.c: an object as people see it, with defaults and what is known at run time */
json_t *hd_api_show(struct hd_daemon *daemon, const struct hd_object *object);
json_t *hd_api_counters(const struct hd_counters *counters);

/* nat.c: @router: of this one alone, NULL: of all */
json_t *hd_api_nat_pools(struct hd_daemon *daemon, const struct hd_object *router);

/** hd_api_nat_problems - add a sentence for each pool that is nearly used up */
void hd_api_nat_problems(const json_t *pools, json_t *problems);

/** hd_api_quota_problems - the same for each router that has nearly as many ports as it may */
void hd_api_quota_problems(struct hd_daemon *daemon, json_t *problems);

/* entries.c: the FDB and the neighbours, which are more than what is configured */
int hd_api_fdb(struct hd_daemon *daemon, const struct hd_http_request *req, const char *name,
	       json_t **ret, struct hd_error *err);
int hd_api_neighbours(struct hd_daemon *daemon, const struct hd_http_request *req, const char *name,
		      json_t **ret, struct hd_error *err);
int hd_api_fdb_flush(struct hd_daemon *daemon, const struct hd_http_request *req, json_t **ret,
		     struct hd_error *err);
int hd_api_neighbours_flush(struct hd_daemon *daemon, const struct hd_http_request *req,
			    json_t **ret, struct hd_error *err);

/* whole.c: the whole desired state at once */
int hd_api_apply(struct hd_daemon *daemon, const struct hd_http_request *req, const char *rest,
		 json_t **ret, struct hd_error *err);

/** hd_api_candidate - the model that a file would make, validated, ids assigned; nothing is changed. To be freed. */
int hd_api_candidate(struct hd_daemon *daemon, const char *text, size_t len, struct hd_model **ret,
		     struct hd_error *err);
int hd_api_validate(struct hd_daemon *daemon, const struct hd_http_request *req, const char *rest,
		    json_t **ret, struct hd_error *err);
int hd_api_export(struct hd_daemon *daemon, const struct hd_http_request *req, const char *rest,
		  json_t **ret, struct hd_error *err);
int hd_api_purge(struct hd_daemon *daemon, const struct hd_http_request *req, const char *rest,
		 json_t **ret, struct hd_error *err);

/* look.c: how it is going */
int hd_api_status(struct hd_daemon *daemon, const struct hd_http_request *req, const char *rest,
		  json_t **ret, struct hd_error *err);
int hd_api_stats(struct hd_daemon *daemon, const struct hd_http_request *req, const char *rest,
		 json_t **ret, struct hd_error *err);
int hd_api_drops(struct hd_daemon *daemon, const struct hd_http_request *req, const char *rest,
		 json_t **ret, struct hd_error *err);
int hd_api_reasons(struct hd_daemon *daemon, const struct hd_http_request *req, const char *rest,
		   json_t **ret, struct hd_error *err);

/** hd_api_flag - whether a query parameter is "1" */
bool hd_api_flag(const struct hd_http_request *req, const char *key);

/** hd_api_body - the body as a JSON object; new reference */
int hd_api_body(const struct hd_http_request *req, json_t **ret, struct hd_error *err);

/** hd_api_no_such - "NOUN NAME: does not exist", with a hint */
int hd_api_no_such(const struct hd_noun *noun, const char *name, struct hd_error *err);

/** hd_api_named_id - id of the network or port named by @name; 0 if @name is NULL; -ENOENT with @err */
int hd_api_named_id(struct hd_daemon *daemon, enum hd_noun_id noun, const char *name, uint32_t *ret,
		    struct hd_error *err);
