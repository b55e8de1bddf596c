/*
 * explain_spent.c
 *		The lines of EXPLAIN ANALYZE about requests, the same for scans, read-aheads and writes.
 *
 * Sizes are of no use where times are turned off, as in tests: they come with
 * these or with VERBOSE.
 */
#include "postgres.h"

#include "scan/explain_spent.h"

static void
show_time(const char *label, instr_time time, ExplainState *es)
{
	ExplainPropertyFloat(label, "ms", INSTR_TIME_GET_MILLISEC(time), 3, es);
}

/* What has come of reading namespaces otherwise than page by page */
static void
show_sweep(const PineconeCounters *counters, ExplainState *es)
{
	if (counters->swept_parts == 0)
		return;
	ExplainPropertyUInteger("Sweep Requests", NULL, counters->swept_parts, es);
	if (counters->sweep_failure != NULL)
		ExplainPropertyText("Read Page By Page", psprintf("what these did not bring: %s", counters->sweep_failure), es);
}

void
pinecone_explain_spent(const PineconeCounters *counters, ExplainState *es)
{
	ExplainPropertyUInteger("Requests", NULL, counters->requests, es);
	if (counters->cache != NULL)
	{
		ExplainPropertyUInteger("Cache Hits", NULL, counters->cache_hits, es);
		ExplainPropertyUInteger("Cache Misses", NULL, counters->cache_misses, es);
	}
	if (counters->retries > 0 || es->verbose)
		ExplainPropertyUInteger("Retries", NULL, counters->retries, es);
	if (counters->short_searches > 0)
		ExplainPropertyUInteger("Short Searches", NULL, counters->short_searches, es);
	show_sweep(counters, es);
	if (counters->ids_fetched > 0)
		ExplainPropertyUInteger("Ids Fetched", NULL, counters->ids_fetched, es);
	ExplainPropertyUInteger("Read Units", NULL, counters->read_units, es);
	if (es->verbose || es->timing)
	{
		ExplainPropertyUInteger("Bytes Sent", NULL, counters->bytes_sent, es);
		ExplainPropertyUInteger("Bytes Received", NULL, counters->bytes_received, es);
		ExplainPropertyUInteger("Egress", "bytes", counters->egress_bytes, es);
	}
	if (es->verbose)
		ExplainPropertyInteger("Peak In Flight", NULL, counters->peak_in_flight, es);
	if (es->timing)
	{
		show_time("Network Wait Time", counters->wait_time, es);
		show_time("Transfer Time", counters->transfer_time, es);
		show_time("Decode Time", counters->decode_time, es);
		show_time("Row Time", counters->row_time, es);
		if (!INSTR_TIME_IS_ZERO(counters->unseen_time))
			show_time("Unseen Writes Wait Time", counters->unseen_time, es);
	}
}
