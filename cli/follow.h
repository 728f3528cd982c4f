/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* follow.h - heddle drops --follow: what is dropped from second to second */
#pragma once

#include "cli/command.h"

/**
 * hd_drops_rates - what came between two answers to GET /v1/drops
 * @before:  the earlier one
 * @after:   the later one
 * @seconds: between them
 *
 * A counter that went back has begun anew: all of it is new.
 * Return: a new array of those that grew, in the order of @after: {"reason", "port", "stage",
 * "packets", "bytes", "packets-per-second", "bytes-per-second"}; NULL without memory.
 */
json_t *hd_drops_rates(const json_t *before, const json_t *after, double seconds);

/** hd_drops_follow - print them until --count intervals are over; 0 or -errno */
int hd_drops_follow(struct hd_cli *cli, struct hd_error *err);
