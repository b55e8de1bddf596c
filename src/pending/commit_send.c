/*
 * commit_send.c
 *		Send a log of writes, each namespace as the user who wrote to it.
 */
#include "postgres.h"

#include "foreign/foreign.h"

#include "pending/commit_send.h"
#include "pending/write_code.h"

static int
begin_target(PineconePendingLog *log, int number, PineconeSend *send, PineconeCounters *counters)
{
	PineconePendingTarget *target = pinecone_pending_log_target_of(log, number);
	PineconeSession *session;

	/* options may have changed since, or the user mapping, or all of it, may be gone */
	if (GetForeignServerExtended(target->serverid, FSV_MISSING_OK) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("a server was dropped after the transaction had written to it"),
				 errdetail("What it wrote was for namespace \"%s\" of %s.", target->namespace_,
						   pinecone_pending_log_target_of(log, target->place)->where),
				 errhint("Commit before the server is dropped.")));
	session = pinecone_session_get(target->serverid, target->author.userid);
	pinecone_pending_log_check_place(log, target->place, session);
	return pinecone_send_target(send, session, target->author.runner, counters, target->namespace_,
								target->batch_size, target->concurrency);
}

void
pinecone_send_log(PineconePendingLog *log, PineconeSend *send, PineconeCounters *counters)
{
	int ntargets = pinecone_pending_log_targets(log);
	int *targets = palloc(Max(ntargets, 1) * sizeof(int));
	int64 size = pinecone_pending_log_size(log);
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < ntargets; i++)
		targets[i] = -1;
	for (int64 offset = 0; offset < size;)
	{
		PineconeWriteHeader *header;
		PineconeWrite write;

		offset = pinecone_pending_log_read_encoded(log, offset, &buf);
		header = (PineconeWriteHeader *) buf.data;
		pinecone_write_decode(header, buf.data + sizeof(*header), &write);
		if (targets[header->target] < 0)
			targets[header->target] = begin_target(log, header->target, send, counters);
		pinecone_send_add(send, targets[header->target], &write);
	}
}
