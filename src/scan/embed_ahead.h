/*
 * embed_ahead.h
 *		A custom scan below expressions with pinecone_embed() in them, that has the
 *		texts of many rows embedded together.
 */
#ifndef PINECONE_EMBED_AHEAD_H
#define PINECONE_EMBED_AHEAD_H

#include "nodes/extensible.h"

#define PINECONE_EMBED_AHEAD_NAME "Pinecone Embed"

/* Rows are locked where they are read, or numbered: may they be, before they are asked for? */
typedef enum PineconeEmbedCare
{
	PINECONE_EMBED_FREELY, /* nobody notices, or all will be asked for */
	PINECONE_EMBED_BY_RUN, /* if the statement is run to its end */
	PINECONE_EMBED_ALONE   /* no */
} PineconeEmbedCare;

/*
 * Its plan: the child is the outer plan, custom_exprs are the calls (FuncExpr),
 * whose Vars are of the child's output, and custom_private is the number of rows
 * that will be asked for at most (a Float; 0: nobody knows), whether all of them will
 * be, and a PineconeEmbedCare (Integers).
 */
extern const CustomScanMethods pinecone_embed_ahead_methods;

#endif /* PINECONE_EMBED_AHEAD_H */
