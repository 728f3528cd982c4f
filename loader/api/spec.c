// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * spec.c - check option values against the schema and bring them into their one canonical form
 *
 * "Canonical" means that two specs that say the same are the same JSON: the model compares them
 * with json_equal() and nothing more. That is why false flags and empty lists vanish, and why
 * addresses are rewritten.
 *
 *     hd_spec_canonical()   unknown, fixed, later, missing options; puts "port web1: " in front
 *       option_value()      lists
 *         value_check()     JSON type; the message starts with "option mac: "
 *           checks[]        text types, shared with hd_option_from_text()
 */
#include "heddlectl/schema.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/sense.h"
#include "cleanup.h"

enum {
	NAME_MAX_BYTES = 63,
	STRING_MAX_BYTES = 255,
	DEVICE_MAX_BYTES = 15,
	DOMAIN_MAX_BYTES = 253,
	PATH_MAX_BYTES = 4095
};

/* One value as text to its canonical JSON, a new reference; an error begins with "option NAME: ".
 */
static int check_text(const struct hd_option *opt, const char *text, json_t **ret,
		      struct hd_error *err);

/* Where an error happened: what hd_spec_canonical() was called for. */
struct context {
	const struct hd_noun *noun;
	const char *name;
	bool partial;
	struct hd_error *err;
};

static int check_unknown(const struct context *ctx, const json_t *spec);
static int check_missing(const struct context *ctx, const json_t *spec);
static int option_canonical(const struct context *ctx, const struct hd_option *opt,
			    const json_t *value, json_t *out);

bool hd_name_ok(const char *name)
{
	static const char alnum[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t len = strnlen(name, NAME_MAX_BYTES + 1);

	return len >= 1 && len <= NAME_MAX_BYTES && !strchr("._-", name[0]) &&
	       strspn(name, alnum) == len;
}

static int not_a_name(const struct hd_noun *noun, const char *name, struct hd_error *err)
{
	int r = hd_error_set(err, HD_ERR_INVALID, "%s '%.80s': not a name", noun->name, name);

	hd_error_hint(err,
		      "1 to 63 letters, digits, '.', '_' or '-', starting with a letter or digit");
	return r;
}

/* An address has one spelling: so no two objects are the same floating IP. */
static int check_floating_ip(const char *name, struct hd_error *err)
{
	char text[INET6_ADDRSTRLEN] = "";
	uint8_t addr[16];
	int r;

	if (inet_pton(AF_INET, name, addr) == 1)
		return 0;
	if (inet_pton(AF_INET6, name, addr) == 1 && inet_ntop(AF_INET6, addr, text, sizeof(text)) &&
	    !strcmp(name, text) && strncmp(name, "::ffff:", 7) != 0)
		return 0;
	r = hd_error_set(err, HD_ERR_INVALID, "floating-ip '%.80s': not an address", name);
	if (text[0] && strcmp(name, text) != 0) {
		hd_error_hint(err, "it is written %s", text);
		return r;
	}
	hd_error_hint(err, "a floating IP is named by its address, such as 203.0.113.10");
	return r;
}

int hd_name_check(const struct hd_noun *noun, const char *name, struct hd_error *err)
{
	if (noun->id == HD_NOUN_FDB || noun->id == HD_NOUN_NEIGHBOUR)
		return 0;
	if (noun->id == HD_NOUN_FLOATING_IP)
		return check_floating_ip(name, err);
	return hd_name_ok(name) ? 0 : not_a_name(noun, name, err);
}

int hd_option_from_text(const struct hd_option *opt, const char *text, json_t **ret,
			struct hd_error *err)
{
	if (opt->flags & HD_OPT_LATER)
		return hd_error_set(err, HD_ERR_INVALID, "option %s is not available yet",
				    opt->name);
	return check_text(opt, text, ret, err);
}

int hd_spec_canonical(const struct hd_noun *noun, const char *name, const json_t *spec,
		      bool partial, json_t **ret, struct hd_error *err)
{
	struct hd_error unused;
	const struct context ctx = { noun, name, partial, err ? err : &unused };
	_json_ json_t *out = json_object();
	int r;

	if (!out)
		return -ENOMEM;
	r = check_unknown(&ctx, spec);
	/* In the order of the table, not of @spec: text forms of equal specs are equal too. */
	for (size_t i = 0; r == 0 && i < noun->n_options; i++) {
		const struct hd_option *opt = &noun->options[i];
		const json_t *value = json_object_get(spec, opt->name);

		if (value)
			r = option_canonical(&ctx, opt, value, out);
	}
	if (r == 0 && !partial)
		r = check_missing(&ctx, out);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(out);
	return 0;
}

/* Puts the object in front of a message that a lower layer has set, and names the place; @index <
 * 0: not in a list. */
static int blame(const struct context *ctx, const char *option, ssize_t index)
{
	struct hd_error was = *ctx->err;
	int r = hd_error_set(ctx->err, was.code, "%s%s%s: %s", ctx->noun->name,
			     ctx->name[0] ? " " : "", ctx->name, was.message);

	if (was.hint[0])
		hd_error_hint(ctx->err, "%s", was.hint);
	hd_error_object(ctx->err, ctx->noun->name, ctx->name);
	hd_error_where(ctx->err, "%s/%s", ctx->noun->plural, ctx->name);
	if (option)
		hd_error_where(ctx->err, "%s/%s", ctx->err->where, option);
	if (index >= 0)
		hd_error_where(ctx->err, "%s/%zd", ctx->err->where, index);
	return r;
}

static const char *json_kind(const json_t *json)
{
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		return "a mapping";
	case JSON_ARRAY:
		return "a list";
	case JSON_STRING:
		return "text";
	case JSON_INTEGER:
	case JSON_REAL:
		return "a number";
	case JSON_TRUE:
		return "true";
	case JSON_FALSE:
		return "false";
	case JSON_NULL:
		break;
	}
	return "null";
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Levenshtein distance; both are at most NAME_MAX_BYTES long. */
static size_t distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_BYTES + 1];
	size_t len = strlen(b);

	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < len; j++) {
			size_t up = row[j + 1];

			row[j + 1] = min3(up + 1, row[j] + 1, diagonal + (a[i] != b[j]));
			diagonal = up;
		}
	}
	return row[len];
}

