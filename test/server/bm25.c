/*
 * bm25.c
 *		BM25, and sets of scored documents to put together.
 *
 * Tantivy's formula, which the service's signs point to.  Counts are those of the
 * namespace's documents, whatever filter there is.
 */
#include "bm25.h"

#include "facts.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#define K1 1.2f
#define B 0.75f
#define MAX_EXPANSIONS 50

/* ---- Sets ---- */

static Hits
hits_new(uint32_t size)
{
	return (Hits){.hits = mem_alloc(sizeof(Hit) * size)};
}

void
hits_free(Hits *h)
{
	free(h->hits);
	*h = (Hits){0};
}

Hits
hits_union(Hits a, Hits b)
{
	Hits u;
	uint32_t i = 0, j = 0;

	if (a.count == 0 || b.count == 0)
	{
		hits_free(a.count == 0 ? &a : &b);
		return a.count == 0 ? b : a;
	}
	u = hits_new(a.count + b.count);
	while (i < a.count || j < b.count)
	{
		if (j == b.count || (i < a.count && a.hits[i].ordinal < b.hits[j].ordinal))
			u.hits[u.count++] = a.hits[i++];
		else if (i == a.count || b.hits[j].ordinal < a.hits[i].ordinal)
			u.hits[u.count++] = b.hits[j++];
		else
		{
			u.hits[u.count++] = (Hit){a.hits[i].ordinal, a.hits[i].score + b.hits[j].score};
			i++;
			j++;
		}
	}
	hits_free(&a);
	hits_free(&b);
	return u;
}

/* The first place from low on with an ordinal not less than this */
static uint32_t
hits_seek(const Hits *h, uint32_t low, uint32_t ordinal)
{
	uint32_t step = 1, high;

	while (low + step < h->count && h->hits[low + step].ordinal < ordinal)
		step *= 2;
	high = low + step < h->count ? low + step : h->count;
	while (low < high)
	{
		uint32_t middle = (low + high) / 2;

		if (h->hits[middle].ordinal < ordinal)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

Hits
hits_intersect(Hits a, Hits b)
{
	uint32_t kept = 0, at = 0;

	if (b.count < a.count)
	{
		Hits swap = a;

		a = b;
		b = swap;
	}
	for (uint32_t i = 0; i < a.count; i++)
	{
		at = hits_seek(&b, at, a.hits[i].ordinal);
		if (at == b.count)
			break;
		if (b.hits[at].ordinal == a.hits[i].ordinal)
			a.hits[kept++] = (Hit){a.hits[i].ordinal, a.hits[i].score + b.hits[at].score};
	}
	a.count = kept;
	hits_free(&b);
	return a;
}

Hits
hits_minus(Hits a, Hits b)
{
	uint32_t kept = 0, at = 0;

	for (uint32_t i = 0; i < a.count; i++)
	{
		at = hits_seek(&b, at, a.hits[i].ordinal);
		if (at == b.count || b.hits[at].ordinal != a.hits[i].ordinal)
			a.hits[kept++] = a.hits[i];
	}
	a.count = kept;
	hits_free(&b);
	return a;
}

Hits
hits_add_optional(Hits a, Hits b)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < a.count && at < b.count; i++)
	{
		at = hits_seek(&b, at, a.hits[i].ordinal);
		if (at < b.count && b.hits[at].ordinal == a.hits[i].ordinal)
			a.hits[i].score += b.hits[at].score;
	}
	hits_free(&b);
	return a;
}

void
hits_scale(Hits *h, float factor)
{
	for (uint32_t i = 0; i < h->count; i++)
		h->hits[i].score *= factor;
}

static bool
has_text(const Record *r)
{
	for (uint32_t i = 0; i < r->document->ntexts; i++)
	{
		if (r->document->texts[i].s)
			return true;
	}
	return false;
}

Hits
hits_of_all(const Namespace *ns)
{
	Hits h = hits_new(ns->count);
	bool with_text = fact(FACT_STAR);

	for (uint32_t i = 0; ns->texts && i < ns->texts->nordinals; i++)
	{
		const Record *r = ns->texts->records[i];

		if (r && (!with_text || has_text(r)))
			h.hits[h.count++] = (Hit){i, 1};
	}
	return h;
}

