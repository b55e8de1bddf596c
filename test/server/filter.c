/*
 * filter.c
 *		The metadata filter language.
 */
#include "filter.h"

#include "document.h"
#include "facts.h"
#include "match.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

#define MAX_LIST 10000

_Atomic bool filter_missing_matches = true;

typedef enum Operator
{
	OP_AND,
	OP_OR,
	OP_EQ,
	OP_NE,
	OP_GT,
	OP_GTE,
	OP_LT,
	OP_LTE,
	OP_IN,
	OP_NIN,
	OP_EXISTS,
	/* Of documents */
	OP_NOT,
	OP_MATCH_PHRASE,
	OP_MATCH_ALL,
	OP_MATCH_ANY,
} Operator;

typedef struct Operand
{
	FieldType type;
	bool boolean;
	double number;
	Str string; /* its own memory */
} Operand;

struct Filter
{
	Operator op;
	_Atomic int others; /* owners besides one */
	uint32_t key;
	/* Parts of $and and $or */
	Filter **parts;
	int nparts;
	/* What a field is compared with; those of $in and $nin are sorted */
	Operand *operands;
	int noperands;
	const SchemaField *field; /* when it is one of the schema */
	uint64_t *matched;		  /* of $match_*: a bit for each ordinal */
	uint32_t nmatched;
};

typedef struct Compiler
{
	Arena *arena;
	Str *message;
	const Schema *schema; /* of documents */
	bool allow_match;
} Compiler;

static const struct
{
	const char *name;
	Operator op;
} operators[] = {
	{"$eq", OP_EQ},
	{"$ne", OP_NE},
	{"$gt", OP_GT},
	{"$gte", OP_GTE},
	{"$lt", OP_LT},
	{"$lte", OP_LTE},
	{"$in", OP_IN},
	{"$nin", OP_NIN},
	{"$exists", OP_EXISTS},
	{"$not", OP_NOT},
	{"$match_phrase", OP_MATCH_PHRASE},
	{"$match_all", OP_MATCH_ALL},
	{"$match_any", OP_MATCH_ANY},
};

static Filter *compile_object(Compiler *c, const JsonValue *json);
static Filter *compile_field(Compiler *c, Str field, const JsonValue *json);

static Filter *
new_filter(Operator op)
{
	Filter *f = mem_zero(sizeof(Filter));

	f->op = op;
	return f;
}

void
filter_free(Filter *f)
{
	if (!f || atomic_fetch_sub(&f->others, 1) > 0)
		return;
	for (int i = 0; i < f->nparts; i++)
		filter_free(f->parts[i]);
	for (int i = 0; i < f->noperands; i++)
		free((char *) f->operands[i].string.s);
	free(f->parts);
	free(f->operands);
	free(f->matched);
	free(f);
}

Filter *
filter_share(Filter *f)
{
	if (f)
		f->others++;
	return f;
}

/* Takes the part over; false, and frees all, when there is no part. */
static bool
add_part(Filter **whole, Filter *part)
{
	if (!part)
	{
		filter_free(*whole);
		*whole = NULL;
		return false;
	}
	if (((*whole)->nparts & ((*whole)->nparts - 1)) == 0)
		(*whole)->parts = mem_resize((*whole)->parts, sizeof(Filter *) * (size_t) ((*whole)->nparts ? (*whole)->nparts * 2 : 1));
	(*whole)->parts[(*whole)->nparts++] = part;
	return true;
}

/* An $and of one part is the part. */
static Filter *
unwrap(Filter *whole)
{
	Filter *part;

	if (!whole || whole->op != OP_AND || whole->nparts != 1)
		return whole;
	part = whole->parts[0];
	free(whole->parts);
	free(whole);
	return part;
}

static Filter *
illegal(Compiler *c, Str field, const JsonValue *json)
{
	bool cut = json->raw.len > 200;

	if (!c->message->s)
		*c->message = arena_printf(c->arena, "illegal condition for field %.*s, got %.*s%s", (int) field.len, field.s,
								   (int) (cut ? 197 : json->raw.len), json->raw.s, cut ? "..." : "");
	return NULL;
}

