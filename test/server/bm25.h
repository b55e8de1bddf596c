/*
 * bm25.h
 *		Scores documents by words, and merges what several clauses found.
 */
#ifndef BM25_H
#define BM25_H

#include "heap.h"
#include "texts.h"

typedef struct Hit
{
	uint32_t ordinal;
	float score;
} Hit;

/* In order of ordinals; malloc'ed.  Functions that put them together free what they get. */
typedef struct Hits
{
	Hit *hits;
	uint32_t count;
} Hits;

/* A word of a phrase, and where it stands in it */
typedef struct PhraseWord
{
	Str text;
	uint32_t position;
} PhraseWord;

extern Hits hits_union(Hits a, Hits b); /* scores are added */
extern Hits hits_intersect(Hits a, Hits b);
extern Hits hits_minus(Hits a, Hits b);
/* All of a, with what b adds to their scores */
extern Hits hits_add_optional(Hits a, Hits b);
extern void hits_scale(Hits *hits, float factor);
extern void hits_free(Hits *hits);

/* Every document, and those that have one of some terms: all score 1 */
extern Hits hits_of_all(const Namespace *ns);
extern Hits hits_of_terms(const Namespace *ns, const TextField *field, const uint32_t *terms, uint32_t count);

extern Hits rank_term(const Namespace *ns, const TextField *field, Str term);
/*
 * Documents that have the words at these distances, or within slop of them; with
 * prefix set the last word stands for the first fifty that begin so.
 */
extern Hits rank_phrase(const Namespace *ns, const TextField *field, const PhraseWord *words, int count, int slop, bool prefix);

/* A ranking by words: their sum over texts and fields */
typedef struct TextClause
{
	const SchemaField **fields;
	int nfields;
	Str query;
} TextClause;

/*
 * The best of the clauses' sum and of other hits, which are freed; matches as those of knn.h.
 */
extern int rank_search(const Namespace *ns, const TextClause *clauses, int nclauses, Hits more, const Filter *filter, int top_k, Match **matches);

#endif
