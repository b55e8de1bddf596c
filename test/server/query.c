/*
 * query.c
 *		Clauses of type query_string: a part of Lucene's language.
 *
 *		expression = { ["OR"] conjunction }
 *		conjunction = unary { "AND" unary }
 *		unary = ["+" | "-" | "NOT"] primary
 *		primary = [name ":"] ( "(" expression ")" | phrase | /regex/ | word | "*" ) [boost]
 */
#include "query.h"

#include "facts.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_DEPTH 64
#define MAX_SLOP 1000
#define MAX_REGEX 256
#define MAX_REPEATS 1000

typedef enum NodeKind
{
	NODE_WORDS,
	NODE_REGEX,
	NODE_ALL,
	NODE_NOTHING,
	NODE_GROUP,
} NodeKind;

typedef enum Occur
{
	SHOULD,
	MUST,
	MUST_NOT,
} Occur;

typedef struct Item
{
	Occur occur;
	QueryNode *node;
} Item;

struct QueryNode
{
	NodeKind kind;
	const SchemaField *field; /* NULL: all that are searched */
	Str text;
	bool quoted, prefix;
	int slop, distance; /* -1: not fuzzy */
	float boost;
	/* Of a group */
	Item *items;
	int nitems, size;
};

typedef struct Parser
{
	Request *request;
	const Schema *schema;
	const char *at, *end;
	int depth;
} Parser;

static QueryNode *parse_expression(Parser *p, const SchemaField *field, bool nested);
static QueryNode *parse_primary(Parser *p, const SchemaField *field);

static QueryNode *
wrong(Parser *p, const char *what)
{
	if (!p->request->reply.status)
		reply_invalid(p->request, "Invalid query_string: %s", what);
	return NULL;
}

static QueryNode *
new_node(Parser *p, NodeKind kind, const SchemaField *field)
{
	QueryNode *n = arena_alloc(&p->request->arena, sizeof(QueryNode));

	*n = (QueryNode){.kind = kind, .field = field, .distance = -1, .boost = 1};
	return n;
}

static void
add_item(Parser *p, QueryNode *group, Item item)
{
	if (group->nitems == group->size)
	{
		Item *items = arena_alloc(&p->request->arena, sizeof(Item) * (size_t) (group->size * 2 + 4));

		if (group->nitems)
			memcpy(items, group->items, sizeof(Item) * (size_t) group->nitems);
		group->items = items;
		group->size = group->size * 2 + 4;
	}
	group->items[group->nitems++] = item;
}

/* ---- Characters ---- */

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void
skip_space(Parser *p)
{
	while (p->at < p->end && is_space(*p->at))
		p->at++;
}

static bool
is_at(const Parser *p, char c)
{
	return p->at < p->end && *p->at == c;
}

static bool
is_special(char c)
{
	return is_space(c) || strchr("()\"^~:[]{}*", c) != NULL;
}

static bool
is_digit(const Parser *p)
{
	return p->at < p->end && *p->at >= '0' && *p->at <= '9';
}

/* Is this word next, and not only the beginning of one? */
static bool
is_keyword(const Parser *p, const char *word)
{
	size_t len = strlen(word);

	return (size_t) (p->end - p->at) >= len && memcmp(p->at, word, len) == 0 &&
		   (p->at + len == p->end || is_space(p->at[len]) || p->at[len] == '(' || p->at[len] == ')' || p->at[len] == '"');
}

/* An integer, no longer than it makes sense */
static int
read_integer(Parser *p)
{
	int n = 0;

	for (; is_digit(p); p->at++)
		n = n < 100000 ? n * 10 + (*p->at - '0') : n;
	return n;
}

/* ---- Parts ---- */

