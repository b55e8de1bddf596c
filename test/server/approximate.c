/*
 * approximate.c
 *		Leaves out matches of an exact search, and lets others change places.
 *
 * What is missing, and how, is decided by the seed, topK and the record, so that
 * the same request has the same answer, and one for more another.
 */
#include "approximate.h"

#include <math.h>

/* In a thousand matches so many are missing, and so many of the last fifth */
#define MISSING 60
#define MISSING_LAST 250

/* Matches change places when their ranks differ by less than this share */
#define ABOUT_EQUAL 0.01f

typedef struct Chance
{
	int seed, top_k;
	uint64_t id;
} Chance;

static uint64_t
chance(int seed, int top_k, Str id)
{
	Chance c = {seed, top_k, hash_bytes(id.s, id.len)};
	uint64_t h = hash_bytes(&c, sizeof(c));

	/* the lowest bits depend on little */
	return (h ^ h >> 29) * 0xbf58476d1ce4e5b9u >> 33;
}

static bool
is_missing(const Search *s, int seed, const Match *match, int place)
{
	uint64_t missing = place >= s->top_k - s->top_k / 5 ? MISSING_LAST : MISSING;

	return chance(seed, s->top_k, match->record->id) % 1000 < missing;
}

int
approximate_search(const Search *search, int seed, Match **matches)
{
	Search wider = *search;
	/* half of the answers are as long as an exact one, as far as there are others */
	bool fill = chance(seed, search->top_k, STR("")) % 2 == 0;
	int n, kept = 0;

	if (fill)
		wider.top_k += wider.top_k / 2 + 2;
	n = knn_search(&wider, matches);
	for (int i = 0; i < n && kept < search->top_k; i++)
	{
		if (!is_missing(search, seed, &(*matches)[i], i))
			(*matches)[kept++] = (*matches)[i];
	}
	for (int i = 1; i < kept; i++)
	{
		Match *a = &(*matches)[i - 1], *b = &(*matches)[i], swapped = *a;

		if (fabsf(a->rank - b->rank) > ABOUT_EQUAL * (fabsf(a->rank) + fabsf(b->rank)) ||
			chance(seed + 1, search->top_k, b->record->id) % 3 > 0)
			continue;
		*a = *b;
		*b = swapped;
	}
	return kept;
}