/* The option that somebody who wrote @key may have meant: at most two letters away, and not all of
 * them. */
static const char *suggest(const struct hd_noun *noun, const char *key)
{
	const char *best = NULL;
	size_t least = 3;

	if (strnlen(key, NAME_MAX_BYTES + 1) > NAME_MAX_BYTES)
		return NULL;
	for (size_t i = 0; i < noun->n_options; i++) {
		const char *name = noun->options[i].name;
		size_t d = distance(key, name);

		if (d < least && d < strlen(name)) {
			best = name;
			least = d;
		}
	}
	return best;
}

static int check_unknown(const struct context *ctx, const json_t *spec)
{
	const char *key;
	json_t *value;

	if (!json_is_object(spec)) {
		hd_error_set(ctx->err, HD_ERR_INVALID, "expected options, not %s", json_kind(spec));
		return blame(ctx, NULL, -1);
	}
	json_object_foreach((json_t *)spec, key, value) { /* the cast: iterators are not const */
		const char *meant;

		if (hd_option_find(ctx->noun, key))
			continue;
		meant = suggest(ctx->noun, key);
		hd_error_set(ctx->err, HD_ERR_INVALID, "unknown option %s", key);
		if (meant)
			hd_error_hint(ctx->err, "did you mean %s?", meant);
		return blame(ctx, key, -1);
	}
	return 0;
}

static int check_missing(const struct context *ctx, const json_t *out)
{
	char missing[256] = "";
	size_t len = 0;

	for (size_t i = 0; i < ctx->noun->n_options; i++) {
		const struct hd_option *opt = &ctx->noun->options[i];

		if (!(opt->flags & HD_OPT_REQUIRED) || json_object_get(out, opt->name))
			continue;
		len += (size_t)snprintf(missing + len, sizeof(missing) - len, "%s%s",
					len ? ", " : "", opt->name);
	}
	if (!len)
		return 0;
	hd_error_set(ctx->err, HD_ERR_INVALID, "missing %s: %s",
		     strchr(missing, ',') ? "options" : "option", missing);
	return blame(ctx, NULL, -1);
}

/* May the option be given at all? */
static int check_allowed(const struct context *ctx, const struct hd_option *opt,
			 const json_t *value)
{
	if (opt->flags & HD_OPT_LATER) {
		hd_error_set(ctx->err, HD_ERR_INVALID, "option %s is not available yet", opt->name);
		return blame(ctx, opt->name, -1);
	}
	if (ctx->partial && opt->flags & HD_OPT_FIXED) {
		hd_error_set(ctx->err, HD_ERR_INVALID, "option %s can't be changed", opt->name);
		hd_error_hint(ctx->err, "delete %s %s and add it again", ctx->noun->name,
			      ctx->name);
		return blame(ctx, opt->name, -1);
	}
	if (ctx->partial && json_is_null(value) && opt->flags & HD_OPT_REQUIRED) {
		hd_error_set(ctx->err, HD_ERR_INVALID, "option %s is required, it has no default",
			     opt->name);
		return blame(ctx, opt->name, -1);
	}
	return 0;
}

static int unexpected_type(const struct hd_option *opt, const json_t *value, const char *expected,
			   struct hd_error *err)
{
	int r = hd_error_set(err, HD_ERR_INVALID, "option %s: expected %s, not %s", opt->name,
			     expected, json_kind(value));

	/* YAML makes a number of a name such as 12. */
	if (json_is_integer(value) && opt->type != HD_TYPE_FLAG && opt->type != HD_TYPE_ONOFF)
		hd_error_hint(err, "put it in quotes: \"%" JSON_INTEGER_FORMAT "\"",
			      json_integer_value(value));
	return r;
}

enum { RANGE_TEXT_MAX = 96 };