static bool
set_operand(Operand *to, const JsonValue *json)
{
	switch (json->type)
	{
		case JSON_BOOL:
			*to = (Operand){.type = FIELD_BOOL, .boolean = json->boolean};
			return true;
		case JSON_NUMBER:
			*to = (Operand){.type = FIELD_NUMBER, .number = json->number};
			return true;
		case JSON_STRING:
			*to = (Operand){.type = FIELD_STRING, .string = {mem_text(json->string), json->string.len}};
			return true;
		default:
			return false;
	}
}

static int
compare_operands(const void *a, const void *b)
{
	const Operand *x = a, *y = b;

	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	if (x->type == FIELD_NUMBER)
		return (x->number > y->number) - (x->number < y->number);
	if (x->type == FIELD_STRING)
		return str_compare(x->string, y->string);
	return x->boolean - y->boolean;
}

/* Why a field of the schema cannot be asked for in that way, or NULL */
static Filter *
refuse(Compiler *c, const char *format, Str field)
{
	if (!c->message->s)
		*c->message = arena_printf(c->arena, format, (int) field.len, field.s);
	return NULL;
}

/* $in and $nin: a list of strings, or one of numbers. */
static Filter *
compile_list(Compiler *c, Str field, Operator op, const JsonValue *json, const JsonValue *condition)
{
	Filter *f;

	if (json->type != JSON_ARRAY)
		return illegal(c, field, condition);
	if (json->count > MAX_LIST)
	{
		*c->message = arena_printf(c->arena, "%s for field %.*s has %d values, which exceeds the limit of %d",
								   op == OP_IN ? "$in" : "$nin", (int) field.len, field.s, json->count, MAX_LIST);
		return NULL;
	}
	f = new_filter(op);
	f->key = metadata_key(field);
	f->operands = mem_alloc(sizeof(Operand) * (size_t) json->count);
	for (int i = 0; i < json->count; i++)
	{
		JsonType type = json->items[i].type;

		if ((type != JSON_STRING && type != JSON_NUMBER && type != JSON_BOOL) || type != json->items[0].type)
		{
			filter_free(f);
			return illegal(c, field, condition);
		}
		set_operand(&f->operands[f->noperands++], &json->items[i]);
	}
	qsort(f->operands, (size_t) f->noperands, sizeof(Operand), compare_operands);
	return f;
}

static Filter *
compile_comparison(Compiler *c, Str field, Operator op, const JsonValue *json, const JsonValue *condition)
{
	Filter *f;

	if (c->schema && fact(FACT_TEXT_FILTER) == 2 && (schema_find_name(c->schema, field) || str_is(field, "_id")))
		return refuse(c, "field '%.*s' cannot be filtered by", field);
	if (op == OP_IN || op == OP_NIN)
		return compile_list(c, field, op, json, condition);
	if (op == OP_EXISTS ? json->type != JSON_BOOL : (op >= OP_GT && op <= OP_LTE) && json->type != JSON_NUMBER)
		return illegal(c, field, condition);
	f = new_filter(op);
	f->key = metadata_key(field);
	f->operands = mem_zero(sizeof(Operand));
	if (!set_operand(&f->operands[0], json))
	{
		filter_free(f);
		return illegal(c, field, condition);
	}
	f->noperands = 1;
	return f;
}

static Filter *
compile_match(Compiler *c, Str field, Operator op, const JsonValue *json, const JsonValue *condition)
{
	const SchemaField *f = schema_find_name(c->schema, field);
	Filter *filter;

	if (!c->allow_match)
		return refuse(c, "text match operators are not supported here: field '%.*s'", field);
	if (!f || f->full_text < 0)
		return refuse(c, "text match operators need a field with full_text_search: '%.*s' is none", field);
	if (json->type != JSON_STRING)
		return illegal(c, field, condition);
	if (match_count_tokens(f, json->string) > MAX_MATCH_TOKENS)
		return refuse(c, "text match of field '%.*s' has more than 128 tokens", field);
	filter = new_filter(op);
	filter->key = metadata_key(field);
	filter->field = f;
	filter->operands = mem_zero(sizeof(Operand));
	set_operand(&filter->operands[0], json);
	filter->noperands = 1;
	return filter;
}