/* ^2, ^1.5; nothing may come behind it but space or the end of a group. */
static QueryNode *
parse_boost(Parser *p, QueryNode *node)
{
	const char *start;

	if (!node || !is_at(p, '^'))
		return node;
	start = ++p->at;
	while (is_digit(p))
		p->at++;
	if (p->at == start)
		return wrong(p, "a boost is ^ with a number");
	if (is_at(p, '.'))
	{
		p->at++;
		if (!is_digit(p))
			return wrong(p, "a boost is ^ with a number");
		while (is_digit(p))
			p->at++;
	}
	if (p->at < p->end && !is_space(*p->at) && *p->at != ')')
		return wrong(p, "a boost is ^ with a number");
	node->boost *= strtof(arena_printf(&p->request->arena, "%.*s", (int) (p->at - start), start).s, NULL);
	return node;
}

/* Up to a closing character; escapes stay as they are when keep is set. */
static bool
read_quoted(Parser *p, char close, bool keep, Str *text)
{
	char *out = arena_alloc(&p->request->arena, (size_t) (p->end - p->at) + 1);

	text->s = out;
	for (p->at++; p->at < p->end; p->at++)
	{
		if (*p->at == close)
		{
			p->at++;
			text->len = (size_t) (out - text->s);
			return true;
		}
		if (*p->at == '\\' && p->at + 1 < p->end)
		{
			if (keep && p->at[1] != close)
				*out++ = '\\';
			p->at++;
		}
		*out++ = *p->at;
	}
	return false;
}

static uint32_t
count_words(Str text)
{
	Analysis plain = {.language = language_find(STR("en"))};
	Tokens tokens = {0};
	uint32_t words;

	analyze(&plain, text, &tokens);
	words = tokens.words;
	tokens_free(&tokens);
	return words;
}

static QueryNode *
parse_phrase(Parser *p, const SchemaField *field)
{
	QueryNode *n = new_node(p, NODE_WORDS, field);

	n->quoted = true;
	if (!read_quoted(p, '"', false, &n->text))
		return wrong(p, "a quotation mark is not closed");
	if (is_at(p, '~'))
	{
		p->at++;
		if (!is_digit(p))
			return wrong(p, "the slop of a phrase is ~ with an integer");
		n->slop = read_integer(p);
		if (n->slop > MAX_SLOP)
			n->slop = MAX_SLOP;
	}
	else if (is_at(p, '*'))
	{
		p->at++;
		n->prefix = true;
		if (count_words(n->text) < 2)
			return wrong(p, "a phrase prefix needs at least two terms");
	}
	return n;
}

/* What could take forever, or all memory */
static bool
is_safe_regex(Str text)
{
	double repeats = 1;

	if (text.len > MAX_REGEX || memchr(text.s, '\0', text.len))
		return false;
	for (size_t i = 0; i < text.len; i++)
	{
		if (text.s[i] == '\\' && i + 1 < text.len && text.s[i + 1] >= '0' && text.s[i + 1] <= '9')
			return false;
		if (text.s[i] == '{')
		{
			int low = 0, high = 0;
			int n = sscanf(text.s + i, "{%d,%d", &low, &high);

			if (n > 0)
				repeats *= 1 + (n > 1 && high > low ? high : low);
			if (repeats > MAX_REPEATS || low < 0 || high < 0)
				return false;
		}
	}
	return true;
}

static bool
compile_regex(Str text, regex_t *regex)
{
	locale_t locale = analyzer_locale(), before = locale ? uselocale(locale) : (locale_t) 0;
	Buffer b = {0};
	bool good;

	buffer_printf(&b, "^(%.*s)$", (int) text.len, text.s);
	buffer_add_char(&b, '\0');
	good = regcomp(regex, b.data, REG_EXTENDED | REG_NOSUB) == 0;
	buffer_free(&b);
	if (before)
		uselocale(before);
	return good;
}

static QueryNode *
parse_regex(Parser *p, const SchemaField *field)
{
	QueryNode *n = new_node(p, NODE_REGEX, field);
	regex_t regex;

	if (!read_quoted(p, '/', true, &n->text))
		return wrong(p, "a regular expression is not closed");
	((char *) n->text.s)[n->text.len] = '\0';
	if (!is_safe_regex(n->text) || !compile_regex(n->text, &regex))
		return wrong(p, "a regular expression is not valid");
	regfree(&regex);
	return n;
}

