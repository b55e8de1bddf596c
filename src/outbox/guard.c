/*
 * guard.c
 *		The trigger of our tables that keeps others than their owner from writing.
 *
 * Rights on tables do not do: members of pg_write_all_data have them all.  A row of
 * these tables is carried out as the role that it names, with the key of that role,
 * and of a mirror with expressions: who writes one could do all that any role may.
 * Our own writes are made without triggers, or as the owner.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(pinecone_guard);

Datum
pinecone_guard(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(data->tg_event) || TRIGGER_FIRED_FOR_ROW(data->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("pinecone_guard() is the trigger of tables of extension \"pinecone_fdw\"")));
	if (!has_privs_of_role(GetUserId(), data->tg_relation->rd_rel->relowner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for table %s", RelationGetRelationName(data->tg_relation)),
				 errdetail("Its rows are carried out with the rights and API keys of the roles that they name; so only its owner writes them by hand.")));
	return PointerGetDatum(NULL);
}
