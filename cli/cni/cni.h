/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cni.h - heddle-cni: one call of a container runtime becomes requests to heddled
 *
 *     environment, stdin ──▶ conf.c ──▶ struct hd_cni ──▶ add.c del.c check.c ──▶ call.c ──▶ heddled
 *     stdout ◀── result.c: a result or an error, always exactly one JSON object
 *
 * The plugin has no state: what it needs for DEL, CHECK and GC are labels and names of the daemon's objects. A container's interface is a port,
 * named after container and interface; what else belongs to it is called PORT.something and goes with it. A runtime may kill the
 * plugin at any point and call DEL afterwards.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "cli/client.h"
#include "loader/sandbox.h"

/* Codes of errors: those of the CNI specification, and our own from 100 on. */
enum hd_cni_code {
	HD_CNI_VERSION = 1,	/* the conf's version is not ours, or has no such command */
	HD_CNI_UNSUPPORTED = 2, /* a field whose value can't be had */
	HD_CNI_CONTAINER = 3,	/* there is no such container */
	HD_CNI_ENVIRONMENT = 4,
	HD_CNI_IO = 5,
	HD_CNI_DECODE = 6,
	HD_CNI_CONF = 7,
	HD_CNI_NETNS = 8, /* the namespace is the host's own */
	HD_CNI_AGAIN = 11,
	HD_CNI_UNAVAILABLE = 50,
	HD_CNI_REFUSED = 100, /* by heddled: somebody else has it, or there is none left */
	HD_CNI_FAILED = 101,
	HD_CNI_WRONG = 102, /* CHECK: the container is not as it should be */
};

/** struct hd_cni_error - what goes wrong; @msg is one line, @details the remedy or "" */
struct hd_cni_error {
	enum hd_cni_code code;
	char msg[600];
	char details[600];
};

/** enum hd_cni_version - of the specification; result shapes differ */
enum hd_cni_version { HD_CNI_0_3_1, HD_CNI_0_4_0, HD_CNI_1_0_0, HD_CNI_1_1_0, HD_CNI_N_VERSIONS };

/** hd_cni_versions - their names */
extern const char *const hd_cni_versions[HD_CNI_N_VERSIONS];

/**
 * struct hd_cni - one call
 * @command:   "ADD"
 * @container: id of the container; NULL where the command has none, so are those below
 * @netns:     path of its network namespace, or ""
 * @ifname:    name of the interface in it
 * @path:      folders of other plugins, with ':'
 * @args:      CNI_ARGS: texts by key
 * @conf:      stdin
 * @runtime:   its runtimeConfig, borrowed; NULL if there is none
 * @prev:      its prevResult, likewise
 * @version:   its cniVersion
 * @name:      its name: the network as the runtime knows it
 * @network:   the network as heddle knows it
 * @instance:  of the daemon
 * @port:      name of the port
 * @client:    the way to the daemon
 */
struct hd_cni {
	const char *command;
	const char *container;
	const char *netns;
	const char *ifname;
	const char *path;
	json_t *args;
	json_t *conf;
	const json_t *runtime;
	const json_t *prev;
	enum hd_cni_version version;
	const char *name;
	const char *network;
	const char *instance;
	char port[64];
	struct hd_client client;
	char *text; /* stdin as it came */
	size_t len;
};

/** hd_cni_fail - fill an error; returns -1 */
__attribute__((format(printf, 3, 4))) int hd_cni_fail(struct hd_cni_error *err,
						      enum hd_cni_code code, const char *fmt, ...);

/** hd_cni_hint - add the remedy; returns -1 */
__attribute__((format(printf, 2, 3))) int hd_cni_hint(struct hd_cni_error *err, const char *fmt,
						      ...);

/* conf.c */
/** hd_cni_read - read environment and stdin, and check what the command needs of them; 0 or -1. @ret: hd_cni_done() frees it, also after a failure */
int hd_cni_read(struct hd_cni *ret, struct hd_cni_error *err);
void hd_cni_done(struct hd_cni *cni);

/** hd_cni_text, hd_cni_list, hd_cni_flag - a key of the conf; -1 if it is of another type. @ret stays as it was if the key is not there. */
int hd_cni_text(const json_t *conf, const char *key, const char **ret, struct hd_cni_error *err);
int hd_cni_list(const json_t *conf, const char *key, json_t **ret, struct hd_cni_error *err);
int hd_cni_flag(const json_t *conf, const char *key, bool *ret, struct hd_cni_error *err);
int hd_cni_number(const json_t *conf, const char *key, json_int_t min, json_int_t max,
		  json_int_t *ret, struct hd_cni_error *err);

/* call.c: requests; each returns 0 or -1, @ret is a new reference */
int hd_cni_get(struct hd_cni *cni, const char *path, json_t **ret, struct hd_cni_error *err);
int hd_cni_post(struct hd_cni *cni, const char *path, const json_t *body, json_t **ret,
		struct hd_cni_error *err);
int hd_cni_delete(struct hd_cni *cni, const char *path, struct hd_cni_error *err);

