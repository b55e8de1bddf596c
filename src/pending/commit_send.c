/*
 * commit_send.c
 *		Send a log of writes, each namespace as the user who wrote to it.
 */
#include "postgres.h"

#include "pending/commit_send.h"
#include "pending/write_code.h"

static int
begin_target(PineconePendingTarget *target, PineconeSend *send, PineconeCounters *counters)
{
	/* options may have changed since, or the user mapping may be gone */
	target->session = pinecone_session_get(target->session->serverid, target->session->userid);
	return pinecone_send_target(send, target->session, counters, target->namespace_,
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
			targets[header->target] = begin_target(pinecone_pending_log_target_of(log, header->target),
												   send, counters);
		pinecone_send_add(send, targets[header->target], &write);
	}
}
