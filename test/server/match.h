/*
 * match.h
 *		From a text filter's words, a test of documents.
 */
#ifndef MATCH_H
#define MATCH_H

#include "schema.h"

#define MAX_MATCH_TOKENS 128

typedef enum MatchKind
{
	MATCH_PHRASE,
	MATCH_ALL,
	MATCH_ANY,
} MatchKind;

extern uint32_t match_count_tokens(const SchemaField *field, Str text);
/* A bit for each ordinal of the namespace's texts; malloc'ed, NULL for none */
extern uint64_t *match_find(const Namespace *ns, const SchemaField *field, MatchKind kind, Str text, uint32_t *nordinals);

#endif
