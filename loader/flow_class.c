// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* flow_class.c - what a protocol is in the keys of flows and endpoints */
#include "flow_class.h"

#include "heddle/flow.h"

uint8_t hd_flow_class(uint8_t protocol)
{
	static const uint8_t classes[256] = {
#define X(number, class) [number] = (class),
		HD_FLOW_CLASSES(X)
#undef X
	};

	return classes[protocol];
}
