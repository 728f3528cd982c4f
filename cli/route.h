/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* route.h - a static route of a router as people read it; all texts are malloc'ed and NULL without memory */
#pragma once

#include <jansson.h>

/** hd_route_text - all that a route says, but for its id: "10.9.0.0/16 via 10.0.1.9 weight 2" */
char *hd_route_text(const json_t *route);

/** hd_route_via_text - its next hop, or "blackhole" */
char *hd_route_via_text(const json_t *route);
