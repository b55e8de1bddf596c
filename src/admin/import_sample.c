/*
 * import_sample.c
 *		What records tell of the fields of their namespace's metadata.
 *
 * The sample of a namespace is spread over it where its ids can be had cheaply
 * (import_spread.c), and else the first records in the order of their ids.  Those of
 * many namespaces are read side by side.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "admin/import_sample.h"
#include "admin/import_spread.h"
#include "admin/import_types.h"
#include "client/vectors.h"
#include "pending/pending.h"
#include "scan/fanout.h"
#include "wire/schema.h"

/* Namespaces that are looked at together */
#define AT_ONCE 64

/* Namespaces that a notice tells of */
#define MOST_LINES 10

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
	known->seen |= pinecone_import_classify(&field->value);
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

/* What one record tells, for "all" or if that is NULL for its namespace's own summary. */
static void
take_record(PineconeNamespaceSummary *own, PineconeNamespaceSummary *all, const PineconeRecord *record,
			const PineconeSchema *schema, MemoryContext record_cxt)
{
	MemoryContext cxt = MemoryContextSwitchTo(record_cxt);

	CHECK_FOR_INTERRUPTS();
	own->looked++;
	summarize_record(all ? all : own, record, schema, cxt);
	MemoryContextSwitchTo(cxt);
	MemoryContextReset(record_cxt);
}

/* Read the records that have been drawn of these namespaces, side by side. */
static void
summarize_drawn(PineconeSession *session, const PineconeStats *stats, List *namespaces, PineconeNamespaceSummary *all)
{
	MemoryContext record_cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone import record",
													 ALLOCSET_DEFAULT_SIZES);
	int n = list_length(namespaces);
	PineconeSource **sources = palloc(Max(n, 1) * sizeof(PineconeSource *));
	PineconeSourceSpec spec = {0};
	PineconeRecord *record;

	spec.session = session;
	spec.op = PINECONE_OP_FETCH;
	spec.position = PINECONE_PENDING_ALL;
	spec.dimension = stats->dimension;
	spec.want_values = spec.want_metadata = true;
	spec.may_lack_values = true;
	spec.sharers = n;
	for (int i = 0; i < n; i++)
	{
		PineconeNamespaceSummary *summary = list_nth(namespaces, i);

		spec.namespace_ = summary->name;
		spec.ids = summary->ids;
		spec.nids = summary->nids;
		sources[i] = pinecone_source_begin(&spec);
	}
	for (int i = 0; i < n; i++)
	{
		while (pinecone_source_next(sources[i], true, &record) == PINECONE_SOURCE_RECORD)
			take_record(list_nth(namespaces, i), all, record, session->schema, record_cxt);
		pinecone_source_end(sources[i]);
	}
	MemoryContextDelete(record_cxt);
}

/*
 * Read the first records of each of these namespaces, sorted by name, side by side.
 * What they tell goes into "all", or if that is NULL into each one's own summary.
 */
static void
summarize_first(PineconeSession *session, const PineconeStats *stats, List *namespaces,
				int sample_size, PineconeNamespaceSummary *all)
{
	int n = list_length(namespaces);
	PineconeNamespaceSummary **summaries = palloc(Max(n, 1) * sizeof(PineconeNamespaceSummary *));
	PineconeNamespaceStats *asked = palloc(Max(n, 1) * sizeof(PineconeNamespaceStats));
	MemoryContext record_cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone import record",
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
	spec.may_lack_values = true;
	spec.want_metadata = true;
	spec.most = sample_size;
	stream = pinecone_fanout_begin(&spec, asked, n, PINECONE_FANOUT_ANY);
	while (pinecone_fanout_next(stream, true, &record) == PINECONE_SOURCE_RECORD)
		take_record(*(PineconeNamespaceSummary **) bsearch(record->namespace_, summaries, n,
														   sizeof(PineconeNamespaceSummary *), compare_names),
					all, record, session->schema, record_cxt);
	pinecone_fanout_end(stream);
	MemoryContextDelete(record_cxt);
	pfree(asked);
	pfree(summaries);
}

/*
 * Draw ids of these namespaces, so many namespaces at a time, and read their records;
 * where none could be drawn, the first records.
 */
static void
summarize_records(PineconeSession *session, const PineconeStats *stats, List *namespaces, int sample_size,
				  PineconeNamespaceSummary *all)
{
	ListCell *lc;

	for (int from = 0; from < list_length(namespaces); from += AT_ONCE)
	{
		List *part = list_copy_tail(namespaces, from);
		List *drawn = NIL;
		List *first = NIL;

		part = list_truncate(part, AT_ONCE);
		pinecone_import_draw(session, stats, part, sample_size);
		foreach(lc, part)
		{
			PineconeNamespaceSummary *summary = lfirst(lc);

			if (summary->nids > 0)
				drawn = lappend(drawn, summary);
			else
				first = lappend(first, summary);
		}
		summarize_drawn(session, stats, drawn, all);
		if (first != NIL)
			summarize_first(session, stats, first, sample_size, all);
	}
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
			find_field(all != NULL ? all : summary, session->integrated->fields[0].name)->seen |= pinecone_import_class_of_text();
	}
	if (sample_size > 0)
		summarize_records(session, stats, namespaces, sample_size, all);
}

/*
 * A share of the records that n of them, drawn at random, have all missed with a
 * chance of 5 %: the chance that one does is 1 - share.
 */
static double
missed_share(double n)
{
	return 1 - pow(0.05, 1 / n);
}

void
pinecone_import_report_sample(List *namespaces)
{
	double looked = 0;
	double records = 0;
	bool known = true;
	int nlines = 0;
	StringInfoData lines;
	ListCell *lc;

	initStringInfo(&lines);
	foreach(lc, namespaces)
	{
		const PineconeNamespaceSummary *summary = lfirst(lc);

		looked += summary->looked;
		records += Max(summary->records, summary->looked);
		known = known && summary->records >= 0;
		if (summary->looked == 0 || summary->looked >= summary->records || ++nlines > MOST_LINES)
			continue;
		appendStringInfo(&lines, "%snamespace \"%s\": %.0f of %.0f, ", lines.len > 0 ? "\n" : "", summary->name, summary->looked, summary->records);
		if (summary->nids > 0)
			appendStringInfo(&lines, "drawn from %.0f ids: a field, or a kind of value, that %.1f %% of those records have was seen with a probability of 95 %%",
							 summary->candidates, 100 * missed_share(summary->looked));
		else
			appendStringInfoString(&lines, "the first by id: what others have is not known");
	}
	if (nlines > MOST_LINES)
		appendStringInfo(&lines, "\nand %d namespaces more", nlines - MOST_LINES);
	if (looked == 0)
		return;
	ereport(NOTICE,
			(known ? errmsg("records looked at for their columns: %.0f of %.0f", looked, records) :
					 errmsg("records looked at for their columns: %.0f", looked),
			 lines.len > 0 ? errdetail_internal("%s", lines.data) : 0,
			 lines.len > 0 ? errhint("Option \"sample_size\" says how many records of a namespace are looked at.") : 0));
}
