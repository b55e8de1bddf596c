/*
 * per_statement.h
 *		What a file keeps of each statement under way, found by the statement's memory,
 *		with which it goes.
 */
#ifndef PINECONE_PER_STATEMENT_H
#define PINECONE_PER_STATEMENT_H

#include "lib/ilist.h"

/* The first field of what is kept. */
typedef struct PineconePerStatement
{
	dlist_node node; /* in the file's list of all statements' */
	MemoryContext cxt;
	MemoryContextCallback cleanup;
} PineconePerStatement;

/* That of the statement whose memory this is; NULL: there is none. */
extern void *pinecone_per_statement_find(dlist_head *all, MemoryContext statement_cxt);

/* The same, made if there is none: so many bytes, of which what follows the first field is zero. */
extern void *pinecone_per_statement_of(dlist_head *all, MemoryContext statement_cxt, Size size);

#endif /* PINECONE_PER_STATEMENT_H */
