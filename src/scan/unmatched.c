/*
 * unmatched.c
 *		A filter that no record meets may be one on a field that is spelled
 *		otherwise.
 *
 * Records that a scan reads are compared with its columns as they come, but then
 * none comes.  So one record is looked at, once a session for each table: that
 * is a list and a fetch of one id each.
 */
#include "postgres.h"

#include "base/setting.h"
#include "pending/pending.h"
#include "scan/run_values.h"
#include "scan/unmatched.h"
#include "value/lookalike.h"

/* Warn of a column that the record lacks. */
static void
compare_column(PineconeTable *table, const PineconeColumn *column, const PineconeFields *fields,
			   const char *id)
{
	for (int i = 0; i < fields->n; i++)
	{
		if (fields->fields[i].name != NULL && strcmp(fields->fields[i].name, column->field) == 0)
			return;
	}
	pinecone_lookalike_warn(table, column, fields, id);
}

static void
compare_columns(PineconeTable *table, Bitmapset *columns, const PineconeRecord *record)
{
	PineconeFields *fields = pinecone_vectors_metadata_fields(record);
	int attnum = -1;

	while ((attnum = bms_next_member(columns, attnum)) >= 0)
	{
		PineconeColumn *column = pinecone_option_column(table, attnum);

		if (column != NULL && column->role == PINECONE_ROLE_FIELD)
			compare_column(table, column, fields, record->id);
	}
}

void
pinecone_unmatched_look(ForeignScanState *node)
{
	PineconeScanState *state = node->fdw_state;
	PineconeRun *run = state->run;
	PineconeSourceSpec spec;
	PineconeSource *source;
	PineconeRecord *record;

	if (run->filter.kind != PINECONE_FILTER_JSON || run->nnamespaces == 0 ||
		(run->namespaces[0].records == 0 && state->request->op != PINECONE_OP_COUNT) ||
		run != &state->own_run || state->nasync > 0 ||
		state->no_wait || !pinecone_lookalike_is_new(state->table))
		return;
	pinecone_run_fill_spec(node, PINECONE_OP_LIST_FETCH, &spec);
	spec.namespace_ = pinecone_option_plain_namespace(run->namespaces[0].name);
	spec.filter = NULL;
	spec.pool = NULL;
	spec.row_limit = 1;
	spec.want_values = false;
	spec.want_metadata = true;
	spec.fields = NULL;
	source = pinecone_source_begin(&spec);
	if (pinecone_source_next(source, true, &record) == PINECONE_SOURCE_RECORD)
		compare_columns(state->table, pinecone_request_columns(state->request->filter), record);
	pinecone_source_end(source);
}
