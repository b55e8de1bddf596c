/*
 * send.c
 *		Writes on their way to Pinecone.
 *
 * A namespace has one batch of upserts and one of deletions open at a time, and one
 * of upserts whose texts are embedded; other writes are batches of one.  Batches are independent of each other as
 * long as no id is in two of them: a write whose id is in another batch waits
 * until that one has been applied.  A write to the whole namespace waits for
 * all before it, and all after it wait for it.  Where several users write to a
 * namespace, one at a time has anything under way.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "pending/audit.h"
#include "pending/batch.h"
#include "pending/confirmed.h"
#include "pending/consistency.h"
#include "pending/send_target.h"
#include "pending/write_code.h"
#include "pending/write_plane.h"

/* What a body has besides its records: names, brackets, the namespace. */
#define BODY_OVERHEAD 64

/* Look after the network whenever so much has been added. */
#define ADVANCE_BYTES 16384

/* Bytes of an update of documents that is small */
#define SMALL_BATCH 131072

/* Open batches of all namespaces hold at most this much. */
#define MAX_OPEN_BYTES (32 * 1024 * 1024)

/* ---- Sending ---- */

/* A namespace that is not there holds nothing to delete or to update. */
static bool
is_missing_namespace(PineconeBatch *batch)
{
	return batch->kind != PINECONE_WRITE_UPSERT &&
		   pinecone_vectors_failure(batch->call) == PINECONE_FAILURE_NO_NAMESPACE;
}

/* Are its texts to be embedded by the service? */
static bool
is_embedded(const PineconeBatch *batch)
{
	return batch->separator != ',';
}

static PineconeCall *
start_deletion(PineconeTarget *target, PineconeBatch *batch)
{
	char **ids = palloc(batch->nitems * sizeof(char *));
	int n = 0;

	for (int i = 0; i < batch->nitems; i++)
	{
		if (batch->items[i].len > 0)
			ids[n++] = unconstify(char *, batch->items[i].id);
	}
	return target->plane->delete_ids(target->session, target->counters, target->namespace_, ids, n);
}

/* Are writes of this kind gathered as text? */
static bool
has_text(const PineconeTarget *target, PineconeWriteKind kind)
{
	return kind == PINECONE_WRITE_UPSERT || (kind == PINECONE_WRITE_UPDATE && target->plane->update_many != NULL);
}

/* The bytes of a batch's items, and of the commas between them. */
static int
item_bytes(const PineconeBatch *batch)
{
	return batch->text.len - batch->opening;
}

static void
start_batch(PineconeSend *send, PineconeTarget *target, PineconeBatch *batch)
{
	MemoryContext old = MemoryContextSwitchTo(batch->cxt);

	pinecone_audit_batch(target->session, target->userid, target->namespace_, batch);
	if (has_text(target, batch->kind))
	{
		send->open_bytes -= item_bytes(batch);
		pinecone_batch_compact(batch);
		if (batch->kind == PINECONE_WRITE_UPSERT)
			batch->call = (is_embedded(batch) ? target->plane->upsert_embedded : target->plane->upsert)(
				target->session, target->counters, target->namespace_, &batch->text, batch->live);
		else
			batch->call = target->plane->update_many(target->session, target->counters, target->namespace_,
													 &batch->text, batch->live);
		target->text_size = batch->text.len + batch->text.len / 16;
	}
	else if (batch->kind == PINECONE_WRITE_DELETE)
		batch->call = start_deletion(target, batch);
	else
		batch->call = pinecone_write_plane_start(target->plane, target->session, target->counters,
												 target->namespace_, batch->whole);
	MemoryContextSwitchTo(old);
	dlist_push_tail(&target->sent, &batch->node);
	target->nsent++;
}

/* What the batch has written may not be shown yet. */
static void
note_confirmed(PineconeTarget *target, PineconeBatch *batch, int64 lsn)
{
	PineconeConfirmedKey key;

	pinecone_consistency_note(target->session, target->namespace_, lsn);
	if (batch->written.len > 0 && pinecone_confirmed_key(target->session, &key))
		pinecone_confirmed_add(&key, target->namespace_, lsn, batch->written.data,
							   batch->written.len);
}

/* A successful reply: does it confirm the batch? */
static bool
confirm(PineconeTarget *target, PineconeBatch *batch)
{
	if (!pinecone_vectors_confirm(batch->call))
		return false;
	batch->confirmed = true;
	note_confirmed(target, batch, pinecone_vectors_request_lsn(batch->call));
	return true;
}

