/*
 * match.c
 *		$match_phrase, $match_all and $match_any.
 */
#include "match.h"

#include "bm25.h"

#include <stdlib.h>

uint32_t
match_count_tokens(const SchemaField *field, Str text)
{
	Tokens tokens = {0};
	uint32_t words;
	Analysis plain = {.language = field->analysis.language};

	analyze(&plain, text, &tokens);
	words = tokens.words;
	tokens_free(&tokens);
	return words;
}

/* Text without a word matches nothing. */
static Hits
find(const Namespace *ns, const TextField *f, MatchKind kind, const Tokens *tokens)
{
	Hits h = {0};

	if (kind == MATCH_PHRASE)
	{
		PhraseWord *words = mem_alloc(sizeof(PhraseWord) * tokens->count);

		for (uint32_t i = 0; i < tokens->count; i++)
			words[i] = (PhraseWord){token_text(tokens, i), tokens->tokens[i].position};
		h = rank_phrase(ns, f, words, (int) tokens->count, 0, false);
		free(words);
		return h;
	}
	for (uint32_t i = 0; i < tokens->count; i++)
	{
		Hits one = rank_term(ns, f, token_text(tokens, i));

		h = i == 0 ? one : kind == MATCH_ALL ? hits_intersect(h, one) :
											   hits_union(h, one);
	}
	return h;
}

uint64_t *
match_find(const Namespace *ns, const SchemaField *field, MatchKind kind, Str text, uint32_t *nordinals)
{
	Tokens tokens = {0};
	uint64_t *bits;
	Hits h;

	*nordinals = 0;
	if (!ns->texts)
		return NULL;
	analyze(&field->analysis, text, &tokens);
	h = find(ns, &ns->texts->fields[field->full_text], kind, &tokens);
	*nordinals = ns->texts->nordinals;
	bits = mem_zero(sizeof(uint64_t) * (*nordinals / 64 + 1));
	for (uint32_t i = 0; i < h.count; i++)
		bits[h.hits[i].ordinal / 64] |= (uint64_t) 1 << h.hits[i].ordinal % 64;
	hits_free(&h);
	tokens_free(&tokens);
	return bits;
}
