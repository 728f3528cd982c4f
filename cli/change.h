/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * change.h - requests that change something, and the diff that shows what they change
 *
 *   + port web1 network=blue device=tap0
 *   ~ port web2 mtu: 1500 -> 1400
 *   - port web3
 *   ~ security-group web rules: + ingress tcp 80 from 192.0.2.0/24
 */
#pragma once

#include "cli/command.h"

/**
 * hd_change - send a request whose answer is a change
 * @cli:     the call
 * @request: the request
 * @show:    print the diff in text mode; JSON mode always prints the change
 *
 * Return: 0 or -errno.
 */
int hd_change(struct hd_cli *cli, const struct hd_request *request, bool show,
	      struct hd_error *err);

/** hd_change_get - the same; @ret is the answer, a new reference, untouched on failure */
int hd_change_get(struct hd_cli *cli, const struct hd_request *request, bool show, json_t **ret,
		  struct hd_error *err);

/**
 * hd_change_print - the diff as text, or "no changes"
 * @out:    where to
 * @change: the answer
 * @before: what GET /v1/export said before, for the old values
 */
void hd_change_print(struct hd_out *out, const json_t *change, const json_t *before);
