/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* views.h - inside model/: making the C view of each noun, and reading options with their defaults */
#pragma once

#include "model/model.h"

int hd_network_view(struct hd_object *object, struct hd_error *err);
int hd_subnet_view(struct hd_object *object, struct hd_error *err);
int hd_uplink_view(struct hd_object *object, struct hd_error *err);
int hd_peer_view(struct hd_object *object, struct hd_error *err);
int hd_router_view(struct hd_object *object, struct hd_error *err);
int hd_group_view(struct hd_object *object, struct hd_error *err);
int hd_port_view(struct hd_object *object, struct hd_error *err);
int hd_floating_ip_view(struct hd_object *object, struct hd_error *err);
int hd_port_forward_view(struct hd_object *object, struct hd_error *err);
int hd_firewall_view(struct hd_object *object, struct hd_error *err);
int hd_fdb_view(struct hd_object *object, struct hd_error *err);
int hd_neighbour_view(struct hd_object *object, struct hd_error *err);

/* What each noun asks of the rest of the model. */
int hd_network_validate(const struct hd_model *model, const struct hd_object *object,
			struct hd_error *err);
int hd_uplink_validate(const struct hd_model *model, const struct hd_object *object,
		       struct hd_error *err);
int hd_peer_validate(const struct hd_model *model, const struct hd_object *object,
		     struct hd_error *err);
int hd_router_validate(const struct hd_model *model, const struct hd_object *object,
		       struct hd_error *err);
int hd_subnet_validate(const struct hd_model *model, const struct hd_object *object,
		       struct hd_error *err);
int hd_group_validate(const struct hd_model *model, const struct hd_object *object,
		      struct hd_error *err);
int hd_port_validate(const struct hd_model *model, const struct hd_object *object,
		     struct hd_error *err);
int hd_floating_ip_validate(const struct hd_model *model, const struct hd_object *object,
			    struct hd_error *err);
int hd_port_forward_validate(const struct hd_model *model, const struct hd_object *object,
			     struct hd_error *err);
int hd_fdb_validate(const struct hd_model *model, const struct hd_object *object,
		    struct hd_error *err);
int hd_neighbour_validate(const struct hd_model *model, const struct hd_object *object,
			  struct hd_error *err);

/** hd_refuse - "NOUN NAME: ...", and the option to blame; HD_ERR_INVALID, its -errno */
__attribute__((format(printf, 4, 5))) int hd_refuse(const struct hd_object *object,
						    struct hd_error *err, const char *option,
						    const char *fmt, ...);

/** hd_refuse_as - the same with another code */
__attribute__((format(printf, 5, 6))) int hd_refuse_as(const struct hd_object *object,
						       struct hd_error *err,
						       enum hd_error_code code, const char *option,
						       const char *fmt, ...);

/**
 * hd_outside_validate - whether an address can be one of a router outside: floating, or listened at
 * @option: to blame
 */
int hd_outside_validate(const struct hd_model *model, const struct hd_object *object,
			const char *router, const struct hd_ip *ip, const char *option,
			struct hd_error *err);

/** hd_spec_text - an option's text, borrowed; NULL if it is not set */
const char *hd_spec_text(const struct hd_object *object, const char *key);

/** hd_spec_uint - an option's number, or its default */
uint32_t hd_spec_uint(const struct hd_object *object, const char *key);

/** hd_spec_bool - an option's truth, or its default */
bool hd_spec_bool(const struct hd_object *object, const char *key);

/** hd_spec_names - the names in a list; *@ret is to be freed, also after a failure; the names are borrowed */
int hd_spec_names(const struct hd_object *object, const char *key, const char ***ret, size_t *ret_n,
		  struct hd_error *err);

/** hd_group_is_set - whether a group isolates nothing, and only says who belongs together */
bool hd_group_is_set(const struct hd_group *group);

void hd_names_sort(const char **names, size_t n);

/**
 * hd_settle_groups - make ports members of the groups that select their labels
 * @ret_changed: set if there is another object for a port
 *
 * A port with security is in the groups that it names and in those that select it; in `default`, too, if none of these isolates it. Part of
 * hd_model_settle().
 */
int hd_settle_groups(struct hd_model *model, bool *ret_changed, struct hd_error *err);

/** hd_name_split - "NETWORK/REST" into its parts; @ret_rest points into the name */
int hd_name_split(const struct hd_object *object, char network[64], const char **ret_rest,
		  struct hd_error *err);