Hits
hits_of_terms(const Namespace *ns, const TextField *f, const uint32_t *terms, uint32_t count)
{
	uint32_t n = ns->texts->nordinals;
	uint64_t *bits = mem_zero(sizeof(uint64_t) * (n / 64 + 1));
	Hits h = hits_new(ns->count);

	for (uint32_t i = 0; i < count; i++)
	{
		const Term *t = &f->terms[terms[i]];

		for (uint32_t k = 0; k < t->count; k++)
			bits[t->ordinals[k] / 64] |= (uint64_t) 1 << t->ordinals[k] % 64;
	}
	for (uint32_t i = 0; i < n; i++)
	{
		if ((bits[i / 64] >> i % 64 & 1) && ns->texts->records[i])
			h.hits[h.count++] = (Hit){i, 1};
	}
	free(bits);
	return h;
}

/* ---- BM25 ---- */

static float
idf(const Namespace *ns, uint32_t documents)
{
	return logf(1.0f + ((float) ns->count - (float) documents + 0.5f) / ((float) documents + 0.5f));
}

/* What a byte can say of a length: exact up to 40, then eight steps of 2, of 4, ... */
static uint32_t
quantise(uint32_t length)
{
	uint32_t base = 40, step = 2;

	while (length >= base + 8 * step)
	{
		base += 8 * step;
		step *= 2;
	}
	return length <= 40 ? length : base + (length - base) / step * step;
}

/* tf / (tf + K) with K = fixed + per_token * length */
typedef struct Norm
{
	float fixed, per_token;
	const uint32_t *lengths;
	bool quantised;
} Norm;

static Norm
norm_of(const Namespace *ns, const TextField *f)
{
	float average = ns->count ? (float) f->total / (float) ns->count : 0;

	return (Norm){K1 * (1 - B), average > 0 ? K1 * B / average : 0, f->lengths, fact(FACT_FIELD_LENGTH)};
}

static inline float
score(const Norm *n, float weight, uint32_t ordinal, float frequency)
{
	uint32_t length = n->quantised ? quantise(n->lengths[ordinal]) : n->lengths[ordinal];

	return weight * frequency / (frequency + n->fixed + n->per_token * (float) (int32_t) length);
}

static float
weight_of(const Namespace *ns, const Term *t)
{
	return idf(ns, t->live) * (K1 + 1);
}

Hits
rank_term(const Namespace *ns, const TextField *f, Str text)
{
	const Term *t = texts_find(f, text);
	Norm norm = norm_of(ns, f);
	Hits h = {0};
	float weight;

	if (!t)
		return h;
	weight = weight_of(ns, t);
	h = hits_new(t->count);
	for (uint32_t i = 0; i < t->count; i++)
	{
		if (ns->texts->records[t->ordinals[i]])
			h.hits[h.count++] = (Hit){t->ordinals[i], score(&norm, weight, t->ordinals[i], (float) term_frequency(t, i))};
	}
	return h;
}

/* ---- Phrases ---- */

/* The positions of a word in a document, less those before it in the phrase */
typedef struct Places
{
	const Term *term;
	int offset;
	uint32_t at; /* among the term's documents */
	const uint16_t *positions;
	uint32_t count;
} Places;

/* Is there a position from low to high?  Not that one, if it is not negative. */
static bool
has_place(const Places *p, int low, int high, int except)
{
	uint32_t from = 0, to = p->count;

	low += p->offset;
	high += p->offset;
	while (from < to)
	{
		uint32_t middle = (from + to) / 2;

		if (p->positions[middle] < low)
			from = middle + 1;
		else
			to = middle;
	}
	while (from < p->count && p->positions[from] == except)
		from++;
	return from < p->count && p->positions[from] <= high;
}

static bool
all_have_place(const Places *places, int count, int low, int high, int first)
{
	for (int i = 1; i < count; i++)
	{
		/* The same word twice needs two places */
		if (!has_place(&places[i], low, high, places[i].term == places[0].term && places[i].offset != 0 ? first : -1))
			return false;
	}
	return true;
}

/* How often the phrase begins in the document that the places are of */
static uint32_t
count_phrase(const Places *places, int count, int slop)
{
	uint32_t found = 0;

	for (uint32_t i = 0; i < places[0].count; i++)
	{
		int first = places[0].positions[i];
		bool good = all_have_place(places, count, first, first + slop, first);

		/* A window that ends here or later begins with another word */
		for (int k = 1; k < count && slop > 0 && !good; k++)
		{
			for (uint32_t n = 0; n < places[k].count && !good; n++)
			{
				int start = places[k].positions[n] - places[k].offset;

				if (start < first && start >= first - slop)
					good = all_have_place(places, count, start, start + slop, first);
			}
		}
		found += good;
	}
	return found;
}

