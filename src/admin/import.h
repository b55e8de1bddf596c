/*
 * import.h
 *		IMPORT FOREIGN SCHEMA: a foreign table for each namespace.
 */
#ifndef PINECONE_IMPORT_H
#define PINECONE_IMPORT_H

#include "nodes/parsenodes.h"

extern List *pineconeImportForeignSchema(ImportForeignSchemaStmt *stmt, Oid serverid);

#endif /* PINECONE_IMPORT_H */
