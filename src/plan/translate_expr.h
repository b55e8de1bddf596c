/*
 * translate_expr.h
 *		Predicates on expressions, for the three translators: is it a value, which
 *		column is it, which comparison?
 */
#ifndef PINECONE_TRANSLATE_EXPR_H
#define PINECONE_TRANSLATE_EXPR_H

#include "plan/translate.h"

/* The expression below casts that keep every value they are given here. */
extern Node *pinecone_translate_strip_casts(Node *node);

/* The column of our table that a node is, casts that change nothing aside. */
extern PineconeColumn *pinecone_translate_column(PineconeTranslate *cxt, Node *node,
												 PineconeRole role);

/* Which comparison a built-in operator is; false when it is none. */
extern bool pinecone_translate_compare(Oid opno, PineconeCompare *compare);

/* The comparison with its sides exchanged. */
extern PineconeCompare pinecone_translate_commute(PineconeCompare compare);

/* Is equality by this collation that of the bytes? */
extern bool pinecone_translate_is_bytewise(Oid collation);

/* Is this function of our extension, by that name? */
extern bool pinecone_translate_is_own_function(Oid funcid, const char *name);

#endif /* PINECONE_TRANSLATE_EXPR_H */