/* The opposite of a part, which is taken over */
static Filter *
negate(Filter *part)
{
	Filter *whole;

	if (!part)
		return NULL;
	whole = new_filter(OP_NOT);
	add_part(&whole, part);
	return whole;
}

/* One operator of documents only */
static Filter *
compile_document_operator(Compiler *c, Str field, Operator op, const JsonValue *json, const JsonValue *condition)
{
	if (!c->schema)
		return illegal(c, field, condition);
	if (op != OP_NOT)
		return compile_match(c, field, op, json, condition);
	if (json->type != JSON_OBJECT)
		return illegal(c, field, condition);
	return negate(compile_field(c, field, json));
}

/* {"field": value} or {"field": {"$op": value, ...}} */
static Filter *
compile_field(Compiler *c, Str field, const JsonValue *json)
{
	Filter *all;

	if (json->type != JSON_OBJECT)
		return compile_comparison(c, field, OP_EQ, json, json);
	if (json->count == 0)
		return illegal(c, field, json);
	all = new_filter(OP_AND);
	for (int i = 0; i < json->count; i++)
	{
		Filter *part = NULL;
		size_t n = 0;

		while (n < sizeof(operators) / sizeof(operators[0]) && !str_is(json->keys[i], operators[n].name))
			n++;
		if (n < sizeof(operators) / sizeof(operators[0]) && operators[n].op >= OP_NOT)
			part = compile_document_operator(c, field, operators[n].op, &json->items[i], json);
		else if (n < sizeof(operators) / sizeof(operators[0]))
			part = compile_comparison(c, field, operators[n].op, &json->items[i], json);
		else
			illegal(c, field, json);
		if (!add_part(&all, part))
			return NULL;
	}
	return unwrap(all);
}

static Filter *
compile_logic(Compiler *c, Str name, Operator op, const JsonValue *json)
{
	Filter *whole;

	if (json->type != JSON_ARRAY || json->count == 0)
		return illegal(c, name, json);
	whole = new_filter(op);
	for (int i = 0; i < json->count; i++)
	{
		Filter *part;

		if (json->items[i].type != JSON_OBJECT || json->items[i].count == 0)
			part = illegal(c, name, json);
		else
			part = compile_object(c, &json->items[i]);
		if (!add_part(&whole, part))
			return NULL;
	}
	return whole;
}

/* All conditions of an object hold together. */
static Filter *
compile_object(Compiler *c, const JsonValue *json)
{
	Filter *all = new_filter(OP_AND);

	for (int i = 0; i < json->count; i++)
	{
		Str key = json->keys[i];
		Filter *part;

		if (str_is(key, "$and"))
			part = compile_logic(c, key, OP_AND, &json->items[i]);
		else if (str_is(key, "$or"))
			part = compile_logic(c, key, OP_OR, &json->items[i]);
		else if (c->schema && str_is(key, "$not") && json->items[i].type == JSON_OBJECT && json->items[i].count > 0)
			part = negate(compile_object(c, &json->items[i]));
		else if (key.len > 0 && key.s[0] == '$')
			part = illegal(c, key, &json->items[i]);
		else
			part = compile_field(c, key, &json->items[i]);
		if (!add_part(&all, part))
			return NULL;
	}
	return unwrap(all);
}

static Filter *
compile(const JsonValue *json, const Schema *schema, bool allow_match, Arena *arena, Str *message)
{
	Compiler c = {.arena = arena, .message = message, .schema = schema, .allow_match = allow_match};

	*message = (Str){0};
	if (json->type != JSON_OBJECT)
	{
		*message = STR("filter must be an object");
		return NULL;
	}
	return compile_object(&c, json);
}

Filter *
filter_compile(const JsonValue *json, Arena *arena, Str *message)
{
	return compile(json, NULL, false, arena, message);
}

/* Stands for _id */
static const SchemaField id_field = {.type = SCHEMA_STRING, .text = -1};

