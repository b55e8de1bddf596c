/*
 * pending_view.c
 *		What the log of a transaction's writes makes of a namespace.
 *
 * An index of the log tells which writes name an id, and which concern all
 * records.  It grows with the log, whenever someone reads, and shrinks with it.
 * A view is the index up to a position of the log: each statement has the one
 * at which it began, so that it does not see what it writes itself, and an open
 * cursor does not see what is written after it.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

#include "base/encoding.h"
#include "base/idset.h"
#include "pending/pending_view.h"
#include "value/match.h"
#include "value/metadata_of_columns.h"

/* One write */
typedef struct Op
{
	int64 offset;
	PineconeWriteKind kind;
	bool vectors;	/* an update that changes vectors */
	bool bare;		/* an upsert without a vector; or an update of one */
	bool replaces;	/* this one or an earlier one of the id sets or deletes all of it */
	int previous;	/* the id's one before, or -1 */
	const char *id; /* as in "ids"; NULL: not of one record */
} Op;

/* A write to all records that match a filter */
typedef struct FilterOp
{
	int64 offset;
	PineconeWriteKind kind;
	PineconeMatcher *matcher;
	PineconeRecord set; /* metadata to set */
	bool documents;
} FilterOp;

/* What is known of one namespace, in the order of the log */
typedef struct Namespace
{
	idset_hash *ids; /* number: of the last op */
	Op *ops;
	int nops;
	int ops_size;
	FilterOp *filters;
	int nfilters;
	int filters_size;
	int nupdates; /* of single records; updates by filter */
	int nfilter_updates;
	int nvectors;	/* updates that change vectors */
	int nbare;		/* upserts without one */
	int64 *emptied; /* offsets of the writes that delete everything */
	int nemptied;
	int emptied_size;
} Namespace;

struct PineconePendingIndex
{
	PineconePendingLog *log;
	MemoryContext cxt;
	int64 size; /* of the log as far as it is known here */
	Namespace **namespaces;
	int nnamespaces;
};

struct PineconePendingView
{
	PineconePendingIndex *index;
	Namespace *namespace_;
	int64 position; /* what stands there or later is not seen */
	int64 emptied;	/* offset of the last write that deletes everything, or -1 */
	int first_filter;
	int last_filter;			/* one behind */
	PineconePendingView *below; /* what comes before all of these, or NULL */
	bool passes_bare;			/* records without a vector are as the service shows them */
};

/* ---- The index ---- */

PineconePendingIndex *
pinecone_pending_index_create(PineconePendingLog *log)
{
	PineconePendingIndex *index = palloc0(sizeof(PineconePendingIndex));

	index->log = log;
	index->cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone index of pending writes",
									   ALLOCSET_DEFAULT_SIZES);
	return index;
}

/* Room for one more in an array, in the current memory context. */
static void *
make_room(void *array, int n, int *size, Size element)
{
	if (n < *size)
		return array;
	*size = Max(16, 2 * *size);
	return array ? repalloc_huge(array, *size * element) :
				   MemoryContextAllocHuge(CurrentMemoryContext, *size * element);
}

static Namespace *
get_namespace(PineconePendingIndex *index, int number)
{
	int n = pinecone_pending_log_targets(index->log);
	Namespace *namespace_;

	if (n > index->nnamespaces)
	{
		index->namespaces = index->namespaces ?
								repalloc(index->namespaces, n * sizeof(Namespace *)) :
								palloc(n * sizeof(Namespace *));
		while (index->nnamespaces < n)
			index->namespaces[index->nnamespaces++] = NULL;
	}
	if (index->namespaces[number] == NULL)
	{
		namespace_ = palloc0(sizeof(Namespace));
		namespace_->ids = idset_create(index->cxt, 64, NULL);
		index->namespaces[number] = namespace_;
	}
	return index->namespaces[number];
}

