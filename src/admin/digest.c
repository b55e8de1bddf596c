/*
 * digest.c
 *		Digests of values, so that wide ones can be compared after a sort that does
 *		not move them.
 *
 * Values that are equal have the same digest.  A type without a hash function
 * goes by its text, vectors by their numbers.
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "option/column_type.h"
#include "value/vector.h"

PG_FUNCTION_INFO_V1(pinecone_digests);

typedef enum DigestWay
{
	BY_HASH,
	BY_NUMBERS,
	BY_TEXT
} DigestWay;

/* How an argument is digested */
typedef struct DigestArgument
{
	Oid typid;
	DigestWay way;
	FmgrInfo function; /* of hashing, or of output */
} DigestArgument;

static DigestArgument *
look_up(FunctionCallInfo fcinfo)
{
	DigestArgument *arguments = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, PG_NARGS() * sizeof(DigestArgument));

	for (int i = 0; i < PG_NARGS(); i++)
	{
		DigestArgument *argument = &arguments[i];
		TypeCacheEntry *type;
		Oid output;
		bool is_varlena;

		argument->typid = getBaseType(get_fn_expr_argtype(fcinfo->flinfo, i));
		if (pinecone_column_type_is_vector(argument->typid))
		{
			argument->way = BY_NUMBERS;
			continue;
		}
		type = lookup_type_cache(argument->typid, TYPECACHE_HASH_EXTENDED_PROC);
		if (OidIsValid(type->hash_extended_proc))
		{
			argument->way = BY_HASH;
			fmgr_info_cxt(type->hash_extended_proc, &argument->function, fcinfo->flinfo->fn_mcxt);
			continue;
		}
		argument->way = BY_TEXT;
		getTypeOutputInfo(argument->typid, &output, &is_varlena);
		fmgr_info_cxt(output, &argument->function, fcinfo->flinfo->fn_mcxt);
	}
	return arguments;
}

/* As the numbers are, though 0 and -0 are the same */
static uint64
digest_numbers(Datum value, Oid typid)
{
	int n;
	const char *reason;
	const float *floats = pinecone_vector_check(value, typid, &n, &reason);
	float *copy;

	/* what no record can have differs from all that one has */
	if (floats == NULL)
		return PG_UINT64_MAX;
	copy = palloc(Max(n, 1) * sizeof(float));
	for (int i = 0; i < n; i++)
		copy[i] = floats[i] == 0 ? 0 : floats[i];
	return hash_bytes_extended((unsigned char *) copy, n * sizeof(float), 0);
}

static uint64
digest(DigestArgument *argument, Datum value)
{
	char *text;

	switch (argument->way)
	{
		case BY_HASH:
			return DatumGetUInt64(FunctionCall2Coll(&argument->function, C_COLLATION_OID, value, Int64GetDatum(0)));
		case BY_NUMBERS:
			return digest_numbers(value, argument->typid);
		case BY_TEXT:
			break;
	}
	text = OutputFunctionCall(&argument->function, value);
	return hash_bytes_extended((unsigned char *) text, strlen(text), 0);
}

/* The digest of each argument; NULL has none. */
Datum
pinecone_digests(PG_FUNCTION_ARGS)
{
	DigestArgument *arguments = fcinfo->flinfo->fn_extra;
	Datum *values = palloc(PG_NARGS() * sizeof(Datum));
	bool *nulls = palloc(PG_NARGS() * sizeof(bool));
	int dims = PG_NARGS();
	int lower = 1;

	if (arguments == NULL)
		fcinfo->flinfo->fn_extra = arguments = look_up(fcinfo);
	for (int i = 0; i < PG_NARGS(); i++)
	{
		nulls[i] = PG_ARGISNULL(i);
		values[i] = nulls[i] ? (Datum) 0 : UInt64GetDatum(digest(&arguments[i], PG_GETARG_DATUM(i)));
	}
	PG_RETURN_ARRAYTYPE_P(construct_md_array(values, nulls, 1, &dims, &lower, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