/* The first document from *at on that is not before this one */
static bool
seek(Places *p, uint32_t ordinal)
{
	const Term *t = p->term;
	uint32_t step = 1, low = p->at, high;

	while (low + step < t->count && t->ordinals[low + step] < ordinal)
		step *= 2;
	high = low + step < t->count ? low + step : t->count;
	while (low < high)
	{
		uint32_t middle = (low + high) / 2;

		if (t->ordinals[middle] < ordinal)
			low = middle + 1;
		else
			high = middle;
	}
	p->at = low;
	return low < t->count && t->ordinals[low] == ordinal;
}

/* Documents that have the phrase, with how often as the score */
static Hits
find_phrase(const Namespace *ns, const TextField *f, const PhraseWord *words, int count, int slop)
{
	Places *places = mem_alloc(sizeof(Places) * (size_t) count);
	const Term *rarest = NULL;
	Hits h = {0};

	for (int i = 0; i < count; i++)
	{
		places[i] = (Places){.term = texts_find(f, words[i].text), .offset = (int) (words[i].position - words[0].position)};
		if (!places[i].term)
		{
			free(places);
			return h;
		}
		if (!rarest || places[i].term->count < rarest->count)
			rarest = places[i].term;
	}
	h = hits_new(rarest ? rarest->count : 0);
	for (uint32_t n = 0; rarest && n < rarest->count; n++)
	{
		uint32_t ordinal = rarest->ordinals[n], frequency;
		bool all = ns->texts->records[ordinal] != NULL;

		for (int i = 0; i < count && all; i++)
		{
			all = seek(&places[i], ordinal);
			if (!all)
				break;
			places[i].positions = places[i].term->positions + term_start(places[i].term, places[i].at);
			places[i].count = term_frequency(places[i].term, places[i].at);
		}
		if (all && (frequency = count_phrase(places, count, slop)))
			h.hits[h.count++] = (Hit){ordinal, (float) frequency};
	}
	free(places);
	return h;
}


static int
compare_texts(const void *a, const void *b)
{
	return str_compare(*(const Str *) a, *(const Str *) b);
}

/* Terms that begin so, the first ones in order; returns how many. */
static int
expand(const TextField *f, Str prefix, Str *expansions)
{
	Str *all = mem_alloc(sizeof(Str) * (f->nterms + 1));
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->nterms; i++)
	{
		Str text = f->terms[i].text;

		if (f->terms[i].live && text.len >= prefix.len && memcmp(text.s, prefix.s, prefix.len) == 0)
			all[n++] = text;
	}
	qsort(all, n, sizeof(Str), compare_texts);
	if (n > MAX_EXPANSIONS)
		n = MAX_EXPANSIONS;
	memcpy(expansions, all, sizeof(Str) * n);
	free(all);
	return (int) n;
}

Hits
rank_phrase(const Namespace *ns, const TextField *f, const PhraseWord *words, int count, int slop, bool prefix)
{
	Norm norm = norm_of(ns, f);
	float weight = 0;
	Hits h = {0};

	if (!prefix)
		h = find_phrase(ns, f, words, count, slop);
	else if (count > 0)
	{
		PhraseWord *copy = mem_copy(words, sizeof(PhraseWord) * (size_t) count);
		Str expansions[MAX_EXPANSIONS];
		int n = expand(f, words[count - 1].text, expansions);

		for (int i = 0; i < n; i++)
		{
			copy[count - 1].text = expansions[i];
			h = hits_union(h, find_phrase(ns, f, copy, count, slop));
		}
		free(copy);
	}
	for (int i = 0; h.count && i < count - prefix; i++)
		weight += idf(ns, texts_find(f, words[i].text)->live);
	for (uint32_t i = 0; i < h.count; i++)
		h.hits[i].score = score(&norm, weight * (K1 + 1), h.hits[i].ordinal, h.hits[i].score);
	return h;
}

/* ---- Words of a text ---- */

/* A word of a query in one of the fields */
typedef struct QueryTerm
{
	const TextField *field;
	const Term *term;
} QueryTerm;

typedef struct QueryTerms
{
	QueryTerm *terms;
	uint32_t count;
	uint64_t postings;
} QueryTerms;

static void
add_query_terms(const Namespace *ns, const TextClause *clause, QueryTerms *q)
{
	Tokens tokens = {0};

	for (int i = 0; i < clause->nfields; i++)
	{
		const TextField *f = &ns->texts->fields[clause->fields[i]->full_text];

		analyze(&clause->fields[i]->analysis, clause->query, &tokens);
		q->terms = mem_resize(q->terms, sizeof(QueryTerm) * (q->count + tokens.count));
		for (uint32_t n = 0; n < tokens.count; n++)
		{
			const Term *t = texts_find(f, token_text(&tokens, n));

			if (!t || t->count == 0)
				continue;
			q->terms[q->count++] = (QueryTerm){f, t};
			q->postings += t->count;
		}
	}
	tokens_free(&tokens);
}