static void
add_id(Namespace *namespace_, const char *id, Op *op)
{
	PineconeIdEntry *entry = idset_lookup(namespace_->ids, id);
	bool found;

	op->replaces = op->kind != PINECONE_WRITE_UPDATE;
	if (entry == NULL)
		entry = idset_insert(namespace_->ids, pstrdup(id), &found);
	else
	{
		op->previous = (int) entry->number;
		op->replaces = op->replaces || namespace_->ops[op->previous].replaces;
	}
	op->id = entry->id;
	entry->number = namespace_->nops;
}

static void
add_filter(PineconePendingIndex *index, Namespace *namespace_, int64 offset)
{
	PineconeWrite write;
	FilterOp *op;

	pinecone_pending_log_read(index->log, offset, &write);
	namespace_->filters = make_room(namespace_->filters, namespace_->nfilters,
									&namespace_->filters_size, sizeof(FilterOp));
	op = &namespace_->filters[namespace_->nfilters];
	op->offset = offset;
	op->kind = write.kind;
	op->matcher = pinecone_match_compile(
		DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(write.filter))));
	op->set = write.record;
	op->documents = write.documents;
	namespace_->nfilters++;
}

static void
count_updates(Namespace *namespace_, PineconeWriteKind kind, int n)
{
	if (kind == PINECONE_WRITE_UPDATE)
		namespace_->nupdates += n;
	else if (kind == PINECONE_WRITE_UPDATE_FILTER)
		namespace_->nfilter_updates += n;
}

/* Learn about one write.  Nothing has changed if this raises an error. */
static void
add_op(PineconePendingIndex *index, int64 offset, const PineconePendingEntry *entry)
{
	Namespace *namespace_ = get_namespace(index, entry->place);
	Op *op;

	namespace_->ops = make_room(namespace_->ops, namespace_->nops, &namespace_->ops_size,
								sizeof(Op));
	op = &namespace_->ops[namespace_->nops];
	memset(op, 0, sizeof(Op));
	op->offset = offset;
	op->kind = entry->kind;
	op->previous = -1;
	op->vectors = entry->vectors;
	op->bare = entry->bare;
	namespace_->nvectors += op->vectors;
	namespace_->nbare += op->bare;
	if (pinecone_write_has_id(entry->kind))
		add_id(namespace_, entry->id, op);
	else if (entry->kind == PINECONE_WRITE_DELETE_ALL)
	{
		namespace_->emptied = make_room(namespace_->emptied, namespace_->nemptied,
										&namespace_->emptied_size, sizeof(int64));
		namespace_->emptied[namespace_->nemptied++] = offset;
	}
	else
		add_filter(index, namespace_, offset);
	count_updates(namespace_, entry->kind, 1);
	namespace_->nops++;
}

/* Learn what has been added to the log. */
static void
catch_up(PineconePendingIndex *index)
{
	int64 size = pinecone_pending_log_size(index->log);
	MemoryContext old = MemoryContextSwitchTo(index->cxt);

	while (index->size < size)
	{
		PineconePendingEntry entry;
		int64 next = pinecone_pending_log_peek(index->log, index->size, &entry);

		add_op(index, index->size, &entry);
		index->size = next;
	}
	MemoryContextSwitchTo(old);
}

static void
drop_op(Namespace *namespace_)
{
	Op *op = &namespace_->ops[--namespace_->nops];

	count_updates(namespace_, op->kind, -1);
	namespace_->nvectors -= op->vectors;
	namespace_->nbare -= op->bare;
	if (op->kind == PINECONE_WRITE_DELETE_ALL)
		namespace_->nemptied--;
	else if (op->id == NULL)
		namespace_->nfilters--;
	else if (op->previous < 0)
		(void) idset_delete(namespace_->ids, op->id);
	else
		idset_lookup(namespace_->ids, op->id)->number = op->previous;
}

void
pinecone_pending_index_truncate(PineconePendingIndex *index, int64 size)
{
	if (size >= index->size)
		return;
	index->size = size;
	for (int i = 0; i < index->nnamespaces; i++)
	{
		Namespace *namespace_ = index->namespaces[i];

		while (namespace_ && namespace_->nops > 0 &&
			   namespace_->ops[namespace_->nops - 1].offset >= size)
			drop_op(namespace_);
	}
}

