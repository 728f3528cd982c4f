/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rule.h - a rule of a security group, or of a firewall, as people read it: "ingress tcp 80 from 192.0.2.0/24"
 *
 * All texts are malloc'ed and NULL without memory.
 */
#pragma once

#include <jansson.h>

/**
 * hd_rule_text - all that a rule says, but for its id
 *
 * What is not restricted is left out; the protocol is "any" then. Two rules have the same text only
 * if they say the same.
 */
char *hd_rule_text(const json_t *rule);

/** hd_rule_port_text - "80", "80-81", "type 8", "type 8 code 0" or "any" */
char *hd_rule_port_text(const json_t *rule);

/** hd_rule_remote_text - "192.0.2.0/24", "group web" or "any" */
char *hd_rule_remote_text(const json_t *rule);

/** hd_rule_ethertype_text - "ipv4" or "any" */
char *hd_rule_ethertype_text(const json_t *rule);

/** hd_rule_count_text - how many rules a group or firewall has */
char *hd_rule_count_text(const json_t *object);

/** hd_rule_protocol_text - "tcp" or "any"; of a rule of a firewall as well, as hd_rule_port_text() */
char *hd_rule_protocol_text(const json_t *rule);

/** hd_fw_rule_text - all that a rule of a firewall says, but for its id: "deny tcp 80 from 192.0.2.0/24 to 10.0.0.0/8" */
char *hd_fw_rule_text(const json_t *rule);

/** hd_fw_rule_from_text, hd_fw_rule_to_text - its addresses, or "any" */
char *hd_fw_rule_from_text(const json_t *rule);
char *hd_fw_rule_to_text(const json_t *rule);

/** hd_rule_ref_text - a rule as a flow, a drop or a trace names it, {"group" or "firewall", "id"}: "web/17" */
char *hd_rule_ref_text(const json_t *ref);