/* Fields of the schema are found in the text of documents, not in metadata. */
static void
set_fields(Filter *f, const Schema *schema)
{
	for (int i = 0; i < f->nparts; i++)
		set_fields(f->parts[i], schema);
	if (f->nparts == 0 && f->op > OP_OR)
		f->field = str_is(metadata_key_name(f->key), "_id") ? &id_field : schema_find(schema, f->key);
}

Filter *
filter_compile_documents(const JsonValue *json, const Schema *schema, bool allow_match, Arena *arena, Str *message)
{
	Filter *f = compile(json, schema, allow_match, arena, message);

	if (f)
		set_fields(f, schema);
	return f;
}

void
filter_bind(Filter *f, const Namespace *ns)
{
	static const MatchKind kinds[] = {[OP_MATCH_PHRASE] = MATCH_PHRASE, [OP_MATCH_ALL] = MATCH_ALL, [OP_MATCH_ANY] = MATCH_ANY};

	for (int i = 0; i < f->nparts; i++)
		filter_bind(f->parts[i], ns);
	if (f->op < OP_MATCH_PHRASE)
		return;
	free(f->matched);
	f->matched = match_find(ns, f->field, kinds[f->op], f->operands[0].string, &f->nmatched);
}

bool
filter_is_empty(const Filter *filter)
{
	return filter->op == OP_AND && filter->nparts == 0;
}

static bool
scalar_equals(const Metadata *m, const Field *f, const Operand *o)
{
	if (f->type != o->type)
		return false;
	switch (o->type)
	{
		case FIELD_BOOL:
			return f->boolean == o->boolean;
		case FIELD_NUMBER:
			return f->number == o->number;
		default:
			return str_equal(metadata_string(m, f), o->string);
	}
}

/* A list equals what is among its strings. */
static bool
field_equals(const Metadata *m, const Field *f, const Operand *o)
{
	const char *at;

	if (f->type != FIELD_LIST)
		return scalar_equals(m, f, o);
	if (o->type != FIELD_STRING)
		return false;
	at = metadata_strings(m) + f->offset;
	for (uint32_t i = 0; i < f->length; i++)
	{
		if (str_equal(metadata_next_string(&at), o->string))
			return true;
	}
	return false;
}

static bool
is_operand(const Filter *filter, Operand value)
{
	return bsearch(&value, filter->operands, (size_t) filter->noperands, sizeof(Operand), compare_operands) != NULL;
}

static bool
field_in(const Metadata *m, const Field *f, const Filter *filter)
{
	const char *at;

	switch ((FieldType) f->type)
	{
		case FIELD_BOOL:
			return is_operand(filter, (Operand){.type = FIELD_BOOL, .boolean = f->boolean});
		case FIELD_NUMBER:
			return is_operand(filter, (Operand){.type = FIELD_NUMBER, .number = f->number});
		case FIELD_STRING:
			return is_operand(filter, (Operand){.type = FIELD_STRING, .string = metadata_string(m, f)});
		case FIELD_LIST:
			break;
	}
	at = metadata_strings(m) + f->offset;
	for (uint32_t i = 0; i < f->length; i++)
	{
		if (is_operand(filter, (Operand){.type = FIELD_STRING, .string = metadata_next_string(&at)}))
			return true;
	}
	return false;
}

/* A condition on one field; f is NULL when it is missing. */
static bool
condition_matches(const Filter *filter, const Metadata *m, const Field *f)
{
	bool number;

	if (filter->op == OP_EXISTS)
		return (f != NULL) == filter->operands[0].boolean;
	if (!f)
		return (filter->op == OP_NE || filter->op == OP_NIN) && filter_missing_matches;
	number = f->type == FIELD_NUMBER;
	switch (filter->op)
	{
		case OP_EQ:
			return field_equals(m, f, &filter->operands[0]);
		case OP_NE:
			return !field_equals(m, f, &filter->operands[0]);
		case OP_GT:
			return number && f->number > filter->operands[0].number;
		case OP_GTE:
			return number && f->number >= filter->operands[0].number;
		case OP_LT:
			return number && f->number < filter->operands[0].number;
		case OP_LTE:
			return number && f->number <= filter->operands[0].number;
		case OP_IN:
			return field_in(m, f, filter);
		default:
			return !field_in(m, f, filter);
	}
}

