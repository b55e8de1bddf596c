/*
 * reply.c
 *		Targets "reply" and "documents": pages of records, as they are decoded and
 *		as json-c reads the same bytes.
 */
#include "fuzz.h"

#include <math.h>

#include "mb/pg_wchar.h"

#include "wire/decode.h"
#include "wire/message.h"

#include "reference.h"

#define DENSE "embedding"
#define SPARSE "words"

/* ---- Everything that is handed out can be read, and is what it should be ---- */

static void
touch_value(const PineconeValue *value)
{
	if (value->kind != PINECONE_VALUE_NULL)
	{
		fuzz_touch(value->text);
		FUZZ_CHECK(value->text != NULL && strlen(value->text) == value->len, "a value's length is not that of its text");
	}
	for (int i = 0; i < value->nitems; i++)
		touch_value(&value->items[i]);
}

static PineconeFields *
touch_metadata(const PineconeRecord *record)
{
	PineconeFields *fields = NULL;
	const char *reason = NULL;

	FUZZ_CHECK(strlen(record->metadata) == record->metadata_len, "metadata has a NUL byte");
	if (!pinecone_decode_metadata(record->metadata, record->metadata_len, &fields, &reason))
	{
		FUZZ_CHECK(reason != NULL, "metadata is refused without a reason");
		return NULL;
	}
	for (int i = 0; i < fields->n; i++)
	{
		PineconeField *field = &fields->fields[i];

		FUZZ_CHECK((field->name == NULL) != (field->json == NULL), "a field has both names, or none");
		fuzz_touch(field->name ? field->name : field->json);
		touch_value(&field->value);
	}
	(void) pinecone_decode_is_text(fields);
	return fields;
}

static void
touch_record(const PineconeRecord *record)
{
	FUZZ_CHECK(record->id != NULL && strlen(record->id) == record->idlen && record->idlen > 0, "an id has another length");
	FUZZ_CHECK(!record->has_score || isfinite(record->score), "a score is not finite");
	for (int i = 0; i < record->nvalues; i++)
		FUZZ_CHECK(isfinite(record->values[i]), "a value is not finite");
	for (int i = 0; i < record->sparse.n; i++)
		FUZZ_CHECK(isfinite(record->sparse.values[i]), "a sparse value is not finite");
	fuzz_touch_bytes(record->sparse.indices, record->sparse.n * sizeof(uint32));
	if (record->metadata != NULL)
		(void) touch_metadata(record);
}

/* ---- Is it what json-c reads? ---- */

