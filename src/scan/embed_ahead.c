/*
 * embed_ahead.c
 *		A custom scan that has the texts of the rows to come embedded together.
 *
 * It passes on the rows of its child as they are.  But it holds some back,
 * evaluates for each of them the arguments that pinecone_embed() will be given
 * above, and asks for these texts (embedded.h), so that the function finds its
 * answer there.  How many rows are held back grows with how many are taken, unless
 * it is certain that all will be.  A row that is locked when it is read (FOR UPDATE), or
 * goes through a VOLATILE function, is not held back where it may never be taken, as
 * from a cursor.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "base/limits.h"
#include "base/ours.h"
#include "scan/embed_ahead.h"
#include "scan/embedded.h"

/* Rows held back: to begin with, and at most as many as make eight requests */
#define FIRST_ROWS 8
#define MOST_ROWS (8 * PINECONE_EMBED_BATCH)

/* Arguments of pinecone_embed() and pinecone_embed_sparse() */
enum
{
	ARG_SERVER,
	ARG_MODEL,
	ARG_TEXT,
	ARG_INPUT_TYPE,
	ARG_DIMENSION, /* not of the latter */
	ARGS
};

typedef struct Call
{
	ExprState *args[ARGS]; /* NULL: not given */
} Call;

typedef struct EmbedAheadState
{
	CustomScanState css;
	PineconeEmbedded *embedded;
	List *calls;
	double bound; /* rows that will be asked for at most; 0: nobody knows */
	PineconeEmbedCare care;

	/* Rows held back: a ring */
	MinimalTuple *rows;
	int first;
	int nrows;
	int window;
	Size bytes;
	MinimalTuple current;
	bool exhausted;
	double given;
} EmbedAheadState;

/* ---- Begin ---- */

static void
begin_embed_ahead(CustomScanState *node, EState *estate, int eflags)
{
	EmbedAheadState *state = (EmbedAheadState *) node;
	CustomScan *plan = (CustomScan *) node->ss.ps.plan;
	ListCell *lc;

	outerPlanState(node) = ExecInitNode(outerPlan(plan), estate, eflags);
	state->bound = floatVal(linitial(plan->custom_private));
	state->care = intVal(lthird(plan->custom_private));
	state->rows = palloc(MOST_ROWS * sizeof(MinimalTuple));
	/* who reads all of them anyway need not be waited for */
	state->window = intVal(lsecond(plan->custom_private)) ? MOST_ROWS : FIRST_ROWS;
	foreach(lc, plan->custom_exprs)
	{
		List *args = ((FuncExpr *) lfirst(lc))->args;
		Call *call = palloc0(sizeof(Call));

		for (int i = 0; i < Min(list_length(args), ARGS); i++)
			call->args[i] = ExecInitExpr(list_nth(args, i), (PlanState *) node);
		state->calls = lappend(state->calls, call);
	}
	/* the functions above find it by the same context */
	state->embedded = pinecone_embedded_of(estate->es_query_cxt);
}

/* ---- Asking ---- */

