// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* result.c - what goes to stdout */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cni/cni.h"
#include "loader/cleanup.h"

/* ---- a result in the shape of its version ---- */

static void add_interface(const struct hd_cni *cni, const json_t *port, json_t *list)
{
	json_t *near = json_pack("{s:O}", "name", json_object_get(port, "host-device"));
	json_t *far = json_pack("{s:s, s:O, s:s}", "name", cni->ifname, "mac",
				json_object_get(port, "mac"), "sandbox", cni->netns);
	json_t *mtu = json_object_get(port, "mtu");

	if (cni->version >= HD_CNI_1_1_0 && mtu) {
		(void)json_object_set(near, "mtu", mtu);
		(void)json_object_set(far, "mtu", mtu);
	}
	(void)json_array_append_new(list, near);
	(void)json_array_append_new(list, far);
}

static const char *length_of(const char *cidr)
{
	const char *slash = cidr ? strchr(cidr, '/') : NULL;

	return slash ? slash : "";
}

/* What another plugin has said is the gateway of an address that it has found. */
static json_t *delegated_gateway(const json_t *delegated, const char *ip)
{
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(delegated, "ips"), i, one) {
		const char *address = json_string_value(json_object_get(one, "address"));

		if (address && !strcmp(address, ip))
			return json_object_get(one, "gateway");
	}
	return NULL;
}

/* An address with the length that its subnet has, and its gateway. */
static void add_ip(const struct hd_cni *cni, const struct hd_cni_made *made, const char *ip,
		   size_t index, json_t *list)
{
	const json_t *subnet = hd_cni_subnet_of(cni, made->subnets, ip);
	const char *cidr = json_string_value(json_object_get(subnet, "cidr"));
	json_t *gateway = made->delegated ? delegated_gateway(made->delegated, ip)
					  : json_object_get(subnet, "gateway");
	char address[80];
	json_t *entry;

	(void)snprintf(address, sizeof(address), "%s%s", ip,
		       strchr(ip, '/') ? "" : length_of(cidr));
	entry = json_pack("{s:s, s:i}", "address", address, "interface", (int)index);
	if (json_is_string(gateway) && strcmp(json_string_value(gateway), ip))
		(void)json_object_set(entry, "gateway", gateway);
	if (cni->version < HD_CNI_1_0_0)
		(void)json_object_set_new(entry, "version",
					  json_string(strchr(ip, ':') ? "6" : "4"));
	(void)json_array_append_new(list, entry);
}

static void add_route(const char *dst, const char *gateway, json_t *list)
{
	const json_t *route;
	size_t i;

	json_array_foreach(list, i, route) {
		const char *other = json_string_value(json_object_get(route, "dst"));

		if (other && !strcmp(other, dst))
			return;
	}
	(void)json_array_append_new(list,
				    gateway ? json_pack("{s:s, s:s}", "dst", dst, "gw", gateway)
					    : json_pack("{s:s}", "dst", dst));
}

/* The default routes that heddled has set: of each family by the gateway of the first address whose subnet has one; then those asked for. */
static void add_routes(const struct hd_cni *cni, const struct hd_cni_made *made, json_t *list)
{
	const json_t *ip, *route;
	size_t i;

	json_array_foreach(json_object_get(made->port, "ip"), i, ip) {
		const char *text = json_string_value(ip);
		const json_t *subnet = hd_cni_subnet_of(cni, made->subnets, text);
		const char *gateway = json_string_value(json_object_get(subnet, "gateway"));

		if (gateway)
			add_route(strchr(text, ':') ? "::/0" : "0.0.0.0/0", gateway, list);
	}
	json_array_foreach(hd_cni_routes(cni, made), i, route) {
		const char *dst = json_string_value(json_object_get(route, "dst"));

		if (dst)
			add_route(dst, hd_cni_gateway_for(cni, made, route), list);
	}
}

/* ---- DNS ---- */

static void take(json_t *dns, const char *to, const json_t *from, const char *key)
{
	json_t *value = json_object_get(from, key);

	if (value && !json_is_null(value))
		(void)json_object_set(dns, to, value);
}