/*
 * A write has failed for good.  The others that are on the wire are waited
 * for, so that the error can say what has become of them; none is sent again.
 */
static void
fail(PineconeSend *send, PineconeCall *failed)
{
	dlist_iter iter;

	for (int i = 0; i < send->ntargets; i++)
	{
		dlist_foreach(iter, &send->targets[i]->sent)
			pinecone_vectors_stop(dlist_container(PineconeBatch, node, iter.cur)->call);
	}
	for (int i = 0; i < send->ntargets; i++)
	{
		PineconeTarget *target = send->targets[i];

		dlist_foreach(iter, &target->sent)
		{
			PineconeBatch *batch = dlist_container(PineconeBatch, node, iter.cur);

			pinecone_vectors_wait(batch->call);
			if (pinecone_vectors_failure(batch->call) == PINECONE_FAILURE_NONE && !batch->confirmed)
				(void) confirm(target, batch);
		}
	}
	pinecone_vectors_set_note(failed, pinecone_target_progress(send));
	send->reported = true;
	pinecone_vectors_report(failed, ERROR);
}

/*
 * An update by filter changes so many records at most: repeat it for those it
 * has left, until there are none.
 */
static void
update_rest(PineconeSend *send, PineconeTarget *target, PineconeBatch *batch)
{
	double left = pinecone_vectors_count_result(batch->call) < target->plane->max_updated ? 0 : 1;

	/* until there is no more to do, it has been applied in part */
	batch->confirmed = left == 0;
	while (left > 0 && batch->whole->rest != NULL)
	{
		PineconeCall *call;
		double before = left;

		call = target->plane->count(target->session, target->counters, target->namespace_,
									batch->whole->rest);
		left = pinecone_vectors_count_result(call);
		pinecone_vectors_free(call);
		if (left == 0)
			break;
		if (before > 1 && left >= before)
			ereport(ERROR,
					(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
					 errmsg("Pinecone did not update all records"),
					 errdetail("%.0f records of namespace \"%s\" are as they were.", left,
							   target->namespace_)));
		call = target->plane->update_by_filter(target->session, target->counters,
											   target->namespace_, batch->whole->rest,
											   batch->whole->record.metadata);
		(void) pinecone_vectors_count_result(call);
		note_confirmed(target, batch, pinecone_vectors_request_lsn(call));
		pinecone_vectors_free(call);
	}
}

/* Less than documented: a deployment's own ceilings, once it has named them. */
static int
within(int documented, int ceiling)
{
	return ceiling > 0 ? Min(documented, ceiling) : documented;
}

/*
 * How many writes may be in a batch of its kind, when it was refused for having
 * too many; or 0.
 */
static int
refused_size(PineconeTarget *target, PineconeBatch *batch)
{
	PineconeSession *session = target->session;
	bool texts = has_text(target, batch->kind);
	int ceiling;

	if ((!texts && batch->kind != PINECONE_WRITE_DELETE) || batch->live <= 1)
		return 0;
	switch (pinecone_vectors_failure(batch->call))
	{
		case PINECONE_FAILURE_TOO_LARGE:
			session->max_upsert_bytes = Max(1, batch->text.len / 2);
			return (batch->live + 1) / 2;
		case PINECONE_FAILURE_REJECTED:
			ceiling = pinecone_vectors_ceiling(batch->call, !texts ? "ids" : session->schema ? "documents" :
																		 is_embedded(batch)	 ? "records" :
																							   "vectors",
											   batch->live, false);
			if (ceiling > 0)
				*(texts ? &session->max_upsert : &session->max_delete) = ceiling;
			return ceiling;
		default:
			return 0;
	}
}

/* What was refused as a whole for its size goes out again in parts. */
static bool
is_split(PineconeSend *send, PineconeTarget *target, PineconeBatch *batch)
{
	int most = refused_size(target, batch);
	ListCell *lc;

	if (most == 0)
		return false;
	foreach(lc, pinecone_batch_split(batch, send->cxt, most))
	{
		PineconeBatch *part = lfirst(lc);

		send->open_bytes += item_bytes(part);
		start_batch(send, target, part);
	}
	return true;
}

static void
drop_batch(PineconeTarget *target, PineconeBatch *batch)
{
	dlist_delete(&batch->node);
	target->nsent--;
	MemoryContextDelete(batch->cxt);
}

/* ---- Telling who watches ---- */