static bool
same_double(double a, double b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

static void
compare_double(struct json_object *value, double got, const char *what)
{
	const char *text = reference_is_number(value) ? reference_number(value) : NULL;

	if (text != NULL && strcmp(text, "0") != 0) /* json-c has no negative zero among integers */
		FUZZ_CHECK(same_double(strtod(text, NULL), got), "%s is %s, not %.17g", what, text, got);
}

static void
compare_floats(struct json_object *list, const float *values, int n)
{
	FUZZ_CHECK(reference_is_array(list) && reference_length(list) == n, "a vector has %d values, not %d",
			   reference_length(list), n);
	for (int i = 0; i < n; i++)
	{
		struct json_object *item = reference_item(list, i);
		const char *text = reference_is_number(item) ? reference_number(item) : NULL;

		FUZZ_CHECK(reference_is_number(item), "a vector's value is no number");
		if (text != NULL && strcmp(text, "0") != 0)
		{
			float expected = strtof(text, NULL);

			FUZZ_CHECK(memcmp(&expected, &values[i], sizeof(float)) == 0, "a value is %s, not %.9g", text, values[i]);
		}
	}
}

static void compare_value(struct json_object *expected, const PineconeValue *value);

static void
compare_list(struct json_object *expected, const PineconeValue *value)
{
	FUZZ_CHECK(reference_length(expected) == value->nitems, "a list has another length");
	for (int i = 0; i < value->nitems; i++)
		compare_value(reference_item(expected, i), &value->items[i]);
}

static void
compare_value(struct json_object *expected, const PineconeValue *value)
{
	bool flag = false;

	switch (value->kind)
	{
		case PINECONE_VALUE_NULL:
			FUZZ_CHECK(expected == NULL, "a value is not null");
			break;
		case PINECONE_VALUE_STRING:
			FUZZ_CHECK(reference_is_string(expected), "a value is no string");
			if (!value->no_text)
				FUZZ_CHECK(strcmp(reference_string(expected), value->text) == 0, "a string is \"%s\", not \"%s\"",
						   reference_string(expected), value->text);
			break;
		case PINECONE_VALUE_NUMBER:
			FUZZ_CHECK(reference_is_number(expected), "a value is no number");
			compare_double(expected, value->number, "a number");
			break;
		case PINECONE_VALUE_BOOL:
			FUZZ_CHECK(reference_boolean(expected, &flag) && flag == value->boolean, "a boolean is another");
			break;
		case PINECONE_VALUE_LIST:
			FUZZ_CHECK(reference_is_array(expected), "a value is no list");
			compare_list(expected, value);
			break;
		case PINECONE_VALUE_OBJECT:
			FUZZ_CHECK(reference_is_object(expected), "a value is no object");
			break;
	}
}

static void
compare_metadata(struct json_object *expected, const PineconeRecord *record, bool documents)
{
	PineconeFields *fields = touch_metadata(record);
	int vectors = 0;

	FUZZ_CHECK(reference_is_object(expected), "metadata comes from nowhere");
	if (fields == NULL)
		return;
	if (documents)
		vectors = (reference_member(expected, DENSE) != NULL) + (reference_member(expected, SPARSE) != NULL);
	else
		FUZZ_CHECK(fields->n == reference_length(expected), "metadata has %d fields, not %d", reference_length(expected), fields->n);
	FUZZ_CHECK(fields->n + vectors <= reference_length(expected), "a document has too many fields");
	for (int i = 0; i < fields->n; i++)
	{
		if (fields->fields[i].name != NULL)
			compare_value(reference_member(expected, fields->fields[i].name), &fields->fields[i].value);
	}
}

static void
compare_sparse(struct json_object *expected, const PineconeSparse *sparse)
{
	struct json_object *indices = reference_member(expected, "indices");

	if (sparse->n == 0)
		return;
	compare_floats(reference_member(expected, "values"), sparse->values, sparse->n);
	for (int i = 0; i < sparse->n; i++)
	{
		const char *text = reference_number(reference_item(indices, i));

		if (text != NULL)
			FUZZ_CHECK(strtod(text, NULL) == sparse->indices[i], "an index is %s, not %u", text, sparse->indices[i]);
	}
}

static void
compare_record(struct json_object *expected, const PineconeRecord *record, bool documents, bool hit)
{
	struct json_object *id = reference_member(expected, documents || hit ? "_id" : "id");
	struct json_object *score = reference_member(expected, documents || hit ? "_score" : "score");
	struct json_object *metadata = reference_member(expected, hit ? "fields" : "metadata");

	FUZZ_CHECK(reference_is_string(id) && strcmp(reference_string(id), record->id) == 0, "an id is another");
	FUZZ_CHECK((score != NULL) == record->has_score, "a score comes from nowhere, or got lost");
	if (score != NULL)
		compare_double(score, record->score, "a score");
	if (!hit)
	{
		if (record->nvalues > 0)
			compare_floats(reference_member(expected, documents ? DENSE : "values"), record->values, record->nvalues);
		else
			FUZZ_CHECK(reference_length(reference_member(expected, documents ? DENSE : "values")) == 0, "a vector got lost");
		compare_sparse(reference_member(expected, documents ? SPARSE : "sparseValues"), &record->sparse);
	}
	if (documents)
		metadata = expected;
	if (record->metadata != NULL)
		compare_metadata(metadata, record, documents);
	else
		FUZZ_CHECK(documents || metadata == NULL, "metadata got lost");
}

typedef struct Members
{
	const PineconePage *page;
	bool documents;
	int n;
} Members;

static void
compare_member(const char *name, struct json_object *value, void *arg)
{
	Members *members = arg;

	FUZZ_CHECK(members->n < members->page->nrecords, "a record got lost");
	compare_record(value, &members->page->records[members->n++], members->documents, false);
}

/* Replies that have their records under one name; which of several counts is no matter. */
static void
compare_page(struct json_object *root, const PineconePage *page, bool documents)
{
	struct json_object *list[] = {
		reference_member(root, "matches"),
		reference_member(root, documents ? "documents" : "vectors"),
		reference_member(reference_member(root, "result"), "hits"),
	};
	struct json_object *token = reference_member(reference_member(root, "pagination"), "next");
	struct json_object *records = NULL;
	bool hit = list[2] != NULL;
	int n = 0;

	for (int i = 0; i < lengthof(list); i++)
	{
		n += list[i] != NULL;
		records = list[i] ? list[i] : records;
	}
	FUZZ_CHECK(n > 0, "records come from nowhere");
	if (n > 1)
		return;
	FUZZ_CHECK(reference_length(records) == page->nrecords, "there are %d records, not %d",
			   reference_length(records), page->nrecords);
	if (reference_is_object(records))
	{
		Members members = {page, documents, 0};

		reference_each(records, compare_member, &members);
	}
	else
	{
		for (int i = 0; i < page->nrecords; i++)
			compare_record(reference_item(records, i), &page->records[i], documents, hit);
	}
	FUZZ_CHECK(page->next_token ? reference_is_string(token) && strcmp(reference_string(token), page->next_token) == 0 :
								  !reference_is_string(token) || reference_string(token)[0] == '\0',
			   "a token is another");
}

static bool
decode(const char *data, size_t size, bool documents, bool want_values, PineconePage **page)
{
	char *body = fuzz_body(data, size);
	const char *reason = NULL;
	int read_units = -1;
	bool good = documents ?
					pinecone_decode_documents(body, size, DENSE, SPARSE, want_values, page, &read_units, &reason) :
					pinecone_decode_page(body, size, want_values, page, &read_units, &reason);

	memset(body, 'x', size); /* nothing may point into it */
	FUZZ_CHECK(good || reason != NULL, "a reply is refused without a reason");
	if (!good)
		return false;
	FUZZ_CHECK(read_units >= 0, "read units are negative");
	for (int i = 0; i < (*page)->nrecords; i++)
		touch_record(&(*page)->records[i]);
	fuzz_touch((*page)->next_token);
	fuzz_touch((*page)->namespace_);
	return true;
}

static void
look_at(const char *data, size_t size, bool documents)
{
	PineconePage *page;
	PineconePage *without;
	struct json_object *root;
	char *longer;
	size_t end = size;

	if (!decode(data, size, documents, true, &page))
		return;
	FUZZ_CHECK(decode(data, size, documents, false, &without) && without->nrecords == page->nrecords,
			   "without its values a reply is another");
	/* cut short it is no reply */
	while (end > 0 && strchr(" \t\r\n", data[end - 1]))
		end--;
	FUZZ_CHECK(!decode(data, (end * 7 / 11 + size % 5) % end, documents, true, &without), "a reply cut short is taken");
	/* nor is one with something behind it */
	longer = palloc(size + 3);
	memcpy(longer, data, size);
	memcpy(longer + size, " {}", 3);
	FUZZ_CHECK(!decode(longer, size + 3, documents, true, &without), "a reply with another behind it is taken");
	root = reference_parse(data, size);
	if (root != NULL)
		compare_page(root, page, documents);
	reference_free(root);
}

void
fuzz_reply(const char *data, size_t size)
{
	look_at(data, size, false);
}

void
fuzz_documents(const char *data, size_t size)
{
	look_at(data, size, true);
}
