/*
 * knn.h
 *		The best matches of a query in a namespace, as many as are asked for.
 */
#ifndef KNN_H
#define KNN_H

#include "filter.h"
#include "store.h"

typedef struct Search
{
	const Index *index;
	const Namespace *ns;
	const float *vector;  /* or NULL */
	const Sparse *sparse; /* or NULL */
	const Filter *filter; /* or NULL */
	int top_k;
} Search;

typedef struct Match
{
	float rank; /* higher is better; the score but for its sign */
	Record *record;
} Match;

/*
 * The best matches, best first, equal ones by id; under a lock.  The result is
 * malloc'ed.
 */
extern int knn_search(const Search *search, Match **matches);
extern float knn_score(const Index *index, const Match *match);
/* Is this much work, for a thread of the pool? */
extern bool knn_is_long(const Search *search);
/* Rows that match, likewise on several threads */
extern uint32_t knn_count(const Namespace *ns, const Filter *filter);

#endif
