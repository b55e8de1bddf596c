/*
 * local.c
 *		/_local: faults, the log of requests, settings, saving.  No key is asked
 *		for, and nothing of this is logged.
 */
#include "alias.h"
#include "catalog.h"
#include "facts.h"
#include "fault.h"
#include "filter.h"
#include "limits.h"
#include "listen.h"
#include "load.h"
#include "log.h"
#include "request.h"
#include "settings.h"

#include <math.h>
#include <stdlib.h>

static bool
bad_request(Request *r, const char *what)
{
	return reply_control_error(r, 400, "INVALID_ARGUMENT", "%s", what);
}

/* ---- Settings ---- */

static bool
is_integer(const JsonValue *v)
{
	return v->type == JSON_NUMBER && v->number >= 0 && v->number <= INT32_MAX && v->number == floor(v->number);
}

/* Visible at once what was to be visible later */
static void
flush_all(void)
{
	Index **all = catalog_all();

	for (int i = 0; all[i]; i++)
		index_flush(all[i]);
	catalog_free_all(all);
}

/* In the order of the kinds */
static const char *const lag_names[] = {"lag_search", "lag_list", "lag_fetch", "lag_stats"};

static void
set_lag(int lag, int ms)
{
	if (store_lag_ms[lag] == ms)
		return;
	flush_all();
	store_lag_ms[lag] = ms;
}

/* With set false only says whether the value is good. */
static bool
take_setting(Str key, const JsonValue *v, bool set)
{
	bool good = is_integer(v);

	for (int lag = 0; lag < LAGS; lag++)
	{
		if (!str_is(key, "lag") && !str_is(key, lag_names[lag]))
			continue;
		if (good && set)
			set_lag(lag, (int) v->number);
		if (str_is(key, lag_names[lag]) || lag == LAGS - 1)
			return good;
	}
	if (str_is(key, "lsn_headers"))
	{
		int which = 0;

		while (lsn_headers_names[which] && (v->type != JSON_STRING || !str_is(v->string, lsn_headers_names[which])))
			which++;
		if (lsn_headers_names[which] && set)
			settings.lsn_headers = (LsnHeaders) which;
		return lsn_headers_names[which] != NULL;
	}
	if (str_is(key, "latency"))
	{
		if (good && set)
			settings.latency_ms = (int) v->number;
		return good;
	}
	if (str_is(key, "alias_delay"))
	{
		if (good && set)
			alias_delay_ms = (int) v->number;
		return good;
	}
	if (str_is(key, "ready_delay"))
	{
		if (good && set)
			settings.ready_delay_ms = (int) v->number;
		return good;
	}
	if (str_is(key, "ne_missing"))
	{
		good = v->type == JSON_STRING && (str_is(v->string, "match") || str_is(v->string, "skip"));
		if (good && set)
			filter_missing_matches = str_is(v->string, "match");
		return good;
	}
	if (str_is(key, "default_namespace_key"))
	{
		good = v->type == JSON_STRING && (v->string.len == 0 || str_is(v->string, "__default__"));
		if (good && set)
			settings.default_key_is_name = v->string.len > 0;
		return good;
	}
	if (str_is(key, "approximate"))
	{
		if (good && set)
			settings.approximate = (int) v->number;
		return good;
	}
	if (str_is(key, "max_top_k"))
	{
		good = good && v->number >= 1;
		if (good && set)
			sizes.top_k = (int) v->number;
		return good;
	}
	if (str_is(key, "rate_limits"))
	{
		good = v->type == JSON_NUMBER && v->number >= 0;
		if (good && set)
			limits_factor = v->number;
		return good;
	}
	if (str_is(key, "assume"))
	{
		good = v->type == JSON_OBJECT;
		for (int i = 0; good && i < v->count; i++)
			good = v->items[i].type == JSON_STRING && fact_set(v->keys[i], v->items[i].string, set);
		return good;
	}
	if (str_is(key, "log_body_limit"))
	{
		if (good && set)
			settings.log_body_limit = (size_t) v->number;
		return good;
	}
	return false;
}