static char *
text_argument(ExprState *expr, ExprContext *econtext)
{
	bool isnull = true;
	Datum value = expr == NULL ? (Datum) 0 : ExecEvalExpr(expr, econtext, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/* May the function be called with these?  It says why not. */
static bool
is_allowed(const ForeignServer *server, const PineconeEmbedder *embedder)
{
	ForeignDataWrapper *wrapper = server == NULL ? NULL : GetForeignDataWrapper(server->fdwid);

	return wrapper != NULL && OidIsValid(wrapper->fdwhandler) &&
		   pinecone_ours_is(GetFdwRoutine(wrapper->fdwhandler)) &&
		   pinecone_server_aclcheck(server->serverid, GetUserId(), ACL_USAGE) == ACLCHECK_OK &&
		   (SearchSysCacheExists2(USERMAPPINGUSERSERVER, ObjectIdGetDatum(GetUserId()), ObjectIdGetDatum(server->serverid)) ||
			SearchSysCacheExists2(USERMAPPINGUSERSERVER, ObjectIdGetDatum(InvalidOid), ObjectIdGetDatum(server->serverid))) &&
		   pinecone_embedder_is_valid(embedder);
}

/*
 * Ask for what a call will want.  What the function will refuse is not asked for:
 * it says better why, and perhaps its row is never wanted.
 */
static void
ask(EmbedAheadState *state, Call *call, ExprContext *econtext)
{
	PineconeEmbedWhat what = {0};
	char *server = text_argument(call->args[ARG_SERVER], econtext);
	ForeignServer *found;
	bool isnull = true;
	Datum dimension;

	what.embedder.model = text_argument(call->args[ARG_MODEL], econtext);
	what.embedder.input_type = text_argument(call->args[ARG_INPUT_TYPE], econtext);
	what.text = text_argument(call->args[ARG_TEXT], econtext);
	if (server == NULL || what.embedder.model == NULL || what.embedder.input_type == NULL || what.text == NULL)
		return;
	if (call->args[ARG_DIMENSION] != NULL)
	{
		dimension = ExecEvalExpr(call->args[ARG_DIMENSION], econtext, &isnull);
		what.embedder.dimension = isnull ? 0 : DatumGetInt32(dimension);
	}
	found = GetForeignServerByName(server, true);
	if (!is_allowed(found, &what.embedder))
		return;
	what.serverid = found->serverid;
	pinecone_embedded_ask(state->embedded, &what);
}

static bool
read_row(EmbedAheadState *state)
{
	ExprContext *econtext = state->css.ss.ps.ps_ExprContext;
	TupleTableSlot *slot = ExecProcNode(outerPlanState(state));
	MemoryContext old;
	MinimalTuple row;
	ListCell *lc;

	if (TupIsNull(slot))
	{
		state->exhausted = true;
		return false;
	}
	ResetExprContext(econtext);
	econtext->ecxt_outertuple = slot;
	old = MemoryContextSwitchTo(econtext->ecxt_per_tuple_memory);
	foreach(lc, state->calls)
		ask(state, lfirst(lc), econtext);
	MemoryContextSwitchTo(old);
	row = ExecCopySlotMinimalTuple(slot);
	state->rows[(state->first + state->nrows) % MOST_ROWS] = row;
	state->nrows++;
	state->bytes += row->t_len;
	return true;
}

/* Hold back more rows: when those of a request are gone, or half of what is less than two. */
static void
read_ahead(EmbedAheadState *state)
{
	bool alone = state->care == PINECONE_EMBED_ALONE ||
				 (state->care == PINECONE_EMBED_BY_RUN && !pinecone_embedded_runs_to_end(state->embedded));
	int most;

	if (state->exhausted || state->nrows > (alone ? 0 : Max(state->window / 2, state->window - PINECONE_EMBED_BATCH)))
		return;
	if (state->given > 0 && !alone)
		state->window = Min(state->window * 12, MOST_ROWS);
	most = alone ? 1 : state->window;
	while (state->nrows < most && state->bytes < work_mem * (Size) 1024)
	{
		if ((state->bound > 0 && state->given + state->nrows >= state->bound && state->nrows > 0) ||
			!read_row(state))
			break;
	}
	/* with many on their way, those that do not fill a request wait for others */
	if (state->exhausted || most <= PINECONE_EMBED_BATCH || state->nrows < most)
		pinecone_embedded_flush(state->embedded);
}

/* ---- Execute ---- */

static void
drop_current(EmbedAheadState *state)
{
	if (state->current == NULL)
		return;
	ExecClearTuple(state->css.ss.ss_ScanTupleSlot);
	pfree(state->current);
	state->current = NULL;
}

static TupleTableSlot *
execute_embed_ahead(CustomScanState *node)
{
	EmbedAheadState *state = (EmbedAheadState *) node;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;

	CHECK_FOR_INTERRUPTS();
	drop_current(state);
	read_ahead(state);
	if (state->nrows == 0)
		return ExecClearTuple(slot);
	state->current = state->rows[state->first];
	state->first = (state->first + 1) % MOST_ROWS;
	state->nrows--;
	state->bytes -= state->current->t_len;
	state->given++;
	pinecone_embedded_set_row(state->embedded, state->given);
	ExecForceStoreMinimalTuple(state->current, slot, false);
	return slot;
}

/* ---- Rescan and end ---- */

static void
drop_rows(EmbedAheadState *state)
{
	drop_current(state);
	for (; state->nrows > 0; state->nrows--)
	{
		pfree(state->rows[state->first]);
		state->first = (state->first + 1) % MOST_ROWS;
	}
	state->bytes = 0;
	state->exhausted = false;
	state->given = 0;
}

static void
rescan_embed_ahead(CustomScanState *node)
{
	PlanState *child = outerPlanState(node);

	drop_rows((EmbedAheadState *) node);
	if (child->chgParam == NULL)
		ExecReScan(child);
}

static void
end_embed_ahead(CustomScanState *node)
{
	drop_rows((EmbedAheadState *) node);
	ExecEndNode(outerPlanState(node));
}

static void
explain_embed_ahead(CustomScanState *node, List *ancestors, ExplainState *es)
{
	EmbedAheadState *state = (EmbedAheadState *) node;
	const PineconeCounters *cost;
	uint64 texts;

	ExplainPropertyInteger("Batch", "texts", PINECONE_EMBED_BATCH, es);
	if (!es->analyze)
		return;
	cost = pinecone_embedded_cost(state->embedded, &texts);
	ExplainPropertyUInteger("Texts Embedded", NULL, texts, es);
	ExplainPropertyUInteger("Requests", NULL, cost->requests, es);
	ExplainPropertyInteger("Peak In Flight", NULL, cost->peak_in_flight, es);
}

static const CustomExecMethods exec_methods = {
	.CustomName = PINECONE_EMBED_AHEAD_NAME,
	.BeginCustomScan = begin_embed_ahead,
	.ExecCustomScan = execute_embed_ahead,
	.EndCustomScan = end_embed_ahead,
	.ReScanCustomScan = rescan_embed_ahead,
	.ExplainCustomScan = explain_embed_ahead,
};

static Node *
create_state(CustomScan *plan)
{
	EmbedAheadState *state = palloc0(sizeof(EmbedAheadState));

	NodeSetTag(state, T_CustomScanState);
	state->css.methods = &exec_methods;
	return (Node *) state;
}

const CustomScanMethods pinecone_embed_ahead_methods = {
	.CustomName = PINECONE_EMBED_AHEAD_NAME,
	.CreateCustomScanState = create_state,
};
