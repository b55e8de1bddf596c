/*
 * domain.c
 *		Does a value meet a domain's constraints?
 *
 * domain_check() would raise an error, which names neither the value nor the
 * record, and which nobody can make a NULL of.
 */
#include "postgres.h"

#include "executor/executor.h"
#include "utils/expandeddatum.h"
#include "utils/typcache.h"

#include "value/domain.h"

struct PineconeDomain
{
	DomainConstraintRef constraints;
	ExprContext *econtext;
};

PineconeDomain *
pinecone_domain_create(Oid typid)
{
	PineconeDomain *domain = palloc0(sizeof(PineconeDomain));

	InitDomainConstraintRef(typid, &domain->constraints, CurrentMemoryContext, true);
	domain->econtext = CreateStandaloneExprContext();
	return domain;
}

static bool
meets_check(PineconeDomain *domain, DomainConstraintState *constraint, Datum value, bool isnull)
{
	domain->econtext->domainValue_datum =
		MakeExpandedObjectReadOnly(value, isnull, domain->constraints.tcache->typlen);
	domain->econtext->domainValue_isNull = isnull;
	return ExecCheck(constraint->check_exprstate, domain->econtext);
}

const char *
pinecone_domain_violation(PineconeDomain *domain, Datum value, bool isnull)
{
	const char *violation = NULL;
	ListCell *lc;

	UpdateDomainConstraintRef(&domain->constraints);
	foreach(lc, domain->constraints.constraints)
	{
		DomainConstraintState *constraint = lfirst(lc);

		if (constraint->constrainttype == DOM_CONSTRAINT_NOTNULL)
		{
			if (isnull)
				violation = "a domain that does not allow null values";
		}
		else if (!meets_check(domain, constraint, value, isnull))
			violation = psprintf("a domain whose check constraint \"%s\" is violated", constraint->name);
		if (violation != NULL)
			break;
	}
	ReScanExprContext(domain->econtext);
	return violation;
}
