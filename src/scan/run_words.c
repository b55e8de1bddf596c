/*
 * run_words.c
 *		What a search by words asks for, from the values of a run.
 *
 * Of documents that is a list of clauses.  An integrated index takes one text, and
 * may be told to have the matches ranked by a model: then the search brings so many
 * candidates to that model, and of these as many as there is a reader for.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/json.h"

#include "base/compat.h"
#include "base/limits.h"
#include "scan/run_values.h"
#include "scan/run_words.h"
#include "scan/scan.h"
#include "wire/schema.h"

/* What a clause of one that is reranked consists of */
enum
{
	CLAUSE_KIND,
	CLAUSE_COLUMN,
	CLAUSE_WORDS,
	CLAUSE_MODEL,
	CLAUSE_CANDIDATES,
	CLAUSE_RANK_FIELDS
};

/* A name that no record has: to ask for no field at all might mean all of them. */
#define NO_FIELD "_id"

static const char *
placeholder(const PineconeValues *values, int number)
{
	return values->placeholders ? values->placeholders[number] : NULL;
}

static char *
json_string(const char *text)
{
	StringInfoData buf;

	initStringInfo(&buf);
	escape_json(&buf, text);
	return buf.data;
}

/* A text among the values, as JSON; "" and what consists of spaces is none. */
static char *
clause_words(const PineconeValues *values, int number)
{
	char *words;

	if (placeholder(values, number))
		return values->placeholders[number];
	if (values->isnull[number])
		return NULL;
	words = TextDatumGetCString(values->values[number]);
	if (words[strspn(words, " \t\r\n")] == '\0')
		return NULL;
	return json_string(words);
}

/* ---- Documents ---- */

static char *
document_clauses(const PineconeTable *table, const PineconeRequest *request, const PineconeValues *values)
{
	static const char *const types[] = {
		[PINECONE_CLAUSE_TEXT] = "text",
		[PINECONE_CLAUSE_QUERY_STRING] = "query_string",
		[PINECONE_CLAUSE_EMBED] = "embed",
		[PINECONE_CLAUSE_SPARSE_EMBED] = "sparse_embed",
	};
	StringInfoData buf;
	ListCell *lc;

	initStringInfo(&buf);
	foreach(lc, request->clauses)
	{
		List *clause = lfirst(lc);
		PineconeClauseKind kind = list_nth_int(clause, CLAUSE_KIND);
		char *words = clause_words(values, list_nth_int(clause, CLAUSE_WORDS));

		if (words == NULL)
			continue;
		appendStringInfo(&buf, "%s{\"type\":\"%s\"", buf.len > 0 ? "," : "[", types[kind]);
		if (kind != PINECONE_CLAUSE_QUERY_STRING)
		{
			appendStringInfoString(&buf, ",\"fields\":[");
			escape_json(&buf, table->columns[list_nth_int(clause, CLAUSE_COLUMN) - 1].field);
			appendStringInfoChar(&buf, ']');
		}
		appendStringInfo(&buf, ",\"query\":%s}", words);
	}
	if (buf.len == 0)
		return NULL;
	appendStringInfoChar(&buf, ']');
	return buf.data;
}

/* ---- Integrated indexes ---- */

pg_noreturn static void
reject(const char *argument, const char *reason)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid argument \"%s\" of pinecone_search_reranked()", argument),
			 errdetail("%s", reason)));
}

/* The names of fields that a model is to look at; NIL: the text alone, or nobody knows yet. */
static List *
rank_fields(const PineconeValues *values, int number)
{
	List *names = NIL;
	Datum *elements;
	bool *nulls;
	int n;

	if (placeholder(values, number) || values->isnull[number])
		return NIL;
	deconstruct_array(DatumGetArrayTypeP(values->values[number]), TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			reject("rank_fields", psprintf("Element %d is NULL.", i + 1));
		names = lappend(names, TextDatumGetCString(elements[i]));
	}
	return names;
}

static List *
fields_to_rank(const PineconeTable *table, List *clause, const PineconeValues *values)
{
	List *names = rank_fields(values, list_nth_int(clause, CLAUSE_RANK_FIELDS));

	return names != NIL ? names : list_make1(table->columns[list_nth_int(clause, CLAUSE_COLUMN) - 1].field);
}