double
pinecone_pending_index_count(PineconePendingIndex *index, int place)
{
	catch_up(index);
	if (place >= index->nnamespaces || index->namespaces[place] == NULL)
		return 0;
	return index->namespaces[place]->nops;
}

/*
 * Deletions by filter are repeatable among themselves, and so is a single
 * update by filter, whose values are the same for all records.  With updates of
 * any kind beside them they are not.
 */
static bool
is_repeatable(int nfilters, int nfilter_updates, int nupdates)
{
	return nfilters == 0 || (nupdates == 0 && (nfilter_updates == 0 || nfilters == 1));
}

bool
pinecone_pending_index_is_repeatable(PineconePendingIndex *index, int place)
{
	const Namespace *namespace_;

	catch_up(index);
	namespace_ = place < index->nnamespaces ? index->namespaces[place] : NULL;
	return namespace_ == NULL || is_repeatable(namespace_->nfilters, namespace_->nfilter_updates,
											   namespace_->nupdates);
}

bool
pinecone_pending_index_takes_filter(PineconePendingIndex *index, int place, bool is_update)
{
	const Namespace *namespace_;

	catch_up(index);
	namespace_ = place < index->nnamespaces ? index->namespaces[place] : NULL;
	return namespace_ == NULL ||
		   is_repeatable(namespace_->nfilters + 1, namespace_->nfilter_updates + (is_update ? 1 : 0),
						 namespace_->nupdates);
}

/* ---- Views ---- */

PineconePendingView *
pinecone_pending_index_view(PineconePendingIndex *index, int place, int64 position)
{
	PineconePendingView *view;
	Namespace *namespace_;
	int n;

	if (position == 0)
		return NULL;
	catch_up(index);
	if (place >= index->nnamespaces || index->namespaces[place] == NULL)
		return NULL;
	namespace_ = index->namespaces[place];
	if (namespace_->nops == 0 || namespace_->ops[0].offset >= position)
		return NULL;

	view = palloc0(sizeof(PineconePendingView));
	view->index = index;
	view->namespace_ = namespace_;
	view->position = position;
	for (n = namespace_->nemptied; n > 0 && namespace_->emptied[n - 1] >= position;)
		n--;
	view->emptied = n > 0 ? namespace_->emptied[n - 1] : -1;
	for (n = namespace_->nfilters; n > 0 && namespace_->filters[n - 1].offset >= position;)
		n--;
	view->last_filter = n;
	while (n > 0 && namespace_->filters[n - 1].offset > view->emptied)
		n--;
	view->first_filter = n;
	return view;
}

PineconePendingView *
pinecone_pending_view_over(PineconePendingView *view, PineconePendingView *below)
{
	if (view == NULL)
		return below;
	/* what is emptied is so whatever was there */
	if (view->emptied < 0)
		view->below = below;
	return view;
}

bool
pinecone_pending_is_emptied(PineconePendingView *view)
{
	return view->emptied >= 0 || (view->below && pinecone_pending_is_emptied(view->below));
}

bool
pinecone_pending_has_filters(PineconePendingView *view)
{
	return view->last_filter > view->first_filter ||
		   (view->below && pinecone_pending_has_filters(view->below));
}

bool
pinecone_pending_changes_vectors(PineconePendingView *view)
{
	return view->namespace_->nvectors > 0 || (view->below && pinecone_pending_changes_vectors(view->below));
}

/* Has a record no vector after that write, for want of one in the upsert that it goes back to? */
static bool
is_bare(const Op *ops, int n)
{
	while (n >= 0 && ops[n].kind == PINECONE_WRITE_UPDATE)
		n = ops[n].previous;
	return n >= 0 && ops[n].bare;
}

