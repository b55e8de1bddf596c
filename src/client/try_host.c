/*
 * try_host.c
 *		Asks one of a server's hosts, beside all else that its session does.
 */
#include "postgres.h"

#include "client/call.h"
#include "client/try_host.h"

PineconeProblem *
pinecone_try_host(PineconeSession *session, int number)
{
	PineconeFailover *failover = session->failover;
	PineconeProblem *problem = NULL;
	char *difference;

	/* what is on its way may be another's answer */
	if (failover->probe != NULL)
		pinecone_vectors_wait(failover->probe);
	pinecone_session_probe_take(session, &problem);
	problem = NULL;
	while (!pinecone_session_probe_start(session, number, &problem))
	{
		if (problem != NULL || failover->lister == NULL)
			return problem;
		pinecone_vectors_wait(failover->lister);
	}
	pinecone_vectors_wait(failover->probe);
	if (failover->probe->state == PINECONE_CALL_FAILED)
	{
		problem = palloc0(sizeof(PineconeProblem));
		pinecone_problem_copy(problem, &failover->probe->problem, CurrentMemoryContext);
	}
	pinecone_session_probe_take(session, &(PineconeProblem *){NULL});
	difference = problem == NULL ? pinecone_hosts_difference(session, number) : NULL;
	return difference ? pinecone_hosts_unlike(session, number, difference) : problem;
}
