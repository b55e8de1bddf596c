/*
 * answers.c
 *		Answers of a foreign scan that are asked for before the scan is.
 *
 * An answer is a run beside the scan's own, which takes that one's place while
 * it begins and while it is read.  So whatever a
 * run consists of can be begun ahead.  Outer rows that ask the same share an
 * answer: its rows are then kept for those that come later.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "common/hashfn.h"
#include "executor/executor.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/datum.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/setting.h"
#include "request/filter_key.h"
#include "scan/answers.h"
#include "scan/gathered_ids.h"
#include "scan/gathered_values.h"

/* The values of the scan's expressions, bytewise. */
typedef struct Key
{
	char *data;
	Size len;
} Key;

struct PineconeAnswer
{
	dlist_node node;
	PineconeAnswers *ahead;
	MemoryContext cxt;
	Key key;
	bool listed; /* can be found by its key */
	int askers;	 /* outer rows waiting for it */
	bool in_use; /* the scan reads it */
	PineconeRun *run;
	List *share; /* of the pool */

	/* Rows kept for those who come later */
	bool touched; /* reading has begun */
	bool kept;	  /* all rows read so far are here */
	bool ended;
	MinimalTuple *rows;
	ItemPointerData *ctids; /* of those, which have no place for it */
	int nrows;
	int max_rows;
	Size bytes;
	int next; /* for the reader of now */
};

typedef struct Slot
{
	Key key;
	PineconeAnswer *answer;
} Slot;

struct PineconeAnswers
{
	ForeignScanState *node;
	MemoryContext cxt;
	HTAB *slots;
	dlist_head answers;

	/* Gathers fetches, or filters; both NULL: each answer has requests of its own */
	PineconePooled *pool;
	PineconeGathered *gather;
	Bitmapset *varying; /* numbers of expressions that differ from row to row */
	PineconeCounters pool_counters;
	List *key_exprs; /* of ExprState */
	int16 *typlen;
	bool *typbyval;
	TupleTableSlot *kept_slot;
	double answers_read;
};

static uint32
hash_key(const void *key, Size keysize)
{
	const Key *k = key;

	return DatumGetUInt32(hash_any((const unsigned char *) k->data, k->len));
}

static int
match_key(const void *a, const void *b, Size keysize)
{
	const Key *x = a;
	const Key *y = b;

	return x->len != y->len || memcmp(x->data, y->data, x->len) != 0;
}

static bool
collect_params(Node *node, void *context)
{
	List **exprs = context;

	if (node == NULL)
		return false;
	if (IsA(node, Param))
		*exprs = list_append_unique(*exprs, node);
	return expression_tree_walker(node, collect_params, context);
}

/* Is an expression a condition that only is true or false of a namespace, an id or a distance? */
static bool
is_condition(const PineconeRequest *request, int number, Oid type)
{
	return list_member_int(request->namespace_quals, number) || list_member_int(request->id_quals, number) ||
		   (type == BOOLOID && (number == request->bound || number == request->score_bound));
}

/*
 * What an answer depends on.  Conditions on the namespace or the distance are
 * evaluated for each of them later; of these it is the parameters.
 */
static void
prepare_key(PineconeAnswers *ahead)
{
	ForeignScanState *node = ahead->node;
	PineconeScanState *state = node->fdw_state;
	List *exprs = NIL;
	ListCell *lc;

	foreach(lc, ((ForeignScan *) node->ss.ps.plan)->fdw_exprs)
	{
		if (is_condition(state->request, foreach_current_index(lc), exprType(lfirst(lc))))
			(void) collect_params(lfirst(lc), &exprs);
		else
			exprs = lappend(exprs, lfirst(lc));
	}
	ahead->key_exprs = ExecInitExprList(exprs, (PlanState *) node);
	ahead->typlen = palloc(Max(list_length(exprs), 1) * sizeof(int16));
	ahead->typbyval = palloc(Max(list_length(exprs), 1) * sizeof(bool));
	foreach(lc, exprs)
	{
		int i = foreach_current_index(lc);

		get_typlenbyval(exprType(lfirst(lc)), &ahead->typlen[i], &ahead->typbyval[i]);
	}
}

static bool
uses_params(Node *node, void *params)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param))
		return ((Param *) node)->paramkind == PARAM_EXEC && bms_is_member(((Param *) node)->paramid, params);
	return expression_tree_walker(node, uses_params, params);
}

