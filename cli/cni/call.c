// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* call.c - requests to heddled, and what its errors are to a runtime */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cni/cni.h"
#include "loader/cleanup.h"

/* What the daemon refuses is the conf's fault, or there is something in the way. */
static enum hd_cni_code code_of(enum hd_error_code code)
{
	switch (code) {
	case HD_ERR_UNREACHABLE:
	case HD_ERR_TIMEOUT:
	case HD_ERR_DEGRADED:
		return HD_CNI_AGAIN;
	case HD_ERR_NOT_FOUND:
	case HD_ERR_INVALID:
	case HD_ERR_USAGE:
		return HD_CNI_CONF;
	case HD_ERR_CONFLICT:
		return HD_CNI_REFUSED;
	case HD_ERR_PERMISSION:
		return HD_CNI_IO;
	default:
		return HD_CNI_FAILED;
	}
}

static int take_error(const struct hd_error *why, struct hd_cni_error *err)
{
	hd_cni_fail(err, code_of(why->code), "%s", why->message);
	return hd_cni_hint(err, "%s", why->hint);
}

static int request(struct hd_cni *cni, const char *method, const char *path, const json_t *body,
		   json_t **ret, struct hd_cni_error *err)
{
	_free_ char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	struct hd_request request = {
		.method = method, .path = path, .body = text, .len = text ? strlen(text) : 0
	};
	_json_ json_t *answer = NULL;
	struct hd_error why = {};

	if (body && !text)
		return hd_cni_fail(err, HD_CNI_FAILED, "out of memory");
	if (hd_client_call(&cni->client, &request, &answer, &why))
		return take_error(&why, err);
	if (ret)
		*ret = TAKE_PTR(answer);
	return 0;
}

int hd_cni_get(struct hd_cni *cni, const char *path, json_t **ret, struct hd_cni_error *err)
{
	return request(cni, "GET", path, NULL, ret, err);
}

int hd_cni_post(struct hd_cni *cni, const char *path, const json_t *body, json_t **ret,
		struct hd_cni_error *err)
{
	return request(cni, "POST", path, body, ret, err);
}

int hd_cni_delete(struct hd_cni *cni, const char *path, struct hd_cni_error *err)
{
	return request(cni, "DELETE", path, NULL, NULL, err);
}

int hd_cni_remove_port(struct hd_cni *cni, const char *port, struct hd_cni_error *err)
{
	char path[160];

	(void)snprintf(path, sizeof(path), "/v1/ports/%s?cascade=1&if-exists=1", port);
	return hd_cni_delete(cni, path, err);
}

/* No part has a '/' in it: names of networks, containers and interfaces have none. */
bool hd_cni_owner(const json_t *port, struct hd_cni_owner *ret)
{
	const char *text = json_string_value(json_object_get(port, "owner"));

	*ret = (struct hd_cni_owner){};
	return text && sscanf(text, "cni:%127[^/]/%127[^/]/%15[^/]/%23[^/]/%39s", ret->network,
			      ret->container, ret->ifname, ret->inode, ret->mark) >= 4;
}

void hd_cni_owner_text(const struct hd_cni *cni, char ret[HD_CNI_OWNER_TEXT])
{
	CLEANUP(hd_sandbox_close) struct hd_sandbox_host host;
	char inode[24], mark[HD_SANDBOX_MARK];

	hd_cni_inode(cni->netns, inode);
	hd_sandbox_open(&host);
	hd_sandbox_mark(&host, cni->netns, mark);
	(void)snprintf(ret, HD_CNI_OWNER_TEXT, "cni:%s/%s/%s/%s/%s", cni->name, cni->container,
		       cni->ifname, inode, mark);
}

void hd_cni_inode(const char *netns, char ret[24])
{
	struct stat st;

	ret[0] = 0;
	if (netns && stat(netns, &st) == 0)
		(void)snprintf(ret, 24, "%llu", (unsigned long long)st.st_ino);
}
