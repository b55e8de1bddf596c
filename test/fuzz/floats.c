/*
 * floats.c
 *		Target "floats": arrays of numbers as wire/parse_floats.c reads them and as
 *		strtof does.  Target "record": records of any values, written and read back.
 */
#include "fuzz.h"

#include <math.h>

#include "mb/pg_wchar.h"

#include "wire/decode.h"
#include "wire/message.h"
#include "wire/parse_floats.h"

/* What may be read in front of an array's text */
#define BEFORE "[[[[[[[[[[[[[[[["

#define MAX_VALUES 4096

/* A JSON number: its end, or NULL */
static const char *
number_end(const char *p)
{
	p += *p == '-';
	if (*p == '0')
		p++;
	else if (*p >= '1' && *p <= '9')
		p += strspn(p, "0123456789");
	else
		return NULL;
	if (*p == '.')
	{
		size_t n = strspn(p + 1, "0123456789");

		if (n == 0)
			return NULL;
		p += n + 1;
	}
	if (*p == 'e' || *p == 'E')
	{
		size_t n;

		p++;
		p += *p == '-' || *p == '+';
		n = strspn(p, "0123456789");
		if (n == 0)
			return NULL;
		p += n;
	}
	return p;
}

static const char *
skip_space(const char *p)
{
	return p + strspn(p, " \t\r\n");
}

/* The whole array with strtof: how many, or -1 for none of float32's numbers. */
static int
expected_floats(const char *p, float *values, const char **end)
{
	int n = 0;

	for (;;)
	{
		const char *next;

		p = skip_space(p);
		next = number_end(p);
		if (next == NULL || n == MAX_VALUES)
			return -1;
		values[n] = strtof(p, NULL);
		if (isinf(values[n++]))
			return -1;
		p = skip_space(next);
		if (*p == ']')
		{
			*end = p + 1;
			return n;
		}
		if (*p++ != ',')
			return -1;
	}
}

void
fuzz_floats(const char *data, size_t size)
{
	static float expected[MAX_VALUES];
	char *text = palloc(size + sizeof(BEFORE));
	const char *begin;
	const char *p;
	const char *end = NULL;
	const char *reason = NULL;
	float *values = NULL;
	int n = size % 3 ? 0 : (int) size / 4;
	int nexpected;
	bool good;

	memcpy(text, BEFORE, sizeof(BEFORE) - 1);
	memcpy(text + sizeof(BEFORE) - 1, data, size);
	begin = fuzz_body(text, sizeof(BEFORE) - 1 + size);
	p = begin + sizeof(BEFORE) - 1;
	nexpected = strlen(p) == size ? expected_floats(p, expected, &end) : 0;
	good = pinecone_floats_decode(&p, begin + sizeof(BEFORE) - 1 + size, &values, &n, &reason);
	if (nexpected == 0) /* with a NUL byte: it need not be right, but an end there must be */
		return;
	FUZZ_CHECK(good == (nexpected > 0) || size > MAX_VALUES, "an array is %s", good ? "taken" : "refused");
	if (!good)
	{
		FUZZ_CHECK(reason != NULL, "an array is refused without a reason");
		return;
	}
	if (nexpected < 0)
		return;
	FUZZ_CHECK(n == nexpected && p == end, "there are %d numbers, not %d", nexpected, n);
	for (int i = 0; i < n; i++)
		FUZZ_CHECK(memcmp(&values[i], &expected[i], sizeof(float)) == 0, "number %d is %.9g, not %.9g", i, expected[i], values[i]);
}

/* ---- Records ---- */

typedef struct Bytes
{
	const char *p;
	size_t left;
} Bytes;

static uint32
take(Bytes *bytes, size_t n)
{
	uint32 value = 0;

	n = Min(n, bytes->left);
	memcpy(&value, bytes->p, n);
	bytes->p += n;
	bytes->left -= n;
	return value;
}