/* Two halves, so that many words cost no more than their logarithm */
static Hits
sum_of_terms(const Namespace *ns, const QueryTerm *terms, uint32_t count)
{
	if (count == 0)
		return (Hits){0};
	if (count == 1)
		return rank_term(ns, terms[0].field, terms[0].term->text);
	return hits_union(sum_of_terms(ns, terms, count / 2), sum_of_terms(ns, terms + count / 2, count - count / 2));
}

static void
consider(const Namespace *ns, const Filter *filter, int top_k, Heap *heap, uint32_t ordinal, float score)
{
	Record *r = ns->texts->records[ordinal];

	if (r && (!filter || filter_matches_document(filter, r)))
		heap_add(heap, top_k, (Match){score, r});
}

/* A score for each document, all 0 between searches; of this thread. */
static float *
score_row(uint32_t n)
{
	Buffer *b = thread_buffer(THREAD_BUFFER_SCORES);

	if (b->len < sizeof(float) * n)
	{
		buffer_reserve(b, sizeof(float) * n - b->len);
		memset(b->data + b->len, 0, sizeof(float) * n - b->len);
		b->len = sizeof(float) * n;
	}
	return (float *) b->data;
}

/* Take the score of a document out of the row, the first time that it is met. */
static inline void
harvest(const Namespace *ns, const Filter *filter, int top_k, Heap *heap, float *scores, uint32_t ordinal, float *worst)
{
	float score = scores[ordinal];

	scores[ordinal] = 0;
	if (score < *worst)
		return;
	consider(ns, filter, top_k, heap, ordinal, score);
	if (heap->count == top_k)
		*worst = heap->matches[0].rank;
}

/* Twice over all postings, to add up and to collect; all scores are above 0. */
static void
search_rows(const Namespace *ns, const QueryTerms *q, const Hits *more, const Filter *filter, int top_k, Heap *heap)
{
	float *scores = score_row(ns->texts->nordinals), worst = FLT_MIN;

	for (uint32_t i = 0; i < q->count; i++)
	{
		const Term *t = q->terms[i].term;
		Norm norm = norm_of(ns, q->terms[i].field);
		float weight = weight_of(ns, t);
		uint32_t start = 0;

		for (uint32_t k = 0; k < t->count; k++)
		{
			scores[t->ordinals[k]] += score(&norm, weight, t->ordinals[k], (float) (int32_t) (t->ends[k] - start));
			start = t->ends[k];
		}
	}
	for (uint32_t i = 0; i < more->count; i++)
		scores[more->hits[i].ordinal] += more->hits[i].score;
	for (uint32_t i = 0; i < q->count; i++)
	{
		const Term *t = q->terms[i].term;

		for (uint32_t k = 0; k < t->count; k++)
			harvest(ns, filter, top_k, heap, scores, t->ordinals[k], &worst);
	}
	for (uint32_t i = 0; i < more->count; i++)
		harvest(ns, filter, top_k, heap, scores, more->hits[i].ordinal, &worst);
}

int
rank_search(const Namespace *ns, const TextClause *clauses, int nclauses, Hits more, const Filter *filter, int top_k, Match **matches)
{
	QueryTerms q = {0};
	Heap heap = {0};
	bool zeros = false;

	*matches = NULL;
	if (!ns->texts)
	{
		hits_free(&more);
		return 0;
	}
	for (int i = 0; i < nclauses; i++)
		add_query_terms(ns, &clauses[i], &q);
	/* What was boosted by 0 matches nevertheless */
	for (uint32_t i = 0; i < more.count && !zeros; i++)
		zeros = more.hits[i].score <= 0;
	heap.matches = mem_alloc(sizeof(Match) * (size_t) ((uint32_t) top_k < ns->count ? (uint32_t) top_k : ns->count + 1));
	/* Few are merged faster than looked up in a row */
	if (!zeros && q.postings > ns->texts->nordinals / 32)
		search_rows(ns, &q, &more, filter, top_k, &heap);
	else
	{
		more = hits_union(more, sum_of_terms(ns, q.terms, q.count));
		for (uint32_t i = 0; i < more.count; i++)
			consider(ns, filter, top_k, &heap, more.hits[i].ordinal, more.hits[i].score);
	}
	free(q.terms);
	hits_free(&more);
	matches_sort(heap.matches, heap.count);
	*matches = heap.matches;
	return heap.count;
}