static bool
write_settings(Request *r)
{
	uint64_t open, accepted;
	Buffer *b = reply_body(r);

	listen_count(&open, &accepted);
	buffer_printf(b, "{\"lag\":%d,\"latency\":%d,\"ready_delay\":%d,\"alias_delay\":%d,\"ne_missing\":\"%s\",\"default_namespace_key\":\"%s\"", store_lag_ms[LAG_SEARCH],
				  settings.latency_ms, settings.ready_delay_ms, alias_delay_ms, filter_missing_matches ? "match" : "skip", settings_default_key());
	buffer_printf(b, ",\"approximate\":%d,\"max_top_k\":%d", settings.approximate, sizes.top_k);
	for (int lag = 0; lag < LAGS; lag++)
		buffer_printf(b, ",\"%s\":%d", lag_names[lag], store_lag_ms[lag]);
	buffer_printf(b, ",\"lsn_headers\":\"%s\"", lsn_headers_names[settings.lsn_headers]);
	buffer_add_text(b, ",\"assume\":");
	fact_write(b);
	buffer_printf(b, ",\"rate_limits\":%g,\"log_body_limit\":%zu,\"connections\":{\"open\":%llu,\"accepted\":%llu}}", limits_factor,
				  settings.log_body_limit, (unsigned long long) open, (unsigned long long) accepted);
	return true;
}

/* All of them, or none when one is wrong */
static bool
set_settings(Request *r, const JsonValue *body)
{
	if (body->type != JSON_OBJECT)
		return bad_request(r, "settings are an object");
	for (int set = 0; set <= 1; set++)
	{
		for (int i = 0; i < body->count; i++)
		{
			if (!take_setting(body->keys[i], &body->items[i], set))
				return reply_control_error(r, 400, "INVALID_ARGUMENT", "invalid setting \"%.*s\": %.*s", (int) body->keys[i].len,
										   body->keys[i].s, (int) body->items[i].raw.len, body->items[i].raw.s);
		}
	}
	return write_settings(r);
}

/* ---- The others ---- */

/* One fault, or a list of them */
static bool
add_faults(Request *r, const JsonValue *body)
{
	Str message = STR("");
	int n = body->type == JSON_ARRAY ? body->count : 1;

	for (int i = 0; i < n; i++)
	{
		if (!fault_add(body->type == JSON_ARRAY ? &body->items[i] : body, r->index, &r->arena, &message))
			return reply_control_error(r, 400, "INVALID_ARGUMENT", "%.*s", (int) message.len, message.s);
	}
	buffer_add_text(reply_body(r), "{}");
	return true;
}

static bool
save(Request *r)
{
	char *error = NULL;

	if (!settings.save)
		return bad_request(r, "no --save or --store says where to");
	if (save_file(settings.save, &error))
		buffer_add_text(reply_body(r), "{}");
	else
		reply_control_error(r, 500, "UNKNOWN", "%s", error);
	free(error);
	return true;
}

static bool
write_log(Request *r)
{
	const Param *count = request_param(r, "count");

	if (count && !str_is(count->value, "0"))
		log_write_counts(reply_body(r), r->index);
	else
		log_write(reply_body(r), r->index);
	return true;
}

static bool
post(Request *r)
{
	const char *error = NULL;
	const JsonValue *body;

	if (str_is(r->path, "/_local/save"))
		return save(r);
	if (!str_is(r->path, "/_local/faults") && !str_is(r->path, "/_local/settings"))
		return reply_control_error(r, 404, "NOT_FOUND", "Not found; see --help");
	body = json_parse((Str){r->body.data, r->body.len}, &r->arena, &error);
	if (!body)
		return bad_request(r, error);
	return str_is(r->path, "/_local/faults") ? add_faults(r, body) : set_settings(r, body);
}

bool
local_respond(Request *r)
{
	bool faults = str_is(r->path, "/_local/faults"), requests = str_is(r->path, "/_local/requests");

	if (strcmp(r->method, "POST") == 0)
		return post(r);
	if (strcmp(r->method, "GET") == 0 && faults)
		fault_list(reply_body(r), r->index);
	else if (strcmp(r->method, "GET") == 0 && requests)
		write_log(r);
	else if (strcmp(r->method, "GET") == 0 && str_is(r->path, "/_local/settings"))
		write_settings(r);
	else if (strcmp(r->method, "DELETE") == 0 && (faults || requests))
	{
		if (faults)
			fault_clear(r->index);
		else
			log_clear(r->index);
		buffer_add_text(reply_body(r), "{}");
	}
	else
		reply_control_error(r, 404, "NOT_FOUND", "Not found; see --help");
	return true;
}
