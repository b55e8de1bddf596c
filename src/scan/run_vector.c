/*
 * run_vector.c
 *		What the distances of a run are measured to: a vector, a sparse one, or both
 *		with their weights.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "base/distance.h"
#include "scan/run_values.h"
#include "scan/run_vector.h"
#include "value/sparse.h"
#include "value/vector.h"

/*
 * Scores are float32, and so are the squares that they are made of: they mean
 * nothing for a query vector whose own square comes near the ends of that range.
 */
#define MAX_SQUARE 1e30
#define MIN_SQUARE 1e-30

#define SHOWN_BYTES 80

/* What pgvector says when both sides of an operator differ, which no search would tell */
static void
check_dimensions(const PineconeColumn *column, Datum value)
{
	int wanted = column->typmod > 0 ? column->typmod : PINECONE_MAX_SPARSE_DIMENSIONS;
	int dimensions = pinecone_vector_sparse_dimensions(value);

	if (dimensions != wanted)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("different sparsevec dimensions %d and %d", wanted, dimensions),
				 errdetail("The sparse query vector does not fit column \"%s\".", column->name),
				 errhint("Dimensions are what stands behind the slash in '{1:0.5,3:0.25}/%d'.", wanted)));
}

/* How a vector begins, which tells of several which it is. */
static char *
shown_vector(Datum value, Oid typid)
{
	Oid output;
	bool is_varlena;
	char *text;

	getTypeOutputInfo(typid, &output, &is_varlena);
	text = OidOutputFunctionCall(output, value);
	if (strlen(text) > SHOWN_BYTES)
		strcpy(text + SHOWN_BYTES, "...");
	return text;
}

/* A sparse query vector, in order. */
static PineconeSparse
sparse_of(const PineconeTable *table, Datum value, Oid typid)
{
	const PineconeColumn *column = &table->columns[table->sparse_attnum - 1];
	const char *fault = NULL;
	PineconeSparse sparse;

	if (typid == JSONBOID)
	{
		fault = pinecone_sparse_from_jsonb(DatumGetJsonbP(value), &sparse);
		if (fault == NULL && sparse.n == 0)
			fault = "the sparse query vector has no values";
	}
	else
	{
		check_dimensions(column, value);
		pinecone_vector_sparse(value, &sparse);
	}
	if (fault == NULL)
		fault = pinecone_sparse_fault(&sparse, "the sparse query vector",
									  table->schema ? PINECONE_MAX_DOCUMENT_SPARSE : PINECONE_MAX_SPARSE);
	if (fault != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("%s", fault),
				 errdetail("It is compared with column \"%s\" of foreign table \"%s\": %s", column->name, table->name,
						   shown_vector(value, typid))));
	pinecone_sparse_sort(&sparse);
	return sparse;
}

/* Zeros add nothing, and a sparse vector of them alone cannot be sent. */
static void
drop_zeros(PineconeSparse *sparse)
{
	int n = 0;

	for (int i = 0; i < sparse->n; i++)
	{
		if (sparse->values[i] == 0)
			continue;
		sparse->indices[n] = sparse->indices[i];
		sparse->values[n++] = sparse->values[i];
	}
	sparse->n = n;
}

/* Weights are multiplied into the vectors: the score is of products. */
static void
weigh(PineconeQueryVector *query, double alpha)
{
	float *values = palloc(Max(query->nvalues, 1) * sizeof(float));

	for (int i = 0; i < query->nvalues; i++)
		values[i] = (float) (alpha * query->values[i]);
	if (query->values != NULL)
		query->values = values;
	for (int i = 0; i < query->sparse.n; i++)
		query->sparse.values[i] = (float) ((1 - alpha) * query->sparse.values[i]);
}

bool
pinecone_run_query_vector(const PineconeTable *table, const PineconeRequest *request,
						  const PineconeValues *values, PineconeQueryVector *query)
{
	int dense = request->vector;
	int sparse = request->sparse;

	memset(query, 0, sizeof(*query));
	query->metric = request->metric;
	query->kind = sparse < 0 ? PINECONE_DENSE :
				  dense < 0	 ? PINECONE_SPARSE :
							   PINECONE_HYBRID;
	if (dense >= 0 && !values->isnull[dense])
		query->values = pinecone_vector_floats(values->values[dense], getBaseType(values->types[dense]),
											   &query->nvalues);
	query->has_sparse = sparse >= 0 && !values->isnull[sparse];
	if (query->has_sparse)
		query->sparse = sparse_of(table, values->values[sparse], getBaseType(values->types[sparse]));
	if (query->kind == PINECONE_HYBRID)
		weigh(query, pinecone_sparse_check_alpha(values->isnull[request->alpha],
												 values->isnull[request->alpha] ? 0 : DatumGetFloat8(values->values[request->alpha])));
	drop_zeros(&query->sparse);
	return query->values != NULL || query->has_sparse;
}

void
pinecone_run_evaluate_vector(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	PineconeRequest *request = state->request;
	PineconeRun *run = state->run;
	MemoryContext old;

	if (request->vector >= 0)
		(void) pinecone_run_evaluate(node, request->vector);
	if (request->sparse >= 0)
		(void) pinecone_run_evaluate(node, request->sparse);
	if (request->alpha >= 0)
		(void) pinecone_run_evaluate(node, request->alpha);
	old = MemoryContextSwitchTo(run->cxt);
	run->has_query = pinecone_run_query_vector(state->table, request, &run->values, &run->query);
	MemoryContextSwitchTo(old);
}

/*
 * A hybrid search without a dense vector would take records for ranked that are not,
 * and one by nothing has no order.
 */
bool
pinecone_run_can_search(const PineconeQueryVector *query)
{
	double square;

	if (query->kind == PINECONE_SPARSE ? query->sparse.n == 0 : query->values == NULL)
		return false;
	if (query->sparse.n > 0 && !(pinecone_distance_square(query->sparse.n, query->sparse.values) <= MAX_SQUARE))
		return false;
	if (query->kind == PINECONE_SPARSE)
		return true;
	square = pinecone_distance_square(query->nvalues, query->values);
	return square <= MAX_SQUARE && (query->metric != PINECONE_METRIC_COSINE || square >= MIN_SQUARE);
}

void
pinecone_run_complete_vector(PineconeQueryVector *query, int dimension)
{
	if (query->kind != PINECONE_SPARSE || dimension <= 0)
		return;
	query->nvalues = dimension;
	query->values = palloc0(dimension * sizeof(float));
}
