/*
 * message.c
 *		Target "message": small replies, each read as all that it could be: statistics,
 *		counts, namespaces, aliases, descriptions of indexes, errors.  Target
 *		"embeddings": what a model answers.  Target "header": lines of a reply's head.
 */
#include "fuzz.h"

#include <math.h>

#include "client/reply.h"
#include "mb/pg_wchar.h"

#include "wire/embedding.h"
#include "wire/message.h"

#include "reference.h"

/* Longer than any text of an error is shown */
#define MAX_SHOWN 500

static bool
is_count(double number)
{
	return number >= 0 && number <= 9e15 && number == floor(number);
}

static void
sum_records(const char *name, struct json_object *value, void *arg)
{
	struct json_object *count = reference_member(value, "vectorCount");

	if (reference_is_number(count))
		*(double *) arg += strtod(reference_number(count) ? reference_number(count) : "nan", NULL);
	else if (count != NULL)
		*(double *) arg = NAN;
}

static void
check_stats(const char *body, size_t size)
{
	PineconeStats *stats = NULL;
	const char *reason = NULL;
	struct json_object *root;
	double sum = 0;
	double expected = 0;

	if (!pinecone_message_decode_stats(body, size, &stats, &reason))
	{
		FUZZ_CHECK(reason != NULL, "statistics are refused without a reason");
		return;
	}
	FUZZ_CHECK(is_count(stats->records) && stats->dimension >= 0, "statistics with %g records", stats->records);
	for (int i = 0; i < stats->nnamespaces; i++)
	{
		fuzz_touch(stats->namespaces[i].name);
		sum += stats->namespaces[i].records;
		FUZZ_CHECK(is_count(stats->namespaces[i].records) || stats->nnamespaces > 0, "no count");
		FUZZ_CHECK(strcmp(stats->namespaces[i].name, "__default__") != 0, "a second name of the default namespace");
		FUZZ_CHECK(i == 0 || strcmp(stats->namespaces[i - 1].name, stats->namespaces[i].name) < 0, "namespaces are not sorted, or occur twice");
		FUZZ_CHECK(pinecone_stats_records(stats, stats->namespaces[i].name) == stats->namespaces[i].records, "a namespace is not found");
	}
	root = reference_parse(body, size);
	if (reference_is_object(reference_member(root, "namespaces")))
	{
		reference_each(reference_member(root, "namespaces"), sum_records, &expected);
		FUZZ_CHECK(isnan(expected) || sum == expected, "all namespaces have %g records, not %g", expected, sum);
	}
	reference_free(root);
}

static void
check_namespaces(const char *body, size_t size)
{
	PineconeNamespaceInfo *infos = NULL;
	PineconeAlias *aliases = NULL;
	char *token = NULL;
	const char *reason = NULL;
	int n = -1;

	if (pinecone_message_decode_namespaces(body, size, &infos, &n, &token, &reason))
	{
		for (int i = 0; i < n; i++)
		{
			fuzz_touch(infos[i].name);
			FUZZ_CHECK(is_count(infos[i].records), "a namespace of %g records", infos[i].records);
			for (int j = 0; j < infos[i].nfields; j++)
				fuzz_touch(infos[i].fields[j]);
		}
	}
	else
		FUZZ_CHECK(reason != NULL, "namespaces are refused without a reason");
	fuzz_touch(token);
	if (pinecone_message_decode_aliases(body, size, &aliases, &n, &token, &reason))
	{
		for (int i = 0; i < n; i++)
		{
			fuzz_touch(aliases[i].name);
			fuzz_touch(aliases[i].target);
		}
	}
	fuzz_touch(token);
}

static void
check_shown(const char *text)
{
	if (text == NULL)
		return;
	FUZZ_CHECK(strlen(text) <= MAX_SHOWN && pg_verify_mbstr(PG_UTF8, text, strlen(text), true), "a message that cannot be shown");
	for (const char *p = text; *p; p++)
		FUZZ_CHECK((unsigned char) *p >= ' ' && *p != 127, "a message has a control character");
}

