/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* tables.h - compiled tables against the kernel's maps */
#pragma once

#include "compile/compile.h"
#include "sync/datapath.h"

/**
 * hd_tables_read - what the maps hold now of what the configuration decides
 * @ret: initialised and empty; sorted on return
 */
int hd_tables_read(const struct hd_datapath *dp, struct hd_tables *ret, struct hd_error *err);

/**
 * hd_tables_put - write the rows of one table over those that are there, in the map and in what we know of it
 * @rows: only rows whose keys are in @current
 */
int hd_tables_put(const struct hd_datapath *dp, const struct hd_tables *rows,
		  struct hd_tables *current, enum hd_table_id id, struct hd_error *err);

/**
 * hd_tables_prune_rules - remove rows of rules that go, of policies that stay
 *
 * Before a port gets another policy, which may have new members: they must not meet rules that are to go. Policies that go as a whole are
 * still in use then, and keep their rows until hd_tables_write() with HD_TABLE_DEL.
 */
int hd_tables_prune_rules(const struct hd_datapath *dp, const struct hd_tables *from,
			  const struct hd_tables *to, struct hd_error *err);

/**
 * hd_tables_wait - before hd_tables_write() with HD_TABLE_DEL: let packets finish that are asking the rules of a firewall which go
 *
 * The routers know the number of the new ones by then. Who does not find the rows that are gone would take it for allowed.
 */
void hd_tables_wait(const struct hd_tables *from, const struct hd_tables *to);

/**
 * hd_tables_write - carry one kind of difference into the maps
 * @from: what the maps hold
 * @to:   what they should hold
 * @op:   add and set go through the tables in order, del backwards, so that nothing points at what is not there
 * @err:  names the table that is full
 */
int hd_tables_write(const struct hd_datapath *dp, const struct hd_tables *from,
		    const struct hd_tables *to, enum hd_table_op op, struct hd_error *err);
