/*
 * scan_session.c
 *		Which session a scan reads through: one that may turn to another host of the
 *		server, or the one that writes, which does not.
 */
#include "postgres.h"

#include "client/hosts.h"
#include "pending/consistency.h"
#include "pending/pending.h"
#include "scan/scan.h"

/*
 * Must what is read be the first host's?  What is to be written must; and so must
 * what has to show the transaction's writes, or, by the table's options, the
 * session's: nobody knows when another host has them.
 */
static bool
must_be_first(const PineconeScanState *state)
{
	const PineconeTable *table = state->table;

	return state->to_write || pinecone_hosts_first_only || pinecone_pending_is_written(table->server->serverid) ||
		   (table->session_consistency &&
			pinecone_consistency_has_written(pinecone_session_get(table->server->serverid, state->userid), table));
}

void
pinecone_scan_find_session(PineconeScanState *state)
{
	Oid serverid = state->table->server->serverid;

	if (state->session != NULL)
		return;
	if (state->table->server->hosts->n == 1 || must_be_first(state))
		state->session = pinecone_session_get(serverid, state->userid);
	else
		state->session = pinecone_session_get_reading(serverid, state->userid);
}