static void
check_counts(const char *body, size_t size)
{
	const char *reason = NULL;
	double count = -1;

	if (pinecone_message_decode_count(body, size, &count, &reason))
		FUZZ_CHECK(is_count(count), "%g records match", count);
	if (pinecone_message_decode_upserted(body, size, &count, &reason))
		FUZZ_CHECK(is_count(count), "%g records are upserted", count);
	if (!pinecone_message_decode_done(body, size, &reason))
		FUZZ_CHECK(reason != NULL, "a reply is refused without a reason");
}

void
fuzz_message(const char *data, size_t size)
{
	char *body = fuzz_body(data, size);
	const char *reason = NULL;
	char *host = NULL;
	char *state = NULL;
	bool ready;
	int code;

	check_stats(body, size);
	check_namespaces(body, size);
	check_counts(body, size);
	if (pinecone_message_decode_index(body, size, &host, &ready, &state, &reason))
	{
		fuzz_touch(host);
		fuzz_touch(state);
	}
	check_shown(pinecone_message_decode_error(body, size, &code));
	FUZZ_CHECK(code >= 0, "an error's code is %d", code);
	check_shown(pinecone_message_decode_reason(body, size));
}

/* ---- Embeddings ---- */

/* A reply to as many texts as its first byte says. */
void
fuzz_embeddings(const char *data, size_t size)
{
	PineconeEmbedding *embeddings = NULL;
	const char *reason = NULL;
	char *body;
	int expected;

	if (size == 0)
		return;
	expected = data[0] >= '0' && data[0] <= '9' ? data[0] - '0' : 1;
	body = fuzz_body(data + 1, size - 1);
	if (!pinecone_decode_embeddings(body, size - 1, expected, &embeddings, &reason))
	{
		FUZZ_CHECK(reason != NULL, "embeddings are refused without a reason");
		return;
	}
	for (int i = 0; i < expected; i++)
	{
		FUZZ_CHECK(embeddings[i].n >= 0 && (embeddings[i].indices == NULL) == (embeddings[0].indices == NULL), "embeddings of two kinds");
		FUZZ_CHECK(embeddings[i].n > 0 || embeddings[i].indices != NULL, "an embedding without values");
		FUZZ_CHECK(embeddings[i].indices != NULL || embeddings[i].n == embeddings[0].n, "embeddings of two dimensions");
		for (int j = 0; j < embeddings[i].n; j++)
			FUZZ_CHECK(isfinite(embeddings[i].values[j]), "a value is not finite");
		if (embeddings[i].indices != NULL)
			fuzz_touch_bytes(embeddings[i].indices, embeddings[i].n * sizeof(uint32));
	}
}

/* ---- Headers ---- */

/* The number that a line gives under a name, by its digits alone; -1: none */
static int64
number_of_line(const char *line, size_t size, const char *name)
{
	size_t len = strlen(name);
	int64 number = 0;
	int digits = 0;

	if (size <= len || pg_strncasecmp(line, name, len) != 0 || line[len] != ':')
		return -1;
	for (size_t i = len + 1; i < size; i++)
	{
		/* what is not printable is left out of all that headers say */
		if ((unsigned char) line[i] <= ' ' || (unsigned char) line[i] >= 127)
			continue;
		if (line[i] < '0' || line[i] > '9' || ++digits > 18)
			return -1;
		number = number * 10 + (line[i] - '0');
	}
	return digits > 0 ? number : -1;
}

/* Log sequence numbers decide what is fresh: one that is no number is none. */
void
fuzz_header(const char *data, size_t size)
{
	PineconeExchange exchange = {.request_lsn = -1, .indexed_lsn = -1};
	char *line = palloc(size);

	memcpy(line, data, size);
	pinecone_reply_take_header(&exchange, line, size);
	fuzz_touch(exchange.request_id);
	fuzz_touch(exchange.content_type);
	if (size > 80) /* no number is as long */
		return;
	FUZZ_CHECK(exchange.request_lsn == number_of_line(line, size, "x-pinecone-request-lsn"), "a number is " INT64_FORMAT, exchange.request_lsn);
	FUZZ_CHECK(exchange.indexed_lsn == number_of_line(line, size, "x-pinecone-max-indexed-lsn"), "a number is " INT64_FORMAT, exchange.indexed_lsn);
}