/* "a number from 0 to 63", or with the word that may stand there instead in front. */
static const char *print_range(const struct hd_option *opt, const char *number,
			       char text[RANGE_TEXT_MAX])
{
	(void)snprintf(text, RANGE_TEXT_MAX, "%s%s%s from %" PRIu64 " to %" PRIu64,
		       opt->words ? opt->words[0] : "", opt->words ? " or " : "", number, opt->min,
		       opt->max);
	return text;
}

static int uint_canonical(const struct hd_option *opt, uint64_t number, json_t **ret,
			  struct hd_error *err)
{
	char range[RANGE_TEXT_MAX];

	if (number < opt->min || number > opt->max)
		return hd_error_set(err, HD_ERR_INVALID, "option %s: expected %s", opt->name,
				    print_range(opt, "a number", range));
	*ret = json_integer((json_int_t)number);
	return *ret ? 0 : -ENOMEM;
}

static int uint_check_json(const struct hd_option *opt, const json_t *value, json_t **ret,
			   struct hd_error *err)
{
	char range[RANGE_TEXT_MAX];
	int r;

	/* A negative number becomes one that no option allows: the maxima are far below. */
	if (json_is_integer(value))
		return uint_canonical(opt, (uint64_t)json_integer_value(value), ret, err);
	r = hd_error_set(err, HD_ERR_INVALID, "option %s: expected %s, not %s", opt->name,
			 print_range(opt, "a whole number", range), json_kind(value));
	if (json_is_string(value))
		hd_error_hint(err, "write it without quotes");
	return r;
}

/* A rule of a group, say: checked as if it were an object of its own. */
static int item_check(const struct hd_option *opt, const json_t *value, json_t **ret,
		      struct hd_error *err)
{
	_json_ json_t *item = NULL;
	const char *nonsense;
	int r;

	if (!json_is_object(value))
		return unexpected_type(opt, value, "a mapping", err);
	r = hd_spec_canonical(opt->item, "", value, false, &item, err);
	if (r < 0)
		return r;
	nonsense = hd_item_nonsense(opt->item, item);
	if (nonsense)
		return hd_error_set(err, HD_ERR_INVALID, "option %s: %s", opt->name, nonsense);
	*ret = TAKE_PTR(item);
	return 0;
}

static int value_check(const struct hd_option *opt, const json_t *value, json_t **ret,
		       struct hd_error *err)
{
	const char *text = json_string_value(value);

	char digits[32];

	if (opt->type == HD_TYPE_UINT && !(opt->words && text))
		return uint_check_json(opt, value, ret, err);
	if (opt->type == HD_TYPE_ITEM)
		return item_check(opt, value, ret, err);
	if (json_is_integer(value) &&
	    (opt->type == HD_TYPE_PORTS || opt->type == HD_TYPE_PROTOCOL ||
	     opt->type == HD_TYPE_VLANS || opt->type == HD_TYPE_RATE ||
	     opt->type == HD_TYPE_SIZE)) {
		(void)snprintf(digits, sizeof(digits), "%" JSON_INTEGER_FORMAT,
			       json_integer_value(value));
		return check_text(opt, digits, ret, err);
	}
	if (json_is_boolean(value) && (opt->type == HD_TYPE_FLAG || opt->type == HD_TYPE_ONOFF)) {
		*ret = json_boolean(json_is_true(value));
		return 0;
	}
	if (opt->type == HD_TYPE_FLAG)
		return unexpected_type(opt, value, "true or false", err);
	if (!text)
		return unexpected_type(opt, value,
				       opt->type == HD_TYPE_ONOFF ? "on or off" : "text", err);
	if (strlen(text) != json_string_length(value))
		return hd_error_set(err, HD_ERR_INVALID, "option %s: NUL in text", opt->name);
	return check_text(opt, text, ret, err);
}

/*
 * What makes a list element the same as another: of an address not its prefix length, of a label
 * its key. A port does not have an address twice, and a label has one value.
 */
static size_t identity_len(const struct hd_option *opt, const char *text)
{
	if (opt->type == HD_TYPE_IPLEN)
		return strcspn(text, "/");
	if (opt->type == HD_TYPE_LABEL || opt->type == HD_TYPE_SELECTOR)
		return strcspn(text, "=");
	return strlen(text);
}

/* An item is the same as another if it says the same; its number does not count. To be freed. */
static char *item_identity(const json_t *element)
{
	_json_ json_t *copy = json_copy((json_t *)element);

	(void)json_object_del(copy, "id"); /* not there is fine */
	return json_dumps(copy, JSON_COMPACT | JSON_SORT_KEYS);
}

/* @seen holds the identities of the elements before: a hash table, as lists come from outside and
 * may be long. */
static int check_duplicate(const struct hd_option *opt, const json_t *element, json_t *seen,
			   struct hd_error *err)
{
	_free_ char *item = opt->type == HD_TYPE_ITEM ? item_identity(element) : NULL;
	const char *text = item ? item : json_string_value(element);
	size_t len = identity_len(opt, text);

