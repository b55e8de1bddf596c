/*
 * round.c
 *		What stays in the queue, and what becomes of the rest.
 *
 * Records are told by keys: server, namespace and id.  Where the id is empty, all
 * records of the namespace are meant; one more line break stands for any of them.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "outbox/round.h"

/* ---- What stays ---- */

/* What tells records apart; a line break is in no namespace. */
char *
pinecone_round_key(Oid serverid, const char *namespace_, const char *id)
{
	return psprintf("%u\n%s\n%s", serverid, namespace_, id ? id : "");
}

static bool
has_key(idset_hash *keys, const char *key)
{
	return idset_lookup(keys, key) != NULL;
}

static void
add_key(idset_hash *keys, const char *key)
{
	bool found;

	(void) idset_insert(keys, key, &found);
}

/* The key of all records of a row's namespace. */
static char *
whole_key(const PineconeRoundRow *row)
{
	const char *namespace_ = strchr(row->key, '\n') + 1;

	return pnstrdup(row->key, strchr(namespace_, '\n') - row->key + 1);
}

/*
 * The row stays, and what is written to the same record after it.  The deletion
 * of all records stays behind any of them, and has all stay that come after it.
 */
void
pinecone_round_hold(PineconeRound *round, PineconeRoundRow *row)
{
	MemoryContext old = MemoryContextSwitchTo(round->cxt);
	char *whole = psprintf("%s\n", whole_key(row));

	round->nheld++;
	add_key(round->held, row->key);
	/* that there is one of the namespace */
	if (!has_key(round->held, whole))
		add_key(round->held, whole);
	MemoryContextSwitchTo(old);
}

/* Has a write that the row must not overtake stayed? */
bool
pinecone_round_is_behind(PineconeRound *round, const PineconeRoundRow *row)
{
	char *whole = whole_key(row);
	bool behind;

	if (has_key(round->held, row->key) || has_key(round->held, whole))
		return true;
	behind = row->kind == 'a' && has_key(round->held, psprintf("%s\n", whole));
	pfree(whole);
	return behind;
}

/* ---- What becomes of a row ---- */

/* The last row that a set has of a record, by its place in the queue; -1: none. */
static int64
last_of(idset_hash *keys, const char *key)
{
	PineconeIdEntry *entry = idset_lookup(keys, key);

	return entry != NULL ? entry->number : -1;
}

static void
note_last(idset_hash *keys, const PineconeRoundRow *row)
{
	bool found;
	PineconeIdEntry *entry = idset_insert(keys, row->key, &found);

	entry->number = found ? Max(entry->number, row->seq) : row->seq;
}

/*
 * Has the write of a record been refused, by now or in an earlier round, without
 * another that replaces the record since?
 */
static bool
is_without_base(PineconeRound *round, const PineconeRoundRow *row)
{
	int64 replaced = Max(last_of(round->replaced, row->key), last_of(round->replaced, whole_key(row)));

	return last_of(round->refused, row->key) > replaced || pinecone_round_has_dead_letter(round, row, replaced);
}

void
pinecone_round_tell(void *arg, int64 tag, PineconeSendOutcome outcome, const char *reason)
{
	PineconeRound *round = arg;
	PineconeRoundRow *row = &round->rows[tag];
	MemoryContext old = MemoryContextSwitchTo(round->cxt);

	row->told = true;
	row->outcome = outcome;
	if (outcome == PINECONE_SEND_REFUSED)
	{
		row->reason = pstrdup(reason);
		note_last(round->refused, row);
		/* without it there is what it was to replace: that is sent in the next round, and before all else */
		if (row->has_merged)
			pinecone_round_hold(round, row);
	}
	else if (outcome == PINECONE_SEND_APPLIED && row->kind != 'p' &&
			 (round->has_dead || round->refused->members > 0))
		note_last(round->replaced, row);
	else if (outcome == PINECONE_SEND_FAILED)
	{
		pinecone_round_hold(round, row);
		pinecone_scope_fail(row->way->scope, reason);
	}
	MemoryContextSwitchTo(old);
}

/* What becomes of the other one becomes of this one, unless that is refused. */
void
pinecone_round_merge(void *arg, int64 tag, int64 into)
{
	PineconeRound *round = arg;

	round->rows[tag].told = true;
	round->rows[tag].outcome = PINECONE_SEND_MERGED;
	round->rows[tag].into = (int) into;
	round->rows[into].has_merged = true;
}

/*
 * An update goes with what it updates: where that was refused, it is not sent to
 * what was there before.
 */
bool
pinecone_round_may_be_sent(void *arg, int64 tag)
{
	PineconeRound *round = arg;
	PineconeRoundRow *row = &round->rows[tag];

	if (pinecone_round_is_behind(round, row))
	{
		pinecone_round_hold(round, row);
		return false;
	}
	if (row->kind != 'p' || !is_without_base(round, row))
		return true;
	pinecone_round_tell(round, tag, PINECONE_SEND_REFUSED, "an earlier write of the record was refused");
	return false;
}
