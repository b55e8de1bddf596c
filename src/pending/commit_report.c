/*
 * commit_report.c
 *		Counts what COMMIT sends, and tells it to who asks: pinecone_fdw.report_commit.
 */
#include "postgres.h"

#include "base/setting.h"
#include "client/account.h"
#include "pending/commit_report.h"

static void
tell(const PineconeSpent *sent, double ms)
{
	if (pinecone_report_commit == PINECONE_REPORT_OFF)
		return;
	ereport(pinecone_report_commit == PINECONE_REPORT_LOG ? LOG_SERVER_ONLY : NOTICE,
			(errmsg("the commit has sent " UINT64_FORMAT " writes in " UINT64_FORMAT
					" requests to Pinecone: %.1f kB, %.3f ms",
					sent->records_written, sent->usage.requests, sent->bytes_sent / 1000.0, ms),
			 errhidestmt(true)));
}

void
pinecone_commit_report(void (*send)(void))
{
	volatile bool good = false;
	PineconeSpent sent;
	double ms;

	pinecone_account_begin_commit();
	PG_TRY();
	{
		send();
		good = true;
	}
	PG_FINALLY();
	{
		sent = pinecone_account_end_commit(good, &ms);
	}
	PG_END_TRY();
	tell(&sent, ms);
}
