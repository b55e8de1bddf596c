/*
 * schema_table.h
 *		What the fields of a document index make of a foreign table that shows it.
 */
#ifndef PINECONE_SCHEMA_TABLE_H
#define PINECONE_SCHEMA_TABLE_H

#include "client/session.h"

/*
 * The table itself where the index has no schema and embeds no text, or nobody
 * knows yet; else a copy in the current memory context whose columns have the
 * roles that the fields of their names give them.  Raises an error when a column
 * cannot be of this index.
 */
extern PineconeTable *pinecone_schema_table(PineconeSession *session, PineconeTable *table);

/*
 * What a plan depends on: the hash of the schema that a session knows, 0 for none;
 * and of the text that an integrated index embeds, if the plan searches by words or
 * the table has a column for the text without saying which field that is.
 */
extern uint32 pinecone_schema_hash(const PineconeSession *session, const PineconeTable *table, bool words);

#endif /* PINECONE_SCHEMA_TABLE_H */
