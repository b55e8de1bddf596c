/*
 * fault.c
 *		Faults on order.
 */
#include "fault.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

typedef struct Order Order;
struct Order
{
	Order *next;
	Fault fault;				 /* its texts are its own */
	char *path, *method, *index; /* NULL: any */
	char *contains;				 /* what the request's body has, or NULL */
	int count;					 /* times left; -1: always */
	int skip;
	int met; /* times it was met */
	int number;
};

static struct
{
	pthread_mutex_t lock;
	Order *orders;
	_Atomic int count;
	int numbers;
} faults = {.lock = PTHREAD_MUTEX_INITIALIZER};

static const char *const kinds[] = {
	[FAULT_NONE] = "",
	[FAULT_STATUS] = "status",
	[FAULT_DELAY] = "delay",
	[FAULT_TRUNCATE] = "truncate",
	[FAULT_CLOSE] = "close",
	[FAULT_CLOSE_AFTER] = "close_after",
	[FAULT_GARBAGE] = "garbage",
	[FAULT_CONTENT_TYPE] = "content_type",
	[FAULT_DRIP] = "drip",
};

static void
free_order(Order *o)
{
	free((char *) o->fault.body.s);
	free((char *) o->fault.content_type);
	free(o->path);
	free(o->method);
	free(o->index);
	free(o->contains);
	free(o);
}

/* An integer of the order, within bounds. */
static bool
take_int(const JsonValue *v, int low, int high, int *to)
{
	if (v->type != JSON_NUMBER || v->number < low || v->number > high || v->number != floor(v->number))
		return false;
	*to = (int) v->number;
	return true;
}

static bool
take_text(const JsonValue *v, char **to)
{
	if (v->type != JSON_STRING)
		return false;
	free(*to);
	*to = mem_text(v->string);
	return true;
}

static bool
take_kind(const JsonValue *v, FaultKind *kind)
{
	for (int i = FAULT_STATUS; i <= FAULT_DRIP; i++)
	{
		if (v->type == JSON_STRING && str_is(v->string, kinds[i]))
		{
			*kind = (FaultKind) i;
			return true;
		}
	}
	return false;
}

/*
 * Read one member of an order for a fault; false if there is no such member or
 * its value is of another kind.
 */
static bool
take_field(Order *o, Str key, const JsonValue *v)
{
	Fault *f = &o->fault;

	if (str_is(key, "kind"))
		return take_kind(v, &f->kind);
	if (str_is(key, "path"))
		return take_text(v, &o->path);
	if (str_is(key, "method"))
		return take_text(v, &o->method);
	if (str_is(key, "index"))
		return take_text(v, &o->index);
	if (str_is(key, "contains"))
		return take_text(v, &o->contains);
	if (str_is(key, "count"))
		return take_int(v, -1, INT32_MAX, &o->count) && o->count != 0;
	if (str_is(key, "skip"))
		return take_int(v, 0, INT32_MAX, &o->skip);
	if (str_is(key, "status"))
		return take_int(v, 200, 599, &f->status);
	if (str_is(key, "retry_after"))
		return take_int(v, 0, INT32_MAX, &f->retry_after);
	if (str_is(key, "delay_ms"))
		return take_int(v, 0, INT32_MAX, &f->delay_ms);
	if (str_is(key, "bytes"))
		return take_int(v, 0, INT32_MAX, &f->bytes);
	if (str_is(key, "interval_ms"))
		return take_int(v, 0, INT32_MAX, &f->interval_ms);
	if (str_is(key, "content_type"))
	{
		char *text = (char *) f->content_type;
		bool good = take_text(v, &text);

		f->content_type = text;
		return good;
	}
	if (str_is(key, "body"))
	{
		Str body = v->type == JSON_STRING ? v->string : v->raw;

		free((char *) f->body.s);
		f->body = (Str){mem_text(body), body.len};
		f->has_body = true;
		return true;
	}
	return false;
}

/* The kind that goes without saying, and what it needs. */
static const char *
complete(Order *o)
{
	Fault *f = &o->fault;

	if (f->kind == FAULT_NONE)
		f->kind = f->status ? FAULT_STATUS : f->content_type ? FAULT_CONTENT_TYPE :
										 f->delay_ms		 ? FAULT_DELAY :
															   FAULT_NONE;
	if (f->kind == FAULT_NONE)
		return "a fault needs a \"kind\"";
	if (f->kind == FAULT_STATUS && !f->status)
		return "a fault of kind \"status\" needs a \"status\"";
	if (f->kind == FAULT_DELAY && !f->delay_ms)
		return "a fault of kind \"delay\" needs \"delay_ms\"";
	if (f->kind == FAULT_DRIP && f->bytes == 0)
		return "a fault of kind \"drip\" needs \"bytes\" above 0";
	return NULL;
}

/*
 * Read an order for a fault, all of it before it takes effect, and put it behind
 * those that wait.
 */
