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
 * hd_tables_write - carry one kind of difference into the maps
 * @from: what the maps hold
 * @to:   what they should hold
 * @op:   add and set go through the tables in order, del backwards, so that nothing points at what is not there
 * @err:  names the table that is full
 */
int hd_tables_write(const struct hd_datapath *dp, const struct hd_tables *from,
		    const struct hd_tables *to, enum hd_table_op op, struct hd_error *err);
