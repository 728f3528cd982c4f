/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sense.h - inside api/: which options of an item inside an object go together */
#pragma once

#include "heddlectl/schema.h"

/** hd_item_nonsense - what is wrong with the options of an item (canonical) taken together, static; NULL if nothing is */
const char *hd_item_nonsense(const struct hd_noun *item, const json_t *value);