bool
fault_add(const JsonValue *order, Index *index, Arena *arena, Str *message)
{
	Order *o, **link;
	const char *error;

	if (order->type != JSON_OBJECT)
	{
		*message = STR("a fault is an object");
		return false;
	}
	o = mem_zero(sizeof(Order));
	o->count = 1;
	o->fault = (Fault){.retry_after = -1, .bytes = -1, .interval_ms = 50};
	for (int i = 0; i < order->count; i++)
	{
		if (!take_field(o, order->keys[i], &order->items[i]))
		{
			*message = arena_printf(arena, "invalid field \"%.*s\" of a fault: %.*s", (int) order->keys[i].len, order->keys[i].s,
									(int) order->items[i].raw.len, order->items[i].raw.s);
			free_order(o);
			return false;
		}
	}
	if ((error = complete(o)))
	{
		*message = str_of(error);
		free_order(o);
		return false;
	}
	if (index)
	{
		free(o->index);
		o->index = mem_text(str_of(index->name));
	}
	pthread_mutex_lock(&faults.lock);
	o->number = ++faults.numbers;
	for (link = &faults.orders; *link; link = &(*link)->next)
		;
	*link = o;
	faults.count++;
	pthread_mutex_unlock(&faults.lock);
	return true;
}

/* Exactly this path, or one below it when the order's ends in "/" or "*". */
static bool
path_matches(const char *pattern, Str path)
{
	size_t len = strlen(pattern);

	if (str_is(path, pattern))
		return true;
	if (len > 0 && pattern[len - 1] == '*')
		len--;
	else if (len == 0 || pattern[len - 1] != '/')
		return false;
	return path.len >= len && memcmp(path.s, pattern, len) == 0;
}

static bool
is_met(const Order *o, const Request *r)
{
	return (!o->path || path_matches(o->path, r->path)) && (!o->method || strcmp(o->method, r->method) == 0) &&
		   (!o->index || (r->index && strcmp(o->index, r->index->name) == 0)) &&
		   (!o->contains || (r->body.len > 0 && memmem(r->body.data, r->body.len, o->contains, strlen(o->contains))));
}

static Str
arena_copy(Arena *arena, Str s)
{
	char *copy = arena_alloc(arena, s.len + 1);

	if (s.len)
		memcpy(copy, s.s, s.len);
	copy[s.len] = '\0';
	return (Str){copy, s.len};
}

Fault
fault_take(Request *r)
{
	Fault fault = {.kind = FAULT_NONE};

	if (faults.count == 0)
		return fault;
	pthread_mutex_lock(&faults.lock);
	for (Order **link = &faults.orders; *link; link = &(*link)->next)
	{
		Order *o = *link;

		if (!is_met(o, r))
			continue;
		if (o->skip > 0)
		{
			o->skip--;
			continue;
		}
		fault = o->fault;
		fault.body = arena_copy(&r->arena, fault.body);
		if (fault.content_type)
			fault.content_type = arena_copy(&r->arena, str_of(fault.content_type)).s;
		o->met++;
		if (o->count > 0 && --o->count == 0)
		{
			*link = o->next;
			free_order(o);
			faults.count--;
		}
		break;
	}
	pthread_mutex_unlock(&faults.lock);
	return fault;
}

static bool
is_of_index(const Order *o, const Index *index)
{
	return !index || (o->index && strcmp(o->index, index->name) == 0);
}

void
fault_clear(const Index *index)
{
	pthread_mutex_lock(&faults.lock);
	for (Order **link = &faults.orders; *link;)
	{
		Order *o = *link;

		if (!is_of_index(o, index))
		{
			link = &o->next;
			continue;
		}
		*link = o->next;
		free_order(o);
		faults.count--;
	}
	pthread_mutex_unlock(&faults.lock);
}

static void
add_text_field(Buffer *b, const char *name, const char *text)
{
	if (text)
	{
		buffer_printf(b, ",\"%s\":", name);
		json_add_any_string(b, str_of(text));
	}
}

static void
add_int_field(Buffer *b, const char *name, int value, int absent)
{
	if (value != absent)
		buffer_printf(b, ",\"%s\":%d", name, value);
}

void
fault_list(Buffer *b, const Index *index)
{
	bool any = false;

	buffer_add_text(b, "{\"faults\":[");
	pthread_mutex_lock(&faults.lock);
	for (Order *o = faults.orders; o; o = o->next)
	{
		if (!is_of_index(o, index))
			continue;
		if (any)
			buffer_add_char(b, ',');
		any = true;
		buffer_printf(b, "{\"number\":%d,\"kind\":\"%s\",\"count\":%d,\"met\":%d", o->number, kinds[o->fault.kind], o->count, o->met);
		add_text_field(b, "path", o->path);
		add_text_field(b, "method", o->method);
		add_text_field(b, "index", o->index);
		add_text_field(b, "contains", o->contains);
		add_text_field(b, "content_type", o->fault.content_type);
		add_int_field(b, "skip", o->skip, 0);
		add_int_field(b, "status", o->fault.status, 0);
		add_int_field(b, "retry_after", o->fault.retry_after, -1);
		add_int_field(b, "delay_ms", o->fault.delay_ms, 0);
		add_int_field(b, "bytes", o->fault.bytes, -1);
		if (o->fault.kind == FAULT_DRIP)
			add_int_field(b, "interval_ms", o->fault.interval_ms, -1);
		if (o->fault.has_body)
		{
			buffer_add_text(b, ",\"body\":");
			json_add_any_string(b, o->fault.body);
		}
		buffer_add_char(b, '}');
	}
	pthread_mutex_unlock(&faults.lock);
	buffer_add_text(b, "]}");
}
