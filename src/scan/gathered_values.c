/*
 * gathered_values.c
 *		Filters of several rows, asked as one.
 *
 * The filters left between two flushes make chunks, by namespace and by what they
 * have in common; one source brings the records of a chunk.  Each is filed with
 * the entries that want it, which its values tell (request/filter_key.h), until
 * these have read it.  Records come in any order, so that nobody knows to have
 * all of his before a chunk has been read to its end.
 *
 * How many records a value has nobody knows either.  When those of a chunk take
 * too much memory it is divided, and asked for anew; a chunk of one entry is read
 * as if there were no others.
 *
 * Entries and the sources that they belong to know each other, and each can go
 * before the other: a row may want no more, and after an error memory goes in any
 * order.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "lib/ilist.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "base/limits.h"
#include "base/record_key.h"
#include "base/setting.h"
#include "pending/pending.h"
#include "request/filter_key.h"
#include "scan/gathered_values.h"
#include "value/match.h"
#include "wire/schema.h"

typedef struct Entry Entry;
typedef struct GatheredSource GatheredSource;

typedef struct Chunk
{
	dlist_node node; /* in the open chunks, until it is asked for */
	PineconeGathered *gather;
	MemoryContext cxt;
	PineconeSourceSpec spec; /* but for the filter, of all entries */
	char *field;			 /* or NULL: each record is looked at for each entry */
	char *rest;				 /* what the filters have in common, or NULL */
	bool parts;				 /* they differ in more than the field */
	int nvalues;
	List *entries;
	int nsources; /* entries whose source is still there */
	HTAB *values; /* of ValueSlot, made when it is asked for */
	bool asked;	  /* it is open no more */
	PineconeSource *source;
	bool ended;			   /* everything has been filed */
	Size bytes;			   /* of what has */
	MemoryContext tmp_cxt; /* for one record */
	MemoryContextCallback cleanup;
} Chunk;

/* What one source wants */
struct Entry
{
	Chunk *chunk;
	GatheredSource *source; /* NULL: it is gone */
	List *literals;
	char *own; /* or NULL */
	PineconeMatcher *matcher;
	PineconeRecord **records; /* filed */
	int nrecords;
	int max_records;
	int next;
};

typedef struct ValueSlot
{
	const char *literal;
	List *entries;
} ValueSlot;

struct GatheredSource
{
	PineconeSource source;
	PineconeSourceSpec spec; /* its own */
	Entry *entry;			 /* NULL: it asks by itself */
	PineconeSource *direct;
	HTAB *returned; /* records not to be returned again; or NULL */
	MemoryContextCallback cleanup;
};

struct PineconeGathered
{
	MemoryContext cxt;
	PineconeCounters *counters;
	dlist_head open;
};

PineconeGathered *
pinecone_gathered_values_create(PineconeCounters *counters)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone gathered filters",
											  ALLOCSET_DEFAULT_SIZES);
	PineconeGathered *gather = MemoryContextAllocZero(cxt, sizeof(PineconeGathered));

	gather->cxt = cxt;
	gather->counters = counters;
	dlist_init(&gather->open);
	return gather;
}

/* ---- Chunks ---- */

/* A chunk's memory goes: its entries with it, but not the sources. */
static void
leave_sources(void *arg)
{
	Chunk *chunk = arg;
	ListCell *lc;

	foreach(lc, chunk->entries)
	{
		Entry *entry = lfirst(lc);

		if (entry->source != NULL)
			entry->source->entry = NULL;
	}
}

static void
drop_chunk(Chunk *chunk)
{
	if (!chunk->asked)
		dlist_delete(&chunk->node);
	MemoryContextDelete(chunk->cxt);
}

/* The fields that are asked for, with those that tell whose a record is. */
static PineconeProjection *
projection_with(const PineconeProjection *fields, List *more)
{
	PineconeProjection *all = pinecone_schema_copy_projection(fields);
	ListCell *lc;

	foreach(lc, more)
		pinecone_schema_project(all, pstrdup(lfirst(lc)));
	return all;
}