static bool
read_word(Parser *p, Str *word)
{
	char *out = arena_alloc(&p->request->arena, (size_t) (p->end - p->at) + 1);

	word->s = out;
	while (p->at < p->end && !is_special(*p->at))
	{
		if (*p->at == '\\')
		{
			if (++p->at == p->end)
				return false;
		}
		*out++ = *p->at++;
	}
	word->len = (size_t) (out - word->s);
	return word->len > 0;
}

/* name:... */
static QueryNode *
parse_qualified(Parser *p, Str name)
{
	const SchemaField *field = schema_find_name(p->schema, name);

	if (!field || field->full_text < 0)
	{
		reply_invalid(p->request, "Invalid query_string: field '%.*s' is not a field with full_text_search", (int) name.len, name.s);
		return NULL;
	}
	p->at++;
	if (p->at == p->end || is_space(*p->at))
		return wrong(p, "a term is missing behind the name of a field");
	return parse_primary(p, field);
}

/* auto* finds nothing; word~ and word~1 are near it. */
static QueryNode *
parse_word(Parser *p, const SchemaField *field)
{
	QueryNode *n = new_node(p, NODE_WORDS, field);

	if (!read_word(p, &n->text))
		return wrong(p, "a term is missing");
	if (is_at(p, ':'))
		return parse_qualified(p, n->text);
	if (is_at(p, '*'))
	{
		p->at++;
		n->kind = NODE_NOTHING;
	}
	else if (is_at(p, '~'))
	{
		uint32_t chars = utf8_count(n->text);

		p->at++;
		n->distance = chars < 4 ? 0 : chars < 8 ? 1 :
												  2;
		if (is_digit(p))
			n->distance = read_integer(p);
		if (n->distance > 2)
			return wrong(p, "the distance of a fuzzy term is 0, 1 or 2");
	}
	return n;
}

static QueryNode *
parse_primary(Parser *p, const SchemaField *field)
{
	QueryNode *n;

	if (++p->depth > MAX_DEPTH)
		return wrong(p, "nested too deeply");
	if (p->at == p->end)
		return wrong(p, "a term is missing");
	switch (*p->at)
	{
		case '(':
			p->at++;
			n = parse_expression(p, field, true);
			break;
		case '"':
			n = parse_phrase(p, field);
			break;
		case '/':
			n = parse_regex(p, field);
			break;
		case '*':
			if (field)
				return wrong(p, "a term is missing");
			p->at++;
			n = new_node(p, NODE_ALL, NULL);
			break;
		default:
			n = parse_word(p, field);
	}
	p->depth--;
	n = parse_boost(p, n);
	if (n && p->at < p->end && !is_space(*p->at) && strchr("[]{}~:^*", *p->at))
		return wrong(p, "an operator stands where none can be");
	return n;
}

static bool
parse_unary(Parser *p, const SchemaField *field, Item *item)
{
	item->occur = SHOULD;
	if (is_keyword(p, "AND") || is_keyword(p, "OR"))
		return wrong(p, "AND and OR need a term on both sides");
	if (is_keyword(p, "NOT"))
	{
		item->occur = MUST_NOT;
		p->at += 3;
		skip_space(p);
	}
	else if (is_at(p, '+') || is_at(p, '-'))
		item->occur = *p->at++ == '+' ? MUST : MUST_NOT;
	if (p->at == p->end || is_at(p, ')') || is_space(*p->at))
		return wrong(p, "a term is missing");
	item->node = parse_primary(p, field);
	return item->node != NULL;
}