/* The last write of an id that the view sees and that still matters, or -1. */
static int
last_op(PineconePendingView *view, const PineconeIdEntry *entry)
{
	const Op *ops = view->namespace_->ops;
	int n = entry ? (int) entry->number : -1;

	while (n >= 0 && ops[n].offset >= view->position)
		n = ops[n].previous;
	if (n < 0 || ops[n].offset <= view->emptied || (view->passes_bare && is_bare(ops, n)))
		return -1;
	return n;
}

bool
pinecone_pending_has_bare(PineconePendingView *view)
{
	const Namespace *namespace_ = view->namespace_;

	for (int i = 0; namespace_->nbare > 0 && i < namespace_->nops; i++)
	{
		const Op *op = &namespace_->ops[i];

		/* and it has not been written with one, or deleted, later */
		if (op->bare && op->offset < view->position && op->offset > view->emptied &&
			is_bare(namespace_->ops, last_op(view, idset_lookup(namespace_->ids, op->id))))
			return true;
	}
	return false;
}

bool
pinecone_pending_pass_bare(PineconePendingView *view)
{
	for (; view != NULL; view = view->below)
	{
		if (view->emptied >= 0 && pinecone_pending_has_bare(view))
			return false;
		view->passes_bare = true;
	}
	return true;
}

bool
pinecone_pending_has_filter_updates(PineconePendingView *view)
{
	for (int i = view->first_filter; i < view->last_filter; i++)
	{
		if (view->namespace_->filters[i].kind == PINECONE_WRITE_UPDATE_FILTER)
			return true;
	}
	return view->below && pinecone_pending_has_filter_updates(view->below);
}

PineconePendingFate
pinecone_pending_fate(PineconePendingView *view, const char *id)
{
	int last = last_op(view, idset_lookup(view->namespace_->ids, id));

	PineconePendingFate below = PINECONE_PENDING_UNTOUCHED;

	if (view->emptied >= 0 || (last >= 0 && view->namespace_->ops[last].replaces))
		return PINECONE_PENDING_REPLACED;
	if (view->below)
		below = pinecone_pending_fate(view->below, id);
	return last < 0 ? below : Max(below, PINECONE_PENDING_CHANGED);
}

static int
compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Is the id among those that the view names, not what is below it? */
static bool
is_named(PineconePendingView *view, const char *id)
{
	return last_op(view, idset_lookup(view->namespace_->ids, id)) >= 0;
}

char **
pinecone_pending_ids(PineconePendingView *view, int *n)
{
	idset_hash *known = view->namespace_->ids;
	char **below = NULL;
	char **ids;
	idset_iterator iterator;
	PineconeIdEntry *entry;
	int nbelow = 0;

	if (view->below)
		below = pinecone_pending_ids(view->below, &nbelow);
	ids = MemoryContextAllocHuge(CurrentMemoryContext,
								 Max(known->members + nbelow, 1) * sizeof(char *));
	*n = 0;
	idset_start_iterate(known, &iterator);
	while ((entry = idset_iterate(known, &iterator)) != NULL)
	{
		if (last_op(view, entry) >= 0)
			ids[(*n)++] = pstrdup(entry->id);
	}
	for (int i = 0; i < nbelow; i++)
	{
		if (!is_named(view, below[i]))
			ids[(*n)++] = below[i];
	}
	qsort(ids, *n, sizeof(char *), compare_strings);
	return ids;
}

/* ---- Records ---- */

Jsonb *
pinecone_pending_metadata(const PineconeRecord *record)
{
	if (record->metadata == NULL)
		return NULL;
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(pinecone_metadata_matchable(record))));
}

/* Names of fields, as a write has them, that go away. */
static void
remove_fields(PineconeMetadata *metadata, char *removed)
{
	PineconeRecord list = {.id = ""};
	PineconeFields *fields;

	list.metadata = psprintf("{\"\":[%s]}", removed);
	list.metadata_len = strlen(list.metadata);
	fields = pinecone_vectors_metadata_fields(&list);
	for (int i = 0; i < fields->fields[0].value.nitems; i++)
		pinecone_metadata_remove(metadata, fields->fields[0].value.items[i].text);
}

