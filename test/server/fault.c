/*
 * fault.c
 *		Failures on order, for tests: /_local/faults.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"

static Fault *faults = NULL;
static pthread_mutex_t faults_lock = PTHREAD_MUTEX_INITIALIZER;

static const struct
{
	const char *name;
	FaultKind kind;
} kinds[] = {
	{"status", FAULT_STATUS},
	{"delay", FAULT_DELAY},
	{"truncate", FAULT_TRUNCATE},
	{"close", FAULT_CLOSE},
	{"close_after", FAULT_CLOSE_AFTER},
	{"garbage", FAULT_GARBAGE},
	{"content_type", FAULT_CONTENT_TYPE},
	{"drip", FAULT_DRIP},
};

static bool
path_matches(const char *pattern, const char *path)
{
	size_t len = strlen(pattern);

	if (len == 0)
		return true;
	if (pattern[len - 1] == '*')
		return strncmp(pattern, path, len - 1) == 0;
	return strcmp(pattern, path) == 0;
}

/* The fault that strikes a request, counted down; kind FAULT_NONE for none. */
Fault
take_fault(Request *request)
{
	Fault taken = {0};

	pthread_mutex_lock(&faults_lock);
	for (Fault *fault = faults; fault; fault = fault->next)
	{
		if (fault->count == 0 || !path_matches(fault->path, request->path) ||
			(fault->method[0] && strcmp(fault->method, request->method) != 0) ||
			(fault->index[0] && (!request->index || strcmp(fault->index, request->index->name) != 0)))
			continue;
		if (fault->skip > 0)
		{
			fault->skip--;
			continue;
		}
		if (fault->count > 0)
			fault->count--;
		taken = *fault;
		break;
	}
	pthread_mutex_unlock(&faults_lock);
	return taken;
}

static void
copy_string(struct json_object *json, const char *name, char *target, size_t size)
{
	struct json_object *value;

	if (json_object_object_get_ex(json, name, &value))
		snprintf(target, size, "%s", json_object_get_string(value));
}

static void
copy_number(struct json_object *json, const char *name, int *target)
{
	struct json_object *value;

	if (json_object_object_get_ex(json, name, &value))
		*target = json_object_get_int(value);
}

static void
add_fault(Request *request, Reply *reply)
{
	struct json_object *json = request->body.data ? json_tokener_parse(request->body.data) : NULL;
	struct json_object *body;
	Fault *fault;
	Fault **place = &faults;

	if (json == NULL)
	{
		reply_rpc_error(reply, 400, 3, "not a JSON object");
		return;
	}
	fault = calloc(1, sizeof(Fault));
	fault->count = 1;
	fault->status = 500;
	strcpy(fault->kind_name, "status");
	copy_string(json, "kind", fault->kind_name, sizeof(fault->kind_name));
	copy_string(json, "path", fault->path, sizeof(fault->path));
	copy_string(json, "method", fault->method, sizeof(fault->method));
	copy_string(json, "index", fault->index, sizeof(fault->index));
	copy_number(json, "count", &fault->count);
	copy_number(json, "skip", &fault->skip);
	copy_number(json, "status", &fault->status);
	copy_number(json, "retry_after", &fault->retry_after);
	copy_number(json, "delay_ms", &fault->delay_ms);
	if (json_object_object_get_ex(json, "body", &body))
		fault->body = strdup(json_object_get_string(body));
	json_object_put(json);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
	{
		if (strcmp(kinds[i].name, fault->kind_name) == 0)
			fault->kind = kinds[i].kind;
	}
	if (fault->kind == FAULT_NONE)
	{
		reply_rpc_error(reply, 400, 3, "unknown kind of fault: %s", fault->kind_name);
		free(fault->body);
		free(fault);
		return;
	}
	pthread_mutex_lock(&faults_lock);
	while (*place)
		place = &(*place)->next;
	*place = fault;
	pthread_mutex_unlock(&faults_lock);
	buffer_text(&reply->body, "{}");
}

void
answer_faults(Request *request, Reply *reply)
{
	bool first = true;

	if (strcmp(request->method, "POST") == 0)
	{
		add_fault(request, reply);
		return;
	}
	pthread_mutex_lock(&faults_lock);
	if (strcmp(request->method, "DELETE") == 0)
	{
		/* a request under way may still hold a fault's body: keep those */
		faults = NULL;
		buffer_text(&reply->body, "{}");
	}
	else
	{
		buffer_text(&reply->body, "{\"faults\":[");
		for (Fault *fault = faults; fault; fault = fault->next)
		{
			buffer_format(&reply->body, "%s{\"kind\":\"%s\",\"path\":", first ? "" : ",", fault->kind_name);
			buffer_string(&reply->body, fault->path);
			buffer_format(&reply->body, ",\"count\":%d,\"skip\":%d,\"status\":%d}", fault->count,
						  fault->skip, fault->status);
			first = false;
		}
		buffer_text(&reply->body, "]}");
	}
	pthread_mutex_unlock(&faults_lock);
}