static Chunk *
create_chunk(PineconeGathered *gather, const PineconeSourceSpec *spec)
{
	MemoryContext cxt = AllocSetContextCreate(gather->cxt, "pinecone gathered filters chunk",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	Chunk *chunk = palloc0(sizeof(Chunk));

	chunk->gather = gather;
	chunk->cxt = cxt;
	chunk->spec = *spec;
	chunk->spec.gather = NULL;
	chunk->spec.key = NULL;
	chunk->spec.counters = gather->counters;
	chunk->spec.namespace_ = pstrdup(spec->namespace_);
	chunk->spec.row_limit = 0;
	chunk->spec.most = 0;
	chunk->spec.want_metadata = true;
	if (spec->fields != NULL)
		chunk->spec.fields = projection_with(spec->fields, spec->key->fields);
	chunk->field = spec->key->field ? pstrdup(spec->key->field) : NULL;
	chunk->rest = spec->key->rest ? pstrdup(spec->key->rest) : NULL;
	chunk->parts = spec->key->own != NULL;
	chunk->cleanup.func = leave_sources;
	chunk->cleanup.arg = chunk;
	MemoryContextRegisterResetCallback(cxt, &chunk->cleanup);
	dlist_push_tail(&gather->open, &chunk->node);
	MemoryContextSwitchTo(old);
	return chunk;
}

static bool
has_room(Chunk *chunk, int nvalues)
{
	return chunk->entries == NIL ||
		   (chunk->nvalues + nvalues <= PINECONE_GATHERED_VALUES &&
			(!chunk->parts || list_length(chunk->entries) < PINECONE_GATHERED_PARTS));
}

static void ask_chunk(Chunk *chunk);

/* The open chunk for a filter; one that is full is asked for now. */
static Chunk *
open_chunk(PineconeGathered *gather, const PineconeSourceSpec *spec)
{
	dlist_iter iter;

	dlist_foreach(iter, &gather->open)
	{
		Chunk *chunk = dlist_container(Chunk, node, iter.cur);
		const char *rest = spec->key->rest;

		if (strcmp(chunk->spec.namespace_, spec->namespace_) != 0 ||
			chunk->parts != (spec->key->own != NULL) ||
			(rest == NULL ? chunk->rest != NULL : chunk->rest == NULL || strcmp(rest, chunk->rest) != 0))
			continue;
		if (has_room(chunk, list_length(spec->key->literals)))
			return chunk;
		ask_chunk(chunk);
		break;
	}
	return create_chunk(gather, spec);
}

static Entry *
add_entry(Chunk *chunk, GatheredSource *source)
{
	const PineconeFilterKey *key = source->spec.key;
	MemoryContext old = MemoryContextSwitchTo(chunk->cxt);
	Entry *entry = palloc0(sizeof(Entry));
	ListCell *lc;

	entry->chunk = chunk;
	foreach(lc, key->literals)
		entry->literals = lappend(entry->literals, pstrdup(lfirst(lc)));
	if (key->own != NULL)
		entry->own = pstrdup(key->own);
	chunk->entries = lappend(chunk->entries, entry);
	chunk->nvalues += list_length(entry->literals);
	chunk->nsources++;
	entry->source = source;
	source->entry = entry;
	MemoryContextSwitchTo(old);
	return entry;
}

/* ---- Asking ---- */

static uint32
hash_literal(const void *key, Size keysize)
{
	const char *literal = *(const char *const *) key;

	return DatumGetUInt32(hash_any((const unsigned char *) literal, strlen(literal)));
}

static int
match_literal(const void *a, const void *b, Size keysize)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Whose values are which; returns each of them once. */
static List *
file_values(Chunk *chunk)
{
	HASHCTL ctl = {0};
	List *values = NIL;
	ListCell *lc;
	ListCell *lc2;

	ctl.keysize = sizeof(char *);
	ctl.entrysize = sizeof(ValueSlot);
	ctl.hcxt = chunk->cxt;
	ctl.hash = hash_literal;
	ctl.match = match_literal;
	chunk->values = hash_create("pinecone values", 64, &ctl,
								HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
	foreach(lc, chunk->entries)
	{
		Entry *entry = lfirst(lc);

		foreach(lc2, entry->literals)
		{
			char *literal = lfirst(lc2);
			bool found;
			ValueSlot *slot = hash_search(chunk->values, &literal, HASH_ENTER, &found);

			if (!found)
			{
				slot->literal = literal;
				slot->entries = NIL;
				values = lappend(values, literal);
			}
			slot->entries = list_append_unique_ptr(slot->entries, entry);
		}
	}
	return values;
}

/* One of what the entries have besides */
static PineconeFilter
any_part(Chunk *chunk)
{
	StringInfoData buf;
	ListCell *lc;

	initStringInfo(&buf);
	foreach(lc, chunk->entries)
		appendStringInfo(&buf, "%s%s", buf.len > 0 ? "," : "", ((Entry *) lfirst(lc))->own);
	return (PineconeFilter){PINECONE_FILTER_JSON, psprintf("{\"$or\":[%s]}", buf.data)};
}

static void
compile_parts(Chunk *chunk)
{
	ListCell *lc;

	foreach(lc, chunk->entries)
	{
		Entry *entry = lfirst(lc);

		entry->matcher = pinecone_match_compile(DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(entry->own))));
	}
}

