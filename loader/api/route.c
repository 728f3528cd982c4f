// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* route.c - which request goes where */
#include <errno.h>
#include <string.h>

#include "api/handlers.h"

static const struct {
	const char *method;
	const char *word;
	hd_handler handler;
} routes[] = {
	{ "POST", "apply", hd_api_apply },	 { "POST", "validate", hd_api_validate },
	{ "GET", "export", hd_api_export },	 { "POST", "purge", hd_api_purge },
	{ "GET", "status", hd_api_status },	 { "GET", "stats", hd_api_stats },
	{ "GET", "drops", hd_api_drops },	 { "GET", "reasons", hd_api_reasons },
	{ "POST", "flows", hd_api_flows_flush }, { "POST", "trace", hd_api_trace },
	{ "POST", "live", hd_api_live_begin },	 { "GET", "live", hd_api_live_read },
};

static bool is(const char *a, const char *b)
{
	return !strcmp(a, b);
}

static int wrong_method(const struct hd_http_request *req, struct hd_error *err)
{
	return hd_error_set(err, HD_ERR_USAGE, "%s %s: this method is not for this path",
			    req->method, req->path);
}

static int handle_noun(struct hd_daemon *daemon, const struct hd_noun *noun,
		       const struct hd_http_request *req, const char *name, json_t **ret,
		       struct hd_error *err)
{
	if (hd_api_is_inside(noun, name))
		return hd_api_inside(daemon, noun, req, name, ret, err);
	if (is(req->method, "GET"))
		return hd_api_get(daemon, noun, req, name, ret, err);
	if (is(req->method, "POST") && noun->id == HD_NOUN_FDB && is(name, "flush"))
		return hd_api_fdb_flush(daemon, req, ret, err);
	if (is(req->method, "POST") && noun->id == HD_NOUN_NEIGHBOUR && is(name, "flush"))
		return hd_api_neighbours_flush(daemon, req, ret, err);
	if (is(req->method, "POST") && !*name)
		return hd_api_add(daemon, noun, req, ret, err);
	if (is(req->method, "PATCH") && *name)
		return hd_api_set(daemon, noun, req, name, ret, err);
	if (is(req->method, "DELETE") && *name)
		return hd_api_del(daemon, noun, req, name, ret, err);
	return wrong_method(req, err);
}

static int handle_word(struct hd_daemon *daemon, const char *word,
		       const struct hd_http_request *req, const char *rest, json_t **ret,
		       struct hd_error *err)
{
	bool known = false;

	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (!is(routes[i].word, word))
			continue;
		if (is(routes[i].method, req->method))
			return routes[i].handler(daemon, req, rest, ret, err);
		known = true;
	}
	if (known)
		return wrong_method(req, err);
	hd_error_set(err, HD_ERR_NOT_FOUND, "%s: there is no such path", req->path);
	hd_error_hint(err, "docs/api.md lists them");
	return -ENOENT;
}

/* "/v1/WORD/REST" into WORD and REST. */
static bool split(const char *path, char word[32], const char **ret_rest)
{
	const char *start = path + strlen("/v1/"), *slash;
	size_t len;

	if (strncmp(path, "/v1/", strlen("/v1/")))
		return false;
	slash = strchr(start, '/');
	len = slash ? (size_t)(slash - start) : strlen(start);
	if (!len || len >= 32)
		return false;
	memcpy(word, start, len);
	word[len] = '\0';
	*ret_rest = slash ? slash + 1 : "";
	return true;
}

static int handle(struct hd_daemon *daemon, const struct hd_http_request *req, json_t **ret,
		  struct hd_error *err)
{
	const char *rest = "";
	char word[32] = "";

	if (split(req->path, word, &rest))
		for (size_t i = 0; i < HD_NOUN_COUNT; i++)
			if (is(hd_nouns[i].plural, word))
				return handle_noun(daemon, &hd_nouns[i], req, rest, ret, err);
	return handle_word(daemon, word, req, rest, ret, err);
}

void hd_daemon_handle(void *arg, const struct hd_http_request *req, struct hd_http_reply *reply)
{
	struct hd_daemon *daemon = arg;
	struct hd_error err = { 0 };

	if (daemon->is_purged) {
		hd_error_set(&err, HD_ERR_FAILED, "purged: nothing is left, heddled is leaving");
		hd_http_error(reply, &err);
		return;
	}
	if (is(req->method, "GET") && is(req->path, "/v1/events")) {
		reply->stream = true;
		return;
	}
	if (is(req->method, "GET") && is(req->path, "/v1/flows")) {
		if (hd_api_flows(daemon, req, &reply->text, &err) < 0)
			hd_http_error(reply, &err);
		return;
	}
	if (handle(daemon, req, &reply->json, &err) < 0)
		hd_http_error(reply, &err);
	else if (is(req->method, "POST") && hd_noun_find(req->path + strlen("/v1/")))
		reply->status = 201;
}

bool hd_api_flag(const struct hd_http_request *req, const char *key)
{
	const char *value = hd_http_query(req, key);

	return value && is(value, "1");
}

int hd_api_body(const struct hd_http_request *req, json_t **ret, struct hd_error *err)
{
	json_error_t where;
	json_t *body = json_loadb(req->body, req->body_len, JSON_REJECT_DUPLICATES, &where);

	if (!body)
		return hd_error_set(err, HD_ERR_USAGE, "request body: line %d: %s", where.line,
				    where.text);
	if (!json_is_object(body)) {
		json_decref(body);
		return hd_error_set(err, HD_ERR_USAGE, "request body: not a JSON object");
	}
	*ret = body;
	return 0;
}

int hd_api_no_such(const struct hd_noun *noun, const char *name, struct hd_error *err)
{
	hd_error_set(err, HD_ERR_NOT_FOUND, "%s %s: does not exist", noun->name, name);
	hd_error_object(err, noun->name, name);
	hd_error_hint(err, "'heddle %s list' shows what there is", noun->name);
	return -ENOENT;
}

int hd_api_named_id(struct hd_daemon *daemon, enum hd_noun_id noun, const char *name, uint32_t *ret,
		    struct hd_error *err)
{
	const struct hd_object *object = name ? hd_model_get(daemon->model, noun, name) : NULL;

	/* Peers, uplinks and routers count as ports where something is behind them. */
	if (name && !object && noun == HD_NOUN_PORT)
		object = hd_model_get(daemon->model, HD_NOUN_PEER, name);
	if (name && !object && noun == HD_NOUN_PORT)
		object = hd_model_get(daemon->model, HD_NOUN_UPLINK, name);
	if (name && !object && noun == HD_NOUN_PORT)
		object = hd_model_get(daemon->model, HD_NOUN_ROUTER, name);
	if (name && !object)
		return hd_api_no_such(&hd_nouns[noun], name, err);
	*ret = object ? object->id : 0;
	return 0;
}
