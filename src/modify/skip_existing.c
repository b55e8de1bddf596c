/*
 * skip_existing.c
 *		INSERT ... ON CONFLICT DO NOTHING: rows whose records are not there yet.
 *
 * Rows come in batches, so that one fetch looks for many; singly where triggers
 * or RETURNING want to see each at once.  Two sessions may still insert the same
 * id at the same time.
 */
#include "postgres.h"

#include "base/compat.h"
#include "base/idset.h"
#include "modify/modify.h"
#include "pending/pending.h"
#include "plan/plan_modify.h"
#include "scan/source.h"

/* Ids of one fetch */
#define BATCH_ROWS 100

typedef struct Candidate
{
	const char *namespace_;
	PineconeRecord record;
	char *key;
	bool looked_for;
	bool wanted;
} Candidate;

int
pineconeGetForeignModifyBatchSize(ResultRelInfo *rri)
{
	PineconeModify *modify = rri->ri_FdwState;
	TriggerDesc *triggers = rri->ri_TrigDesc;

	if (modify == NULL || !modify->skips_existing || rri->ri_projectReturning != NULL ||
		rri->ri_WithCheckOptions != NIL ||
		(triggers != NULL && (triggers->trig_insert_before_row || triggers->trig_insert_after_row)))
		return 1;
	return BATCH_ROWS;
}

/* Look for the records of one namespace: none of those that are there is wanted. */
static void
look_for(PineconeModify *modify, Candidate *candidates, int n, const char *namespace_)
{
	PineconeSourceSpec spec = {0};
	PineconeSource *source;
	PineconeRecord *stored;
	char **ids = palloc(n * sizeof(char *));

	for (int i = 0; i < n; i++)
	{
		if (strcmp(candidates[i].namespace_, namespace_) != 0)
			continue;
		candidates[i].looked_for = true;
		if (candidates[i].wanted)
			ids[spec.nids++] = candidates[i].record.id;
	}
	if (spec.nids == 0)
		return;
	spec.session = modify->session;
	spec.counters = &modify->counters;
	spec.op = PINECONE_OP_FETCH;
	spec.namespace_ = namespace_;
	spec.own_writes = modify->table;
	spec.position = PINECONE_PENDING_ALL;
	spec.dimension = modify->stats->dimension;
	spec.ids = ids;
	source = pinecone_source_begin(&spec);
	while (pinecone_source_next(source, true, &stored) == PINECONE_SOURCE_RECORD)
	{
		for (int i = 0; i < n; i++)
		{
			if (strcmp(candidates[i].record.id, stored->id) == 0 &&
				strcmp(candidates[i].namespace_, namespace_) == 0)
				candidates[i].wanted = false;
		}
	}
	pinecone_source_end(source);
}

/* Write those rows whose records are not there; they are moved to the front. */
int
pinecone_modify_insert_new(ResultRelInfo *rri, EState *estate, TupleTableSlot **slots, int n)
{
	PineconeModify *modify = rri->ri_FdwState;
	Candidate *candidates = palloc0(n * sizeof(Candidate));
	int written = 0;

	for (int i = 0; i < n; i++)
	{
		Candidate *candidate = &candidates[i];

		slot_getallattrs(slots[i]);
		pinecone_modify_check_inserted(rri, estate, slots[i]);
		candidate->namespace_ = pstrdup(pinecone_modify_namespace_of_row(modify, slots[i]->tts_values,
																		 slots[i]->tts_isnull));
		pinecone_record_of_row(modify->writer, slots[i]->tts_values, slots[i]->tts_isnull, NULL,
							   &candidate->record);
		candidate->key = pinecone_modify_record_key(candidate->namespace_, candidate->record.id);
		/* of the same id the first row stays */
		candidate->wanted = pinecone_modify_remember(modify, &modify->inserted, candidate->key);
	}
	for (int i = 0; i < n; i++)
	{
		if (!candidates[i].looked_for)
			look_for(modify, candidates, n, candidates[i].namespace_);
	}
	for (int i = 0; i < n; i++)
	{
		PineconeWrite write = {PINECONE_WRITE_UPSERT};

		if (!candidates[i].wanted)
			continue;
		write.record = candidates[i].record;
		pinecone_sink_write(modify->sink, candidates[i].namespace_, &write);
		pinecone_statement_note_insert(modify->statement, modify->session->serverid,
									   candidates[i].namespace_, write.record.id);
		slots[written++] = slots[i];
	}
	pinecone_modify_count_conflicts(modify, n - written);
	return written;
}

TupleTableSlot **
pineconeExecForeignBatchInsert(EState *estate, ResultRelInfo *rri, TupleTableSlot **slots,
							   TupleTableSlot **plan_slots, int *n)
{
	PineconeModify *modify = rri->ri_FdwState;
	MemoryContext old;
	TupleTableSlot **written = palloc(*n * sizeof(TupleTableSlot *));

	/* the caller's array is to stay as it is */
	memcpy(written, slots, *n * sizeof(TupleTableSlot *));
	MemoryContextReset(modify->row_cxt);
	old = MemoryContextSwitchTo(modify->row_cxt);
	*n = pinecone_modify_insert_new(rri, estate, written, *n);
	MemoryContextSwitchTo(old);
	return written;
}
