/*
 * lookalike.h
 *		Shown records as they are read, it warns of columns that miss them.
 */
#ifndef PINECONE_LOOKALIKE_H
#define PINECONE_LOOKALIKE_H

#include "option/option_list.h"
#include "wire/record.h"

/*
 * A record lacks a column's field.  If it has one that is spelled alike but for
 * case and underscores, and no column is for that, say so: once a session.
 */
extern void pinecone_lookalike_warn(const PineconeTable *table, const PineconeColumn *column,
									const PineconeFields *fields, const char *id);

/* Has this table not been asked about before in this session?  It has now. */
extern bool pinecone_lookalike_is_new(const PineconeTable *table);

#endif /* PINECONE_LOOKALIKE_H */
