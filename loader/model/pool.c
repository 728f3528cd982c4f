// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* pool.c - addresses of a network that somebody has, and the next free one */
#include "model/pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned __int128 number;

static number number_of(const struct hd_ip *ip)
{
	number n = 0;

	for (size_t i = 0; i < sizeof(ip->bytes); i++)
		n = n << 8 | ip->bytes[i];
	return n;
}

static void set_number(struct hd_ip *ip, number n)
{
	for (size_t i = sizeof(ip->bytes); i-- > 0; n >>= 8)
		ip->bytes[i] = (uint8_t)n;
}

static void take(struct hd_pool *pool, const struct hd_ip *ip)
{
	size_t room = pool->room ? pool->room * 2 : 64;
	number *list;

	if (pool->n == pool->room) {
		list = reallocarray(pool->list, room, sizeof(*list));
		if (!list) {
			pool->failed = true;
			return;
		}
		pool->list = list;
		pool->room = room;
	}
	pool->list[pool->n++] = number_of(ip);
}

static bool is(const char *a, const char *b)
{
	return a && !strcmp(a, b);
}

static void take_port(struct hd_pool *pool, const struct hd_port *port)
{
	for (size_t i = 0; i < port->n_ips; i++)
		take(pool, &port->ips[i]);
	for (size_t i = 0; i < port->n_allowed; i++)
		take(pool, &port->allowed[i].ip);
}

/* Those of routers, too: only who asks for it shares an address. */
static void take_all(struct hd_pool *pool, const struct hd_model *model, const char *network)
{
	hd_model_each(model, HD_NOUN_SUBNET, object)
		if (is(object->view.subnet.network, network) && object->view.subnet.has_gateway)
			take(pool, &object->view.subnet.gateway);
	hd_model_each(model, HD_NOUN_ROUTER, object)
		for (int family = 0; family < HD_FAMILIES; family++)
			if (is(object->view.router.gateway.network, network) &&
			    object->view.router.gateway.has_ip[family])
				take(pool, &object->view.router.gateway.ip[family]);
	hd_model_each(model, HD_NOUN_PORT, object)
		if (is(object->view.port.network, network))
			take_port(pool, &object->view.port);
	hd_model_each(model, HD_NOUN_PORT_FORWARD, object)
		if (is(hd_model_listen_network(model, &object->view.port_forward), network))
			take(pool, &object->view.port_forward.listen.ip);
	hd_model_each(model, HD_NOUN_FLOATING_IP, object)
		if (is(hd_model_floating_network(model, &object->view.floating_ip), network))
			take(pool, &object->view.floating_ip.ip);
	hd_model_each(model, HD_NOUN_NEIGHBOUR, object)
		if (is(object->view.neighbour.network, network))
			take(pool, &object->view.neighbour.ip);
}

static int compare(const void *a, const void *b)
{
	const number *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int sort(struct hd_pool *pool)
{
	if (pool->failed)
		return -ENOMEM;
	if (pool->n)
		qsort(pool->list, pool->n, sizeof(*pool->list), compare);
	return 0;
}

int hd_pool_open(const struct hd_model *model, const char *network, struct hd_pool *ret)
{
	*ret = (struct hd_pool){ 0 };
	take_all(ret, model, network);
	return sort(ret);
}

void hd_pool_done(struct hd_pool *pool)
{
	free(pool->list);
	*pool = (struct hd_pool){ 0 };
}

int hd_pool_take(struct hd_pool *pool, const struct hd_ip *ip)
{
	take(pool, ip);
	return sort(pool);
}

struct hd_range hd_pool_of_subnet(const struct hd_subnet *subnet)
{
	unsigned int bits =
		subnet->cidr.is_v4 ? 32u - subnet->cidr.prefix : 128u - subnet->cidr.prefix;
	struct hd_range range = { subnet->cidr, subnet->cidr, &subnet->cidr };

	if (subnet->has_pool)
		return (struct hd_range){ subnet->pool_first, subnet->pool_last, &subnet->cidr };
	set_number(&range.last,
		   number_of(&subnet->cidr) | (bits < 128 ? ((number)1 << bits) - 1 : ~(number)0));
	range.first.prefix = range.last.prefix = HD_PREFIX_NONE;
	return range;
}

/* Where in the list @n is, or would be. */
static size_t place_of(const struct hd_pool *pool, number n)
{
	size_t low = 0, high = pool->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (pool->list[middle] < n)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* In both @first and @last there is a number: what is added to one can't run over. */
static bool first_free(const struct hd_pool *pool, const struct hd_range *range, number first,
		       number last, struct hd_ip *ret)
{
	size_t i = place_of(pool, first);
	struct hd_ip ip = range->first;

	for (number n = first;; n++) {
		while (i < pool->n && pool->list[i] < n)
			i++;
		set_number(&ip, n);
		if (!(i < pool->n && pool->list[i] == n) && hd_ip_is_host(&ip, range->cidr)) {
			*ret = ip;
			return true;
		}
		if (n == last)
			return false;
	}
}

bool hd_pool_next(const struct hd_pool *pool, const struct hd_range *range, uint64_t *place,
		  struct hd_ip *ret)
{
	number first = number_of(&range->first), last = number_of(&range->last);
	number start;

	if (last < first)
		return false;
	start = last - first == ~(number)0 ? first : first + *place % (last - first + 1);
	if (!first_free(pool, range, start, last, ret) &&
	    !(start > first && first_free(pool, range, first, start - 1, ret)))
		return false;
	*place = (uint64_t)(number_of(ret) - first) + 1;
	return true;
}