/* Its only entry has its filter to itself. */
static void
ask_alone(Chunk *chunk)
{
	Entry *entry = linitial(chunk->entries);
	GatheredSource *source = entry->source;

	if (source != NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(source->source.cxt);

		source->entry = NULL;
		entry->source = NULL;
		source->direct = pinecone_source_begin(&source->spec);
		MemoryContextSwitchTo(old);
	}
	drop_chunk(chunk);
}

static void
ask_chunk(Chunk *chunk)
{
	MemoryContext old;
	PineconeFilter filter;
	List *values;

	if (list_length(chunk->entries) == 1)
	{
		ask_alone(chunk);
		return;
	}
	old = MemoryContextSwitchTo(chunk->cxt);
	dlist_delete(&chunk->node);
	chunk->asked = true;
	chunk->gather->counters->rows_gathered += list_length(chunk->entries);
	chunk->gather->counters->gathers++;
	values = file_values(chunk);
	filter = chunk->parts ? any_part(chunk) : pinecone_filter_key_any(chunk->field, values);
	if (chunk->parts)
		compile_parts(chunk);
	if (chunk->rest != NULL)
		filter = pinecone_filter_both((PineconeFilter){PINECONE_FILTER_JSON, chunk->rest}, filter);
	chunk->spec.filter = filter.json;
	chunk->spec.expected *= list_length(chunk->entries);
	chunk->tmp_cxt = AllocSetContextCreate(chunk->cxt, "pinecone values", ALLOCSET_SMALL_SIZES);
	chunk->source = pinecone_source_begin(&chunk->spec);
	MemoryContextSwitchTo(old);
}

void
pinecone_gathered_values_flush(PineconeGathered *gather)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &gather->open)
		ask_chunk(dlist_container(Chunk, node, iter.cur));
}

/* ---- Filing ---- */

static PineconeRecord *
copy_record(Chunk *chunk, const PineconeRecord *record)
{
	chunk->bytes += sizeof(PineconeRecord) + record->idlen + record->metadata_len +
					record->nvalues * sizeof(float) + record->sparse.n * (sizeof(uint32) + sizeof(float));
	return pinecone_record_copy(record);
}

/* A record that an entry wants, unless it has it: a list may have two of its values. */
static void
file_record(Entry *entry, PineconeRecord *record)
{
	if (entry->nrecords > 0 && entry->records[entry->nrecords - 1] == record)
		return;
	if (entry->nrecords == entry->max_records)
	{
		entry->max_records = Max(4, 2 * entry->max_records);
		entry->records = entry->records == NULL ?
							 palloc(entry->max_records * sizeof(PineconeRecord *)) :
							 repalloc(entry->records, entry->max_records * sizeof(PineconeRecord *));
	}
	entry->records[entry->nrecords++] = record;
}

/* A record for some entries, if these want it and are still there; it is copied once. */
static void
file_for(Chunk *chunk, List *entries, const PineconeRecord *read, Jsonb *metadata, PineconeRecord **copy)
{
	ListCell *lc;

	foreach(lc, entries)
	{
		Entry *entry = lfirst(lc);
		MemoryContext old;

		if (entry->source == NULL || (entry->matcher != NULL && !pinecone_match_holds(entry->matcher, metadata)))
			continue;
		old = MemoryContextSwitchTo(chunk->cxt);
		if (*copy == NULL)
			*copy = copy_record(chunk, read);
		file_record(entry, *copy);
		MemoryContextSwitchTo(old);
	}
}