static char *
candidates_text(const PineconeValues *values, int number)
{
	int n;

	if (placeholder(values, number))
		return values->placeholders[number];
	n = DatumGetInt32(values->values[number]);
	if (n < 1 || n > PINECONE_MAX_TOP_K)
		reject("candidates", psprintf("It is %d, and has to be between 1 and %d.", n, PINECONE_MAX_TOP_K));
	return psprintf("%d", n);
}

/* How the matches are ranked anew; false when one of the arguments is NULL. */
static bool
describe_rerank(const PineconeTable *table, List *clause, const PineconeValues *values, PineconeSearch *search)
{
	List *fields = fields_to_rank(table, clause, values);
	StringInfoData buf;
	char *model;
	ListCell *lc;

	for (int i = CLAUSE_WORDS; i <= CLAUSE_RANK_FIELDS; i++)
	{
		if (!placeholder(values, list_nth_int(clause, i)) && values->isnull[list_nth_int(clause, i)])
			return false;
	}
	model = clause_words(values, list_nth_int(clause, CLAUSE_MODEL));
	if (model == NULL)
		reject("model", "It is empty.");
	initStringInfo(&buf);
	appendStringInfo(&buf, "\"model\":%s,\"rank_fields\":[", model);
	foreach(lc, fields)
	{
		if (lc != list_head(fields))
			appendStringInfoChar(&buf, ',');
		escape_json(&buf, lfirst(lc));
	}
	appendStringInfoChar(&buf, ']');
	search->rerank = buf.data;
	search->candidates = candidates_text(values, list_nth_int(clause, CLAUSE_CANDIDATES));
	return true;
}

const PineconeProjection *
pinecone_run_words_fields(PineconeScanState *state, const PineconeValues *values)
{
	PineconeProjection *fields = palloc0(sizeof(PineconeProjection));
	List *clause = linitial(state->request->clauses);
	ListCell *lc;

	/* where vectors are wanted, records are fetched by the ids that a search brings */
	foreach(lc, state->request->want_values ? NIL : state->request->wanted)
	{
		PineconeColumn *column = pinecone_option_column(state->table, lfirst_int(lc));

		if (column != NULL && column->role == PINECONE_ROLE_METADATA)
			return NULL;
		if (column != NULL && column->role == PINECONE_ROLE_FIELD)
			pinecone_schema_project(fields, column->field);
	}
	if (list_nth_int(clause, CLAUSE_KIND) == PINECONE_CLAUSE_RERANKED)
	{
		foreach(lc, fields_to_rank(state->table, clause, values))
			pinecone_schema_project(fields, lfirst(lc));
	}
	if (fields->n == 0)
		pinecone_schema_project(fields, NO_FIELD);
	return fields;
}

/* ---- Either ---- */

void
pinecone_run_words(const PineconeTable *table, const PineconeRequest *request,
				   const PineconeValues *values, PineconeSearch *search)
{
	List *clause = linitial(request->clauses);

	if (table->integrated == NULL)
	{
		search->clauses = document_clauses(table, request, values);
		return;
	}
	if (list_nth_int(clause, CLAUSE_KIND) == PINECONE_CLAUSE_RERANKED &&
		!describe_rerank(table, clause, values, search))
		return;
	search->clauses = clause_words(values, list_nth_int(clause, CLAUSE_WORDS));
}

bool
pinecone_run_words_fill(ForeignScanState *node, PineconeSourceSpec *spec)
{
	PineconeScanState *state = node->fdw_state;
	PineconeSearch search = {0};
	ListCell *lc;

	foreach(lc, state->request->clauses)
	{
		List *clause = lfirst(lc);

		for (int i = CLAUSE_WORDS; i < list_length(clause); i++)
			(void) pinecone_run_evaluate(node, list_nth_int(clause, i));
	}
	pinecone_run_words(state->table, state->request, &state->run->values, &search);
	spec->clauses = search.clauses;
	spec->rerank = search.rerank;
	spec->candidates = search.candidates ? atoi(search.candidates) : 0;
	if (spec->clauses != NULL && state->table->integrated != NULL)
		spec->fields = pinecone_run_words_fields(state, &state->run->values);
	return spec->clauses != NULL;
}
