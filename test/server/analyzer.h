/*
 * analyzer.h
 *		Texts into tokens.
 */
#ifndef ANALYZER_H
#define ANALYZER_H

#include "util.h"

#include <locale.h>

#define MAX_GRAM 10
#define MAX_TOKENS 10000	/* of a text */
#define MAX_TOKEN_BYTES 256 /* before anything is cut */
#define MAX_TOKEN_CHARS 40

typedef struct Language
{
	const char *code, *name;
} Language;

typedef struct Analysis
{
	const Language *language;
	bool stemming, stop_words;
	int min_gram, max_gram; /* 0: whole words */
	bool prefix_only;
} Analysis;

typedef struct Token
{
	uint32_t offset, len; /* of the text */
	uint32_t position;
} Token;

/* Made again for each text */
typedef struct Tokens
{
	Buffer text;
	Token *tokens;
	uint32_t count, size;
	uint32_t words;	  /* before any were dropped or cut into pieces */
	uint32_t longest; /* bytes of the longest of them */
} Tokens;

extern const Language *language_find(Str name);
/* Has the language a list of stop words? */
extern bool language_has_stop_words(const Language *language);

extern void analyze(const Analysis *analysis, Str text, Tokens *tokens);
extern void tokens_free(Tokens *tokens);
extern void analyzer_end(void);

static inline Str
token_text(const Tokens *tokens, uint32_t n)
{
	return (Str){tokens->text.data + tokens->tokens[n].offset, tokens->tokens[n].len};
}

/* For <regex.h> and <wctype.h>: characters of UTF-8; (locale_t) 0 if there is none */
extern locale_t analyzer_locale(void);

/* How many characters a UTF-8 text has */
extern uint32_t utf8_count(Str text);

/* stopwords.c: NULL when there is none; words between spaces */
extern const char *stop_words_of(const char *code);

#endif
