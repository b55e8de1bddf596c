/*
 * message_error.c
 *		What the bodies of errors say, made fit to be shown.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "wire/message.h"
#include "wire/parsed.h"

/* More of an error's text is not shown. */
#define MAX_ERROR_TEXT 500

/* Text from elsewhere, made fit to be shown: one line, valid, not too long. */
static char *
presentable(const char *text, size_t len)
{
	char *copy;
	char *result;
	size_t n;

	len = Min(len, MAX_ERROR_TEXT);
	/* cut before a character that the limit splits */
	while (len > 0 && !pg_verify_mbstr(PG_UTF8, text, len, true) && len > MAX_ERROR_TEXT - 4)
		len--;
	copy = pnstrdup(text, len);
	n = strlen(copy);
	if (!pg_verify_mbstr(PG_UTF8, copy, n, true))
	{
		for (char *p = copy; *p; p++)
		{
			if (IS_HIGHBIT_SET(*p))
				*p = '?';
		}
	}
	for (char *p = copy; *p; p++)
	{
		if ((unsigned char) *p < ' ' || *p == 127)
			*p = ' ';
	}
	/* characters that the database's encoding lacks would be an error in an error */
	if (GetDatabaseEncoding() != PG_UTF8)
	{
		for (char *p = copy; *p; p++)
		{
			if (IS_HIGHBIT_SET(*p))
				*p = '?';
		}
	}
	result = copy;
	while (*result == ' ')
		result++;
	return result;
}

/* Is it one of the plain texts that Pinecone, or what stands before it, answers? */
static bool
is_known_text(const char *body, size_t len)
{
	static const char *const beginnings[] = {
		"Unauthorized", "Invalid API Key", "Forbidden", "Request failed. ", "Error, message length too large",
		"message length too large", "Too Many Requests", "URI Too Long", "no healthy upstream",
		"upstream connect error", "upstream request timeout", "default backend - 404"};

	for (int i = 0; i < lengthof(beginnings); i++)
	{
		size_t n = strlen(beginnings[i]);

		if (len >= n && strncmp(body, beginnings[i], n) == 0)
			return true;
	}
	return false;
}

char *
pinecone_message_decode_reason(const char *body, size_t len)
{
	struct json_object *details = pinecone_parsed_member(pinecone_parsed_body(body, len), "details");
	char *reason = NULL;

	if (details != NULL && json_object_is_type(details, json_type_array) &&
		json_object_array_length(details) > 0)
		reason = pinecone_parsed_string(json_object_array_get_idx(details, 0), "reason");
	return reason ? presentable(reason, strlen(reason)) : NULL;
}

char *
pinecone_message_decode_error(const char *body, size_t len, int *code)
{
	struct json_object *root = pinecone_parsed_body(body, len);
	struct json_object *error = pinecone_parsed_member(root, "error");
	char *message = NULL;
	double number;
	bool has_code = pinecone_parsed_count(root, "code", &number);

	/* the data plane's errors; the control plane's; those of documents are like the one or the other */
	*code = has_code ? (int) Min(number, PG_INT32_MAX) : 0;
	if (has_code)
		message = pinecone_parsed_string(root, "message");
	if (message == NULL && pinecone_parsed_member(error, "code") != NULL)
		message = pinecone_parsed_string(error, "message");
	if (message != NULL)
		return presentable(message, strlen(message));
	return is_known_text(body, len) ? presentable(body, len) : NULL;
}
