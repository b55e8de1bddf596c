/*
 * decode.c
 *		Vectors are nearly all of a reply's bytes, so their numbers go straight
 *		to float4.  Everything else is checked as it is passed over; metadata stays
 *		the JSON text it is, to be split only if a column asks for one of its
 *		fields (decode_metadata.c).
 */
#include "postgres.h"

#include <math.h>

#include "common/string.h"
#include "mb/pg_wchar.h"

#include "wire/decode.h"
#include "wire/number.h"
#include "wire/scanner.h"

/* ---- Records ---- */

/* Pass over an array of numbers that nobody wants. */
static bool
skip_floats(PineconeScanner *s)
{
	const char *close;

	if (!pinecone_scanner_expect(s, '[', "an array of numbers was expected"))
		return false;
	close = memchr(s->p, ']', s->end - s->p);
	if (close == NULL)
	{
		s->p = s->end;
		return pinecone_scanner_fail(s, "an array does not end");
	}
	s->p = close + 1;
	return true;
}

static bool
read_sparse(PineconeScanner *s, PineconeSparse *sparse)
{
	const char *key;
	size_t len;
	bool first = true;
	int nindices = 0;
	int nvalues = 0;
	int dimension = s->dimension;

	if (pinecone_scanner_accept_null(s))
		return true;
	if (!pinecone_scanner_expect(s, '{', "sparse values were expected"))
		return false;
	s->dimension = 0;
	while (pinecone_scanner_next_key(s, &first, &key, &len))
	{
		bool ok;

		if (pinecone_scanner_key_is(key, len, "indices"))
			ok = pinecone_scanner_read_indices(s, &sparse->indices, &nindices);
		else if (pinecone_scanner_key_is(key, len, "values"))
			ok = pinecone_scanner_read_floats(s, &sparse->values, &nvalues);
		else
			ok = pinecone_scanner_skip_value(s);
		if (!ok)
			return false;
	}
	s->dimension = dimension;
	if (s->reason)
		return false;
	if (nindices != nvalues)
		return pinecone_scanner_fail(s, "a sparse vector has not as many indices as values");
	sparse->n = nindices;
	return true;
}

/* Metadata stays text: one copy of it. */
static bool
read_metadata(PineconeScanner *s, PineconeRecord *record)
{
	const char *start;

	if (pinecone_scanner_accept_null(s))
		return true;
	pinecone_scanner_skip_space(s);
	start = s->p;
	if (*start != '{')
		return pinecone_scanner_fail(s, "metadata is not an object");
	if (!pinecone_scanner_skip_value(s))
		return false;
	record->metadata_len = s->p - start;
	record->padded = true;
	record->metadata = palloc(record->metadata_len + PINECONE_METADATA_PADDING);
	memcpy(record->metadata, start, record->metadata_len);
	record->metadata[record->metadata_len] = '\0';
	return true;
}

static bool
read_id(PineconeScanner *s, PineconeRecord *record)
{
	record->id = pinecone_scanner_read_string(s);
	if (record->id == NULL)
		return false;
	record->idlen = strlen(record->id);
	if (record->idlen == 0)
		return pinecone_scanner_fail(s, "the id of a record is empty");
	/* ids are ASCII (API 2025-10); another would not be text here */
	if (GetDatabaseEncoding() != PG_UTF8 && !pg_is_ascii(record->id))
		return pinecone_scanner_fail(s, "the id of a record is not ASCII");
	return true;
}

static bool
read_score(PineconeScanner *s, PineconeRecord *record)
{
	/* of a document: what is not finite (API 2026-07) */
	if (s->documents && pinecone_scanner_accept_null(s))
	{
		s->unscored = true;
		return true;
	}
	pinecone_scanner_skip_space(s);
	record->has_score = true;
	return pinecone_scanner_read_double(s, &record->score) &&
		   (isfinite(record->score) || pinecone_scanner_fail(s, "a score is not a finite number"));
}