/* Set fields of a record's metadata, and of a document anything that a write has. */
static void
set_metadata(PineconeRecord *record, const PineconeRecord *fields, const PineconeWrite *write)
{
	PineconeMetadata metadata = {0};
	const char *reason;

	/* which of its fields are texts is not known here */
	metadata.unchecked = write != NULL && write->documents;
	reason = pinecone_metadata_add_stored(&metadata, record);
	if (reason == NULL)
		reason = pinecone_metadata_add_stored(&metadata, fields);
	if (write != NULL && write->removed != NULL)
		remove_fields(&metadata, write->removed);
	if (write != NULL && (write->drop_values || fields->nvalues > 0))
	{
		record->nvalues = fields->nvalues;
		record->values = fields->values;
	}
	if (write != NULL && (write->drop_sparse || fields->sparse.n > 0))
		record->sparse = fields->sparse;
	if (reason == NULL)
	{
		record->padded = false;
		reason = pinecone_metadata_finish(&metadata, &record->metadata,
										  &record->metadata_len);
	}
	if (reason != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("cannot store record \"%s\": %s", record->id, reason)));
}

/* The writes of an id that matter, in order: the last that replaces it, and updates. */
static int *
ops_of(PineconePendingView *view, const char *id, int *n)
{
	const Op *ops = view->namespace_->ops;
	int last = last_op(view, idset_lookup(view->namespace_->ids, id));
	int *numbers;

	*n = 0;
	for (int i = last; i >= 0 && ops[i].offset > view->emptied; i = ops[i].previous)
	{
		(*n)++;
		if (ops[i].kind != PINECONE_WRITE_UPDATE)
			break;
	}
	numbers = palloc(Max(*n, 1) * sizeof(int));
	for (int i = *n - 1; i >= 0; i--)
	{
		numbers[i] = last;
		last = ops[last].previous;
	}
	return numbers;
}

/* One write of the record; returns whether there is a record afterwards. */
static bool
apply_op(PineconePendingView *view, const Op *op, bool exists, PineconeRecord *result)
{
	PineconeWrite write;

	if (op->kind == PINECONE_WRITE_DELETE || (op->kind == PINECONE_WRITE_UPDATE && !exists))
		return false;
	pinecone_pending_log_read(view->index->log, op->offset, &write);
	if (op->kind == PINECONE_WRITE_UPSERT)
		*result = write.record;
	else
		set_metadata(result, &write.record, &write);
	return true;
}

static bool
apply_filter(const FilterOp *op, bool exists, PineconeRecord *result)
{
	if (!exists || !pinecone_match_holds(op->matcher, pinecone_pending_metadata(result)))
		return exists;
	if (op->kind == PINECONE_WRITE_DELETE_FILTER)
		return false;
	{
		PineconeWrite write = {.documents = op->documents};

		set_metadata(result, &op->set, &write);
	}
	return true;
}

bool
pinecone_pending_apply(PineconePendingView *view, const char *id, const PineconeRecord *stored,
					   PineconeRecord *result)
{
	const Namespace *namespace_ = view->namespace_;
	int filter = view->first_filter;
	bool exists = false;
	int n;
	int *numbers = ops_of(view, id, &n);

	if (view->below)
		exists = pinecone_pending_apply(view->below, id, stored, result);
	else if (stored != NULL && view->emptied < 0)
	{
		exists = true;
		*result = *stored;
	}
	for (int i = 0; i < n; i++)
	{
		const Op *op = &namespace_->ops[numbers[i]];

		for (; filter < view->last_filter && namespace_->filters[filter].offset < op->offset; filter++)
		{
			/* what is replaced anyway need not be changed */
			if (op->kind == PINECONE_WRITE_UPDATE)
				exists = apply_filter(&namespace_->filters[filter], exists, result);
		}
		exists = apply_op(view, op, exists, result);
	}
	for (; filter < view->last_filter; filter++)
		exists = apply_filter(&namespace_->filters[filter], exists, result);
	pfree(numbers);
	return exists;
}
