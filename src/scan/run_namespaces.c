/*
 * run_namespaces.c
 *		The namespaces that a run of a scan asks.
 */
#include "postgres.h"

#include "executor/executor.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "client/alias.h"
#include "client/session.h"
#include "pending/consistency.h"
#include "pending/pending.h"
#include "scan/run_values.h"
#include "scan/scan.h"

/* Can a namespace be called so?  The default namespace is "", or __default__. */
static bool
is_possible(const char *name)
{
	return name[0] == '\0' || pinecone_run_id_is_possible(name);
}

/* A namespace with what is known already of its size. */
static void
add_namespace(PineconeScanState *state, char *name)
{
	PineconeNamespaceStats *added = &state->run->namespaces[state->run->nnamespaces++];
	PineconeStats *stats = state->session->stats;

	added->name = name;
	added->records = stats ? pinecone_alias_records(state->session, stats, name) : -1;
}

static int
compare_namespaces(const void *a, const void *b)
{
	return strcmp(((const PineconeNamespaceStats *) a)->name,
				  ((const PineconeNamespaceStats *) b)->name);
}

/* Add those that statistics need not know yet, though this session has written to them. */
static void
add_written(PineconeScanState *state)
{
	int known = state->nall;
	int n;
	char **names = pinecone_consistency_namespaces(state->session, &n);

	if (n > 0)
		state->all = repalloc(state->all, (known + n) * sizeof(PineconeNamespaceStats));
	for (int i = 0; i < n; i++)
	{
		PineconeNamespaceStats key = {names[i], -1};

		if (!bsearch(&key, state->all, known, sizeof(PineconeNamespaceStats), compare_namespaces))
			state->all[state->nall++] = key;
	}
	qsort(state->all, state->nall, sizeof(PineconeNamespaceStats), compare_namespaces);
}

/*
 * The namespaces there are, as of this statement.  Statistics cached for the
 * planner may lack one that has records by now, and fresh ones lack those that
 * only this transaction, or a moment ago this session, has written to.
 */
static void
find_all_namespaces(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	PineconeStats *stats;
	MemoryContext old;

	pinecone_session_begin_count(state->session, state->run->counters, state->request->planned_at);
	stats = pinecone_session_count_stats(state->session, state->run->counters);
	old = MemoryContextSwitchTo(node->ss.ps.state->es_query_cxt);

	state->all = pinecone_session_namespaces(state->session, state->table, stats, &state->nall);
	state->all = pinecone_pending_add_namespaces(state->session, state->table, state->all,
												 &state->nall);
	if (state->table->session_consistency)
		add_written(state);
	state->all_known = true;
	MemoryContextSwitchTo(old);
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/*
 * Keep those names that are among others as well, which are sorted.  A condition
 * may call the default namespace __default__, and then its rows are called so.
 */
static int
intersect_names(char **names, int n, char **others, int nothers)
{
	int kept = 0;

	for (int i = 0; i < n; i++)
	{
		const char *plain = pinecone_option_plain_namespace(names[i]);

		if (bsearch(&names[i], others, nothers, sizeof(char *), compare_names) ||
			(plain != names[i] && bsearch(&plain, others, nothers, sizeof(char *), compare_names)))
			names[kept++] = names[i];
	}
	return kept;
}

/* Who names the default namespace both ways gets its rows once. */
static int
drop_repeated_default(char **names, int n)
{
	int kept = 0;

	/* they are sorted, so that "" is the first */
	for (int i = 0; i < n; i++)
	{
		if (i == 0 || names[0][0] != '\0' || pinecone_option_plain_namespace(names[i])[0] != '\0')
			names[kept++] = names[i];
	}
	return kept;
}

/* Where a scan tuple has its namespace, counted from 0; or -1. */
static int
namespace_place(PineconeScanState *state)
{
	for (int i = 0; i < state->nlayout; i++)
	{
		if (state->layout[i] == state->table->namespace_attnum)
			return i;
	}
	return state->nlayout == 0 ? state->table->namespace_attnum - 1 : -1;
}

/* Is that name as long as its column takes? */
static bool
name_fits(const PineconeTable *table, const char *name)
{
	int32 typmod = table->columns[table->namespace_attnum - 1].typmod;

	return typmod < (int32) VARHDRSZ || strlen(name) <= typmod - VARHDRSZ;
}

Datum
pinecone_run_namespace_datum(const PineconeTable *table, const char *name)
{
	if (!name_fits(table, name))
	{
		const PineconeColumn *column = &table->columns[table->namespace_attnum - 1];

		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
				 errmsg("namespace \"%s\" does not fit column \"%s\" of foreign table \"%s\"",
						name, column->name, table->name),
				 errdetail("The column's type is %s.", format_type_with_typemod(column->typid, column->typmod)),
				 errhint("Declare the column as text, or set option \"on_type_error\" to 'null'.")));
	}
	return CStringGetTextDatum(name);
}