static bool
read_record(PineconeScanner *s, PineconeRecord *record)
{
	const char *key;
	size_t len;
	bool first = true;

	if (!pinecone_scanner_expect(s, '{', "a record was expected"))
		return false;
	while (pinecone_scanner_next_key(s, &first, &key, &len))
	{
		bool ok;

		if (pinecone_scanner_key_is(key, len, "id"))
			ok = read_id(s, record);
		else if (pinecone_scanner_key_is(key, len, "values"))
			ok = pinecone_scanner_accept_null(s) ||
				 (s->want_values ? pinecone_scanner_read_floats(s, &record->values, &record->nvalues) :
								   skip_floats(s));
		else if (pinecone_scanner_key_is(key, len, "metadata"))
			ok = read_metadata(s, record);
		else if (pinecone_scanner_key_is(key, len, "score"))
			ok = read_score(s, record);
		else if (pinecone_scanner_key_is(key, len, "sparseValues"))
			ok = s->want_values ? read_sparse(s, &record->sparse) : pinecone_scanner_skip_value(s);
		else
			ok = pinecone_scanner_skip_value(s);
		if (!ok)
			return false;
	}
	if (s->reason == NULL && record->id == NULL)
		return pinecone_scanner_fail(s, "a record has no id");
	return s->reason == NULL;
}

/* A match of a search of records, whose fields are what others call metadata */
static bool
read_hit(PineconeScanner *s, PineconeRecord *record)
{
	const char *key;
	size_t len;
	bool first = true;

	if (!pinecone_scanner_expect(s, '{', "a record was expected"))
		return false;
	while (pinecone_scanner_next_key(s, &first, &key, &len))
	{
		bool ok;

		if (pinecone_scanner_key_is(key, len, "_id"))
			ok = read_id(s, record);
		else if (pinecone_scanner_key_is(key, len, "_score"))
			ok = read_score(s, record);
		else if (pinecone_scanner_key_is(key, len, "fields"))
			ok = read_metadata(s, record);
		else
			ok = pinecone_scanner_skip_value(s);
		if (!ok)
			return false;
	}
	if (s->reason == NULL && record->id == NULL)
		return pinecone_scanner_fail(s, "a record has no id");
	return s->reason == NULL;
}

/* ---- Documents ---- */

/* Fields of a document that are metadata: each is a piece of the text */
typedef struct Pieces
{
	int n;
	int size;
	struct
	{
		const char *start; /* of the name, with its quotes */
		const char *end;   /* of the value */
	} * pieces;
	size_t length; /* of all */
} Pieces;

static void
add_piece(Pieces *pieces, const char *start, const char *end)
{
	if (pieces->n == pieces->size)
	{
		pieces->size = Max(pieces->size * 2, 16);
		pieces->pieces = pieces->pieces ?
							 repalloc(pieces->pieces, pieces->size * sizeof(*pieces->pieces)) :
							 palloc(pieces->size * sizeof(*pieces->pieces));
	}
	pieces->pieces[pieces->n].start = start;
	pieces->pieces[pieces->n++].end = end;
	pieces->length += end - start + 1;
}

/* The pieces, with braces and commas, as the record's metadata. */
static void
join_pieces(Pieces *pieces, PineconeRecord *record)
{
	char *out;

	if (pieces->n == 0)
		return;
	record->metadata_len = pieces->length + 1;
	record->padded = true;
	record->metadata = out = palloc(record->metadata_len + PINECONE_METADATA_PADDING);
	for (int i = 0; i < pieces->n; i++)
	{
		size_t len = pieces->pieces[i].end - pieces->pieces[i].start;

		*out++ = i == 0 ? '{' : ',';
		memcpy(out, pieces->pieces[i].start, len);
		out += len;
	}
	*out++ = '}';
	*out = '\0';
}

static bool
is_called(PineconeScanner *s, const char *key, size_t len, const char *name)
{
	bool no_text = false;
	char *text;

	if (name == NULL)
		return false;
	if (memchr(key, '\\', len) == NULL)
		return pinecone_scanner_key_is(key, len, name);
	text = pinecone_scanner_decode_string(s, key, len, true, &no_text);
	return text != NULL && strcmp(text, name) == 0;
}

/* The dense vector of a document, which may have none, but not one of no numbers. */
static bool
read_dense(PineconeScanner *s, PineconeRecord *record)
{
	if (pinecone_scanner_accept_null(s))
		return true;
	if (!s->want_values)
		return skip_floats(s);
	return pinecone_scanner_read_floats(s, &record->values, &record->nvalues) &&
		   (record->nvalues > 0 || pinecone_scanner_fail(s, "a vector is empty"));
}

