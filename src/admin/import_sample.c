/*
 * import_sample.c
 *		What records tell of the fields of their namespace's metadata.
 *
 * The sample of a namespace is the first records in the order of their ids,
 * because listing those costs a request and a random sample would cost them
 * all.  Those of many namespaces are read side by side.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "admin/import_sample.h"
#include "client/vectors.h"
#include "pending/pending.h"
#include "scan/fanout.h"
#include "wire/schema.h"

/* Integers up to here are all there in float64 */
#define MAX_EXACT_INTEGER 9007199254740992.0

/* What a field's values have been seen to be */
#define SEEN_BOOL 0x01
#define SEEN_INTEGER 0x02
#define SEEN_NUMBER 0x04
#define SEEN_STRING 0x08
#define SEEN_STRINGS 0x10 /* a list of them */
#define SEEN_OTHER 0x20

/* What is to be said of a field that no text can hold */
typedef struct Note
{
	char *message;
	bool nameless; /* nor its name */
} Note;

/* ---- Fields ---- */

/* The summary of a field: added, if there is none yet. */
static PineconeFieldSummary *
find_field(PineconeNamespaceSummary *summary, const char *name)
{
	int low = 0;
	int high = summary->nfields;
	PineconeFieldSummary *field;

	while (low < high)
	{
		int middle = (low + high) / 2;
		int order = strcmp(summary->fields[middle].name, name);

		if (order == 0)
			return &summary->fields[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (summary->nfields == summary->maxfields)
	{
		summary->maxfields = Max(summary->maxfields * 2, 16);
		summary->fields = summary->fields ?
							  repalloc(summary->fields, summary->maxfields * sizeof(PineconeFieldSummary)) :
							  palloc(summary->maxfields * sizeof(PineconeFieldSummary));
	}
	field = &summary->fields[low];
	memmove(field + 1, field, (summary->nfields - low) * sizeof(PineconeFieldSummary));
	summary->nfields++;
	field->name = pstrdup(name);
	field->seen = 0;
	field->noted = false;
	return field;
}

static int
classify(const PineconeValue *value)
{
	switch (value->kind)
	{
		case PINECONE_VALUE_NULL:
			return 0;
		case PINECONE_VALUE_BOOL:
			return SEEN_BOOL;
		case PINECONE_VALUE_STRING:
			return SEEN_STRING;
		case PINECONE_VALUE_NUMBER:
			return value->number == floor(value->number) &&
						   fabs(value->number) <= MAX_EXACT_INTEGER ?
					   SEEN_INTEGER :
					   SEEN_NUMBER;
		case PINECONE_VALUE_LIST:
			for (int i = 0; i < value->nitems; i++)
			{
				if (value->items[i].kind != PINECONE_VALUE_STRING)
					return SEEN_OTHER;
			}
			return SEEN_STRINGS;
		default:
			return SEEN_OTHER;
	}
}

const char *
pinecone_import_field_type(const PineconeFieldSummary *field)
{
	switch (field->seen)
	{
		case SEEN_BOOL:
			return "boolean";
		case SEEN_INTEGER:
			return "bigint";
		case SEEN_NUMBER:
		case SEEN_NUMBER | SEEN_INTEGER:
			return "double precision";
		case SEEN_STRING:
			return "text";
		case SEEN_STRINGS:
			return "text[]";
		default:
			return "jsonb";
	}
}

/* Say once a field that some of its values can be read by no type but json. */
static void
note_no_text(PineconeNamespaceSummary *summary, const PineconeRecord *record, const PineconeField *field)
{
	Note *note = palloc(sizeof(Note));

	note->nameless = field->name == NULL;
	note->message = note->nameless ?
						psprintf("namespace \"%s\", record \"%s\": the name of metadata field %s is no text that PostgreSQL can hold",
								 record->namespace_, record->id, field->json) :
						psprintf("namespace \"%s\", record \"%s\": metadata field \"%s\" holds a string that PostgreSQL's text cannot",
								 record->namespace_, record->id, field->name);
	summary->notes = lappend(summary->notes, note);
}

void
pinecone_import_report_notes(const PineconeNamespaceSummary *summary)
{
	ListCell *lc;

	foreach(lc, summary->notes)
	{
		Note *note = lfirst(lc);

		ereport(NOTICE,
				(errmsg_internal("%s", note->message),
				 note->nameless ?
					 errdetail("It gets no column, and a column of the whole metadata cannot show the record's.") :
					 errdetail("There the field's column, and one of the whole metadata, are as on_type_error says.")));
	}
}

static void
summarize_field(PineconeNamespaceSummary *summary, const PineconeRecord *record, const PineconeField *field)
{
	PineconeFieldSummary *known;

	if (field->name == NULL)
	{
		if (!summary->noted)
			note_no_text(summary, record, field);
		summary->noted = true;
		return;
	}
	known = find_field(summary, field->name);
	known->seen |= classify(&field->value);
	if (field->value.no_text && !known->noted)
	{
		note_no_text(summary, record, field);
		known->noted = true;
	}
}

static void
summarize_record(PineconeNamespaceSummary *summary, const PineconeRecord *record,
				 const PineconeSchema *schema, MemoryContext cxt)
{
	PineconeFields *fields = pinecone_vectors_metadata_fields(record);
	MemoryContext old = MemoryContextSwitchTo(cxt);

	for (int i = 0; i < fields->n; i++)
	{
		/* what the schema declares is no metadata */
		if (fields->fields[i].name == NULL || !pinecone_schema_reserves(schema, fields->fields[i].name))
			summarize_field(summary, record, &fields->fields[i]);
	}
	MemoryContextSwitchTo(old);
	summary->has_sparse |= record->sparse.n > 0;
}

static int
compare_names(const void *name, const void *summary)
{
	return strcmp(name, (*(PineconeNamespaceSummary *const *) summary)->name);
}

/*
 * Read some records of each of these namespaces, sorted by name, side by side.
 * What they tell goes into "all", or if that is NULL into each one's own summary.
 */
static void
summarize_records(PineconeSession *session, const PineconeStats *stats, List *namespaces,
				  int sample_size, PineconeNamespaceSummary *all)
{
	int n = list_length(namespaces);
	PineconeNamespaceSummary **summaries = palloc(Max(n, 1) * sizeof(PineconeNamespaceSummary *));
	PineconeNamespaceStats *asked = palloc(Max(n, 1) * sizeof(PineconeNamespaceStats));
	MemoryContext cxt = CurrentMemoryContext;
	MemoryContext record_cxt = AllocSetContextCreate(cxt, "pinecone import record",
													 ALLOCSET_DEFAULT_SIZES);
	PineconeSourceSpec spec = {0};
	PineconeFanout *stream;
	PineconeRecord *record;

	for (int i = 0; i < n; i++)
	{
		summaries[i] = list_nth(namespaces, i);
		asked[i].name = summaries[i]->name;
		asked[i].records = summaries[i]->records;
	}
	spec.session = session;
	spec.op = PINECONE_OP_LIST_FETCH;
	spec.position = PINECONE_PENDING_ALL;
	spec.dimension = stats->dimension;
	spec.want_values = true; /* there may be sparse ones */
	spec.want_metadata = true;
	spec.most = sample_size;
	stream = pinecone_fanout_begin(&spec, asked, n, PINECONE_FANOUT_ANY);
	while (pinecone_fanout_next(stream, true, &record) == PINECONE_SOURCE_RECORD)
	{
		PineconeNamespaceSummary *summary = all;

		CHECK_FOR_INTERRUPTS();
		if (summary == NULL)
			summary = *(PineconeNamespaceSummary **) bsearch(record->namespace_, summaries, n,
															 sizeof(PineconeNamespaceSummary *), compare_names);
		MemoryContextSwitchTo(record_cxt);
		summarize_record(summary, record, session->schema, cxt);
		MemoryContextSwitchTo(cxt);
		MemoryContextReset(record_cxt);
	}
	pinecone_fanout_end(stream);
	MemoryContextDelete(record_cxt);
	pfree(asked);
	pfree(summaries);
}

void
pinecone_import_summarize(PineconeSession *session, const PineconeStats *stats, List *namespaces,
						  int sample_size, PineconeNamespaceSummary *all)
{
	ListCell *lc;

	foreach(lc, namespaces)
	{
		PineconeNamespaceSummary *summary = lfirst(lc);
		ListCell *field;

		foreach(field, summary->declared)
		{
			if (!pinecone_schema_reserves(session->schema, lfirst(field)))
				(void) find_field(all != NULL ? all : summary, lfirst(field));
		}
		/* what is embedded is a text, if there is a record or not */
		if (session->integrated != NULL)
			find_field(all != NULL ? all : summary, session->integrated->fields[0].name)->seen |= SEEN_STRING;
	}
	if (sample_size > 0)
		summarize_records(session, stats, namespaces, sample_size, all);
}
