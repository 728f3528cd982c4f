/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * schema.h - the nouns and their options, once, for everybody
 *
 * An option has one name everywhere: "--port-mac-limit 100" on the command line, "port-mac-limit": 100 in the API and in
 * heddle.yaml. The CLI parses and documents options from this table; the daemon checks and canonicalises values with it.
 * An option that cli.md promises but this version does not do yet stands here with HD_OPT_LATER: it is refused with
 * "not available yet", never ignored.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "heddlectl/error.h"

enum hd_type {
	HD_TYPE_NAME,	/* the name of another object; letters, digits, "._-" */
	HD_TYPE_STRING, /* free text without control characters, at most 255 bytes */
	HD_TYPE_DEVICE, /* a network device's name, 1-15 bytes */
	HD_TYPE_NETNS,	/* a namespace: a name under /run/netns or an absolute path */
	HD_TYPE_UINT,	/* min..max of the option, or one of its words if it has some */
	HD_TYPE_FLAG,	/* no value on the command line; true or false in JSON and YAML */
	HD_TYPE_ONOFF,	/* "on" or "off" on the command line; true or false in JSON and YAML */
	HD_TYPE_WORD,	/* one of the option's words */
	HD_TYPE_MAC,	/* unicast MAC, canonical form is lower case with colons */
	HD_TYPE_IP,	/* IPv4 or IPv6 address */
	HD_TYPE_IPLEN, /* address, with or without /LEN; HD_IP_AUTO or FIRST-LAST[,FIRST-LAST]...: one that is free */
	HD_TYPE_RANGE,	  /* FIRST-LAST, addresses of one family in ascending order */
	HD_TYPE_CIDR,	  /* network address/LEN, host bits zero */
	HD_TYPE_LABEL,	  /* KEY=VALUE, as in Kubernetes: KEY is [DOMAIN/]NAME */
	HD_TYPE_SELECTOR, /* KEY=VALUE, or KEY: whatever its value */
	HD_TYPE_ADDRESS,  /* IP[/LEN][,MAC]: an address or prefix, and the MAC that may use it */
	HD_TYPE_PROTOCOL, /* a name that heddle knows, or 0-255; canonical form is the name if there is one */
	HD_TYPE_PORTS, /* N or N-M, 0-65535; a text */
	HD_TYPE_RATE, /* bits a second: N, or N with bit, kbit, mbit, gbit (thousands); a text, canonical form in the largest unit that divides it */
	HD_TYPE_SIZE, /* bytes: N, or N with b, kb, mb (1024); likewise */
	HD_TYPE_ENDPOINT, /* IP:PORT, of IPv6 [IP]:PORT */
	HD_TYPE_VLANS, /* N,N-M,...: VLANs 0-4094, none twice; a text, canonical form in ascending order */
	HD_TYPE_ITEM, /* a mapping with the options of @item; no text stands for one */
};

/** HD_IP_AUTO - in the place of addresses: a free one of each family that the network has subnets of */
#define HD_IP_AUTO "auto"

enum {
	HD_OPT_LIST = 1 << 0,	  /* may be repeated; a JSON array */
	HD_OPT_REQUIRED = 1 << 1, /* "add" needs it */
	HD_OPT_FIXED = 1 << 2,	  /* "set" can't change it */
	HD_OPT_LATER = 1 << 3,	  /* promised, not available yet */
	HD_OPT_UNTYPED =
		1
		<< 4, /* of files and the API; commands have an argument or verbs of their own for it */
};

/**
 * struct hd_option - one option of a noun
 * @name:  without "--"; also the JSON and YAML key
 * @type:  how its value is checked
 * @flags: HD_OPT_*
 * @meta:  placeholder in help ("NET"), NULL for a flag
 * @help:  one line
 * @words: NULL-terminated list for HD_TYPE_WORD, and for a HD_TYPE_UINT that may be a word as well
 * @min:   smallest value of HD_TYPE_UINT
 * @max:   largest value of HD_TYPE_UINT
 * @dflt:  default as text, for help and show; NULL if there is none
 * @refers: noun that a HD_TYPE_NAME names, NULL otherwise
 * @item:  what a HD_TYPE_ITEM is, NULL otherwise
 */
struct hd_option {
	const char *name;
	enum hd_type type;
	unsigned int flags;
	const char *meta;
	const char *help;
	const char *const *words;
	uint64_t min;
	uint64_t max;
	const char *dflt;
	const char *refers;
	const struct hd_noun *item;
};

enum hd_noun_id {
	HD_NOUN_NETWORK,
	HD_NOUN_SUBNET,
	HD_NOUN_UPLINK,
	HD_NOUN_PEER,
	HD_NOUN_ROUTER,
	HD_NOUN_GROUP,
	HD_NOUN_PORT,
	HD_NOUN_FLOATING_IP,
	HD_NOUN_PORT_FORWARD,
	HD_NOUN_FIREWALL,
	HD_NOUN_FDB,
	HD_NOUN_NEIGHBOUR,
	HD_NOUN_COUNT,
};

/**
 * struct hd_noun - one kind of configured object
 * @id:       index
 * @name:     "port"
 * @plural:   "ports": key in heddle.yaml, path in the API
 * @alias:    other spelling on the command line, or NULL
 * @key_meta: placeholder of NAME in help ("PORT")
 * @help:     one line
 * @options:  its options
 * @n_options: how many
 *
 * The name of an fdb entry or neighbour is "NETWORK/MAC" or "NETWORK/IP", that of a floating IP its address; all others match hd_name_ok().
 */