static bool
parse_conjunction(Parser *p, const SchemaField *field, Item *item)
{
	QueryNode *group = NULL;

	if (!parse_unary(p, field, item))
		return false;
	for (;;)
	{
		skip_space(p);
		if (!is_keyword(p, "AND"))
			break;
		p->at += 3;
		skip_space(p);
		if (!group)
		{
			group = new_node(p, NODE_GROUP, NULL);
			add_item(p, group, (Item){item->occur == MUST_NOT ? MUST_NOT : MUST, item->node});
		}
		if (!parse_unary(p, field, item))
			return false;
		add_item(p, group, (Item){item->occur == MUST_NOT ? MUST_NOT : MUST, item->node});
	}
	if (group)
		*item = (Item){SHOULD, group};
	return true;
}

static QueryNode *
parse_expression(Parser *p, const SchemaField *field, bool nested)
{
	QueryNode *group = new_node(p, NODE_GROUP, NULL);
	Item item;

	for (;;)
	{
		skip_space(p);
		if (p->at == p->end)
		{
			if (nested)
				return wrong(p, "a parenthesis is not closed");
			break;
		}
		if (is_at(p, ')'))
		{
			if (!nested)
				return wrong(p, "a parenthesis is not opened");
			p->at++;
			break;
		}
		if (group->nitems > 0 && is_keyword(p, "OR"))
		{
			p->at += 2;
			skip_space(p);
			if (p->at == p->end)
				return wrong(p, "AND and OR need a term on both sides");
		}
		if (!parse_conjunction(p, field, &item))
			return NULL;
		add_item(p, group, item);
	}
	return group->nitems ? group : wrong(p, "it is empty");
}

QueryNode *
query_parse(Request *r, Str text)
{
	Parser p = {.request = r, .schema = r->index->fields, .at = text.s, .end = text.s + text.len};

	if (p.schema->nfull_texts == 0)
		return wrong(&p, "the index has no field with full_text_search");
	return parse_expression(&p, NULL, false);
}

/* ---- Finding ---- */

/* Are two words at most so many changes of a character apart? */
static bool
is_near(const uint32_t *a, uint32_t na, Str text, int distance)
{
	uint32_t b[MAX_TOKEN_CHARS * 4], nb = 0;
	int rows[2][MAX_TOKEN_CHARS + 2];

	for (size_t i = 0; i < text.len && nb < MAX_TOKEN_CHARS;)
	{
		unsigned char c = (unsigned char) text.s[i];
		size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 :
							  c < 0xf0	   ? 3 :
											 4;

		b[nb] = 0;
		for (size_t k = 0; k < n && i + k < text.len; k++)
			b[nb] = b[nb] << 8 | (unsigned char) text.s[i + k];
		nb++;
		i += n;
	}
	if ((na > nb ? na - nb : nb - na) > (uint32_t) distance)
		return false;
	for (uint32_t j = 0; j <= nb; j++)
		rows[0][j] = (int) j;
	for (uint32_t i = 1; i <= na; i++)
	{
		int *row = rows[i & 1], *above = rows[(i - 1) & 1], best;

		best = row[0] = (int) i;
		for (uint32_t j = 1; j <= nb; j++)
		{
			int cost = above[j - 1] + (a[i - 1] != b[j - 1]);

			if (above[j] + 1 < cost)
				cost = above[j] + 1;
			if (row[j - 1] + 1 < cost)
				cost = row[j - 1] + 1;
			row[j] = cost;
			best = cost < best ? cost : best;
		}
		if (best > distance)
			return false;
	}
	return rows[na & 1][nb] <= distance;
}

static Hits
find_near(const Namespace *ns, const TextField *f, Str word, int distance)
{
	uint32_t *near = mem_alloc(sizeof(uint32_t) * (f->nterms + 1)), n = 0, na = 0;
	uint32_t a[MAX_TOKEN_CHARS * 4];
	Hits h;

	for (size_t i = 0; i < word.len && na < MAX_TOKEN_CHARS; na++)
	{
		unsigned char c = (unsigned char) word.s[i];
		size_t len = c < 0x80 ? 1 : c < 0xe0 ? 2 :
								c < 0xf0	 ? 3 :
											   4;

		a[na] = 0;
		for (size_t k = 0; k < len && i + k < word.len; k++)
			a[na] = a[na] << 8 | (unsigned char) word.s[i + k];
		i += len;
	}
	for (uint32_t i = 0; i < f->nterms; i++)
	{
		if (f->terms[i].live && is_near(a, na, f->terms[i].text, distance))
			near[n++] = i;
	}
	h = hits_of_terms(ns, f, near, n);
	free(near);
	return h;
}