static void
tell(PineconeSend *send, const PineconeBatch *batch, PineconeSendOutcome outcome, const char *reason)
{
	if (send->told == NULL)
		return;
	if (batch->nitems == 0)
		send->told(send->told_arg, batch->tag, outcome, reason);
	for (int i = 0; i < batch->nitems; i++)
	{
		if (batch->items[i].len > 0)
			send->told(send->told_arg, batch->items[i].tag, outcome, reason);
	}
}

/* What has been refused for one of its writes goes out again in halves. */
static bool
is_halved(PineconeSend *send, PineconeTarget *target, PineconeBatch *batch)
{
	ListCell *lc;

	if (batch->live <= 1)
		return false;
	foreach(lc, pinecone_batch_split(batch, send->cxt, (batch->nitems + 1) / 2))
	{
		PineconeBatch *part = lfirst(lc);

		if (part->live == 0)
			continue;
		send->open_bytes += item_bytes(part);
		start_batch(send, target, part);
	}
	return true;
}

/* A batch that was not applied, for who watches. */
static void
settle(PineconeSend *send, PineconeTarget *target, PineconeBatch *batch)
{
	bool refused = pinecone_vectors_is_refused(batch->call);

	if (refused && is_halved(send, target, batch))
		return;
	tell(send, batch, refused ? PINECONE_SEND_REFUSED : PINECONE_SEND_FAILED,
		 pinecone_vectors_reason(batch->call));
	if (!refused)
		pinecone_target_set_failed(send, target);
}

/* ---- What has come back ---- */

/* A sent batch's call has finished: take note of it, or raise its error. */
static void
finish_batch(PineconeSend *send, PineconeTarget *target, PineconeBatch *batch)
{
	MemoryContext old = MemoryContextSwitchTo(batch->cxt);

	if (!is_missing_namespace(batch))
	{
		if (pinecone_vectors_failure(batch->call) == PINECONE_FAILURE_NONE &&
			!confirm(target, batch) && !pinecone_vectors_ready(batch->call))
		{
			MemoryContextSwitchTo(old);
			return; /* it is sent again */
		}
		if (!batch->confirmed && is_split(send, target, batch))
		{
			MemoryContextSwitchTo(old);
			drop_batch(target, batch);
			return;
		}
		if (!batch->confirmed && send->told != NULL)
		{
			settle(send, target, batch);
			MemoryContextSwitchTo(old);
			drop_batch(target, batch);
			return;
		}
		if (!batch->confirmed)
			fail(send, batch->call);
		if (batch->kind == PINECONE_WRITE_UPDATE_FILTER)
			update_rest(send, target, batch);
	}
	MemoryContextSwitchTo(old);
	tell(send, batch, PINECONE_SEND_APPLIED, NULL);
	target->applied += batch->live;
	drop_batch(target, batch);
}

/* Take note of what has finished. */
static void
look(PineconeSend *send, PineconeTarget *target)
{
	dlist_mutable_iter iter;

	send->unlooked = 0;
	dlist_foreach_modify(iter, &target->sent)
	{
		PineconeBatch *batch = dlist_container(PineconeBatch, node, iter.cur);

		if (pinecone_vectors_ready(batch->call))
			finish_batch(send, target, batch);
	}
}

/* Wait until fewer batches than that are on the wire. */
static void
wait_until_below(PineconeSend *send, PineconeTarget *target, int most)
{
	while (target->nsent >= most)
	{
		PineconeCall **calls = palloc(target->nsent * sizeof(PineconeCall *));
		dlist_iter iter;
		int n = 0;

		dlist_foreach(iter, &target->sent)
			calls[n++] = dlist_container(PineconeBatch, node, iter.cur)->call;
		(void) pinecone_vectors_wait_any(calls, n);
		pfree(calls);
		look(send, target);
	}
}

/*
 * How many batches may be on the wire beside this one.  Updates of documents are
 * small, most of them, and what counts is their number: as many as there are of
 * other requests.
 */
static int
most_in_flight(const PineconeTarget *target, const PineconeBatch *batch)
{
	if (batch->kind != PINECONE_WRITE_UPDATE || batch->text.len > SMALL_BATCH)
		return target->concurrency;
	return Max(target->concurrency, target->session->options->max_concurrency);
}

static void
flush_batch(PineconeSend *send, PineconeTarget *target, PineconeBatch **open)
{
	PineconeBatch *batch = *open;

	if (batch == NULL)
		return;
	wait_until_below(send, target, most_in_flight(target, batch));
	*open = NULL;
	if (target->failed)
	{
		send->open_bytes -= batch->text.len;
		MemoryContextDelete(batch->cxt);
	}
	else
		start_batch(send, target, batch);
}

