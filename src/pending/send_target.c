/*
 * send_target.c
 *		Namespaces that writes are sent to, and how far each has come.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/memutils.h"

#include "pending/send_target.h"

/* ---- Targets ---- */

PineconeSend *
pinecone_send_begin(void)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone writes",
											  ALLOCSET_DEFAULT_SIZES);
	PineconeSend *send = MemoryContextAllocZero(cxt, sizeof(PineconeSend));

	send->cxt = cxt;
	send->numbers = idset_create(cxt, 16, NULL);
	return send;
}

/*
 * Number a namespace as a target of this log. One namespace reached by several
 * sessions or users has a target for each; these are linked as twins, since order is kept
 * across them.
 */
int
pinecone_send_target(PineconeSend *send, PineconeSession *session, Oid userid, PineconeCounters *counters,
					 const char *namespace_, int batch_size, int concurrency)
{
	MemoryContext old;
	PineconeTarget *target;

	char *key = psprintf("%p %u %s", session, userid, namespace_);
	PineconeIdEntry *entry = idset_lookup(send->numbers, key);
	bool found;

	pfree(key);
	if (entry != NULL)
		return (int) entry->number;
	old = MemoryContextSwitchTo(send->cxt);
	if (send->ntargets == send->size)
	{
		send->size = Max(8, 2 * send->size);
		send->targets = send->targets ?
							repalloc(send->targets, send->size * sizeof(PineconeTarget *)) :
							palloc(send->size * sizeof(PineconeTarget *));
	}
	target = palloc0(sizeof(PineconeTarget));
	target->session = session;
	target->userid = userid;
	target->plane = pinecone_write_plane(session);
	target->counters = counters;
	target->namespace_ = pstrdup(namespace_);
	target->batch_size = Min(batch_size, target->plane->upsert_batch);
	target->embed_batch = Min(batch_size, target->plane->embed_batch);
	target->update_batch = Min(batch_size, target->plane->update_batch);
	target->concurrency = concurrency;
	dlist_init(&target->sent);
	target->twin = target;
	entry = idset_insert(send->numbers, psprintf("%u %s", session->serverid, namespace_), &found);
	if (found)
	{
		PineconeTarget *other = send->targets[entry->number];

		target->twin = other->twin;
		other->twin = target;
	}
	else
		entry->number = send->ntargets;
	idset_insert(send->numbers, psprintf("%p %u %s", session, userid, namespace_), &found)->number = send->ntargets;
	send->targets[send->ntargets] = target;
	MemoryContextSwitchTo(old);
	return send->ntargets++;
}

/* ---- Open batches ---- */

PineconeBatch **
pinecone_target_open_batch(PineconeTarget *target, const PineconeWrite *write)
{
	if (write->kind != PINECONE_WRITE_UPSERT)
		return &target->updates;
	return target->plane->upsert_embedded != NULL && pinecone_record_is_bare(&write->record) ? &target->texts :
																							   &target->upserts;
}

int
pinecone_target_batch_size(const PineconeTarget *target, PineconeBatch *const *open)
{
	return open == &target->upserts ? target->batch_size :
		   open == &target->texts	? target->embed_batch :
									  target->update_batch;
}

PineconeBatch *
pinecone_target_new_batch(PineconeSend *send, PineconeTarget *target, PineconeBatch *const *open, PineconeWriteKind kind)
{
	PineconeBatch *batch = pinecone_batch_create(send->cxt, kind, target->text_size);

	if (open == &target->texts)
		batch->separator = '\n';
	else
		target->plane->open_body(&batch->text, target->namespace_);
	batch->opening = batch->text.len;
	return batch;
}

/* ---- Watching ---- */

void
pinecone_send_watch(PineconeSend *send, PineconeSendTold told, PineconeSendMerged merged, PineconeSendMay may, void *arg)
{
	send->told = told;
	send->merged = merged;
	send->may = may;
	send->told_arg = arg;
}

void
pinecone_target_set_failed(PineconeSend *send, PineconeTarget *failed)
{
	dlist_iter iter;

	for (int i = 0; i < send->ntargets; i++)
	{
		PineconeTarget *target = send->targets[i];

		if (target->session != failed->session)
			continue;
		target->failed = true;
		for (PineconeTarget *twin = target->twin; twin != target; twin = twin->twin)
			twin->failed = true;
		dlist_foreach(iter, &target->sent)
			pinecone_vectors_stop(dlist_container(PineconeBatch, node, iter.cur)->call);
	}
}

/* ---- Progress ---- */

/* Writes that have been applied, and that may have been. */
typedef struct Progress
{
	double applied;
	double unknown;
} Progress;

static Progress
progress_of(const PineconeTarget *target)
{
	Progress progress = {target->applied, 0};
	dlist_iter iter;

	dlist_foreach(iter, &unconstify(PineconeTarget *, target)->sent)
	{
		PineconeBatch *batch = dlist_container(PineconeBatch, node, iter.cur);

		if (batch->confirmed)
			progress.applied += batch->live;
		else if (pinecone_vectors_may_be_applied(batch->call))
			progress.unknown += batch->live;
	}
	return progress;
}

/* "3000 writes had been applied to namespace "x" of server "s"" */
static void
describe_target(StringInfo buf, const PineconeTarget *target, Progress progress)
{
	const char *server = target->session->options->servername;

	if (buf->len > 0)
		appendStringInfoChar(buf, '\n');
	appendStringInfo(buf, "%.0f %s been applied to namespace \"%s\" of server \"%s\"",
					 progress.applied, progress.applied == 1 ? "write had" : "writes had",
					 target->namespace_, server);
	if (progress.unknown > 0)
		appendStringInfo(buf, ", %.0f more may have been", progress.unknown);
	appendStringInfoChar(buf, '.');
}

char *
pinecone_target_progress(PineconeSend *send)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < send->ntargets; i++)
	{
		Progress progress = progress_of(send->targets[i]);

		if (progress.applied > 0 || progress.unknown > 0)
			describe_target(&buf, send->targets[i], progress);
	}
	if (buf.len == 0)
		appendStringInfoString(&buf, "No write had been applied.");
	return buf.data;
}

char *
pinecone_send_progress(PineconeSend *send)
{
	return send->reported ? NULL : pinecone_target_progress(send);
}
