/*
 * request.c
 *		What all parts of the API share: errors, parameters, tokens of paging.
 */
#include "request.h"

#include "facts.h"
#include "settings.h"

#include <stdio.h>
#include <stdlib.h>

void
reply_text(Request *r, int status, const char *type, const char *text)
{
	r->reply.status = status;
	r->reply.type = type;
	r->reply.body.len = 0;
	buffer_add_text(&r->reply.body, text);
}

static void
add_message(Buffer *b, const char *format, va_list args)
{
	char *text;
	int n = vasprintf(&text, format, args);

	if (n < 0)
		abort();
	/* Message texts quote what came in, which may be anything */
	for (int i = 0; i < n; i++)
	{
		if ((unsigned char) text[i] < 0x20)
			text[i] = '?';
	}
	json_add_any_string(b, (Str){text, (size_t) n});
	free(text);
}

bool
path_has_error_response(Str path)
{
	static const Str documents = {"/documents/", 11}, records = {"/records/", 9}, namespaces = {"/namespaces/", 12};

	if (path.len > records.len && memcmp(path.s, records.s, records.len) == 0)
		return true;
	return path.len > namespaces.len && memcmp(path.s, namespaces.s, namespaces.len) == 0 &&
		   memmem(path.s + namespaces.len, path.len - namespaces.len, documents.s, documents.len);
}

static const char *
code_name(RpcCode code)
{
	switch (code)
	{
		case RPC_INVALID_ARGUMENT:
			return "INVALID_ARGUMENT";
		case RPC_NOT_FOUND:
			return "NOT_FOUND";
		case RPC_ALREADY_EXISTS:
			return "ALREADY_EXISTS";
		case RPC_PERMISSION_DENIED:
			return "FORBIDDEN";
		case RPC_RESOURCE_EXHAUSTED:
			return "RESOURCE_EXHAUSTED";
		case RPC_FAILED_PRECONDITION:
			return "FAILED_PRECONDITION";
		case RPC_OUT_OF_RANGE:
			return "OUT_OF_RANGE";
		case RPC_UNIMPLEMENTED:
			return "UNIMPLEMENTED";
		default:
			return "INTERNAL";
	}
}

static void
rpc_error(Request *r, int status, RpcCode code, const char *format, va_list args)
{
	Buffer *b = &r->reply.body;

	r->reply.status = status;
	r->reply.type = "application/json";
	b->len = 0;
	if (r->error_response)
	{
		buffer_printf(b, "{\"error\":{\"code\":\"%s\",\"message\":", code_name(code));
		add_message(b, format, args);
		buffer_printf(b, "},\"status\":%d}", status);
		return;
	}
	buffer_printf(b, "{\"code\":%d,\"message\":", code);
	add_message(b, format, args);
	buffer_add_text(b, ",\"details\":[]}");
}

bool
reply_rpc_error(Request *r, int status, RpcCode code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	rpc_error(r, status, code, format, args);
	va_end(args);
	return true;
}

bool
reply_invalid(Request *r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	rpc_error(r, 400, RPC_INVALID_ARGUMENT, format, args);
	va_end(args);
	return true;
}

bool
reply_control_error(Request *r, int status, const char *code, const char *format, ...)
{
	Buffer *b = &r->reply.body;
	va_list args;

	r->reply.status = status;
	r->reply.type = "application/json";
	b->len = 0;
	buffer_printf(b, "{\"error\":{\"code\":\"%s\",\"message\":", code);
	va_start(args, format);
	add_message(b, format, args);
	va_end(args);
	buffer_printf(b, "},\"status\":%d}", status);
	return true;
}

bool
reply_not_json(Request *r, const char *error)
{
	return reply_invalid(r, "Failed to parse the request body as JSON: %s", error);
}

void
reply_forget_excess(Request *r)
{
	if (r->reply.body.len > sizes.result)
	{
		r->reply.forgotten += r->reply.body.len;
		r->reply.body.len = 0;
	}
}

bool
reply_limit_result(Request *r)
{
	if (r->reply.forgotten + r->reply.body.len > sizes.result)
		reply_rpc_error(r, 400, RPC_OUT_OF_RANGE, "Error, message length too large: found %zu bytes, the limit is: %zu bytes",
						r->reply.forgotten + r->reply.body.len, sizes.result);
	return true;
}

const Param *
request_param(const Request *r, const char *name)
{
	for (int i = 0; i < r->nparams; i++)
	{
		if (key_is(r->params[i].name, name))
			return &r->params[i];
	}
	return NULL;
}

static int
hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 :
																				 -1;
}

bool
url_decode(Arena *arena, Str text, bool plus_is_space, Str *out)
{
	char *to;

	*out = text;
	if (text.len == 0 || (!memchr(text.s, '%', text.len) && !memchr(text.s, '+', text.len)))
		return true;
	out->s = to = arena_alloc(arena, text.len);
	for (size_t i = 0; i < text.len; i++)
	{
		char c = text.s[i];

		if (c == '+' && plus_is_space)
			c = ' ';
		else if (c == '%')
		{
			if (text.len - i < 3 || hex_digit(text.s[i + 1]) < 0 || hex_digit(text.s[i + 2]) < 0)
				return false;
			c = (char) (hex_digit(text.s[i + 1]) << 4 | hex_digit(text.s[i + 2]));
			i += 2;
		}
		*to++ = c;
	}
	out->len = (size_t) (to - out->s);
	return true;
}

bool
key_is(Str key, const char *name)
{
	size_t i = 0;

	for (; *name; name++)
	{
		if (i >= key.len)
			return false;
		if (*name >= 'A' && *name <= 'Z' && key.s[i] == '_')
		{
			if (++i >= key.len || key.s[i] != (*name | 32))
				return false;
		}
		else if (key.s[i] != *name)
			return false;
		i++;
	}
	return i == key.len;
}

void
token_write(Buffer *b, uint64_t scope, Str last)
{
	Buffer plain = {0};

	buffer_printf(&plain, "%08x:", (uint32_t) scope);
	buffer_add_str(&plain, last);
	base64_encode(b, (Str){plain.data, plain.len});
	buffer_free(&plain);
}

bool
token_read(Request *r, Str token, uint64_t scope, Str *last)
{
	Buffer plain = {0};
	char expected[16];
	bool good;

	snprintf(expected, sizeof(expected), "%08x:", (uint32_t) scope);
	good = base64_decode(&plain, token) && plain.len >= 9;
	if (!good)
		reply_invalid(r, "Invalid pagination token");
	else if (memcmp(plain.data, expected, 9) != 0 && !fact(FACT_FOREIGN_TOKEN))
	{
		/* The service answers in undefined ways; nobody should rely on that */
		good = false;
		reply_invalid(r, "Pagination token belongs to another request: namespace, prefix and filter must not change");
	}
	else
	{
		char *copy = arena_alloc(&r->arena, plain.len);

		memcpy(copy, plain.data, plain.len);
		*last = (Str){copy + 9, plain.len - 9};
	}
	buffer_free(&plain);
	return good;
}