/* Some text of the server's encoding, without NUL */
static char *
take_text(Bytes *bytes)
{
	size_t length = take(bytes, 1) % 32;
	size_t n = Min(length, bytes->left);
	char *text = pnstrdup(bytes->p, n);

	bytes->p += n;
	bytes->left -= n;
	return pg_verify_mbstr(PG_UTF8, text, strlen(text), true) ? text : pstrdup("x");
}

static float *
take_floats(Bytes *bytes, int n)
{
	float *values = palloc(Max(n, 1) * sizeof(float));

	for (int i = 0; i < n; i++)
	{
		uint32 bits = take(bytes, 4);

		memcpy(&values[i], &bits, sizeof(float));
		if (!isfinite(values[i]))
			values[i] = (float) (int) bits;
	}
	return values;
}

static void
compare_bits(const float *a, const float *b, int n)
{
	for (int i = 0; i < n; i++)
		FUZZ_CHECK(memcmp(&a[i], &b[i], sizeof(float)) == 0 || (a[i] == 0 && b[i] == 0),
				   "%.9g is read back as %.9g", a[i], b[i]);
}

static void
check_read_back(const PineconeRecord *record, const char *text, const char *metadata_text)
{
	char *body = fuzz_body(text, strlen(text));
	PineconePage *page;
	PineconeFields *fields;
	const char *reason = NULL;
	int read_units;

	FUZZ_CHECK(pinecone_decode_page(body, strlen(body), true, &page, &read_units, &reason), "not read back: %s: %s", reason, text);
	FUZZ_CHECK(page->nrecords == 1 && strcmp(page->records[0].id, record->id) == 0, "another id is read back");
	FUZZ_CHECK(page->records[0].nvalues == record->nvalues && page->records[0].sparse.n == record->sparse.n, "not as many values");
	compare_bits(record->values, page->records[0].values, record->nvalues);
	compare_bits(record->sparse.values, page->records[0].sparse.values, record->sparse.n);
	FUZZ_CHECK(record->sparse.n == 0 ||
			   memcmp(record->sparse.indices, page->records[0].sparse.indices, record->sparse.n * sizeof(uint32)) == 0,
			   "other indices are read back");
	FUZZ_CHECK(pinecone_decode_metadata(page->records[0].metadata, page->records[0].metadata_len, &fields, &reason), "metadata is not read back");
	FUZZ_CHECK(fields->n == 1 && fields->fields[0].name && strcmp(fields->fields[0].name, metadata_text) == 0 &&
			   strcmp(fields->fields[0].value.text, metadata_text) == 0,
			   "other metadata is read back");
}

void
fuzz_record(const char *data, size_t size)
{
	Bytes bytes = {data, size};
	PineconeRecord record = {0};
	StringInfoData metadata;
	StringInfoData body;
	char *text;

	record.id = take_text(&bytes);
	if (record.id[0] == '\0')
		return;
	record.idlen = strlen(record.id);
	text = take_text(&bytes);
	initStringInfo(&metadata);
	appendStringInfoChar(&metadata, '{');
	pinecone_message_append_string(&metadata, text);
	appendStringInfoChar(&metadata, ':');
	pinecone_message_append_string(&metadata, text);
	appendStringInfoChar(&metadata, '}');
	record.metadata = metadata.data;
	record.metadata_len = metadata.len;
	record.nvalues = take(&bytes, 1) % 40;
	record.values = take_floats(&bytes, record.nvalues);
	record.sparse.n = take(&bytes, 1) % 20;
	record.sparse.values = take_floats(&bytes, record.sparse.n);
	record.sparse.indices = palloc(Max(record.sparse.n, 1) * sizeof(uint32));
	for (int i = 0; i < record.sparse.n; i++)
		record.sparse.indices[i] = take(&bytes, 4);
	initStringInfo(&body);
	appendStringInfoString(&body, "{\"matches\":[");
	pinecone_message_append_record(&body, &record);
	appendStringInfoString(&body, "]}");
	check_read_back(&record, body.data, text);
}
