/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * item.h - numbered things inside an object: rules of a security group, for example
 *
 * An item is no object: it has no name, only an id that the daemon gives. So it is not set as an option of the object, which would
 * replace all of them, but has two verbs of its own. What it is stands in the command's noun.
 */
#pragma once

#include "cli/command.h"

/** hd_item_add - `NOUN ITEM-add NAME --option...`: prints the new item's id */
int hd_item_add(struct hd_cli *cli, struct hd_error *err);

/** hd_item_del - `NOUN ITEM-del NAME ID` */
int hd_item_del(struct hd_cli *cli, struct hd_error *err);

/**
 * hd_items_diff_t - told about each item that is in one list only
 * @sign: '+' if it is in the new one, '-' in the old one
 * @text: all that it says, but for its id
 */
typedef void (*hd_items_diff_t)(void *arg, char sign, const char *text);

/**
 * hd_items_diff - compare two lists of items, whatever their order and ids; new ones come first
 * @item:   what they are
 * @before: NULL or null: the option is not given
 * @after:  the same
 *
 * Return: 0 or -ENOMEM.
 */
int hd_items_diff(const struct hd_noun *item, const json_t *before, const json_t *after,
		  hd_items_diff_t tell, void *arg);