static Hits
find_regex(const Namespace *ns, const TextField *f, Str text)
{
	locale_t locale = analyzer_locale(), before;
	uint32_t *found = mem_alloc(sizeof(uint32_t) * (f->nterms + 1)), n = 0;
	regex_t regex;
	Hits h = {0};

	if (compile_regex(text, &regex))
	{
		before = locale ? uselocale(locale) : (locale_t) 0;
		for (uint32_t i = 0; i < f->nterms; i++)
		{
			char *term = mem_text(f->terms[i].text);

			if (f->terms[i].live && regexec(&regex, term, 0, NULL, 0) == 0)
				found[n++] = i;
			free(term);
		}
		if (before)
			uselocale(before);
		regfree(&regex);
		h = hits_of_terms(ns, f, found, n);
	}
	free(found);
	return h;
}

/* A word or phrase in one field; several words without quotation marks are a phrase too. */
static Hits
find_words(const Namespace *ns, const TextField *f, const QueryNode *n)
{
	bool grams = f->field->analysis.max_gram > 0 && !n->quoted;
	PhraseWord *words;
	Tokens tokens = {0};
	Hits h = {0};

	analyze(&f->field->analysis, n->text, &tokens);
	if (grams || n->distance >= 0 || tokens.count == 1)
	{
		for (uint32_t i = 0; i < tokens.count; i++)
		{
			Str word = token_text(&tokens, i);

			h = hits_union(h, n->distance >= 0 ? find_near(ns, f, word, n->distance) : rank_term(ns, f, word));
		}
	}
	else if (tokens.count > 1)
	{
		words = mem_alloc(sizeof(PhraseWord) * tokens.count);
		for (uint32_t i = 0; i < tokens.count; i++)
			words[i] = (PhraseWord){token_text(&tokens, i), tokens.tokens[i].position};
		h = rank_phrase(ns, f, words, (int) tokens.count, n->slop, n->prefix);
		free(words);
	}
	tokens_free(&tokens);
	return h;
}

static Hits
find_group(const Namespace *ns, const Schema *schema, const QueryNode *group)
{
	Hits should = {0}, must = {0}, not = {0};
	bool any_should = false, any_must = false;

	for (int i = 0; i < group->nitems; i++)
	{
		Hits h = query_find(ns, schema, group->items[i].node);

		switch (group->items[i].occur)
		{
			case SHOULD:
				should = hits_union(should, h);
				any_should = true;
				break;
			case MUST:
				must = any_must ? hits_intersect(must, h) : h;
				any_must = true;
				break;
			case MUST_NOT:
				not = hits_union(not, h);
		}
	}
	if (any_must)
		must = hits_add_optional(must, should);
	else if (any_should)
		must = should;
	else if (fact(FACT_PURE_NEGATION))
		must = hits_of_all(ns);
	return hits_minus(must, not );
}

Hits
query_find(const Namespace *ns, const Schema *schema, const QueryNode *n)
{
	Hits h = {0};

	if (n->kind == NODE_GROUP)
		h = find_group(ns, schema, n);
	else if (n->kind == NODE_ALL)
		h = hits_of_all(ns);
	for (int i = 0; (n->kind == NODE_WORDS || n->kind == NODE_REGEX) && i < ns->texts->nfields; i++)
	{
		const TextField *f = &ns->texts->fields[i];

		if (n->field && n->field != f->field)
			continue;
		h = hits_union(h, n->kind == NODE_REGEX ? find_regex(ns, f, n->text) : find_words(ns, f, n));
	}
	if (n->boost != 1)
		hits_scale(&h, n->boost);
	return h;
}
