/*
 * texts.h
 *		The texts of a namespace by their words: an inverted index.
 *
 * Documents are numbered in the order they come; one that changes gets another
 * number.  What is under a number that nobody has any more is passed over, until
 * there is so much of it that it is swept out.
 */
#ifndef TEXTS_H
#define TEXTS_H

#include "document.h"

typedef struct Term
{
	Str text;
	uint32_t live;	  /* documents that have it now */
	uint64_t removal; /* the last one that it was in */
	/* Documents, ascending; for each where its positions end */
	uint32_t count, size;
	uint32_t *ordinals;
	uint32_t *ends;
	uint16_t *positions;
	uint32_t positions_size;
} Term;

typedef struct TextField
{
	const SchemaField *field;
	Term *terms;
	uint32_t nterms, terms_size;
	uint32_t *slots; /* number + 1, by hash */
	uint32_t nslots;
	uint32_t *lengths; /* in tokens, by ordinal */
	uint64_t total;	   /* of all lengths */
} TextField;

typedef struct Texts
{
	TextField *fields; /* by the number among those that are searched */
	int nfields;
	Record **records; /* by ordinal; NULL: nobody has it */
	uint32_t nordinals, size;
	uint32_t dead;
	uint64_t removals;
} Texts;

/* A record comes in, or goes; nothing happens to those of other indexes. */
extern void texts_add(Index *index, Namespace *ns, Record *record);
extern void texts_remove(Index *index, Namespace *ns, Record *record);
extern void texts_free(Namespace *ns);

extern const Term *texts_find(const TextField *field, Str text);

static inline uint32_t
term_start(const Term *t, uint32_t n)
{
	return n ? t->ends[n - 1] : 0;
}

static inline uint32_t
term_frequency(const Term *t, uint32_t n)
{
	return t->ends[n] - term_start(t, n);
}

#endif
