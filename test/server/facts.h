/*
 * facts.h
 *		Asked which reading of the API holds, where its documentation leaves that
 *		open.
 */
#ifndef FACTS_H
#define FACTS_H

#include "util.h"

typedef enum Fact
{
	FACT_OLD_VERSIONS,
	FACT_DOCUMENT_VERSION,
	FACT_DOCUMENT_STATS,
	FACT_SPARSE_METRIC,
	FACT_CONVERSION,
	FACT_BACKUP,
	FACT_ZERO_VECTOR,
	FACT_NULL_FIELD,
	FACT_LAST_FIELD,
	FACT_SCHEMA_UPDATE,
	FACT_MATCH_CAP,
	FACT_MATCHED_RECORDS,
	FACT_DELETE_ALL_ABSENT,
	FACT_DOCUMENT_LSN,
	FACT_FOREIGN_TOKEN,
	FACT_RESULT_LIMIT,
	FACT_UNKNOWN_FIELD,
	FACT_DENSE_ONLY,
	FACT_TIES,
	FACT_EUCLIDEAN_SCORE,
	FACT_TEXT_FILTER,
	FACT_FETCH_MATCH,
	FACT_NOT_MISSING,
	FACT_LONG_TOKEN,
	FACT_STOP_WORDS,
	FACT_FIELD_LENGTH,
	FACT_PURE_NEGATION,
	FACT_STAR,
	FACTS,
} Fact;

/* Which of its values a fact has; the first one unless somebody said otherwise */
extern _Atomic int fact_values[FACTS];

static inline int
fact(Fact which)
{
	return fact_values[which];
}

/* The first of the names is the default.  False: there is no such fact or value. */
extern bool fact_set(Str name, Str value, bool set);
/* {"name": "value", ...} */
extern void fact_write(Buffer *b);
/* For --help */
extern void fact_help(void);

#endif
