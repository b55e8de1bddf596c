/*
 * scan_start.c
 *		A scan starts by taking the answer that was asked for ahead, or else by
 *		beginning a run of its own.
 */
#include "postgres.h"

#include "scan/answers.h"
#include "scan/scan.h"

void
pinecone_scan_ask_ahead(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;

	pinecone_scan_find_session(state);
	pinecone_session_refresh(state->session);
}

void
pinecone_scan_start(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;

	if (state->run->started || state->answer != NULL ||
		(state->ahead != NULL && pinecone_answers_adopt(node)))
		return;
	pinecone_run_begin(node);
}
