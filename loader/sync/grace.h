/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* grace.h - waiting for packets that are on their way through a program */
#pragma once

/** hd_grace_wait - return when every program that ran when this was called has ended: an RCU grace period, some 10 ms */
void hd_grace_wait(void);
