/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * policy.h - security groups to rows: what heddle/policy.h describes, computed
 *
 * A set is what ports name: one or several groups. Its number is a hash of their names, so that it is the same after a restart, on another
 * host, and whatever other sets there are.
 */
#pragma once

#include "compile/compile.h"

/** hd_set_id - number of the set of groups that a port names; never 0 */
uint32_t hd_set_id(const char *const *groups, size_t n);

struct hd_policy;

/**
 * hd_policy_compile - rows, shapes, members, sources and gateways of a model
 * @model:  validated, ids assigned
 * @ret:    gets rows in the tables of the policy
 * @policy: what hd_policy_gen() needs; to be freed with hd_policy_free()
 *
 * Return: 0; -ENOMEM; -EEXIST: two sets have the same number; -EOVERFLOW: a set needs too many shapes. @err names it.
 */
int hd_policy_compile(const struct hd_model *model, struct hd_tables *ret,
		      struct hd_policy **policy, struct hd_error *err);

void hd_policy_free(struct hd_policy *policy); /* NULL is fine */

/** hd_policy_gen - generation of a port: a hash of everything that a flow of it is judged by */
uint32_t hd_policy_gen(const struct hd_policy *policy, const struct hd_object *port);
