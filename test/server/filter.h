/*
 * filter.h
 *		From a filter's JSON, a tree that is checked once and matched many times.
 */
#ifndef FILTER_H
#define FILTER_H

#include "store.h"

/* Does $ne or $nin hold for a record that lacks the field? */
extern _Atomic bool filter_missing_matches;

typedef struct Filter Filter;

/*
 * Compile a filter; NULL with a message in the arena when it is not valid.  An
 * empty one gives a filter that everything matches.
 */
extern Filter *filter_compile(const JsonValue *json, Arena *arena, Str *message);
/* For documents: with $not and, when allow_match is set, $match_* */
extern Filter *filter_compile_documents(const JsonValue *json, const struct Schema *schema, bool allow_match, Arena *arena, Str *message);
/* Before it is used, under the lock: find what $match_* match. */
extern void filter_bind(Filter *filter, const Namespace *ns);
extern void filter_free(Filter *filter);
/* One more owner, who frees it as well */
extern Filter *filter_share(Filter *filter);
extern bool filter_is_empty(const Filter *filter);
extern bool filter_matches(const Filter *filter, const Metadata *metadata);
extern bool filter_matches_document(const Filter *filter, const Record *record);

static inline bool
record_matches(const Filter *filter, const Record *record)
{
	return record->document ? filter_matches_document(filter, record) : filter_matches(filter, record->metadata);
}

/* The first key that is not among those given, when there is one */
extern bool filter_uses_other_key(const Filter *filter, const uint32_t *keys, int nkeys, uint32_t *key);

#endif
