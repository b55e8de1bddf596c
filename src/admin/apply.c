/*
 * apply.c
 *		Batches of rows, applied: what is in the source is upserted, what is not is deleted.
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"

#include "admin/apply.h"
#include "modify/delete_ids.h"

/* ---- Statements ---- */

/* How an id, given as text, is found in the source by its index: a condition over $1 */
static char *
id_condition(const PineconeCompared *compared)
{
	const PineconeTable *table = compared->table;
	char *name = psprintf("s.%s", quote_identifier(table->columns[table->id_attnum - 1].name));

	switch (compared->id_type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case UUIDOID:
			return psprintf("%s OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[]::%s[])", name, format_type_be_qualified(compared->id_type));
		case TEXTOID:
		case VARCHAROID:
			if (getBaseType(table->columns[table->id_attnum - 1].typid) == TEXTOID)
				return psprintf("%s OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])", name);
			break;
	}
	return psprintf("%s OPERATOR(pg_catalog.=) ANY ($2::pg_catalog.text[])", compared->here_id);
}

/* Does it stand for a value of the source's type of ids?  What does not is no id of the source. */
static bool
can_be_id(const PineconeCompared *compared, const char *id)
{
	char buf[32];
	int64 most = compared->id_type == INT2OID ? PG_INT16_MAX : (compared->id_type == INT4OID ? PG_INT32_MAX : PG_INT64_MAX);
	int64 value;

	switch (compared->id_type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
			errno = 0;
			value = strtoll(id, NULL, 10);
			snprintf(buf, sizeof(buf), INT64_FORMAT, value);
			return errno == 0 && strcmp(buf, id) == 0 && value <= most && value >= -most - 1;
		case UUIDOID:
			if (strlen(id) != 36)
				return false;
			for (int i = 0; i < 36; i++)
			{
				bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;

				if (hyphen ? id[i] != '-' : strchr("0123456789abcdef", id[i]) == NULL)
					return false;
			}
			return true;
	}
	return true;
}

void
pinecone_apply_prepare(PineconeApply *apply)
{
	const PineconeCompared *compared = apply->compared;
	StringInfoData columns;
	StringInfoData values;
	char *where = id_condition(compared);

	if (compared->here_namespace != NULL)
		where = psprintf("%s AND EXISTS (SELECT FROM ROWS FROM (pg_catalog.unnest($2::pg_catalog.text[]), pg_catalog.unnest($3::pg_catalog.text[])) AS p (id, namespace) "
						 "WHERE p.id OPERATOR(pg_catalog.=) %s AND p.namespace OPERATOR(pg_catalog.=) %s)",
						 where, compared->here_id, compared->here_namespace);
	apply->look = psprintf("SELECT id, namespace, digests::pg_catalog.text FROM (%s) r", pinecone_compared_query(compared, true, true, true, where));
	apply->see = psprintf("SELECT id, namespace, NULL FROM (%s) r", pinecone_compared_query(compared, true, false, false, where));
	initStringInfo(&columns);
	initStringInfo(&values);
	pinecone_compared_columns(compared, &columns, &values);
	apply->upsert = psprintf("INSERT INTO %s (%s) SELECT %s FROM %s s WHERE %s", compared->there, columns.data, values.data,
							 compared->from, where);
}

static SPIPlanPtr
prepare(const char *sql, int nargs)
{
	Oid types[] = {TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID};
	MemoryContext old = CurrentMemoryContext;
	SPIPlanPtr plan = SPI_prepare(sql, nargs, types);

	MemoryContextSwitchTo(old);
	if (plan == NULL)
		elog(ERROR, "could not prepare \"%s\": %s", sql, SPI_result_code_string(SPI_result));
	return plan;
}

List *
pinecone_apply_tables(const PineconeApply *apply)
{
	SPIPlanPtr plan = prepare(apply->look, 3);
	List *result = NIL;
	ListCell *lc;

	foreach(lc, SPI_plan_get_plan_sources(plan))
	{
		CachedPlanSource *source = lfirst(lc);
		ListCell *lc2;

		foreach(lc2, source->relationOids)
		{
			Oid relid = lfirst_oid(lc2);
			char kind = get_rel_relkind(relid);

			if (kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE)
				result = list_concat_unique_oid(result, find_all_inheritors(relid, NoLock, NULL));
		}
	}
	SPI_freeplan(plan);
	return result;
}

PineconeApply *
pinecone_apply_begin(PineconeCompared *compared)
{
	PineconeApply *apply = palloc0(sizeof(PineconeApply));

	apply->compared = compared;
	apply->cxt = AllocSetContextCreate(CurrentMemoryContext, "batch of rows to apply", ALLOCSET_DEFAULT_SIZES);
	pinecone_apply_prepare(apply);
	return apply;
}

/* ---- A batch ---- */