static void take_dns(json_t *dns, const json_t *from)
{
	static const char *const keys[] = { "nameservers", "domain", "search", "options" };

	for (size_t i = 0; i < 4; i++)
		take(dns, keys[i], from, keys[i]);
}

/* The runtime's own word counts most, and has other keys. */
static json_t *make_dns(const struct hd_cni *cni, const json_t *delegated)
{
	const json_t *asked = json_object_get(cni->runtime, "dns");
	json_t *dns = json_object();

	take_dns(dns, json_object_get(cni->prev, "dns"));
	take_dns(dns, json_object_get(delegated, "dns"));
	take_dns(dns, json_object_get(cni->conf, "dns"));
	take(dns, "nameservers", asked, "servers");
	take(dns, "search", asked, "searches");
	take(dns, "options", asked, "options");
	return dns;
}

static json_t *copy_list(const json_t *from, const char *key)
{
	const json_t *list = json_object_get(from, key);

	return json_is_array(list) ? json_deep_copy(list) : json_array();
}

json_t *hd_cni_result(const struct hd_cni *cni, const struct hd_cni_made *made)
{
	json_t *interfaces = copy_list(cni->prev, "interfaces"), *ips = copy_list(cni->prev, "ips");
	json_t *routes = copy_list(cni->prev, "routes"), *ip;
	size_t i;

	add_interface(cni, made->port, interfaces);
	json_array_foreach(json_object_get(made->port, "ip"), i, ip)
		add_ip(cni, made, json_string_value(ip), json_array_size(interfaces) - 1, ips);
	add_routes(cni, made, routes);
	return json_pack("{s:s, s:o, s:o, s:o, s:o}", "cniVersion", hd_cni_versions[cni->version],
			 "interfaces", interfaces, "ips", ips, "routes", routes, "dns",
			 make_dns(cni, made->delegated));
}

/* ---- printing ---- */

static int write_all(const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(STDOUT_FILENO, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

int hd_cni_print(const json_t *json, struct hd_cni_error *err)
{
	_free_ char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
	int r;

	if (!text)
		return hd_cni_fail(err, HD_CNI_FAILED, "out of memory");
	r = write_all(text, strlen(text));
	return r < 0 ? hd_cni_fail(err, HD_CNI_IO, "stdout: %s", strerror(-r)) : 0;
}

/* What came from outside, and what was cut, may not be UTF-8. */
static json_t *readable(const char *text)
{
	json_t *json = json_string(text);
	_free_ char *plain = json ? NULL : strdup(text);

	for (char *c = plain; c && *c; c++)
		if (*c & 0x80)
			*c = '?';
	return json ? json : json_string(plain);
}

void hd_cni_print_error(const struct hd_cni *cni, const struct hd_cni_error *err)
{
	_json_ json_t *json =
		json_pack("{s:s, s:i, s:o}", "cniVersion", hd_cni_versions[cni->version], "code",
			  (int)err->code, "msg", readable(err->msg));
	struct hd_cni_error ignored;

	if (err->details[0])
		(void)json_object_set_new(json, "details", readable(err->details));
	(void)hd_cni_print(json, &ignored); /* the exit status says it, too */
}

int hd_cni_version(struct hd_cni *cni, struct hd_cni_error *err)
{
	const char *asked = json_string_value(json_object_get(cni->conf, "cniVersion"));
	const char *spoken = hd_cni_versions[HD_CNI_1_0_0];
	_json_ json_t *list = json_array();
	_json_ json_t *json = NULL;

	for (int i = 0; i < HD_CNI_N_VERSIONS; i++) {
		(void)json_array_append_new(list, json_string(hd_cni_versions[i]));
		if (asked && !strcmp(asked, hd_cni_versions[i]))
			spoken = hd_cni_versions[i];
	}
	json = json_pack("{s:s, s:O}", "cniVersion", spoken, "supportedVersions", list);
	return hd_cni_print(json, err);
}