/* Of those that conditions name: a namespace whose name is NULL by on_type_error is equal to none. */
static int
drop_nulls(const PineconeTable *table, char **names, int n)
{
	int kept = 0;

	for (int i = 0; i < n; i++)
	{
		if (!table->type_error_null || name_fits(table, names[i]))
			names[kept++] = names[i];
	}
	return kept;
}

/*
 * Leave out the namespaces of which conditions that look at nothing else are
 * not true.
 */
static void
check_quals(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	ExprContext *econtext = node->ss.ps.ps_ExprContext;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;
	TupleTableSlot *old = econtext->ecxt_scantuple;
	PineconeNamespaceStats *kept = palloc(Max(state->run->nnamespaces, 1) * sizeof(PineconeNamespaceStats));
	int place = namespace_place(state);
	int n = 0;

	if (place < 0)
		elog(ERROR, "scan tuple without a namespace");
	econtext->ecxt_scantuple = slot;
	for (int i = 0; i < state->run->nnamespaces; i++)
	{
		bool holds = true;
		ListCell *lc;

		ExecClearTuple(slot);
		memset(slot->tts_isnull, true, slot->tts_tupleDescriptor->natts * sizeof(bool));
		slot->tts_values[place] = CStringGetTextDatum(state->run->namespaces[i].name);
		slot->tts_isnull[place] = state->table->type_error_null && !name_fits(state->table, state->run->namespaces[i].name);
		ExecStoreVirtualTuple(slot);
		foreach(lc, state->request->namespace_quals)
			holds = holds && pinecone_run_evaluate(node, lfirst_int(lc)) &&
					DatumGetBool(state->run->values.values[lfirst_int(lc)]);
		if (holds)
			kept[n++] = state->run->namespaces[i];
	}
	ExecClearTuple(slot);
	econtext->ecxt_scantuple = old;
	state->run->namespaces = kept;
	state->run->nnamespaces = n;
}

static void
choose_by_name(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	PineconeTable *table = state->table;
	char **names = table->namespaces;
	int n = table->nnamespaces;
	ListCell *lc;

	if (table->namespace_attnum == 0)
	{
		names = &table->namespace_;
		n = 1;
	}
	foreach(lc, state->request->namespaces)
	{
		int nfound;
		char **found = pinecone_run_evaluate_names(node, lfirst(lc), is_possible, &nfound);

		nfound = drop_nulls(state->table, found, nfound);
		if (names != NULL)
			nfound = intersect_names(found, nfound, names, n);
		names = found;
		n = nfound;
	}
	n = drop_repeated_default(names, n);
	state->run->nnamespaces = 0;
	if (names == NULL)
	{
		if (!state->all_known)
			find_all_namespaces(node);
		state->run->namespaces = state->all;
		state->run->nnamespaces = state->nall;
		return;
	}
	state->run->namespaces = palloc(Max(n, 1) * sizeof(PineconeNamespaceStats));
	for (int i = 0; i < n; i++)
		add_namespace(state, names[i]);
}

void
pinecone_run_choose_namespaces(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;

	choose_by_name(node);
	if (state->request->namespace_quals != NIL)
		check_quals(node);
}