	if (json_object_getn(seen, text, len))
		return hd_error_set(err, HD_ERR_INVALID, "option %s: %.*s is there twice",
				    opt->name, (int)len, text);
	return json_object_setn_new(seen, text, len, json_true()) < 0 ? -ENOMEM : 0;
}

static int list_canonical(const struct context *ctx, const struct hd_option *opt,
			  const json_t *value, json_t **ret)
{
	_json_ json_t *list = json_array();
	_json_ json_t *seen = json_object();

	if (!list || !seen)
		return -ENOMEM;
	for (size_t i = 0; i < json_array_size(value); i++) {
		json_t *element;
		int r = value_check(opt, json_array_get(value, i), &element, ctx->err);

		if (r < 0)
			return blame(ctx, opt->name, (ssize_t)i);
		if (json_array_append_new(list, element) < 0)
			return -ENOMEM;
		r = check_duplicate(opt, element, seen, ctx->err);
		if (r < 0)
			return blame(ctx, opt->name, (ssize_t)i);
	}
	*ret = TAKE_PTR(list);
	return 0;
}

static int option_value(const struct context *ctx, const struct hd_option *opt, const json_t *value,
			json_t **ret)
{
	json_t *element;
	int r;

	if (opt->flags & HD_OPT_LIST && json_is_array(value))
		return list_canonical(ctx, opt, value, ret);
	r = value_check(opt, value, &element, ctx->err);
	if (r < 0)
		return blame(ctx, opt->name, -1);
	*ret = opt->flags & HD_OPT_LIST ? json_pack("[o]", element) : element;
	return *ret ? 0 : -ENOMEM;
}

/* A false flag or an empty list says the same as no option at all; in a "set" that means the
 * default. */
static bool says_nothing(const struct hd_option *opt, const json_t *value)
{
	/* No rules at all is a statement: nothing passes. No "rules" is another: those of a new group. */
	if (opt->item == &hd_rule_noun)
		return false;
	return (opt->type == HD_TYPE_FLAG && json_is_false(value)) ||
	       (opt->flags & HD_OPT_LIST && json_is_array(value) && json_array_size(value) == 0);
}

static int option_canonical(const struct context *ctx, const struct hd_option *opt,
			    const json_t *value, json_t *out)
{
	_json_ json_t *canonical = NULL;
	int r = check_allowed(ctx, opt, value);

	if (r < 0)
		return r;
	if (ctx->partial && json_is_null(value))
		return json_object_set_new(out, opt->name, json_null()) < 0 ? -ENOMEM : 0;
	r = option_value(ctx, opt, value, &canonical);
	if (r < 0)
		return r;
	if (!says_nothing(opt, canonical))
		return json_object_set(out, opt->name, canonical) < 0 ? -ENOMEM : 0;
	if (ctx->partial)
		return json_object_set_new(out, opt->name, json_null()) < 0 ? -ENOMEM : 0;
	return 0;
}

/* Everything below checks one value that came as text. */

static int unexpected(const struct hd_option *opt, const char *text, const char *expected,
		      struct hd_error *err)
{
	return hd_error_set(err, HD_ERR_INVALID, "option %s: expected %s, not \"%.80s\"", opt->name,
			    expected, text);
}

/* jansson refuses what is not UTF-8, and nothing else when there is memory. */
static int take_text(const struct hd_option *opt, const char *text, json_t **ret,
		     struct hd_error *err)
{
	json_t *json = json_string(text);

	if (!json)
		return unexpected(opt, text, "UTF-8", err);
	*ret = json;
	return 0;
}

static bool is_printable(const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++)
		if (*c < 0x20 || *c == 0x7f)
			return false;
	return true;
}

static bool is_dots(const char *text)
{
	return !strcmp(text, ".") || !strcmp(text, "..");
}

static int check_name(const struct hd_option *opt, const char *text, json_t **ret,
		      struct hd_error *err)
{
	if (!hd_name_ok(text))
		return unexpected(opt, text,
				  "a name of 1 to 63 letters, digits, '.', '_' or '-', starting "
				  "with a letter or digit",
				  err);
	return take_text(opt, text, ret, err);
}

static int check_string(const struct hd_option *opt, const char *text, json_t **ret,
			struct hd_error *err)
{
	if (strlen(text) > STRING_MAX_BYTES || !is_printable(text))
		return unexpected(opt, text, "at most 255 bytes without control characters", err);
	return take_text(opt, text, ret, err);
}

/* What dev_valid_name() in the kernel's net/core/dev.c takes, without '%', which would be a
 * template there. */
static int check_device(const struct hd_option *opt, const char *text, json_t **ret,
			struct hd_error *err)
{
	size_t len = strlen(text);

	if (len < 1 || len > DEVICE_MAX_BYTES || is_dots(text) || !is_printable(text) ||
	    strpbrk(text, "/:% \xa0"))
		return unexpected(opt, text, "a device name of 1 to 15 bytes", err);
	return take_text(opt, text, ret, err);
}