static bool
read_document(PineconeScanner *s, PineconeRecord *record)
{
	const char *key;
	size_t len;
	bool first = true;
	Pieces pieces = {0};

	if (!pinecone_scanner_expect(s, '{', "a document was expected"))
		return false;
	while (pinecone_scanner_next_key(s, &first, &key, &len))
	{
		bool ok;

		if (pinecone_scanner_key_is(key, len, "_id"))
			ok = read_id(s, record);
		else if (pinecone_scanner_key_is(key, len, "_score"))
			ok = read_score(s, record);
		else if (is_called(s, key, len, s->dense))
			ok = read_dense(s, record);
		else if (is_called(s, key, len, s->sparse))
			ok = s->want_values ? read_sparse(s, &record->sparse) : pinecone_scanner_skip_value(s);
		else
		{
			ok = pinecone_scanner_skip_value(s);
			add_piece(&pieces, key - 1, s->p);
		}
		if (!ok)
			return false;
	}
	if (s->reason == NULL && record->id == NULL)
		return pinecone_scanner_fail(s, "a document has no id");
	if (s->reason != NULL)
		return false;
	join_pieces(&pieces, record);
	return true;
}

/* ---- Pages ---- */

static PineconeRecord *
add_record(PineconePage *page, int *size)
{
	PineconeRecord *record;

	if (page->nrecords == *size)
	{
		*size = Max(*size * 2, 16);
		page->records = page->records ?
							repalloc(page->records, *size * sizeof(PineconeRecord)) :
							palloc(*size * sizeof(PineconeRecord));
	}
	record = &page->records[page->nrecords++];
	memset(record, 0, sizeof(*record));
	return record;
}

/* "matches" of a query, "vectors" of a list, "hits" of a search of records */
static bool
read_record_array(PineconeScanner *s, PineconePage *page, bool hits)
{
	bool first = true;
	int size = 0;

	page->nrecords = 0;
	page->records = NULL;
	if (!pinecone_scanner_expect(s, '[', "an array of records was expected"))
		return false;
	while (pinecone_scanner_next_element(s, &first))
	{
		PineconeRecord *record = add_record(page, &size);

		if (!(hits ? read_hit(s, record) : s->documents ? read_document(s, record) :
														  read_record(s, record)))
			return false;
	}
	return s->reason == NULL;
}

/* The "result" of a search of records */
static bool
read_result(PineconeScanner *s, PineconePage *page, bool *found)
{
	const char *key;
	size_t len;
	bool first = true;

	if (!pinecone_scanner_expect(s, '{', "an object was expected"))
		return false;
	while (pinecone_scanner_next_key(s, &first, &key, &len))
	{
		bool is_hits = pinecone_scanner_key_is(key, len, "hits");

		*found = *found || is_hits;
		if (!(is_hits ? read_record_array(s, page, true) : pinecone_scanner_skip_value(s)))
			return false;
	}
	return s->reason == NULL;
}

/* "vectors" of a fetch: the ids are the keys, too */
static bool
read_record_map(PineconeScanner *s, PineconePage *page)
{
	const char *key;
	size_t len;
	bool first = true;
	int size = 0;

	page->nrecords = 0;
	page->records = NULL;
	if (!pinecone_scanner_expect(s, '{', "an object of records was expected"))
		return false;
	while (pinecone_scanner_next_key(s, &first, &key, &len))
	{
		PineconeRecord *record = add_record(page, &size);

		if (!(s->documents ? read_document(s, record) : read_record(s, record)))
			return false;
		if ((len != record->idlen || memcmp(key, record->id, len) != 0) &&
			memchr(key, '\\', len) == NULL)
			return pinecone_scanner_fail(s, "a record has another id than it is found by");
	}
	return s->reason == NULL;
}

static bool
read_pagination(PineconeScanner *s, PineconePage *page)
{
	const char *key;
	size_t len;
	bool first = true;

	if (pinecone_scanner_accept_null(s))
		return true;
	if (!pinecone_scanner_expect(s, '{', "an object was expected"))
		return false;
	while (pinecone_scanner_next_key(s, &first, &key, &len))
	{
		if (pinecone_scanner_key_is(key, len, "next") && !pinecone_scanner_accept_null(s))
		{
			page->next_token = pinecone_scanner_read_string(s);
			if (page->next_token == NULL)
				return false;
			if (page->next_token[0] == '\0')
				page->next_token = NULL;
		}
		else if (!pinecone_scanner_key_is(key, len, "next") && !pinecone_scanner_skip_value(s))
			return false;
	}
	return s->reason == NULL;
}

