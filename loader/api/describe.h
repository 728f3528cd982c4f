/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* describe.h - the beginning of a real packet in the words that packet.h understands */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "heddle/trace.h"

#define HD_DESCRIBE_MAX 160

/**
 * hd_packet_describe - "tcp 10.0.1.11:40000 > 10.0.2.12:80 syn"
 * @frame: the first HD_LIVE_BYTES of it, zeros behind its end
 * @len:   bytes that it had
 * @ret:   text; what is no IP packet is told by its MACs and type
 */
void hd_packet_describe(const uint8_t frame[HD_LIVE_BYTES], size_t len, char ret[HD_DESCRIBE_MAX]);