static Datum
text_array(const PineconeApply *apply, bool namespaces, bool ids_of_source)
{
	Datum *values = palloc(Max(apply->nrows, 1) * sizeof(Datum));
	int n = 0;

	for (int i = 0; i < apply->nrows; i++)
	{
		const PineconeApplyRow *row = &apply->rows[i];

		if (row->wanted && (!ids_of_source || can_be_id(apply->compared, row->id)))
			values[n++] = CStringGetTextDatum(namespaces ? row->namespace_ : row->id);
	}
	return PointerGetDatum(construct_array(values, n, TEXTOID, -1, false, TYPALIGN_INT));
}

static void
execute_batch(PineconeApply *apply, const char *sql, Snapshot snapshot, int expected)
{
	SPIPlanPtr plan = prepare(sql, 3);
	Datum values[3];
	int result;

	values[0] = text_array(apply, false, true);
	values[1] = text_array(apply, false, false);
	values[2] = apply->compared->here_namespace ? text_array(apply, true, false) : (Datum) 0;
	result = SPI_execute_snapshot(plan, values, apply->compared->here_namespace ? "   " : "  n", snapshot, InvalidSnapshot, false, true, 0);
	MemoryContextSwitchTo(apply->cxt);
	if (result != expected)
		elog(ERROR, "could not execute \"%s\": %s", sql, SPI_result_code_string(result));
	SPI_freeplan(plan);
}

static int
compare_ids(const void *a, const void *b)
{
	const PineconeApplyRow *x = a;
	const PineconeApplyRow *y = b;
	int result = strcmp(x->id, y->id);

	return result != 0 || x->namespace_ == NULL ? result : strcmp(x->namespace_, y->namespace_);
}

void
pinecone_apply_refuse_twice(const char *id)
{
	ereport(ERROR,
			(errcode(ERRCODE_CARDINALITY_VIOLATION),
			 errmsg("id \"%s\" comes twice in the source", id),
			 errdetail("There is one record of an id.")));
}

/* The ids come sorted, and each once. */
static void
refuse_duplicates(const PineconeApplyRow *found, int n)
{
	for (int i = 1; i < n; i++)
	{
		if (compare_ids(&found[i - 1], &found[i]) == 0)
			pinecone_apply_refuse_twice(found[i].id);
	}
}

int
pinecone_apply_look(PineconeApply *apply, Snapshot snapshot, bool digests, bool again)
{
	PineconeApplyRow *found;
	int nfound;
	int wanted = 0;

	execute_batch(apply, digests ? apply->look : apply->see, snapshot, SPI_OK_SELECT);
	nfound = SPI_processed;
	found = palloc0(Max(nfound, 1) * sizeof(PineconeApplyRow));
	for (int i = 0; i < nfound; i++)
	{
		HeapTuple tuple = SPI_tuptable->vals[i];

		found[i].id = SPI_getvalue(tuple, SPI_tuptable->tupdesc, 1);
		found[i].namespace_ = SPI_getvalue(tuple, SPI_tuptable->tupdesc, 2);
		found[i].digests = SPI_getvalue(tuple, SPI_tuptable->tupdesc, 3);
	}
	SPI_freetuptable(SPI_tuptable);
	qsort(found, nfound, sizeof(PineconeApplyRow), compare_ids);
	refuse_duplicates(found, nfound);
	for (int i = 0; i < apply->nrows; i++)
	{
		PineconeApplyRow *row = &apply->rows[i];
		PineconeApplyRow *now;
		bool same;

		if (!row->wanted)
			continue;
		now = nfound > 0 ? bsearch(row, found, nfound, sizeof(PineconeApplyRow), compare_ids) : NULL;
		same = row->present == (now != NULL) &&
			   (now == NULL || strcmp(now->digests ? now->digests : "", row->digests ? row->digests : "") == 0);
		row->wanted = !again || !same;
		row->present = now != NULL;
		row->digests = now && now->digests ? now->digests : NULL;
		wanted += row->wanted;
	}
	return wanted;
}

/*
 * Delete what the source does not have.  By id alone: what a service that lags does
 * not show would not be found.
 */
static void
remove_absent(PineconeApply *apply)
{
	char **ids = palloc(apply->nrows * sizeof(char *));
	char **namespaces = apply->compared->here_namespace ? palloc(apply->nrows * sizeof(char *)) : NULL;
	int n = 0;

	for (int i = 0; i < apply->nrows; i++)
	{
		const PineconeApplyRow *row = &apply->rows[i];

		if (!row->wanted || row->present)
			continue;
		if (namespaces != NULL)
			namespaces[n] = row->namespace_;
		ids[n++] = row->id;
	}
	if (n > 0)
		apply->deleted += pinecone_modify_delete_ids(apply->compared->table->relid, namespaces, ids, n);
}

void
pinecone_apply_wanted(PineconeApply *apply, Snapshot snapshot)
{
	bool any = false;

	remove_absent(apply);
	for (int i = 0; i < apply->nrows; i++)
		any = any || (apply->rows[i].wanted && apply->rows[i].present);
	if (any)
	{
		execute_batch(apply, apply->upsert, snapshot, SPI_OK_INSERT);
		apply->written += SPI_processed;
	}
}