static bool
read_usage(PineconeScanner *s, int *read_units)
{
	const char *key;
	size_t len;
	bool first = true;
	double value;

	if (pinecone_scanner_accept_null(s))
		return true;
	if (!pinecone_scanner_expect(s, '{', "an object was expected"))
		return false;
	while (pinecone_scanner_next_key(s, &first, &key, &len))
	{
		pinecone_scanner_skip_space(s);
		if ((pinecone_scanner_key_is(key, len, "readUnits") || pinecone_scanner_key_is(key, len, "read_units")) &&
			is_digit(*s->p))
		{
			if (!pinecone_scanner_read_double(s, &value))
				return false;
			*read_units = (int) Min(value, (double) PG_INT32_MAX);
		}
		else if (!pinecone_scanner_skip_value(s))
			return false;
	}
	return s->reason == NULL;
}

/*
 * Read a reply's object, whatever it is a reply to: records under either of
 * their names, and what goes with them in any order. A reply without records is
 * not one.
 */
static bool
read_page(PineconeScanner *s, PineconePage *page, int *read_units)
{
	const char *records = s->documents ? "documents" : "vectors";
	const char *key;
	size_t len;
	bool first = true;
	bool found = false;

	if (!pinecone_scanner_expect(s, '{', "the reply is not a JSON object"))
		return false;
	while (pinecone_scanner_next_key(s, &first, &key, &len))
	{
		bool ok;

		pinecone_scanner_skip_space(s);
		if (pinecone_scanner_key_is(key, len, "matches") || (pinecone_scanner_key_is(key, len, records) && *s->p == '['))
		{
			found = true;
			ok = read_record_array(s, page, false);
		}
		else if (pinecone_scanner_key_is(key, len, "result") && *s->p == '{')
			ok = read_result(s, page, &found);
		else if (pinecone_scanner_key_is(key, len, records))
		{
			found = true;
			ok = read_record_map(s, page);
		}
		else if (pinecone_scanner_key_is(key, len, "pagination"))
			ok = read_pagination(s, page);
		else if (pinecone_scanner_key_is(key, len, "usage"))
			ok = read_usage(s, read_units);
		else if (pinecone_scanner_key_is(key, len, "namespace") && *s->p == '"')
			ok = (page->namespace_ = pinecone_scanner_read_string(s)) != NULL;
		else
			ok = pinecone_scanner_skip_value(s);
		if (!ok)
			return false;
	}
	if (s->reason)
		return false;
	pinecone_scanner_skip_space(s);
	if (s->p != s->end)
	{
		s->reason = "something follows the reply's end";
		return false;
	}
	if (!found)
		s->reason = "the reply holds no records";
	return found;
}

static bool
decode(PineconeScanner *s, PineconePage **page, int *read_units, const char **reason)
{
	const char *body = s->p;

	*page = palloc0(sizeof(PineconePage));
	*read_units = 0;
	if (read_page(s, *page, read_units) && pinecone_scanner_check_encoding(s, s->end))
	{
		(*page)->unscored = s->unscored;
		return true;
	}
	/* rather than something that is wrong because of that */
	if (!pg_verify_mbstr(PG_UTF8, body, s->end - body, true))
		s->reason = "the reply is not valid UTF-8";
	*reason = s->reason;
	return false;
}

bool
pinecone_decode_page(const char *body, size_t len, bool want_values, PineconePage **page,
					 int *read_units, const char **reason)
{
	PineconeScanner s = {.p = body, .end = body + len, .valid = body, .want_values = want_values};

	return decode(&s, page, read_units, reason);
}

bool
pinecone_decode_documents(const char *body, size_t len, const char *dense, const char *sparse,
						  bool want_values, PineconePage **page, int *read_units, const char **reason)
{
	PineconeScanner s = {.p = body, .end = body + len, .valid = body, .want_values = want_values, .documents = true, .dense = dense, .sparse = sparse};

	return decode(&s, page, read_units, reason);
}