/* Gather what can be gathered. */
static void
prepare_gathering(PineconeAnswers *ahead, const Bitmapset *varying)
{
	PineconeScanState *state = ahead->node->fdw_state;
	ListCell *lc;

	ahead->pool_counters.timing = pinecone_run_is_timed(ahead->node);
	ahead->pool_counters.pins = state->counters.pins;
	ahead->pool_counters.bound = state->counters.bound;
	ahead->pool_counters.shows_own = state->counters.shows_own;
	ahead->pool_counters.cache = state->counters.cache;
	if (state->request->op == PINECONE_OP_FETCH)
		ahead->pool = pinecone_gathered_ids_create(&ahead->pool_counters);
	if (state->request->op != PINECONE_OP_FILTER || !pinecone_enable_gather)
		return;
	foreach(lc, ((ForeignScan *) ahead->node->ss.ps.plan)->fdw_exprs)
	{
		if (uses_params(lfirst(lc), (void *) varying))
			ahead->varying = bms_add_member(ahead->varying, foreach_current_index(lc));
	}
	if (pinecone_filter_key_exists(state->table, state->request->filter, ahead->varying))
		ahead->gather = pinecone_gathered_values_create(&ahead->pool_counters);
}

PineconeAnswers *
pinecone_answers_create(ForeignScanState *node, const Bitmapset *varying)
{
	PineconeScanState *state = node->fdw_state;
	PineconeAnswers *ahead = palloc0(sizeof(PineconeAnswers));
	HASHCTL ctl = {0};

	ahead->node = node;
	ahead->cxt = CurrentMemoryContext;
	dlist_init(&ahead->answers);
	ctl.keysize = sizeof(Key);
	ctl.entrysize = sizeof(Slot);
	ctl.hcxt = CurrentMemoryContext;
	ctl.hash = hash_key;
	ctl.match = match_key;
	ahead->slots = hash_create("pinecone answers", 64, &ctl,
							   HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
	prepare_gathering(ahead, varying);
	prepare_key(ahead);
	ahead->kept_slot = MakeSingleTupleTableSlot(node->ss.ss_ScanTupleSlot->tts_tupleDescriptor,
												&TTSOpsMinimalTuple);
	state->ahead = ahead;
	return ahead;
}

/* ---- Keys ---- */

static void
append_value(StringInfo buf, Datum value, bool isnull, int16 typlen, bool typbyval)
{
	appendStringInfoChar(buf, isnull ? 'n' : 'v');
	if (isnull)
		return;
	if (typbyval)
		appendBinaryStringInfo(buf, (char *) &value, sizeof(Datum));
	else
	{
		struct varlena *packed = typlen == -1 ? PG_DETOAST_DATUM_PACKED(value) : NULL;
		Size len = packed ? VARSIZE_ANY_EXHDR(packed) : datumGetSize(value, typbyval, typlen);

		appendBinaryStringInfo(buf, (char *) &len, sizeof(len));
		appendBinaryStringInfo(buf, packed ? VARDATA_ANY(packed) : DatumGetPointer(value), len);
	}
}

/* The key of the parameters as they are now, in the scan's per-tuple memory. */
static Key
current_key(PineconeAnswers *ahead)
{
	ExprContext *econtext = ahead->node->ss.ps.ps_ExprContext;
	MemoryContext old = MemoryContextSwitchTo(econtext->ecxt_per_tuple_memory);
	StringInfoData buf;
	ListCell *lc;

	initStringInfo(&buf);
	foreach(lc, ahead->key_exprs)
	{
		int i = foreach_current_index(lc);
		bool isnull;
		Datum value = ExecEvalExpr((ExprState *) lfirst(lc), econtext, &isnull);

		append_value(&buf, value, isnull, ahead->typlen[i], ahead->typbyval[i]);
	}
	MemoryContextSwitchTo(old);
	return (Key){buf.data, buf.len};
}

/* ---- Asking ---- */

/* A run beside the scan's own, in the current memory context. */
static PineconeRun *
new_run(PineconeAnswers *ahead, PineconeScanState *state)
{
	PineconeRun *run = palloc0(sizeof(PineconeRun));
	int n = Max(state->own_run.values.n, 1);

	run->counters = palloc0(sizeof(PineconeCounters));
	run->counters->pins = state->counters.pins;
	run->counters->cache = state->counters.cache;
	run->counters->bound = state->counters.bound;
	run->counters->shows_own = state->counters.shows_own;
	run->cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone scan",
									 ALLOCSET_SMALL_SIZES);
	run->values = state->own_run.values;
	run->values.values = palloc0(n * sizeof(Datum));
	run->values.isnull = palloc0(n * sizeof(bool));
	run->pool = ahead->pool;
	run->gather = ahead->gather;
	run->varying = ahead->varying;
	run->begun_ahead = true;
	return run;
}

