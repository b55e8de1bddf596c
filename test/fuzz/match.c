/*
 * match.c
 *		Target "match": a filter and, behind a line feed, metadata.  pinecone_match()
 *		has to say what a plain evaluation of json-c's trees says, and pinecone-local
 *		the same of what a record can have.
 */
#include "fuzz.h"

#include <math.h>

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "value/match.h"

#include "local_match.h"
#include "reference.h"

#define INVALID (-1)

/* ---- The filter language as it is documented, without haste ---- */

static bool
is_scalar(struct json_object *value)
{
	bool flag;

	return reference_is_string(value) || reference_is_number(value) || reference_boolean(value, &flag);
}

static double
number_of(struct json_object *value)
{
	return strtod(reference_number(value), NULL);
}

static int
kind_of(struct json_object *value)
{
	return reference_is_string(value) ? 0 : reference_is_number(value) ? 1 : 2;
}

static bool
is_same(struct json_object *a, struct json_object *b)
{
	bool x;
	bool y;

	if (!is_scalar(a) || !is_scalar(b) || kind_of(a) != kind_of(b))
		return false;
	if (reference_is_string(a))
		return strcmp(reference_string(a), reference_string(b)) == 0;
	if (reference_is_number(a))
		return number_of(a) == number_of(b);
	(void) reference_boolean(a, &x);
	(void) reference_boolean(b, &y);
	return x == y;
}

/* Is the field's value that, or a list with that in it? */
static bool
is_or_has(struct json_object *field, struct json_object *value)
{
	if (!reference_is_array(field))
		return is_same(field, value);
	for (int i = 0; i < reference_length(field); i++)
	{
		if (is_same(reference_item(field, i), value))
			return true;
	}
	return false;
}

static int
evaluate_list(struct json_object *list, struct json_object *field, bool in)
{
	bool found = false;

	if (!reference_is_array(list))
		return INVALID;
	for (int i = 0; i < reference_length(list); i++)
	{
		struct json_object *item = reference_item(list, i);

		if (!is_scalar(item) || kind_of(item) != kind_of(reference_item(list, 0)))
			return INVALID;
		found |= is_or_has(field, item);
	}
	return found == in;
}

static int
evaluate_range(const char *operator, struct json_object *bound, struct json_object *field)
{
	if (!reference_is_number(bound))
		return INVALID;
	if (!reference_is_number(field))
		return false;
	if (strcmp(operator, "$gt") == 0)
		return number_of(field) > number_of(bound);
	if (strcmp(operator, "$gte") == 0)
		return number_of(field) >= number_of(bound);
	if (strcmp(operator, "$lt") == 0)
		return number_of(field) < number_of(bound);
	return number_of(field) <= number_of(bound);
}

static int
evaluate_operator(const char *operator, struct json_object *operand, struct json_object *field)
{
	bool flag;

	if (strcmp(operator, "$eq") == 0 || strcmp(operator, "$ne") == 0)
		return is_scalar(operand) ? is_or_has(field, operand) == (operator[1] == 'e') : INVALID;
	if (strcmp(operator, "$in") == 0 || strcmp(operator, "$nin") == 0)
		return evaluate_list(operand, field, operator[1] == 'i');
	if (strcmp(operator, "$exists") == 0)
		return reference_boolean(operand, &flag) ? (field != NULL) == flag : INVALID;
	if (strcmp(operator, "$gt") == 0 || strcmp(operator, "$gte") == 0 || strcmp(operator, "$lt") == 0 ||
		strcmp(operator, "$lte") == 0)
		return evaluate_range(operator, operand, field);
	return INVALID;
}

typedef struct Evaluation
{
	struct json_object *metadata;
	struct json_object *field;
	int result; /* of all so far, as $and has it */
} Evaluation;

static void
join(Evaluation *e, int part)
{
	e->result = e->result == INVALID || part == INVALID ? INVALID : e->result && part;
}

