/*
 * schema_table.c
 *		A foreign table as the schema of its index makes it.
 *
 * A column is of the field that has its name, or that option "field" names.  What
 * that is, the schema tells: words, a dense or a sparse vector; and what the
 * schema does not have is metadata.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "client/schema_table.h"
#include "client/vectors.h"
#include "option/column_type.h"
#include "wire/schema.h"

uint32
pinecone_schema_hash(const PineconeSession *session, const PineconeTable *table, bool words)
{
	if (session->schema != NULL)
		return session->schema->hash;
	if (session->integrated == NULL)
		return 0;
	return words || (table->text_attnum != 0 && !table->text_key_given) ? session->integrated->hash : 0;
}

/* The column says that it holds vectors of a kind: which field of the schema is it? */
static void
bind_vector(const PineconeTable *table, PineconeColumn *column, const PineconeSchemaField *field,
			const char *kind)
{
	if (field == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_COLUMN_NAME_NOT_FOUND),
				 errmsg("the index of foreign table \"%s\" has no field of %s vectors", table->name, kind),
				 errdetail("Column \"%s\" is one for such vectors.", column->name),
				 errhint("Drop the column, or see with IMPORT FOREIGN SCHEMA which fields there are.")));
	/* a role without a field means the only one there is */
	if (strcmp(column->field, field->name) != 0 && (column->field_given || !column->role_given))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_COLUMN_NAME_NOT_FOUND),
				 errmsg("the index of foreign table \"%s\" has no field \"%s\" of %s vectors",
						table->name, column->field, kind),
				 errdetail("Its field of such vectors is \"%s\".", field->name),
				 errhint("Set option \"field\" of column \"%s\" to '%s'.", column->name, field->name)));
	column->field = field->name;
	column->declared = true;
}

static bool
can_be_sparse(Oid typid)
{
	typid = getBaseType(typid);
	return typid == JSONBOID ||
		   (OidIsValid(typid) && typid == pinecone_column_type_of_pgvector("sparsevec"));
}

static void
bind_field(PineconeTable *table, PineconeColumn *column)
{
	const PineconeSchema *schema = table->schema;
	const PineconeSchemaField *field = pinecone_schema_field(schema, column->field);

	column->declared = pinecone_schema_reserves(schema, column->field);
	if (field == NULL || field->kind == PINECONE_SCHEMA_TEXT)
		return;
	if (field->kind == PINECONE_SCHEMA_SPARSE && can_be_sparse(column->typid))
	{
		column->role = PINECONE_ROLE_SPARSE_VALUES;
		if (table->sparse_attnum != 0)
			ereport(ERROR,
					(errcode(ERRCODE_FDW_INVALID_COLUMN_NUMBER),
					 errmsg("columns \"%s\" and \"%s\" of foreign table \"%s\" have the same role",
							table->columns[table->sparse_attnum - 1].name, column->name, table->name)));
		table->sparse_attnum = column->attnum;
		return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
			 errmsg("column \"%s\" of foreign table \"%s\" cannot have type %s", column->name,
					table->name, format_type_with_typemod(column->typid, column->typmod)),
			 field->kind == PINECONE_SCHEMA_DENSE ?
				 errdetail("Field \"%s\" of its index has dense vectors: the column can be real[] or vector.", field->name) :
				 errdetail("Field \"%s\" of its index has sparse vectors: the column can be jsonb or sparsevec.", field->name)));
}

/*
 * Where a dense vector is all that is declared, searches and filters have been
 * seen to answer with success and nothing: ids and fetches alone show what there
 * is.  A search for one document tells, once a session.
 */
static bool
finds_nothing(PineconeSession *session)
{
	const PineconeSchema *schema = session->schema;
	PineconeSearch search = {.top_k = 1};
	double most = 0;
	float *vector;
	PineconeCall *call;

	if (schema->texts || schema->sparse != NULL || schema->embeds || session->documents_found)
		return false;
	if (session->documents_probed || session->stats == NULL || session->base_url == NULL ||
		session->stats_location != session->location)
		return true;
	for (int i = 0; i < session->stats->nnamespaces; i++)
	{
		if (session->stats->namespaces[i].records > most)
		{
			most = session->stats->namespaces[i].records;
			search.namespace_ = session->stats->namespaces[i].name;
		}
	}
	if (most == 0)
		return true;
	session->documents_probed = true;
	vector = palloc0(schema->dense->dimension * sizeof(float));
	vector[0] = 1;
	search.values = vector;
	search.nvalues = schema->dense->dimension;
	call = pinecone_vectors_query(session, NULL, &search);
	pinecone_vectors_wait(call);
	if (pinecone_vectors_failure(call) == PINECONE_FAILURE_NONE)
		session->documents_found = pinecone_vectors_page(call)->nrecords > 0;
	pinecone_vectors_free(call);
	return !session->documents_found;
}

/* Of an index of vectors, with a model behind one field of the metadata */
static PineconeTable *
integrated_table(PineconeSession *session, const PineconeTable *table)
{
	PineconeTable *copy = palloc(sizeof(PineconeTable));

	*copy = *table;
	copy->integrated = pinecone_schema_copy(session->integrated);
	copy->columns = palloc(Max(table->ncolumns, 1) * sizeof(PineconeColumn));
	memcpy(copy->columns, table->columns, table->ncolumns * sizeof(PineconeColumn));
	for (int i = 0; i < copy->ncolumns; i++)
	{
		PineconeColumn *column = &copy->columns[i];

		/* what is embedded is what is meant, unless the options say otherwise */
		if (column->is_text && !copy->text_key_given)
			column->field = copy->text_field = copy->integrated->fields[0].name;
		column->embedded = column->role == PINECONE_ROLE_FIELD &&
						   strcmp(column->field, copy->integrated->fields[0].name) == 0;
	}
	return copy;
}

PineconeTable *
pinecone_schema_table(PineconeSession *session, PineconeTable *table)
{
	PineconeSchema *schema;
	PineconeTable *copy;

	if (session != NULL && session->integrated != NULL)
		return integrated_table(session, table);
	if (session == NULL || session->schema == NULL)
		return table;
	/* the session's may be replaced */
	schema = pinecone_schema_copy(session->schema);
	copy = palloc(sizeof(PineconeTable));
	*copy = *table;
	copy->schema = schema;
	copy->filters_doubted = finds_nothing(session);
	copy->columns = palloc(Max(table->ncolumns, 1) * sizeof(PineconeColumn));
	memcpy(copy->columns, table->columns, table->ncolumns * sizeof(PineconeColumn));
	for (int i = 0; i < copy->ncolumns; i++)
	{
		PineconeColumn *column = &copy->columns[i];

		switch (column->role)
		{
			case PINECONE_ROLE_VALUES:
				bind_vector(copy, column, schema->dense, "dense");
				break;
			case PINECONE_ROLE_SPARSE_VALUES:
				bind_vector(copy, column, schema->sparse, "sparse");
				break;
			case PINECONE_ROLE_FIELD:
				bind_field(copy, column);
				break;
			default:
				break;
		}
	}
	return copy;
}