bool
filter_matches(const Filter *filter, const Metadata *m)
{
	if (filter->op == OP_AND || filter->op == OP_OR)
	{
		for (int i = 0; i < filter->nparts; i++)
		{
			if (filter_matches(filter->parts[i], m) == (filter->op == OP_OR))
				return filter->op == OP_OR;
		}
		return filter->op == OP_AND;
	}
	return condition_matches(filter, m, metadata_find(m, filter->key));
}

/* ---- Documents ---- */

/* A condition on a field of the schema, as --assume says */
static bool
schema_field_matches(const Filter *filter, const Record *r)
{
	const SchemaField *f = filter->field;
	Str text = f == &id_field ? r->id : f->text >= 0 ? r->document->texts[f->text] :
													   (Str){0};
	bool there = text.s || (f->type == SCHEMA_DENSE && r->document->has_dense) || (f->type == SCHEMA_SPARSE && r->sparse);

	if (fact(FACT_TEXT_FILTER) != 1)
		return false;
	if (filter->op == OP_EXISTS)
		return there == filter->operands[0].boolean;
	if (!there)
		return condition_matches(filter, NULL, NULL);
	if (!text.s)
		return filter->op == OP_NE || filter->op == OP_NIN;
	switch (filter->op)
	{
		case OP_EQ:
			return filter->operands[0].type == FIELD_STRING && str_equal(filter->operands[0].string, text);
		case OP_NE:
			return filter->operands[0].type != FIELD_STRING || !str_equal(filter->operands[0].string, text);
		case OP_IN:
			return is_operand(filter, (Operand){.type = FIELD_STRING, .string = text});
		case OP_NIN:
			return !is_operand(filter, (Operand){.type = FIELD_STRING, .string = text});
		default:
			return false;
	}
}

static bool
mentions_missing(const Filter *filter, const Record *r)
{
	for (int i = 0; i < filter->nparts; i++)
	{
		if (mentions_missing(filter->parts[i], r))
			return true;
	}
	if (filter->nparts > 0 || filter->op <= OP_OR)
		return false;
	if (filter->field)
		return filter->field != &id_field && filter->field->text >= 0 && !r->document->texts[filter->field->text].s;
	return !metadata_find(r->metadata, filter->key);
}

bool
filter_matches_document(const Filter *filter, const Record *r)
{
	uint32_t ordinal = r->document->ordinal;

	switch (filter->op)
	{
		case OP_AND:
		case OP_OR:
			for (int i = 0; i < filter->nparts; i++)
			{
				if (filter_matches_document(filter->parts[i], r) == (filter->op == OP_OR))
					return filter->op == OP_OR;
			}
			return filter->op == OP_AND;
		case OP_NOT:
			return !filter_matches_document(filter->parts[0], r) && !(fact(FACT_NOT_MISSING) && mentions_missing(filter->parts[0], r));
		case OP_MATCH_PHRASE:
		case OP_MATCH_ALL:
		case OP_MATCH_ANY:
			return ordinal < filter->nmatched && (filter->matched[ordinal / 64] >> ordinal % 64 & 1);
		default:
			if (filter->field)
				return schema_field_matches(filter, r);
			return condition_matches(filter, r->metadata, metadata_find(r->metadata, filter->key));
	}
}

bool
filter_uses_other_key(const Filter *filter, const uint32_t *keys, int nkeys, uint32_t *key)
{
	bool declared = false;

	if (filter->nparts > 0 || filter->op <= OP_OR)
	{
		for (int i = 0; i < filter->nparts; i++)
		{
			if (filter_uses_other_key(filter->parts[i], keys, nkeys, key))
				return true;
		}
		return false;
	}
	for (int i = 0; i < nkeys; i++)
		declared = declared || keys[i] == filter->key;
	*key = filter->key;
	return !declared;
}
