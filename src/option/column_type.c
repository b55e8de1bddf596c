/*
 * column_type.c
 *		Which types columns may have.
 *
 * pgvector is optional: its types are found by name in the schema that it was
 * installed in.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "option/column_type.h"

/* ---- pgvector ---- */

/* The types' OIDs, looked up again when pg_type has changed. */
static bool types_valid = false;
static Oid vector_type = InvalidOid;
static Oid halfvec_type = InvalidOid;
static Oid sparsevec_type = InvalidOid;

static void
invalidate_types(Datum arg, int cacheid, uint32 hashvalue)
{
	types_valid = false;
}

static void
look_up_types(void)
{
	static bool registered = false;
	Oid extension;
	Oid schema;

	if (types_valid)
		return;
	if (!registered)
	{
		CacheRegisterSyscacheCallback(TYPEOID, invalidate_types, (Datum) 0);
		registered = true;
	}
	vector_type = halfvec_type = sparsevec_type = InvalidOid;
	extension = get_extension_oid("vector", true);
	if (OidIsValid(extension))
	{
		schema = pinecone_extension_schema(extension);
		vector_type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
									  CStringGetDatum("vector"), ObjectIdGetDatum(schema));
		halfvec_type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
									   CStringGetDatum("halfvec"), ObjectIdGetDatum(schema));
		sparsevec_type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
										 CStringGetDatum("sparsevec"), ObjectIdGetDatum(schema));
	}
	types_valid = true;
}

Oid
pinecone_column_type_of_pgvector(const char *name)
{
	look_up_types();
	if (strcmp(name, "halfvec") == 0)
		return halfvec_type;
	return strcmp(name, "vector") == 0 ? vector_type : sparsevec_type;
}

bool
pinecone_column_type_is_vector(Oid typid)
{
	return typid == FLOAT4ARRAYOID || pinecone_column_type_is_halfvec(typid) ||
		   (OidIsValid(typid) && typid == pinecone_column_type_of_pgvector("vector"));
}

bool
pinecone_column_type_is_halfvec(Oid typid)
{
	return OidIsValid(typid) && typid == pinecone_column_type_of_pgvector("halfvec");
}

bool
pinecone_column_type_is_sparsevec(Oid typid)
{
	return OidIsValid(typid) && typid == pinecone_column_type_of_pgvector("sparsevec");
}

/* ---- Others ---- */

bool
pinecone_column_type_is_id(Oid typid)
{
	switch (typid)
	{
		case TEXTOID:
		case VARCHAROID:
		case UUIDOID:
		case INT4OID:
		case INT8OID:
			return true;
		default:
			return false;
	}
}

bool
pinecone_column_type_is_field(Oid typid)
{
	switch (typid)
	{
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case BOOLOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
		case TIMESTAMPTZOID:
		case TIMESTAMPOID:
		case DATEOID:
		case UUIDOID:
		case TEXTARRAYOID:
		case VARCHARARRAYOID:
		case JSONOID:
		case JSONBOID:
			return true;
		default:
			return get_typtype(typid) == TYPTYPE_ENUM;
	}
}
