/*
 * embed_ahead.h
 *		A custom scan below expressions with pinecone_embed() in them, that has the
 *		texts of many rows embedded together.
 */
#ifndef PINECONE_EMBED_AHEAD_H
#define PINECONE_EMBED_AHEAD_H

#include "nodes/extensible.h"

#define PINECONE_EMBED_AHEAD_NAME "Pinecone Embed"

/*
 * Its plan: the child is the outer plan, custom_exprs are the calls (FuncExpr),
 * whose Vars are of the child's output, and custom_private is the number of rows
 * that will be asked for at most (a Float; 0: nobody knows).
 */
extern const CustomScanMethods pinecone_embed_ahead_methods;

#endif /* PINECONE_EMBED_AHEAD_H */
