/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* flow_class.h - what a protocol is in the keys of flows and endpoints */
#pragma once

#include <stdint.h>

/** hd_flow_class - enum hd_flow_class of an IP protocol */
uint8_t hd_flow_class(uint8_t protocol);
