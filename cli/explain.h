/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* explain.h - what a drop reason means; known without the daemon */
#pragma once

/**
 * struct hd_reason_text - one reason of include/heddle/reason.h
 * @number:   as in the datapath
 * @name:     "group-ingress"
 * @sentence: what happened
 * @remedy:   what to do
 */
struct hd_reason_text {
	unsigned int number;
	const char *name;
	const char *sentence;
	const char *remedy;
};

/** hd_reason_find - by name; NULL if there is none */
const struct hd_reason_text *hd_reason_find(const char *name);
