/*
 * budget.c
 *		Holds what has been spent against the budgets, before a request is sent.
 *
 * What is on its way is not known yet: a budget can be exceeded by the replies to
 * requests that are out when it is reached.  Of a month's, other sessions' latest
 * half second is not known either.
 */
#include "postgres.h"

#include "utils/guc.h"

#include "base/setting.h"
#include "client/account.h"
#include "client/budget.h"
#include "client/session.h"

/* A budget in its setting's unit as a plain number, or -1: there is none */
static double
limit_of(int budget)
{
	return pinecone_budgets[budget].value < 0 ? -1 :
												pinecone_budgets[budget].value * pinecone_budgets[budget].unit;
}

static uint64
used_of(const PineconeUsage *usage, PineconeBudgetKind kind)
{
	switch (kind)
	{
		case PINECONE_BUDGET_REQUESTS:
			return usage->requests;
		case PINECONE_BUDGET_READ_UNITS:
			return usage->read_units;
		case PINECONE_BUDGET_EGRESS:
			return usage->egress_bytes;
		case PINECONE_BUDGET_ROWS:
		default:
			return usage->records;
	}
}

static char *
describe(const PineconeUsage *usage)
{
	return psprintf(UINT64_FORMAT " requests have been sent, and have brought " UINT64_FORMAT
								  " records, " UINT64_FORMAT " read units and " UINT64_FORMAT " bytes of egress.",
					usage->requests, usage->records, usage->read_units, usage->egress_bytes);
}

static void
check_statement(void)
{
	const PineconeUsage *usage = &pinecone_account_statement()->usage;

	for (int i = 0; i < PINECONE_BUDGET_MONTH; i++)
	{
		double limit = limit_of(i);

		if (limit < 0 || used_of(usage, pinecone_budgets[i].kind) < limit)
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("the statement has used up its budget of %s", pinecone_budgets[i].of),
				 errdetail_internal("%s", describe(usage)),
				 errhint("Ask for less, or have \"%s\" raised, which is %s.", pinecone_budgets[i].name,
						 GetConfigOption(pinecone_budgets[i].name, false, false))));
	}
}

static void
warn_of_month(PineconeSession *session, int budget, const PineconeUsage *usage)
{
	uint32 bit = 1 << budget;

	if (session->warned_of & bit)
		return;
	session->warned_of |= bit;
	ereport(WARNING,
			(errcode(ERRCODE_WARNING),
			 errmsg("server \"%s\" has used up %d %% of this month's budget of %s",
					session->options->servername, pinecone_month_warning, pinecone_budgets[budget].of),
			 errdetail_internal("%s", describe(usage))));
}

static void
check_month(PineconeSession *session)
{
	PineconeUsage usage;

	if (!pinecone_statistics_month(session->serverid, &usage))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("budgets of a month need statistics that all sessions share"),
				 errhint("Add \"pinecone_fdw\" to \"shared_preload_libraries\" and leave \"pinecone_fdw.statistics\" on, or set budgets of a month to -1.")));
	for (int i = PINECONE_BUDGET_MONTH; i < PINECONE_BUDGETS; i++)
	{
		double limit = limit_of(i);
		uint64 used = used_of(&usage, pinecone_budgets[i].kind);

		if (limit < 0)
			continue;
		if (used >= limit)
			ereport(ERROR,
					(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
					 errmsg("server \"%s\" has used up this month's budget of %s",
							session->options->servername, pinecone_budgets[i].of),
					 errdetail_internal("%s", describe(&usage)),
					 errhint("Wait for the next month, or have \"%s\" raised, which is %s.", pinecone_budgets[i].name,
							 GetConfigOption(pinecone_budgets[i].name, false, false))));
		if (pinecone_month_warning > 0 && used >= limit * pinecone_month_warning / 100)
			warn_of_month(session, i, &usage);
		else
			session->warned_of &= ~(1 << i);
	}
}

void
pinecone_budget_check(PineconeSession *session)
{
	bool statement = false;
	bool month = false;

	for (int i = 0; i < PINECONE_BUDGETS; i++)
	{
		if (pinecone_budgets[i].value >= 0)
			*(i < PINECONE_BUDGET_MONTH ? &statement : &month) = true;
	}
	if (statement)
		check_statement();
	if (month)
		check_month(session);
}
