// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* port_block.c - ranges of ports become blocks of few sizes, so that rules have few shapes; fewer sizes mean more rows */
#include "compile/rows.h"

static const uint8_t lens[] = { 0, 4, 8, 12, 16 };

uint8_t hd_port_block(uint32_t first, uint32_t last)
{
	for (size_t i = 0; i < sizeof(lens); i++) {
		uint32_t size = 1u << (16 - lens[i]);

		if (first % size == 0 && first + size - 1 <= last)
			return lens[i];
	}
	return 16;
}