/* Move what has been counted from one to the other. */
static void
add_counters(PineconeCounters *sum, PineconeCounters *part)
{
	pinecone_counters_add(sum, part);
	pinecone_counters_reset(part);
}

/* What the pool is asked for from now on, it is asked for by this answer. */
static void
share_pool(PineconeAnswer *answer)
{
	MemoryContext old = MemoryContextSwitchTo(answer->cxt);

	pinecone_gathered_ids_begin_share(answer->ahead->pool, &answer->share);
	MemoryContextSwitchTo(old);
}

static void
unlist(PineconeAnswer *answer)
{
	if (answer->listed)
		(void) hash_search(answer->ahead->slots, &answer->key, HASH_REMOVE, NULL);
	answer->listed = false;
}

static void
drop_answer(PineconeAnswer *answer)
{
	PineconeAnswers *ahead = answer->ahead;
	PineconeScanState *state = ahead->node->fdw_state;

	unlist(answer);
	dlist_delete(&answer->node);
	add_counters(&state->counters, answer->run->counters);
	pinecone_run_end(answer->run);
	if (ahead->pool)
		pinecone_gathered_ids_give_up(ahead->pool, answer->share);
	MemoryContextDelete(answer->cxt);
}

/* Can it be read from its beginning? */
static bool
is_whole(PineconeAnswer *answer)
{
	return !answer->touched || answer->kept;
}

static PineconeAnswer *
find_answer(PineconeAnswers *ahead, Key *key)
{
	Slot *slot = hash_search(ahead->slots, key, HASH_FIND, NULL);

	if (slot == NULL)
		return NULL;
	if (is_whole(slot->answer))
		return slot->answer;
	unlist(slot->answer);
	return NULL;
}