static int check_netns(const struct hd_option *opt, const char *text, json_t **ret,
		       struct hd_error *err)
{
	size_t len = strlen(text);
	bool is_path = text[0] == '/' && len <= PATH_MAX_BYTES;
	bool is_name = len >= 1 && len <= STRING_MAX_BYTES && !strchr(text, '/') && !is_dots(text);

	if (!(is_path || is_name) || !is_printable(text))
		return unexpected(opt, text, "a name under /run/netns or an absolute path", err);
	return take_text(opt, text, ret, err);
}

/* Decimal digits only: no sign, no blank, no overflow. */
static bool parse_uint(const char *text, uint64_t *ret)
{
	uint64_t number = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' ||
		    __builtin_mul_overflow(number, (uint64_t)10, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(*text - '0'), &number))
			return false;
	}
	*ret = number;
	return true;
}

static bool is_one_of(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (!strcmp(text, *words))
			return true;
	return false;
}

static int check_uint(const struct hd_option *opt, const char *text, json_t **ret,
		      struct hd_error *err)
{
	char range[RANGE_TEXT_MAX];
	uint64_t number;

	if (opt->words && is_one_of(text, opt->words))
		return take_text(opt, text, ret, err);
	if (parse_uint(text, &number) && number >= opt->min && number <= opt->max)
		return uint_canonical(opt, number, ret, err);
	return unexpected(opt, text, print_range(opt, "a number", range), err);
}

static int check_flag(const struct hd_option *opt, const char *text, json_t **ret,
		      struct hd_error *err)
{
	(void)opt, (void)text,
		(void)err; /* a flag on the command line has no value that could be wrong */
	*ret = json_true();
	return 0;
}

static int check_onoff(const struct hd_option *opt, const char *text, json_t **ret,
		       struct hd_error *err)
{
	static const char *const on[] = { "on", "true", "yes", NULL };
	static const char *const off[] = { "off", "false", "no", NULL };

	if (!is_one_of(text, on) && !is_one_of(text, off))
		return unexpected(opt, text, "on or off", err);
	*ret = json_boolean(is_one_of(text, on));
	return 0;
}

static int check_word(const struct hd_option *opt, const char *text, json_t **ret,
		      struct hd_error *err)
{
	char expected[256] = "one of";
	size_t len = strlen(expected);

