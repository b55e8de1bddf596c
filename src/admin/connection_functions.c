/*
 * connection_functions.c
 *		The backend's connections from SQL: list, close.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "admin/rows.h"
#include "client/connections.h"

PG_FUNCTION_INFO_V1(pinecone_connections);
PG_FUNCTION_INFO_V1(pinecone_close_connections);

static ArrayType *
array_of_names(List *names)
{
	Datum *texts = palloc((list_length(names) + 1) * sizeof(Datum));
	ListCell *lc;
	int n = 0;

	foreach(lc, names)
		texts[n++] = CStringGetTextDatum(lfirst(lc));
	return construct_array(texts, n, TEXTOID, -1, false, TYPALIGN_INT);
}

Datum
pinecone_connections(PG_FUNCTION_ARGS)
{
	PineconeRows rows;
	ListCell *lc;

	pinecone_rows_begin(&rows, fcinfo);
	foreach(lc, pinecone_connections_list())
	{
		const PineconeConnection *connection = lfirst(lc);

		pinecone_row_text(&rows, connection->address);
		pinecone_row_int(&rows, connection->port, true);
		pinecone_row_bool(&rows, connection->in_use);
		pinecone_row_put(&rows, PointerGetDatum(array_of_names(connection->servers)), false);
		pinecone_row_end(&rows);
	}
	return (Datum) 0;
}

Datum
pinecone_close_connections(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(pinecone_connections_close());
}
