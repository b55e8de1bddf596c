/*
 * local_match.c
 *		Does a filter hold?  As pinecone-local sees it.
 */
#include "local_match.h"

#include <stdlib.h>

#include "../server/filter.h"
#include "../server/match.h"

static int
match_metadata(const char *filter, const Metadata *metadata, Arena *arena)
{
	const char *error = NULL;
	Str message = {0};
	JsonValue *json = json_parse(str_of(filter), arena, &error);
	Filter *compiled = json ? filter_compile(json, arena, &message) : NULL;
	int result = compiled ? filter_matches(compiled, metadata) : -1;

	filter_free(compiled);
	return result;
}

int
local_match(const char *filter, const char *metadata)
{
	Arena arena = {0};
	Str message = {0};
	Metadata *read = NULL;
	JsonReader reader = json_reader(str_of(metadata), &arena);
	int result = LOCAL_MATCH_NO_METADATA;

	if (json_peek(&reader) == '{' && metadata_read(&reader, &read, &message) && json_finish(&reader))
		result = match_metadata(filter, read, &arena);
	free(read);
	arena_free(&arena);
	return result;
}

/* ---- Of documents, which there are none of here ---- */

uint32_t
match_count_tokens(const SchemaField *field, Str text)
{
	(void) field;
	(void) text;
	abort();
}

uint64_t *
match_find(const Namespace *ns, const SchemaField *field, MatchKind kind, Str text, uint32_t *nordinals)
{
	(void) ns;
	(void) field;
	(void) kind;
	(void) text;
	(void) nordinals;
	abort();
}

const SchemaField *
schema_find(const Schema *schema, uint32_t key)
{
	(void) schema;
	(void) key;
	return NULL;
}

const SchemaField *
schema_find_name(const Schema *schema, Str name)
{
	(void) schema;
	(void) name;
	return NULL;
}
