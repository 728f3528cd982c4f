/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * nat_name.h - the names by which the tables of ports know addresses of IPv6 (heddle/nat.h): whose they are, and taking them back
 */
#pragma once

#include "compile/table.h"
#include "heddle/nat.h"
#include "model/model.h"
#include "sync/datapath.h"

/** hd_nat_family - HD_V4 or HD_V6: of an address in the tables of ports, which may be a name */
int hd_nat_family(__be32 addr);

/** hd_nat_names - all names of inside addresses, sorted: rows of struct hd_nat_name_key; @ret is for hd_nat_name_of(), then hd_table_done() */
int hd_nat_names(const struct hd_datapath *dp, struct hd_table *ret);

/** hd_nat_name_of - the name of an inside address, 16 bytes; 0 if it has none */
__be32 hd_nat_name_of(const struct hd_table *names, uint32_t router, const void *addr);

/** hd_nat_inside_ip - who an inside address of the tables is; a name that is nobody's any more is left as it is */
struct hd_ip hd_nat_inside_ip(const struct hd_datapath *dp, const struct hd_nat_user_key *user);

/** hd_nat_outside_ip - likewise, an outside address in a zone */
struct hd_ip hd_nat_outside_ip(const struct hd_datapath *dp, uint32_t zone, __be32 addr);

/** hd_nat_unname - nobody is called by a name any more; with @both it is nobody's, either: until then it leads to who had it, and nobody else gets it */
void hd_nat_unname(const struct hd_datapath *dp, const struct hd_nat_user_key *user, bool both);