/* A record for those who want it. */
static void
file(Chunk *chunk, const PineconeRecord *read)
{
	MemoryContext old = MemoryContextSwitchTo(chunk->tmp_cxt);
	Jsonb *metadata = chunk->parts ? pinecone_pending_metadata(read) : NULL;
	PineconeRecord *record = NULL;
	ListCell *lc;

	if (chunk->field == NULL)
		file_for(chunk, chunk->entries, read, metadata, &record);
	else
	{
		foreach(lc, pinecone_filter_key_values(chunk->field, pinecone_vectors_metadata_fields(read)))
		{
			char *literal = lfirst(lc);
			ValueSlot *slot = hash_search(chunk->values, &literal, HASH_FIND, NULL);

			if (slot != NULL)
				file_for(chunk, slot->entries, read, metadata, &record);
		}
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(chunk->tmp_cxt);
}

/* What it has returned, its source is not to return again. */
static void
remember_returned(GatheredSource *source)
{
	Entry *entry = source->entry;
	MemoryContext old = MemoryContextSwitchTo(source->source.cxt);

	for (int i = 0; i < entry->next; i++)
	{
		PineconeRecordKey key = {source->spec.namespace_, pstrdup(entry->records[i]->id)};

		if (source->returned == NULL)
			source->returned = pinecone_record_key_table("pinecone records returned", sizeof(PineconeRecordKey));
		(void) hash_search(source->returned, &key, HASH_ENTER, NULL);
	}
	MemoryContextSwitchTo(old);
}

/*
 * Too much has been filed, though there is more: the entries are asked for in two
 * parts, and the one that is being read alone.
 */
static void
divide(Chunk *chunk, GatheredSource *reader)
{
	PineconeGathered *gather = chunk->gather;
	List *sources = NIL;
	int half;
	ListCell *lc;

	foreach(lc, chunk->entries)
	{
		GatheredSource *source = ((Entry *) lfirst(lc))->source;

		if (source == NULL)
			continue;
		if (source != reader && source->entry->next == 0)
			sources = lappend(sources, source);
		remember_returned(source);
		source->entry = NULL;
	}
	chunk->entries = NIL;
	drop_chunk(chunk);

	half = (list_length(sources) + 1) / 2;
	foreach(lc, sources)
	{
		GatheredSource *source = lfirst(lc);

		if (foreach_current_index(lc) == half)
			pinecone_gathered_values_flush(gather);
		(void) add_entry(open_chunk(gather, &source->spec), source);
	}
	pinecone_gathered_values_flush(gather);
}

/* ---- The source ---- */

/* A source's memory goes: its entry is nobody's. */
static void
leave_entry(void *arg)
{
	GatheredSource *source = arg;
	Entry *entry = source->entry;

	if (entry == NULL)
		return;
	entry->source = NULL;
	if (--entry->chunk->nsources == 0)
		drop_chunk(entry->chunk);
}

/* Read the chunk on, by one record; false when that has to wait. */
static bool
read_on(GatheredSource *source, bool wait)
{
	Chunk *chunk = source->entry->chunk;
	PineconeRecord *record;

	switch (pinecone_source_next(chunk->source, wait, &record))
	{
		case PINECONE_SOURCE_RECORD:
			file(chunk, record);
			if (chunk->bytes > pinecone_prefetch_kb * (Size) 1024)
				divide(chunk, source);
			return true;
		case PINECONE_SOURCE_PENDING:
			return false;
		default:
			chunk->ended = true;
			return true;
	}
}

static PineconeSourceStatus
next_direct(GatheredSource *source, bool wait, PineconeRecord **record)
{
	PineconeSourceStatus status;

	if (source->direct == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(source->source.cxt);

		source->direct = pinecone_source_begin(&source->spec);
		MemoryContextSwitchTo(old);
	}
	do
	{
		status = pinecone_source_next(source->direct, wait, record);
		if (status == PINECONE_SOURCE_RECORD && source->returned != NULL)
		{
			PineconeRecordKey key = {source->spec.namespace_, (*record)->id};

			if (hash_search(source->returned, &key, HASH_FIND, NULL) == NULL)
				break;
		}
	}
	while (status == PINECONE_SOURCE_RECORD && source->returned != NULL);
	return status;
}

static PineconeSourceStatus
gathered_next(PineconeSource *base, bool wait, PineconeRecord **record)
{
	GatheredSource *source = (GatheredSource *) base;

	if (source->entry != NULL && !source->entry->chunk->asked)
		pinecone_gathered_values_flush(source->entry->chunk->gather);
	while (source->entry != NULL)
	{
		Entry *entry = source->entry;

		if (entry->next < entry->nrecords)
		{
			*record = entry->records[entry->next++];
			return PINECONE_SOURCE_RECORD;
		}
		if (entry->chunk->ended)
			return PINECONE_SOURCE_END;
		if (!read_on(source, wait))
			return PINECONE_SOURCE_PENDING;
	}
	return next_direct(source, wait, record);
}

static int
gathered_calls(PineconeSource *base, PineconeCall **calls)
{
	GatheredSource *source = (GatheredSource *) base;
	Entry *entry = source->entry;

	if (entry == NULL)
		return source->direct != NULL ? pinecone_source_calls(source->direct, calls) : 0;
	if (entry->next < entry->nrecords || !entry->chunk->asked || entry->chunk->ended)
		return 0;
	return pinecone_source_calls(entry->chunk->source, calls);
}

static const PineconeSourceKind gathered_kind = {.next = gathered_next, .calls = gathered_calls};

PineconeSource *
pinecone_gathered_values_begin(const PineconeSourceSpec *spec)
{
	GatheredSource *source = pinecone_source_create(&gathered_kind, sizeof(GatheredSource));

	source->spec = *spec;
	source->cleanup.func = leave_entry;
	source->cleanup.arg = source;
	MemoryContextRegisterResetCallback(source->source.cxt, &source->cleanup);
	(void) add_entry(open_chunk(spec->gather, spec), source);
	source->spec.gather = NULL;
	return &source->source;
}