struct hd_noun {
	enum hd_noun_id id;
	const char *name;
	const char *plural;
	const char *alias;
	const char *key_meta;
	const char *help;
	const struct hd_option *options;
	size_t n_options;
};

/** hd_nouns - all of them, in the order in which objects are created (a network before its ports) */
extern const struct hd_noun hd_nouns[HD_NOUN_COUNT];

/**
 * hd_rule_noun - one rule of a security group: what `security-group rule-add` takes, and an element of its "rules". It is not a noun
 * of its own: @id is HD_NOUN_COUNT.
 */
extern const struct hd_noun hd_rule_noun;

/** hd_route_noun - likewise one static route of a router, for `router route-add`; an element of its "routes" */
extern const struct hd_noun hd_route_noun;

/** hd_fw_rule_noun - likewise one rule of a firewall, for `firewall rule-add`; an element of its "rules", whose order counts */
extern const struct hd_noun hd_fw_rule_noun;

/** hd_gateway_noun - likewise the way out of a router, for `router gateway`; its "gateway" */
extern const struct hd_noun hd_gateway_noun;

/** hd_protocol_parse - name or decimal number; -1 if it is neither */
int hd_protocol_parse(const char *text);

/** hd_protocol_name - name of a protocol, static; NULL if it is known by its number alone */
const char *hd_protocol_name(uint8_t number);

/** hd_ports_parse - "N" or "N-M"; false if it is neither */
bool hd_ports_parse(const char *text, uint16_t *ret_first, uint16_t *ret_last);

/** hd_rate_parse - bits a second; false if it is no rate, or out of bounds (8kbit to 1000gbit) */
bool hd_rate_parse(const char *text, uint64_t *ret);

/** hd_size_parse - bytes; false if it is no size, or out of bounds (1kb to 1024mb) */
bool hd_size_parse(const char *text, uint64_t *ret);

/** HD_AMOUNT_MAX - room for what hd_rate_format() and hd_size_format() write */
#define HD_AMOUNT_MAX 32
void hd_rate_format(uint64_t bits, char text[HD_AMOUNT_MAX]);
void hd_size_format(uint64_t bytes, char text[HD_AMOUNT_MAX]);

/** HD_VLAN_WORDS - words of 32 bits that hold a set of VLANs, bit N & 31 of word N >> 5 for VLAN N */
#define HD_VLAN_WORDS 128

/** hd_vlans_parse - "N,N-M,..."; NULL, or what is wrong with it, for after "expected" */
const char *hd_vlans_parse(const char *text, uint32_t ret[HD_VLAN_WORDS]);

/** hd_vlans_format - the same back, in ascending order; to be freed, NULL without memory */
char *hd_vlans_format(const uint32_t vlans[HD_VLAN_WORDS]);

/** struct hd_later - a noun or verb of cli.md that this version does not have */
struct hd_later {
	const char *word;
	const char *help;
};

/** hd_later_words - nouns and commands that are refused with "not available yet"; ends with a NULL word */
extern const struct hd_later hd_later_words[];

/** hd_noun_find - by name, plural or alias; NULL if there is none */
const struct hd_noun *hd_noun_find(const char *word);

/** hd_option_find - by exact name; NULL if the noun has none */
const struct hd_option *hd_option_find(const struct hd_noun *noun, const char *name);

/** hd_name_ok - 1 to 63 letters, digits, '.', '_' or '-', starting with a letter or digit */
bool hd_name_ok(const char *name);

/**
 * hd_name_check - whether an object of @noun can have this name
 *
 * What is behind the "NETWORK/" of an fdb entry or neighbour is looked at later.
 * Return: 0 or -EINVAL with @err.
 */
int hd_name_check(const struct hd_noun *noun, const char *name, struct hd_error *err);

/**
 * hd_option_from_text - one command-line value to its canonical JSON
 * @opt:  the option; for a list, one element of it
 * @text: the value as typed; ignored for HD_TYPE_FLAG
 * @ret:  new reference, untouched on failure
 * @err:  says what was expected
 *
 * Return: 0 or -errno.
 */
int hd_option_from_text(const struct hd_option *opt, const char *text, json_t **ret,
			struct hd_error *err);

/**
 * hd_spec_canonical - check the options of one object against the schema
 * @noun:    which
 * @name:    the object's name, for errors
 * @spec:    borrowed JSON object as it came in (no "name" key)
 * @partial: true for "set": required options may be missing, null means "back to the default"
 * @ret:     new reference: the same in canonical form, untouched on failure
 * @err:     names the option and what was expected; @where is PLURAL/NAME/OPTION
 *
 * A false flag and an empty list say the same as no option: they vanish, and become null with @partial. A single value for a list
 * is a list of one. An address (whatever its /LEN) or the key of a label or selector that is there twice is refused.
 * Looks only at @spec: whether a network that it names exists is the model's business.
 * Return: 0 or -errno.
 */
int hd_spec_canonical(const struct hd_noun *noun, const char *name, const json_t *spec,
		      bool partial, json_t **ret, struct hd_error *err);
