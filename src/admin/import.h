/*
 * import.h
 *		The callback of IMPORT FOREIGN SCHEMA: CREATE FOREIGN TABLE statements.
 */
#ifndef PINECONE_IMPORT_H
#define PINECONE_IMPORT_H

#include "nodes/parsenodes.h"

extern List *pineconeImportForeignSchema(ImportForeignSchemaStmt *stmt, Oid serverid);

#endif /* PINECONE_IMPORT_H */