/* Begin a run for the parameters as they are now. */
static PineconeAnswer *
begin_answer(PineconeAnswers *ahead, const Key *key)
{
	ForeignScanState *node = ahead->node;
	PineconeScanState *state = node->fdw_state;
	MemoryContext cxt = AllocSetContextCreate(ahead->cxt, "pinecone answer", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	PineconeAnswer *answer = palloc0(sizeof(PineconeAnswer));
	Slot *slot;

	answer->ahead = ahead;
	answer->cxt = cxt;
	answer->run = new_run(ahead, state);
	answer->key.len = key->len;
	answer->key.data = palloc(key->len);
	memcpy(answer->key.data, key->data, key->len);
	dlist_push_tail(&ahead->answers, &answer->node);
	if (ahead->pool)
		share_pool(answer);

	state->run = answer->run;
	pinecone_run_begin(node);
	state->run = &state->own_run;
	MemoryContextSwitchTo(old);

	if (answer->run->given_up)
	{
		drop_answer(answer);
		return NULL;
	}
	slot = hash_search(ahead->slots, &answer->key, HASH_ENTER, NULL);
	slot->answer = answer;
	answer->listed = true;
	return answer;
}

PineconeAnswer *
pinecone_answers_ask(PineconeAnswers *ahead)
{
	PineconeAnswer *answer;
	Key key;

	ResetExprContext(ahead->node->ss.ps.ps_ExprContext);
	key = current_key(ahead);
	answer = find_answer(ahead, &key);
	if (answer == NULL)
		answer = begin_answer(ahead, &key);
	if (answer != NULL)
		answer->askers++;
	return answer;
}

void
pinecone_answers_release(PineconeAnswer *answer)
{
	answer->askers--;
	if (answer->askers == 0 && !answer->in_use)
		drop_answer(answer);
}

bool
pinecone_answers_gathers_filters(PineconeAnswers *ahead)
{
	return ahead->gather != NULL;
}

bool
pinecone_answers_gathers(PineconeAnswers *ahead)
{
	return ahead->pool != NULL || ahead->gather != NULL;
}

int
pinecone_answers_waiting(PineconeAnswers *ahead)
{
	return ahead->pool ? pinecone_gathered_ids_waiting(ahead->pool) : 0;
}

void
pinecone_answers_flush(PineconeAnswers *ahead)
{
	if (ahead->pool)
		pinecone_gathered_ids_flush(ahead->pool);
	if (ahead->gather)
		pinecone_gathered_values_flush(ahead->gather);
}

int
pinecone_answers_concurrency(PineconeAnswers *ahead)
{
	PineconeScanState *state = ahead->node->fdw_state;

	return state->table->server->max_concurrency;
}

void
pinecone_answers_settle(PineconeAnswers *ahead)
{
	PineconeScanState *state = ahead->node->fdw_state;
	dlist_iter iter;

	add_counters(&state->counters, &ahead->pool_counters);
	dlist_foreach(iter, &ahead->answers)
		add_counters(&state->counters,
					 dlist_container(PineconeAnswer, node, iter.cur)->run->counters);
}

double
pinecone_answers_bytes(PineconeAnswers *ahead)
{
	PineconeScanState *state = ahead->node->fdw_state;
	double bytes = state->counters.bytes_received + ahead->pool_counters.bytes_received;

	return ahead->answers_read > 0 ? bytes / ahead->answers_read : 0;
}

/* ---- Reading ---- */

bool
pinecone_answers_adopt(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	PineconeAnswers *ahead = state->ahead;
	PineconeAnswer *answer;
	Key key;

	/* without a single answer there is no need for a key */
	if (state->own_run.started || dlist_is_empty(&ahead->answers))
		return false;
	key = current_key(ahead);
	answer = find_answer(ahead, &key);
	if (answer == NULL)
		return false;
	if (!answer->touched)
	{
		answer->touched = true;
		answer->kept = answer->askers > 1;
		ahead->answers_read++;
	}
	answer->in_use = true;
	answer->next = 0;
	state->answer = answer;
	return true;
}

/* Keep a row for those who ask the same, as long as this does not take too much. */
static void
keep_row(PineconeAnswer *answer, TupleTableSlot *slot)
{
	MemoryContext old = MemoryContextSwitchTo(answer->cxt);

	if (answer->nrows == answer->max_rows)
	{
		answer->max_rows = Max(8, 2 * answer->max_rows);
		answer->rows = answer->rows == NULL ?
						   palloc(answer->max_rows * sizeof(MinimalTuple)) :
						   repalloc(answer->rows, answer->max_rows * sizeof(MinimalTuple));
		answer->ctids = answer->ctids == NULL ?
							palloc(answer->max_rows * sizeof(ItemPointerData)) :
							repalloc(answer->ctids, answer->max_rows * sizeof(ItemPointerData));
	}
	answer->rows[answer->nrows] = ExecCopySlotMinimalTuple(slot);
	answer->ctids[answer->nrows] = slot->tts_tid;
	answer->bytes += answer->rows[answer->nrows++]->t_len;
	answer->next++;
	if (answer->bytes > work_mem * (Size) 1024)
		answer->kept = false;
	MemoryContextSwitchTo(old);
}

static TupleTableSlot *
show_kept_row(PineconeAnswer *answer, TupleTableSlot *slot)
{
	TupleTableSlot *kept = answer->ahead->kept_slot;
	int natts = slot->tts_tupleDescriptor->natts;
	ItemPointerData ctid;

	ExecClearTuple(slot);
	ctid = answer->ctids[answer->next];
	ExecStoreMinimalTuple(answer->rows[answer->next++], kept, false);
	slot_getallattrs(kept);
	memcpy(slot->tts_values, kept->tts_values, natts * sizeof(Datum));
	memcpy(slot->tts_isnull, kept->tts_isnull, natts * sizeof(bool));
	ExecStoreVirtualTuple(slot);
	slot->tts_tid = ctid;
	return slot;
}

TupleTableSlot *
pinecone_answers_next(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	PineconeAnswer *answer = state->answer;
	PineconeAnswers *ahead = answer->ahead;
	PineconeRun *run = answer->run;
	TupleTableSlot *slot;

	if (answer->next < answer->nrows)
		return show_kept_row(answer, node->ss.ss_ScanTupleSlot);
	if (answer->ended)
		return ExecClearTuple(node->ss.ss_ScanTupleSlot);

	/* what it asks for only now is its own as well */
	if (ahead->pool)
		share_pool(answer);
	run->begun_ahead = false;
	state->run = run;
	slot = pinecone_run_next(node, ExecClearTuple(node->ss.ss_ScanTupleSlot));
	state->run = &state->own_run;
	if (TupIsNull(slot))
		answer->ended = !state->pending;
	else if (answer->kept)
		keep_row(answer, slot);
	return slot;
}

void
pinecone_answers_leave(PineconeScanState *state)
{
	PineconeAnswer *answer = state->answer;

	state->answer = NULL;
	answer->in_use = false;
	if (answer->askers == 0)
		drop_answer(answer);
}