static void
visit_operator(const char *name, struct json_object *value, void *arg)
{
	Evaluation *e = arg;

	join(e, evaluate_operator(name, value, e->field));
}

static int evaluate_filter(struct json_object *filter, struct json_object *metadata);

static int
evaluate_logic(const char *name, struct json_object *list, struct json_object *metadata)
{
	bool is_or = strcmp(name, "$or") == 0;
	int result = !is_or;

	if ((!is_or && strcmp(name, "$and") != 0) || !reference_is_array(list) || reference_length(list) == 0)
		return INVALID;
	for (int i = 0; i < reference_length(list); i++)
	{
		struct json_object *item = reference_item(list, i);
		int part = reference_is_object(item) && reference_length(item) > 0 ? evaluate_filter(item, metadata) : INVALID;

		if (part == INVALID)
			return INVALID;
		result = is_or ? result || part : result && part;
	}
	return result;
}

static void
visit_member(const char *name, struct json_object *value, void *arg)
{
	Evaluation *e = arg;

	if (name[0] == '$')
		join(e, evaluate_logic(name, value, e->metadata));
	else if (!reference_is_object(value))
		join(e, evaluate_operator("$eq", value, reference_member(e->metadata, name)));
	else if (reference_length(value) == 0)
		join(e, INVALID);
	else
	{
		e->field = reference_member(e->metadata, name);
		reference_each(value, visit_operator, e);
	}
}

static int
evaluate_filter(struct json_object *filter, struct json_object *metadata)
{
	Evaluation e = {metadata, NULL, true};

	if (!reference_is_object(filter))
		return INVALID;
	reference_each(filter, visit_member, &e);
	return e.result;
}

/* ---- Ours ---- */

static int
match(Jsonb *filter, Jsonb *metadata)
{
	MemoryContext caller = CurrentMemoryContext;
	volatile int result = INVALID;

	PG_TRY();
	{
		PineconeMatcher *matcher = pinecone_match_compile(filter);

		result = pinecone_match_holds(matcher, metadata);
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		FUZZ_CHECK(error->sqlerrcode == ERRCODE_INVALID_PARAMETER_VALUE, "another error: %s", error->message);
	}
	PG_END_TRY();
	return result;
}

/* No numbers that json-c has not as they are, nor any beyond float8, which pinecone-local refuses? */
static bool
is_moderate(const char *text)
{
	while ((text += strcspn(text, "0123456789"))[0] != '\0')
	{
		if (strspn(text, "0123456789") > 17 || !isfinite(strtod(text, NULL)))
			return false;
		text += strspn(text, "0123456789.eE+-");
	}
	return true;
}

void
fuzz_match(const char *data, size_t size)
{
	const char *line = memchr(data, '\n', size);
	char *filter;
	char *metadata;
	struct json_object *tree;
	struct json_object *fields;
	Jsonb *filter_jsonb;
	Jsonb *metadata_jsonb;
	int ours;

	if (line == NULL || !fuzz_is_text(data, size))
		return;
	filter = pnstrdup(data, line - data);
	metadata = pnstrdup(line + 1, data + size - line - 1);
	if (!is_moderate(filter) || !is_moderate(metadata))
		return;
	/* what is no JSON is an error here, and the end */
	filter_jsonb = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(filter)));
	metadata_jsonb = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(metadata)));
	ours = match(filter_jsonb, metadata_jsonb);
	tree = reference_parse(filter, strlen(filter));
	fields = reference_parse(metadata, strlen(metadata));
	if (tree != NULL && fields != NULL)
	{
		int expected = evaluate_filter(tree, fields);
		int local = local_match(filter, metadata);

		FUZZ_CHECK(ours == expected, "pinecone_match() says %d, and the language %d", ours, expected);
		FUZZ_CHECK(local == LOCAL_MATCH_NO_METADATA || local == expected, "pinecone-local says %d, and the language %d", local, expected);
	}
	reference_free(tree);
	reference_free(fields);
}