static void
flush_target(PineconeSend *send, PineconeTarget *target)
{
	flush_batch(send, target, &target->upserts);
	flush_batch(send, target, &target->texts);
	flush_batch(send, target, &target->updates);
	flush_batch(send, target, &target->deletions);
}

static void
drain_target(PineconeSend *send, PineconeTarget *target)
{
	flush_target(send, target);
	wait_until_below(send, target, 1);
}

/* ---- Adding ---- */

/* Has a batch on the wire the id? */
static bool
is_on_the_wire(PineconeTarget *target, const char *id)
{
	dlist_iter iter;

	dlist_foreach(iter, &target->sent)
	{
		if (pinecone_batch_has(dlist_container(PineconeBatch, node, iter.cur), id))
			return true;
	}
	return false;
}

/* Wait for other writes of an id that must be applied before this one. */
static void
wait_for_id(PineconeSend *send, PineconeTarget *target, const PineconeWrite *write)
{
	const char *id = write->record.id;
	PineconeBatch **own = write->kind == PINECONE_WRITE_UPSERT ? pinecone_target_open_batch(target, write) : NULL;

	if (own != &target->upserts && pinecone_batch_has(target->upserts, id))
		flush_batch(send, target, &target->upserts);
	if (own != &target->texts && pinecone_batch_has(target->texts, id))
		flush_batch(send, target, &target->texts);
	/* one update of an id may lack what another sets */
	if (pinecone_batch_has(target->updates, id))
		flush_batch(send, target, &target->updates);
	if (write->kind != PINECONE_WRITE_DELETE && pinecone_batch_has(target->deletions, id))
		flush_batch(send, target, &target->deletions);
	while (is_on_the_wire(target, id))
		wait_until_below(send, target, target->nsent);
}

/* An earlier write of the id that has not been sent need not be any more. */
static void
tell_superseded(PineconeSend *send, const PineconeBatch *batch, const char *id, int64 tag)
{
	PineconeBatchItem *item = send->told != NULL ? pinecone_batch_item(batch, id) : NULL;

	if (item != NULL)
		send->merged(send->told_arg, item->tag, tag);
}

/* The last text of the open batch is not to be sent, nor the batch if it has nothing else. */
static void
take_back(PineconeSend *send, PineconeBatch **open, int len)
{
	PineconeBatch *batch = *open;

	if (batch->nitems > 0)
	{
		batch->text.len -= len + 1;
		send->open_bytes -= len + 1;
		return;
	}
	send->open_bytes -= len;
	MemoryContextDelete(batch->cxt);
	*open = NULL;
}

/* An upsert, or an update of a document, into the open batch of its kind. */
static void
add_text(PineconeSend *send, PineconeTarget *target, const PineconeWrite *write, int64 tag)
{
	const PineconeRecord *record = &write->record;
	PineconeBatch **open = pinecone_target_open_batch(target, write);
	int most = target->plane->max_body - BODY_OVERHEAD - 2 * (int) strlen(target->namespace_);
	int full = within(most, target->session->max_upsert_bytes);
	PineconeBatch *batch = *open;
	int start;
	int len;

	if (batch == NULL)
		batch = *open = pinecone_target_new_batch(send, target, open, write->kind);
	if (batch->superseded > target->plane->max_body)
	{
		send->open_bytes -= item_bytes(batch);
		pinecone_batch_compact(batch);
		send->open_bytes += item_bytes(batch);
	}
	start = batch->text.len;
	if (batch->nitems > 0)
		appendStringInfoChar(&batch->text, batch->separator);
	len = batch->text.len;
	if (open == &target->texts)
		target->plane->append_embedded(&batch->text, record);
	else if (open == &target->upserts)
		target->plane->append_record(target->session, &batch->text, record);
	else
		target->plane->append_update(target->session, &batch->text, write);
	len = batch->text.len - len;

	if (batch->nitems > 0 && item_bytes(batch) - batch->superseded > full)
	{
		/* it is the next batch's first */
		PineconeBatch *next = pinecone_target_new_batch(send, target, open, write->kind);

		appendBinaryStringInfo(&next->text, batch->text.data + batch->text.len - len, len);
		batch->text.len = start;
		flush_batch(send, target, open);
		batch = *open = next;
		send->open_bytes += len;
	}
	else
		send->open_bytes += batch->text.len - start;
	if (len > most && send->told != NULL)
	{
		send->told(send->told_arg, tag, PINECONE_SEND_REFUSED,
				   psprintf("record \"%s\" has %d bytes, more than the %d that a request can carry", record->id, len, most));
		take_back(send, open, len);
		return;
	}
	if (len > most)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("record \"%s\" has %d bytes, more than the %d that a request can carry",
						record->id, len, most)));
	tell_superseded(send, batch, record->id, tag);
	pinecone_batch_add(batch, record->id, batch->text.len - len, len, tag);
	pinecone_batch_keep(batch, write);
	send->unlooked += len;
	if (batch->live >= within(pinecone_target_batch_size(target, open), target->session->max_upsert))
		flush_batch(send, target, open);
}