	if (is_one_of(text, opt->words))
		return take_text(opt, text, ret, err);
	for (size_t i = 0; opt->words[i] && len < sizeof(expected); i++)
		len += (size_t)snprintf(expected + len, sizeof(expected) - len, "%s %s",
					i ? "," : "", opt->words[i]);
	return unexpected(opt, text, expected, err);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Six groups of two digits, all separated by ':' or all by '-'. */
static bool parse_mac(const char *text, uint8_t mac[6])
{
	if (strlen(text) != 17 || (text[2] != ':' && text[2] != '-'))
		return false;
	for (size_t i = 0; i < 6; i++) {
		int high = hex_digit(text[3 * i]), low = hex_digit(text[3 * i + 1]);

		if (high < 0 || low < 0 || (i < 5 && text[3 * i + 2] != text[2]))
			return false;
		mac[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static int check_mac(const struct hd_option *opt, const char *text, json_t **ret,
		     struct hd_error *err)
{
	static const uint8_t zero[6];
	char canonical[18];
	uint8_t mac[6];

	if (!parse_mac(text, mac))
		return unexpected(opt, text, "a MAC such as 02:00:5e:00:53:01", err);
	if (mac[0] & 1 || !memcmp(mac, zero, sizeof(zero)))
		return unexpected(opt, text, "a unicast MAC other than all zeros", err);
	(void)snprintf(canonical, sizeof(canonical), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0],
		       mac[1], mac[2], mac[3], mac[4], mac[5]);
	return take_text(opt, canonical, ret, err);
}

/* An address and the prefix length behind it, -1 if there was none. */
struct ip {
	int family;
	int len;
	uint8_t addr[16];
};

static bool parse_addr(const char *text, struct ip *ip)
{
	static const uint8_t mapped[12] = { [10] = 0xff, 0xff };

	ip->family = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(ip->family, text, ip->addr) != 1)
		return false;
	/* ::ffff:192.0.2.1 never is on the wire: it would be a second name of 192.0.2.1 (RFC
	 * 4291 2.5.5.2). */
	return ip->family == AF_INET || memcmp(ip->addr, mapped, sizeof(mapped)) != 0;
}

static bool parse_ip(const char *text, struct ip *ip)
{
	char addr[INET6_ADDRSTRLEN];
	const char *slash = strchrnul(text, '/');
	uint64_t len;

	if ((size_t)(slash - text) >= sizeof(addr))
		return false;
	(void)snprintf(addr, sizeof(addr), "%.*s", (int)(slash - text), text);
	if (!parse_addr(addr, ip))
		return false;
	ip->len = -1;
	if (!*slash)
		return true;
	if (!parse_uint(slash + 1, &len) || len > (ip->family == AF_INET ? 32 : 128))
		return false;
	ip->len = (int)len;
	return true;
}

enum { IP_TEXT_MAX = INET6_ADDRSTRLEN + 12 };

static void print_ip(const struct ip *ip, char text[IP_TEXT_MAX])
{
	char addr[INET6_ADDRSTRLEN];

	(void)inet_ntop(ip->family, ip->addr, addr, sizeof(addr)); /* the buffer is large enough */
	if (ip->len < 0)
		(void)snprintf(text, IP_TEXT_MAX, "%s", addr);
	else
		(void)snprintf(text, IP_TEXT_MAX, "%s/%d", addr, ip->len);
}

static int take_ip(const struct hd_option *opt, const struct ip *ip, json_t **ret,
		   struct hd_error *err)
{
	char text[IP_TEXT_MAX];

	print_ip(ip, text);
	return take_text(opt, text, ret, err);
}

static int check_ip(const struct hd_option *opt, const char *text, json_t **ret,
		    struct hd_error *err)
{
	struct ip ip;

	if (!parse_ip(text, &ip) || ip.len >= 0)
		return unexpected(opt, text, "an IPv4 or IPv6 address", err);
	return take_ip(opt, &ip, ret, err);
}

/* Both ends of one family, the first not behind the last. */
static bool parse_range(const char *text, struct ip *first, struct ip *last)
{
	const char *dash = strchrnul(text, '-');
	char addr[INET6_ADDRSTRLEN];

	if (!*dash || (size_t)(dash - text) >= sizeof(addr))
		return false;
	(void)snprintf(addr, sizeof(addr), "%.*s", (int)(dash - text), text);
	first->len = last->len = -1;
	return parse_addr(addr, first) && parse_addr(dash + 1, last) &&
	       first->family == last->family &&
	       memcmp(first->addr, last->addr, first->family == AF_INET ? 4 : 16) <= 0;
}

static int check_range(const struct hd_option *opt, const char *text, json_t **ret,
		       struct hd_error *err)
{
	char out[2 * IP_TEXT_MAX], from[IP_TEXT_MAX], to[IP_TEXT_MAX];
	struct ip first, last;

	if (!parse_range(text, &first, &last))
		return unexpected(opt, text, "a range such as 192.0.2.10-192.0.2.99", err);
	print_ip(&first, from);
	print_ip(&last, to);
	(void)snprintf(out, sizeof(out), "%s-%s", from, to);
	return take_text(opt, out, ret, err);
}

/* Ranges, separated by commas, in canonical form. */
static int check_ranges(const struct hd_option *opt, const char *text, json_t **ret,
			struct hd_error *err)
{
	char out[16 * IP_TEXT_MAX] = "", from[IP_TEXT_MAX], to[IP_TEXT_MAX];
	_free_ char *copy = strdup(text);
	size_t len = 0;
	char *rest = copy, *one;

	if (!copy)
		return -ENOMEM;
	while ((one = strsep(&rest, ","))) {
		struct ip first, last;

		if (!parse_range(one, &first, &last) || len + 2 * IP_TEXT_MAX > sizeof(out))
			return unexpected(opt, text,
					  "an IPv4 or IPv6 address, with or without /LEN; auto; or "
					  "FIRST-LAST[,FIRST-LAST]...",
					  err);
		print_ip(&first, from);
		print_ip(&last, to);
		len += (size_t)snprintf(out + len, sizeof(out) - len, "%s%s-%s", len ? "," : "",
					from, to);
	}
	return take_text(opt, out, ret, err);
}

static int check_iplen(const struct hd_option *opt, const char *text, json_t **ret,
		       struct hd_error *err)
{
	struct ip ip;

	if (!strcmp(text, HD_IP_AUTO))
		return take_text(opt, text, ret, err);
	return parse_ip(text, &ip) ? take_ip(opt, &ip, ret, err)
				   : check_ranges(opt, text, ret, err);
}

static struct ip network_of(const struct ip *ip)
{
	struct ip net = *ip;

	for (int bit = ip->len; bit < (ip->family == AF_INET ? 32 : 128); bit++)
		net.addr[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	return net;
}

static int check_cidr(const struct hd_option *opt, const char *text, json_t **ret,
		      struct hd_error *err)
{
	char right[IP_TEXT_MAX], given[IP_TEXT_MAX];
	struct ip ip, net;
	int r;

	if (!parse_ip(text, &ip) || ip.len < 0)
		return unexpected(opt, text, "a network such as 192.0.2.0/24 or 2001:db8::/64",
				  err);
	net = network_of(&ip);
	print_ip(&net, right);
	print_ip(&ip, given);
	if (!strcmp(right, given))
		return take_text(opt, right, ret, err);
	r = hd_error_set(err, HD_ERR_INVALID, "option %s: %s has bits set behind its prefix length",
			 opt->name, given);
	hd_error_hint(err, "the network that holds it is %s", right);
	return r;
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* What is allowed inside, with a letter or digit at both ends. */
static bool is_word(const char *text, size_t len, const char *inside)
{
	if (len < 1 || !is_alnum(text[0]) || !is_alnum(text[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_alnum(text[i]) && !memchr(inside, text[i], strlen(inside)))
			return false;
	return true;
}

/* Words of lower case, digits and '-', with dots in between (RFC 1123); at most 253 bytes. */
static bool is_domain(const char *text, size_t len)
{
	const char *end = text + len;

	for (size_t i = 0; i < len; i++)
		if (text[i] >= 'A' && text[i] <= 'Z')
			return false;
	for (;;) {
		const char *dot = memchr(text, '.', (size_t)(end - text));

		if (!is_word(text, (size_t)((dot ? dot : end) - text), "-"))
			return false;
		if (!dot)
			return len <= DOMAIN_MAX_BYTES;
		text = dot + 1;
	}
}

/* [DOMAIN/]NAME */
static bool is_label_key(const char *text, size_t len)
{
	const char *slash = memchr(text, '/', len);
	size_t domain = slash ? (size_t)(slash - text) : 0;

	if (slash && !is_domain(text, domain))
		return false;
	if (slash) {
		text = slash + 1;
		len -= domain + 1;
	}
	return len <= NAME_MAX_BYTES && is_word(text, len, "-_.");
}

/* Nothing is a value, too. */
static bool is_label_value(const char *text)
{
	size_t len = strlen(text);

	return !len || (len <= NAME_MAX_BYTES && is_word(text, len, "-_."));
}

/* The syntax of Kubernetes, so that its labels can be taken over as they are. */
static int bad_label(const struct hd_option *opt, const char *text, const char *expected,
		     struct hd_error *err)
{
	int r = unexpected(opt, text, expected, err);

	hd_error_hint(err, "KEY is [DOMAIN/]NAME; NAME and VALUE are letters, digits, '-', '_' and "
			   "'.', 63 at most, with a letter or digit at both ends");
	return r;
}

static int check_label(const struct hd_option *opt, const char *text, json_t **ret,
		       struct hd_error *err)
{
	size_t key = strcspn(text, "=");

	if (!text[key] || !is_label_key(text, key) || !is_label_value(text + key + 1))
		return bad_label(opt, text, "KEY=VALUE", err);
	return take_text(opt, text, ret, err);
}

static int check_selector(const struct hd_option *opt, const char *text, json_t **ret,
			  struct hd_error *err)
{
	size_t key = strcspn(text, "=");

	if (!is_label_key(text, key) || (text[key] && !is_label_value(text + key + 1)))
		return bad_label(opt, text, "KEY=VALUE or KEY", err);
	return take_text(opt, text, ret, err);
}

/* IP[/LEN][,MAC] */
static int check_address(const struct hd_option *opt, const char *text, json_t **ret,
			 struct hd_error *err)
{
	const char *expected = "IP[/LEN][,MAC]", *comma = strchr(text, ',');
	char ip_text[IP_TEXT_MAX], out[IP_TEXT_MAX + 20];
	uint8_t mac[6];
	struct ip ip;

	(void)snprintf(ip_text, sizeof(ip_text), "%.*s",
		       comma ? (int)(comma - text) : (int)sizeof(ip_text) - 1, text);
	if (!parse_ip(ip_text, &ip) || (comma && (!parse_mac(comma + 1, mac) || (mac[0] & 1))))
		return unexpected(opt, text, expected, err);
	if (ip.len >= 0) { /* what is allowed is a whole network: it should look like one */
		_json_ json_t *unused = NULL;
		int r;

		print_ip(&ip, ip_text);
		r = check_cidr(opt, ip_text, &unused, err);
		if (r < 0)
			return r;
	}
	print_ip(&ip, ip_text);
	if (!comma)
		return take_text(opt, ip_text, ret, err);
	(void)snprintf(out, sizeof(out), "%s,%02x:%02x:%02x:%02x:%02x:%02x", ip_text, mac[0],
		       mac[1], mac[2], mac[3], mac[4], mac[5]);
	return take_text(opt, out, ret, err);
}

static int check_rate(const struct hd_option *opt, const char *text, json_t **ret,
		      struct hd_error *err)
{
	char out[HD_AMOUNT_MAX];
	uint64_t bits;

	if (!hd_rate_parse(text, &bits))
		return unexpected(opt, text,
				  "a rate from 8kbit to 1000gbit, such as 10mbit (bits a second)",
				  err);
	hd_rate_format(bits, out);
	return take_text(opt, out, ret, err);
}

static int check_size(const struct hd_option *opt, const char *text, json_t **ret,
		      struct hd_error *err)
{
	char out[HD_AMOUNT_MAX];
	uint64_t bytes;

	if (!hd_size_parse(text, &bytes))
		return unexpected(opt, text, "a size from 1kb to 1024mb, such as 256kb (bytes)",
				  err);
	hd_size_format(bytes, out);
	return take_text(opt, out, ret, err);
}

static int check_ports(const struct hd_option *opt, const char *text, json_t **ret,
		       struct hd_error *err)
{
	uint16_t first, last;
	char out[16];

	if (!hd_ports_parse(text, &first, &last))
		return unexpected(opt, text, "a port N or a range N-M, 0 to 65535", err);
	if (first == last)
		(void)snprintf(out, sizeof(out), "%u", first);
	else
		(void)snprintf(out, sizeof(out), "%u-%u", first, last);
	return take_text(opt, out, ret, err);
}

/* "ADDRESS:" in front of a port, IPv6 in brackets. Return: its length, 0 if it is none. */
static size_t parse_host(const char *text, struct ip *ret)
{
	bool brackets = *text == '[';
	const char *end = strchr(text, brackets ? ']' : ':');
	char ip[INET6_ADDRSTRLEN];
	size_t len = end ? (size_t)(end - text) - brackets : 0;

	if (!end || len >= sizeof(ip) || end[brackets] != ':')
		return 0;
	(void)snprintf(ip, sizeof(ip), "%.*s", (int)len, text + brackets);
	ret->len = -1;
	if (!parse_addr(ip, ret) || (ret->family == AF_INET6) != brackets)
		return 0;
	return (size_t)(end - text) + 1 + brackets;
}

/* One spelling: no leading zeros, IPv6 as RFC 5952 has it. */
static int check_endpoint(const struct hd_option *opt, const char *text, json_t **ret,
			  struct hd_error *err)
{
	char addr[INET6_ADDRSTRLEN], out[INET6_ADDRSTRLEN + 10];
	struct ip ip;
	size_t len = parse_host(text, &ip);
	uint64_t port;

	if (!len)
		return unexpected(opt, text, "IP:PORT, or [IP]:PORT for IPv6", err);
	if (!parse_uint(text + len, &port) || !port || port > 65535)
		return unexpected(opt, text, "IP:PORT, with a port from 1 to 65535", err);
	(void)inet_ntop(ip.family, ip.addr, addr, sizeof(addr)); /* there is room */
	(void)snprintf(out, sizeof(out), ip.family == AF_INET6 ? "[%s]:%u" : "%s:%u", addr,
		       (unsigned int)port);
	return take_text(opt, out, ret, err);
}

static int check_vlans(const struct hd_option *opt, const char *text, json_t **ret,
		       struct hd_error *err)
{
	uint32_t vlans[HD_VLAN_WORDS];
	const char *expected = hd_vlans_parse(text, vlans);
	_free_ char *out = NULL;

	if (expected)
		return unexpected(opt, text, expected, err);
	out = hd_vlans_format(vlans);
	if (!out)
		return hd_error_set(err, HD_ERR_FAILED, "option %s: no memory", opt->name);
	return take_text(opt, out, ret, err);
}

static int check_protocol(const struct hd_option *opt, const char *text, json_t **ret,
			  struct hd_error *err)
{
	int number = hd_protocol_parse(text);
	const char *name;
	char out[16];

	if (number < 0)
		return unexpected(opt, text, "tcp, udp, icmp, icmpv6, sctp ... or a number to 255",
				  err);
	name = hd_protocol_name((uint8_t)number);
	if (name)
		return take_text(opt, name, ret, err);
	(void)snprintf(out, sizeof(out), "%d", number);
	return take_text(opt, out, ret, err);
}

/* Items have options of their own. */
static int check_item(const struct hd_option *opt, const char *text, json_t **ret,
		      struct hd_error *err)
{
	(void)ret;
	return unexpected(opt, text, "a mapping with options of its own", err);
}

static int check_text(const struct hd_option *opt, const char *text, json_t **ret,
		      struct hd_error *err)
{
	static int (*const checks[])(const struct hd_option *, const char *, json_t **,
				     struct hd_error *) = {
		[HD_TYPE_NAME] = check_name,	     [HD_TYPE_STRING] = check_string,
		[HD_TYPE_DEVICE] = check_device,     [HD_TYPE_NETNS] = check_netns,
		[HD_TYPE_UINT] = check_uint,	     [HD_TYPE_FLAG] = check_flag,
		[HD_TYPE_ONOFF] = check_onoff,	     [HD_TYPE_WORD] = check_word,
		[HD_TYPE_MAC] = check_mac,	     [HD_TYPE_IP] = check_ip,
		[HD_TYPE_IPLEN] = check_iplen,	     [HD_TYPE_CIDR] = check_cidr,
		[HD_TYPE_LABEL] = check_label,	     [HD_TYPE_ADDRESS] = check_address,
		[HD_TYPE_PORTS] = check_ports,	     [HD_TYPE_PROTOCOL] = check_protocol,
		[HD_TYPE_ITEM] = check_item,	     [HD_TYPE_VLANS] = check_vlans,
		[HD_TYPE_RANGE] = check_range,	     [HD_TYPE_ENDPOINT] = check_endpoint,
		[HD_TYPE_SELECTOR] = check_selector, [HD_TYPE_RATE] = check_rate,
		[HD_TYPE_SIZE] = check_size,
	};

	return checks[opt->type](opt, text, ret, err);
}
