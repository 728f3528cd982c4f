// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* file.c - heddle apply, diff, validate and export: the whole configuration at once */
#include "cli/file.h"

#include <errno.h>
#include <string.h>

#include "cli/change.h"
#include "cli/groups.h"
#include "cli/url.h"
#include "loader/api/file.h"
#include "loader/cleanup.h"

enum { FILE_MAX = 16 << 20 }; /* as the API */

static int run_apply(struct hd_cli *cli, struct hd_error *err);
static int run_diff(struct hd_cli *cli, struct hd_error *err);
static int run_validate(struct hd_cli *cli, struct hd_error *err);
static int run_export(struct hd_cli *cli, struct hd_error *err);

static const struct hd_option apply_options[] = {
	HD_OPTION_FILE(HD_OPT_REQUIRED, ""),
	{ .name = "ttl",
	  .type = HD_TYPE_STRING,
	  .flags = HD_OPT_LATER,
	  .meta = "TIME",
	  .help = "take back what the file makes after this time" },
};
static const struct hd_option file_options[] = { HD_OPTION_FILE(HD_OPT_REQUIRED, "") };

static const struct hd_command apply_commands[] = {
	{ .help = "make the system equal to the file, for the nouns that it holds",
	  .options = apply_options,
	  .n_options = HD_COUNT(apply_options),
	  .run = run_apply },
};
static const struct hd_command diff_commands[] = {
	{ .help = "what apply would change",
	  .options = file_options,
	  .n_options = HD_COUNT(file_options),
	  .run = run_diff },
};
static const struct hd_command validate_commands[] = {
	{ .help = "whether apply would take the file",
	  .options = file_options,
	  .n_options = HD_COUNT(file_options),
	  .run = run_validate },
};
static const struct hd_command export_commands[] = {
	{ .help = "the configuration, as apply takes it", .run = run_export },
};

const struct hd_group hd_group_apply = {
	.word = "apply",
	.help = "make the system equal to a file",
	.commands = apply_commands,
	.n_commands = HD_COUNT(apply_commands),
};
const struct hd_group hd_group_diff = {
	.word = "diff",
	.help = "what apply would change",
	.commands = diff_commands,
	.n_commands = HD_COUNT(diff_commands),
};
const struct hd_group hd_group_validate = {
	.word = "validate",
	.help = "whether apply would take a file",
	.commands = validate_commands,
	.n_commands = HD_COUNT(validate_commands),
};
const struct hd_group hd_group_export = {
	.word = "export",
	.help = "print the configuration as apply takes it",
	.commands = export_commands,
	.n_commands = HD_COUNT(export_commands),
};

/* Prints the diff, also of a change that is made. */
static int run_apply(struct hd_cli *cli, struct hd_error *err)
{
	_free_ char *path = hd_url(cli, "apply", NULL);
	_free_ char *text = NULL;
	struct hd_request request = { .method = "POST", .path = path };
	int r;

	if (!path)
		return hd_no_memory(err);
	r = hd_cli_read_file(cli, &text, &request.len, err);
	if (r)
		return r;
	request.body = text;
	return hd_change(cli, &request, true, err);
}

static int run_diff(struct hd_cli *cli, struct hd_error *err)
{
	if (json_object_set_new(cli->options, "dry-run", json_true()))
		return hd_no_memory(err);
	return run_apply(cli, err);
}

static int run_validate(struct hd_cli *cli, struct hd_error *err)
{
	struct hd_request request = { .method = "POST", .path = "/v1/validate" };
	_free_ char *text = NULL;
	int r = hd_cli_read_file(cli, &text, &request.len, err);

	if (r)
		return r;
	request.body = text;
	r = hd_change(cli, &request, false, err);
	if (!r && !cli->out.json)
		hd_out_line(&cli->out, "%s: valid", cli->file);
	return r;
}

static int run_export(struct hd_cli *cli, struct hd_error *err)
{
	_json_ json_t *config = NULL;
	_free_ char *yaml = NULL;
	int r = hd_get(cli, "export", NULL, &config, err);

	if (r)
		return r;
	if (cli->out.json) {
		hd_out_json(&cli->out, config);
		return 0;
	}
	yaml = hd_file_emit_yaml(config);
	if (!yaml)
		return hd_no_memory(err);
	(void)fputs(yaml, cli->out.file); /* hd_out_end() reports failed writes */
	return 0;
}

/* ---- reading ---- */

static int cannot_read(const char *name, int why, struct hd_error *err)
{
	enum hd_error_code code = HD_ERR_FAILED;

	if (why == ENOENT)
		code = HD_ERR_NOT_FOUND;
	if (why == EACCES)
		code = HD_ERR_PERMISSION;
	return hd_error_set(err, code, "can't read %s: %s", name, strerror(why));
}

static int read_stream(FILE *in, const char *name, char **ret, size_t *ret_len,
		       struct hd_error *err)
{
	_free_ char *text = malloc(FILE_MAX + 1);
	size_t len;

	if (!text)
		return hd_no_memory(err);
	errno = 0;
	len = fread(text, 1, FILE_MAX + 1, in);
	if (ferror(in))
		return cannot_read(name, errno ? errno : EIO, err);
	if (len > FILE_MAX)
		return hd_error_set(err, HD_ERR_INVALID, "%s is over %d MiB long", name,
				    FILE_MAX >> 20);
	*ret = TAKE_PTR(text);
	*ret_len = len;
	return 0;
}

int hd_cli_read_file(struct hd_cli *cli, char **ret, size_t *ret_len, struct hd_error *err)
{
	_fclose_ FILE *file = NULL;

	if (!strcmp(cli->file, "-")) {
		cli->file = "stdin";
		return read_stream(stdin, cli->file, ret, ret_len, err);
	}
	file = fopen(cli->file, "re");
	if (!file)
		return cannot_read(cli->file, errno, err);
	return read_stream(file, cli->file, ret, ret_len, err);
}
