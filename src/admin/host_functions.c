/*
 * host_functions.c
 *		The hosts of a server from SQL: which of them answer, and which are in use.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/timestamp.h"

#include "admin/argument.h"
#include "admin/rows.h"
#include "base/host_board.h"
#include "client/region.h"
#include "client/session.h"

PG_FUNCTION_INFO_V1(pinecone_hosts);

static void
put_time(PineconeRows *rows, TimestampTz at, bool known)
{
	pinecone_row_put(rows, TimestampTzGetDatum(at), !known);
}

static void
put_host(PineconeRows *rows, const PineconeServerOptions *options, int number, const PineconeHostState *state, bool in_use)
{
	const char *host = options->hosts->hosts[number];
	int64 left = pinecone_clock_after_ms(state->asked_at, options->hosts_retry_ms) - pinecone_clock_now();

	pinecone_row_int(rows, number + 1, true);
	pinecone_row_text(rows, host ? host : psprintf("of index %s", options->index));
	pinecone_row_text(rows, pinecone_region_of_host(options, number));
	pinecone_row_text(rows, state->down ? "down" : state->tried ? "up" :
																  "not tried");
	put_time(rows, state->since, state->tried);
	pinecone_row_bool(rows, in_use);
	pinecone_row_bool(rows, options->failover_writes ? in_use : number == 0);
	pinecone_row_bigint(rows, state->answered, true);
	pinecone_row_bigint(rows, state->failures, true);
	put_time(rows, GetCurrentTimestamp() + Max(0, left), state->down);
	pinecone_row_text(rows, state->failures > 0 ? state->reason : NULL);
	pinecone_row_end(rows);
}

Datum
pinecone_hosts(PG_FUNCTION_ARGS)
{
	Oid serverid = pinecone_argument_server(fcinfo, 0, "pinecone_hosts()", PINECONE_ADMIN_READS);
	const PineconeServerOptions *options = pinecone_option_server(serverid);
	PineconeHostState states[PINECONE_MAX_HOSTS];
	int in_use = 0;
	PineconeRows rows;

	pinecone_rows_begin(&rows, fcinfo);
	for (int i = 0; i < options->hosts->n; i++)
		states[i] = pinecone_host_state(pinecone_host_key(serverid, options->hosts->hosts[i] ? options->hosts->hosts[i] : options->index));
	while (in_use < options->hosts->n && states[in_use].down)
		in_use++;
	for (int i = 0; i < options->hosts->n; i++)
		put_host(&rows, options, i, &states[i], i == (in_use < options->hosts->n ? in_use : 0));
	return (Datum) 0;
}