/** hd_cni_remove_port - a port and all that belongs to it; fine if it is not there */
int hd_cni_remove_port(struct hd_cni *cni, const char *port, struct hd_cni_error *err);

/** HD_CNI_ID_MAX - bytes of the id of a container, and of the name of a network */
#define HD_CNI_ID_MAX 100

/**
 * struct hd_cni_owner - what a port says about whose it is: its option "owner"
 * @network: as the runtime knows it
 * @inode:   of the namespace that it was made for
 * @mark:    that of the namespace, see sandbox.h; "" with one that an older version has made
 */
struct hd_cni_owner {
	char network[128];
	char container[128];
	char ifname[16];
	char inode[24];
	char mark[HD_SANDBOX_MARK];
};

/** hd_cni_owner - read it from a port (JSON); false, and empty texts, if the plugin has not made it */
bool hd_cni_owner(const json_t *port, struct hd_cni_owner *ret);

/** hd_cni_owner_text - the same for a new port */
#define HD_CNI_OWNER_TEXT 320
void hd_cni_owner_text(const struct hd_cni *cni, char ret[HD_CNI_OWNER_TEXT]);

/** hd_cni_inode - that of a namespace as text, "" if there is none at the path */
void hd_cni_inode(const char *netns, char ret[24]);

/* ipam.c */
/** hd_cni_addresses - what to ask the daemon for: a list for a port's "ip", new reference. @subnets: all of the daemon's */
int hd_cni_addresses(const struct hd_cni *cni, const json_t *subnets, json_t **ret,
		     struct hd_cni_error *err);

/** hd_cni_subnet_of - the subnet of the call's network that holds an address (with or without length); borrowed, NULL if there is none */
const json_t *hd_cni_subnet_of(const struct hd_cni *cni, const json_t *subnets, const char *ip);

/** hd_cni_delegates - the plugin that hands out addresses instead of heddle; NULL if there is none */
const char *hd_cni_delegates(const struct hd_cni *cni);

/** hd_cni_delegate - call it; @ret: what it prints, NULL if that is of no interest; as a new reference */
int hd_cni_delegate(const struct hd_cni *cni, const char *command, json_t **ret,
		    struct hd_cni_error *err);

/* publish.c */
/** hd_cni_published - whether the runtime asks for ports of the host */
bool hd_cni_published(const struct hd_cni *cni);

/** hd_cni_publish_group - make the security group that lets in what comes to published ports; called PORT.published */
int hd_cni_publish_group(struct hd_cni *cni, char ret_name[80], struct hd_cni_error *err);

/**
 * struct hd_cni_end - where what is published leads to, in one family
 * @ip:     address of the container, with or without a length; NULL = it has none
 * @router: that of its subnet, or ""
 */
struct hd_cni_end {
	const char *ip;
	const char *router;
};

/** hd_cni_publish - make the port forwards. @v4, @v6: to where */
int hd_cni_publish(struct hd_cni *cni, const struct hd_cni_end *v4, const struct hd_cni_end *v6,
		   struct hd_cni_error *err);

/* result.c */
/**
 * struct hd_cni_made - what ADD has come to know
 * @port:      as the daemon shows it
 * @subnets:   all of the daemon's
 * @delegated: what another plugin has said about addresses, or NULL
 */
struct hd_cni_made {
	json_t *port;
	json_t *subnets;
	json_t *delegated;
};

/** hd_cni_result - what ADD answers; new reference */
json_t *hd_cni_result(const struct hd_cni *cni, const struct hd_cni_made *made);

/* route.c */
/** hd_cni_add_routes - into the container: those that the conf's ipam, or the plugin that it names, asks for besides the default ones */
int hd_cni_add_routes(const struct hd_cni *cni, const struct hd_cni_made *made,
		      struct hd_cni_error *err);

/** hd_cni_routes - these, borrowed; NULL if there are none */
const json_t *hd_cni_routes(const struct hd_cni *cni, const struct hd_cni_made *made);

/** hd_cni_gateway_for - the gateway of one of them: its own, or that of an address of its family; NULL if there is none: it is on the link */
const char *hd_cni_gateway_for(const struct hd_cni *cni, const struct hd_cni_made *made,
			       const json_t *route);

/** hd_cni_print - one JSON object on stdout; 0 or -1 with @err if it can't be written */
int hd_cni_print(const json_t *json, struct hd_cni_error *err);
void hd_cni_print_error(const struct hd_cni *cni, const struct hd_cni_error *err);

/* The commands; each prints what it has to say. */
int hd_cni_add(struct hd_cni *cni, struct hd_cni_error *err);
int hd_cni_del(struct hd_cni *cni, struct hd_cni_error *err);
int hd_cni_gc(struct hd_cni *cni, struct hd_cni_error *err);
int hd_cni_check(struct hd_cni *cni, struct hd_cni_error *err);
int hd_cni_status(struct hd_cni *cni, struct hd_cni_error *err);
int hd_cni_version(struct hd_cni *cni, struct hd_cni_error *err);

/** hd_cni_reclaim - remove ports of the network whose sandbox is gone; how many, or -1 */
int hd_cni_reclaim(struct hd_cni *cni, struct hd_cni_error *err);
