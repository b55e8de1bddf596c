/*
 * operators.c
 *		Looks for operators of others that ours would get in the way of.
 *
 * CREATE EXTENSION calls it before it makes them.  Where both are on the
 * search_path, ours fit real[] exactly, so that queries which used those of
 * others mean something else from then on.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(pinecone_warn_of_operators);

/* Does an operand of that type take arrays of numbers? */
static bool
takes_arrays(Oid type)
{
	switch (type)
	{
		case ANYARRAYOID:
		case ANYELEMENTOID:
		case ANYCOMPATIBLEARRAYOID:
		case ANYCOMPATIBLEOID:
		case FLOAT4ARRAYOID:
		case FLOAT8ARRAYOID:
		case INT2ARRAYOID:
		case INT4ARRAYOID:
		case INT8ARRAYOID:
		case NUMERICARRAYOID:
			return true;
		default:
			return false;
	}
}

Datum
pinecone_warn_of_operators(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"<=>", "<->", "<#>"};

	for (int i = 0; i < lengthof(names); i++)
	{
		CatCList *list = SearchSysCacheList1(OPERNAMENSP, CStringGetDatum(names[i]));

		for (int j = 0; j < list->n_members; j++)
		{
			Form_pg_operator form = (Form_pg_operator) GETSTRUCT(&list->members[j]->tuple);

			if (!takes_arrays(form->oprleft) || !takes_arrays(form->oprright))
				continue;
			ereport(WARNING,
					(errmsg("there is another operator for arrays: %s", format_operator_qualified(form->oid)),
					 errdetail("Where both are on the search_path, %s between arrays of numbers means a distance from now on.",
							   names[i]),
					 errhint("CREATE EXTENSION pinecone_fdw SCHEMA ... keeps them apart.")));
		}
		ReleaseCatCacheList(list);
	}
	PG_RETURN_VOID();
}