static void
add_deletion(PineconeSend *send, PineconeTarget *target, const PineconeWrite *write, int64 tag)
{
	const char *id = write->record.id;

	if (target->deletions == NULL)
		target->deletions = pinecone_batch_create(send->cxt, PINECONE_WRITE_DELETE, 0);
	if (pinecone_batch_has(target->deletions, id))
	{
		if (send->told != NULL)
			send->merged(send->told_arg, tag, pinecone_batch_item(target->deletions, id)->tag);
		return;
	}
	pinecone_batch_add(target->deletions, id, 0, 1, tag);
	pinecone_batch_keep(target->deletions, write);
	send->unlooked += strlen(id);
	if (target->deletions->live >= within(target->plane->delete_batch, target->session->max_delete))
		flush_batch(send, target, &target->deletions);
}

/* A write in a batch of its own. */
static void
add_single(PineconeSend *send, PineconeTarget *target, const PineconeWrite *write, int64 tag)
{
	bool has_id = pinecone_write_has_id(write->kind);
	PineconeBatch *batch;
	MemoryContext old;

	if (!has_id)
		drain_target(send, target);
	else
		wait_until_below(send, target, target->session->options->max_concurrency);
	if (target->failed)
		return;
	batch = pinecone_batch_create(send->cxt, write->kind, 0);
	batch->tag = tag;
	old = MemoryContextSwitchTo(batch->cxt);
	batch->whole = palloc(sizeof(PineconeWrite));
	*batch->whole = *write;
	if (write->rest)
		batch->whole->rest = pstrdup(write->rest);
	batch->whole->record.padded = false;
	if (write->record.metadata)
		batch->whole->record.metadata = pstrdup(write->record.metadata);
	MemoryContextSwitchTo(old);
	if (has_id)
		pinecone_batch_add(batch, write->record.id, 0, 1, tag);
	else
		batch->live = 1;
	pinecone_batch_keep(batch, write);
	start_batch(send, target, batch);
	if (!has_id)
		drain_target(send, target);
}

static void
flush_all(PineconeSend *send)
{
	for (int i = 0; i < send->ntargets; i++)
		flush_target(send, send->targets[i]);
}

/* What other users have written to the namespace before goes first. */
static void
drain_twins(PineconeSend *send, PineconeTarget *target)
{
	for (PineconeTarget *twin = target->twin; twin != target; twin = twin->twin)
	{
		if (twin->upserts != NULL || twin->texts != NULL || twin->updates != NULL || twin->deletions != NULL || twin->nsent > 0)
			drain_target(send, twin);
	}
}

bool
pinecone_send_add_tagged(PineconeSend *send, int number, const PineconeWrite *write, int64 tag)
{
	PineconeTarget *target = send->targets[number];

	CHECK_FOR_INTERRUPTS();
	if (target->failed)
		return false;
	drain_twins(send, target);
	if (pinecone_write_has_id(write->kind))
		wait_for_id(send, target, write);
	/* what came back meanwhile may be bad news */
	if (target->failed)
		return false;
	if (send->may != NULL && !send->may(send->told_arg, tag))
		return true;
	if (has_text(target, write->kind))
		add_text(send, target, write, tag);
	else if (write->kind == PINECONE_WRITE_DELETE)
		add_deletion(send, target, write, tag);
	else
		add_single(send, target, write, tag);
	if (send->open_bytes > MAX_OPEN_BYTES)
		flush_all(send);
	if (send->unlooked > ADVANCE_BYTES)
		look(send, target);
	return !target->failed;
}

void
pinecone_send_add(PineconeSend *send, int target, const PineconeWrite *write)
{
	(void) pinecone_send_add_tagged(send, target, write, 0);
}

void
pinecone_send_finish(PineconeSend *send)
{
	flush_all(send);
	for (int i = 0; i < send->ntargets; i++)
		wait_until_below(send, send->targets[i], 1);
}

void
pinecone_send_end(PineconeSend *send)
{
	MemoryContextDelete(send->cxt);
}
