/*
 * pinecone_fdw.c
 *		Entry points of the module: the FDW handler and _PG_init.
 */
#include "postgres.h"

#include "fmgr.h"
#include "foreign/fdwapi.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(pinecone_fdw_handler);
PG_FUNCTION_INFO_V1(pinecone_fdw_validator);

void _PG_init(void);

void
_PG_init(void)
{
}

Datum
pinecone_fdw_handler(PG_FUNCTION_ARGS)
{
	FdwRoutine *routine = makeNode(FdwRoutine);

	PG_RETURN_POINTER(routine);
}

Datum
pinecone_fdw_validator(PG_FUNCTION_ARGS)
{
	PG_RETURN_VOID();
}
