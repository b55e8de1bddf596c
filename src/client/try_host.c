/*
 * try_host.c
 *		Asks one of a server's hosts, beside all else that its session does.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "client/call.h"
#include "client/try_host.h"

PineconeProblem *
pinecone_try_host(PineconeSession *session, int number)
{
	PineconeFailover *failover = session->failover;
	PineconeProblem *problem = NULL;
	PineconeCall *call;
	char *difference;

	while ((call = pinecone_session_ask_host(session, number, &problem)) == NULL)
	{
		if (problem != NULL || failover->lister == NULL)
			return problem;
		pinecone_vectors_wait(failover->lister);
	}
	/* not the session's: calls of it that go on meanwhile take what that has asked */
	MemoryContextSetParent(call->cxt, CurrentMemoryContext);
	pinecone_vectors_wait(call);
	if (call->state == PINECONE_CALL_FAILED)
	{
		problem = palloc0(sizeof(PineconeProblem));
		pinecone_problem_copy(problem, &call->problem, CurrentMemoryContext);
	}
	pinecone_session_note_host(session, number, call);
	pinecone_vectors_free(call);
	difference = problem == NULL ? pinecone_hosts_difference(session, number) : NULL;
	return difference ? pinecone_hosts_unlike(session, number, difference) : problem;
}
