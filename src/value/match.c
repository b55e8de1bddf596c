/*
 * match.c
 *		pinecone_match(): Pinecone's metadata filter language over any jsonb.
 *
 * A filter is checked and compiled once, then evaluated for row after row.
 * Equality is membership in a set of one, so a condition is one of three:
 * membership ($eq, $ne, $in, $nin), a range ($gt, $gte, $lt, $lte), or presence
 * ($exists).
 *
 * Metadata is what Pinecone can store: strings, numbers (float8), booleans and
 * lists.  A field holding null counts as missing, for Pinecone drops it.  $ne
 * and $nin are the negations of $eq and $in, so they match where the field is
 * missing.
 */
#include "postgres.h"

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/primnodes.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/limits.h"
#include "value/match.h"

/* Bytes of a filter that an error message quotes */
#define MAX_QUOTED_BYTES 200

typedef enum Operator
{
	OPERATOR_EQ,
	OPERATOR_NE,
	OPERATOR_GT,
	OPERATOR_GTE,
	OPERATOR_LT,
	OPERATOR_LTE,
	OPERATOR_IN,
	OPERATOR_NIN,
	OPERATOR_EXISTS,
} Operator;

static const char *const operator_names[] = {
	[OPERATOR_EQ] = "$eq",
	[OPERATOR_NE] = "$ne",
	[OPERATOR_GT] = "$gt",
	[OPERATOR_GTE] = "$gte",
	[OPERATOR_LT] = "$lt",
	[OPERATOR_LTE] = "$lte",
	[OPERATOR_IN] = "$in",
	[OPERATOR_NIN] = "$nin",
	[OPERATOR_EXISTS] = "$exists",
};

typedef struct Text
{
	const char *bytes;
	int length;
} Text;

/* What $eq, $ne, $in and $nin compare with; both arrays are sorted. */
typedef struct ValueSet
{
	Text *strings;
	int nstrings;
	double *numbers;
	int nnumbers;
	bool booleans[2]; /* is false, is true in the set? */
} ValueSet;

typedef struct Condition
{
	Text field;
	Operator operator;
	ValueSet set;  /* membership */
	double bound;  /* range */
	bool is_there; /* $exists */
} Condition;

typedef enum NodeKind
{
	NODE_AND,
	NODE_OR,
	NODE_CONDITION,
} NodeKind;

typedef struct FilterNode
{
	NodeKind kind;
	Condition *condition;
	struct FilterNode **children;
	int nchildren;
} FilterNode;

/* Kept in fn_extra from one call to the next. */
typedef struct CompiledFilter
{
	FilterNode *root;
	Jsonb *source;		   /* a copy; the operands point into it */
	bool is_constant;	   /* the argument cannot change */
	MemoryContext context; /* holds all of it */
} CompiledFilter;

PG_FUNCTION_INFO_V1(pinecone_match);

static FilterNode *compile_object(JsonbContainer *object);


/* A JSON value as text for messages, cut when it is long. */
static const char *
quote_json(const JsonbValue *value)
{
	Jsonb *jsonb = JsonbValueToJsonb(unconstify(JsonbValue *, value));
	char *text = JsonbToCString(NULL, &jsonb->root, VARSIZE(jsonb));
	int length = strlen(text);

	if (length <= MAX_QUOTED_BYTES)
		return text;
	return psprintf("%.*s...", pg_mbcliplen(text, length, MAX_QUOTED_BYTES), text);
}

static const char *
quote_text(Text text)
{
	return pnstrdup(text.bytes, text.length);
}

/* Raise the error about a condition, "detail" saying what would be right. */
pg_noreturn static void
illegal_condition(Text field, const JsonbValue *condition, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("illegal condition for field \"%s\", got %s",
					quote_text(field), quote_json(condition)),
			 errdetail("%s", detail)));
}

static bool
text_equals(Text text, const char *string)
{
	return text.length == strlen(string) && memcmp(text.bytes, string, text.length) == 0;
}

static int
compare_texts(const void *a, const void *b)
{
	const Text *x = a;
	const Text *y = b;

	if (x->length != y->length)
		return x->length < y->length ? -1 : 1;
	return memcmp(x->bytes, y->bytes, x->length);
}

static int
compare_numbers(const void *a, const void *b)
{
	double x = *(const double *) a;
	double y = *(const double *) b;

	return (x > y) - (x < y);
}

static Text
string_value(const JsonbValue *value)
{
	return (Text){value->val.string.val, value->val.string.len};
}

/* Pinecone's numbers are float8; what is beyond them becomes infinite. */
static double
number_value(const JsonbValue *value)
{
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
											  NumericGetDatum(value->val.numeric)));
}

/* The container of a value that is an array or an object, or NULL. */
static JsonbContainer *
container_value(const JsonbValue *value)
{
	return value->type == jbvBinary ? value->val.binary.data : NULL;
}

static bool
is_array(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data);
}

static bool
is_object(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data);
}


/* ---- Compiling ---- */

/* Add a scalar to a set that has room; false if it is no string, number or boolean. */
static bool
add_to_set(ValueSet *set, const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvString:
			set->strings[set->nstrings++] = string_value(value);
			return true;
		case jbvNumeric:
			set->numbers[set->nnumbers++] = number_value(value);
			return true;
		case jbvBool:
			set->booleans[value->val.boolean] = true;
			return true;
		default:
			return false;
	}
}

static void
make_set(ValueSet *set, int size)
{
	set->strings = palloc(size * sizeof(Text));
	set->numbers = palloc(size * sizeof(double));
}

/* The operand of $in and $nin.  An empty list is one that nothing is in. */
static bool
compile_list(ValueSet *set, Text field, const JsonbValue *condition, const char *operator,
			 const JsonbValue * operand)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue item;
	int size;

	if (!is_array(operand))
		return false;

	size = JsonContainerSize(container_value(operand));
	if (size > PINECONE_MAX_IN_VALUES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("too many values in the condition for field \"%s\"", quote_text(field)),
				 errdetail("Operator \"%s\" takes at most %d values, not %d.",
						   operator, PINECONE_MAX_IN_VALUES, size)));

	make_set(set, size);
	it = JsonbIteratorInit(container_value(operand));
	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		if (token == WJB_ELEM && !add_to_set(set, &item))
			return false;
	}
	/* of one kind, as Pinecone has them */
	if ((set->nstrings > 0) + (set->nnumbers > 0) + (set->booleans[0] || set->booleans[1]) > 1)
		return false;
	if (set->nstrings > 1)
		qsort(set->strings, set->nstrings, sizeof(Text), compare_texts);
	if (set->nnumbers > 1)
		qsort(set->numbers, set->nnumbers, sizeof(double), compare_numbers);
	return true;
}

static bool
is_membership(Operator operator)
{
	return operator== OPERATOR_EQ || operator== OPERATOR_NE ||
	operator== OPERATOR_IN ||
	operator== OPERATOR_NIN;
}

static bool
find_operator(Text name, Operator *operator)
{
	for (int i = 0; i < lengthof(operator_names); i++)
	{
		if (text_equals(name, operator_names[i]))
		{
			*operator= i;
			return true;
		}
	}
	return false;
}

/*
 * One operator with its operand.  "condition" is what the field was given, for
 * messages.
 */
static FilterNode *
compile_condition(Text field, Operator operator, const JsonbValue * operand,
				  const JsonbValue *condition)
{
	const char *name = operator_names[operator];
	FilterNode *node = palloc0(sizeof(FilterNode));
	Condition *result = palloc0(sizeof(Condition));

	node->kind = NODE_CONDITION;
	node->condition = result;
	result->field = field;
	result->operator= operator;

	switch (operator)
	{
		case OPERATOR_EQ:
		case OPERATOR_NE:
			make_set(&result->set, 1);
			if (!add_to_set(&result->set, operand))
				illegal_condition(field, condition,
								  psprintf("Operator \"%s\" takes a string, a number or a boolean.", name));
			break;
		case OPERATOR_GT:
		case OPERATOR_GTE:
		case OPERATOR_LT:
		case OPERATOR_LTE:
			if (operand->type != jbvNumeric)
				illegal_condition(field, condition, psprintf("Operator \"%s\" takes a number.", name));
			result->bound = number_value(operand);
			break;
		case OPERATOR_IN:
		case OPERATOR_NIN:
			if (!compile_list(&result->set, field, condition, name, operand))
				illegal_condition(field, condition,
								  psprintf("Operator \"%s\" takes a list of strings, or of numbers, or of booleans.", name));
			break;
		case OPERATOR_EXISTS:
			if (operand->type != jbvBool)
				illegal_condition(field, condition, "Operator \"$exists\" takes true or false.");
			result->is_there = operand->val.boolean;
			break;
	}
	return node;
}

/* A node that joins as many children as will be added, at most "size". */
static FilterNode *
make_list_node(NodeKind kind, int size)
{
	FilterNode *node = palloc0(sizeof(FilterNode));

	node->kind = kind;
	node->children = palloc(size * sizeof(FilterNode *));
	return node;
}

static void
add_child(FilterNode *node, FilterNode *child)
{
	node->children[node->nchildren++] = child;
}

/* What a field was given: a value, or an object of operators, all of which must hold. */
static FilterNode *
compile_field(Text field, const JsonbValue *condition)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue item;
	FilterNode *node;
	Operator operator= OPERATOR_EQ;

	if (is_array(condition))
		illegal_condition(field, condition, "A list goes with the operator \"$in\" or \"$nin\".");
	if (!is_object(condition))
		return compile_condition(field, OPERATOR_EQ, condition, condition);
	if (JsonContainerSize(container_value(condition)) == 0)
		illegal_condition(field, condition, "At least one operator is needed.");

	node = make_list_node(NODE_AND, JsonContainerSize(container_value(condition)));
	it = JsonbIteratorInit(container_value(condition));
	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			if (!find_operator(string_value(&item), &operator))
				illegal_condition(field, condition,
								  psprintf("There is no operator \"%s\"; valid are $eq, $ne, $gt, $gte, $lt, $lte, $in, $nin and $exists.",
										   quote_text(string_value(&item))));
		}
		else if (token == WJB_VALUE)
			add_child(node, compile_condition(field, operator, & item, condition));
	}
	return node;
}

/* $and or $or with its operand. */
static FilterNode *
compile_logic(Text name, const JsonbValue *operand)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue item;
	FilterNode *node;
	NodeKind kind;

	if (text_equals(name, "$and"))
		kind = NODE_AND;
	else if (text_equals(name, "$or"))
		kind = NODE_OR;
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid operator \"%s\" in metadata filter", quote_text(name)),
				 errdetail("Outside of a field's condition only \"$and\" and \"$or\" are valid.")));

	if (!is_array(operand) || JsonContainerSize(container_value(operand)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("operator \"%s\" takes a list of one or more filters, got %s",
						quote_text(name), quote_json(operand))));

	node = make_list_node(kind, JsonContainerSize(container_value(operand)));
	it = JsonbIteratorInit(container_value(operand));
	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		if (!is_object(&item) || JsonContainerSize(container_value(&item)) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("operator \"%s\" takes a list of filters, got the element %s",
							quote_text(name), quote_json(&item)),
					 is_object(&item) ?
						 errdetail("A filter without conditions matches everything; Pinecone takes it on its own only.") :
						 0));
		add_child(node, compile_object(container_value(&item)));
	}
	return node;
}

/* A filter object: all of its members must hold; without any, all matches. */
static FilterNode *
compile_object(JsonbContainer *object)
{
	FilterNode *node = make_list_node(NODE_AND, JsonContainerSize(object));
	JsonbIterator *it = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	JsonbValue item;
	Text key = {NULL, 0};

	check_stack_depth();

	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			key = string_value(&item);
		else if (token == WJB_VALUE && key.length > 0 && key.bytes[0] == '$')
			add_child(node, compile_logic(key, &item));
		else if (token == WJB_VALUE)
			add_child(node, compile_field(key, &item));
	}

	/* Spare the evaluator a level */
	return node->nchildren == 1 ? node->children[0] : node;
}

static CompiledFilter *
compile_filter(Jsonb *filter, MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "pinecone_match filter",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	CompiledFilter *result = palloc0(sizeof(CompiledFilter));

	result->context = context;
	result->source = palloc(VARSIZE(filter));
	memcpy(result->source, filter, VARSIZE(filter));

	if (!JB_ROOT_IS_OBJECT(filter))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("metadata filter must be a JSON object")));
	result->root = compile_object(&result->source->root);

	/* An invalid filter goes away with the caller's context */
	MemoryContextSetParent(context, parent);
	MemoryContextSwitchTo(caller);
	return result;
}


/* ---- Evaluating ---- */

static bool
scalar_in_set(const ValueSet *set, const JsonbValue *value)
{
	Text string;
	double number;

	switch (value->type)
	{
		case jbvString:
			if (set->nstrings == 0)
				return false;
			string = string_value(value);
			return bsearch(&string, set->strings, set->nstrings, sizeof(Text), compare_texts) != NULL;
		case jbvNumeric:
			if (set->nnumbers == 0)
				return false;
			number = number_value(value);
			return bsearch(&number, set->numbers, set->nnumbers, sizeof(double), compare_numbers) != NULL;
		case jbvBool:
			return set->booleans[value->val.boolean];
		default:
			return false;
	}
}

/* A list is in the set when one of its elements is. */
static bool
value_in_set(const ValueSet *set, const JsonbValue *value)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue item;

	if (!is_array(value))
		return scalar_in_set(set, value);

	it = JsonbIteratorInit(container_value(value));
	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		if (token == WJB_ELEM && scalar_in_set(set, &item))
			return true;
	}
	return false;
}

static bool
in_range(const Condition *condition, double value)
{
	switch (condition->operator)
	{
		case OPERATOR_GT:
			return value > condition->bound;
		case OPERATOR_GTE:
			return value >= condition->bound;
		case OPERATOR_LT:
			return value < condition->bound;
		case OPERATOR_LTE:
			return value <= condition->bound;
		default:
			elog(ERROR, "operator %d is no range", (int) condition->operator);
	}
}

/* "metadata" is NULL when there are no fields at all. */
static bool
condition_holds(const Condition *condition, JsonbContainer *metadata)
{
	JsonbValue value;
	bool is_there;
	bool is_member;

	is_there = metadata != NULL &&
			   getKeyJsonValueFromContainer(metadata, condition->field.bytes, condition->field.length, &value) != NULL &&
			   value.type != jbvNull;

	if (condition->operator== OPERATOR_EXISTS)
		return is_there == condition->is_there;
	if (!is_membership(condition->operator))
		return is_there && value.type == jbvNumeric && in_range(condition, number_value(&value));

	is_member = is_there && value_in_set(&condition->set, &value);
	if (condition->operator== OPERATOR_NE || condition->operator== OPERATOR_NIN)
		return !is_member;
	return is_member;
}

static bool
node_holds(const FilterNode *node, JsonbContainer *metadata)
{
	if (node->kind == NODE_CONDITION)
		return condition_holds(node->condition, metadata);

	check_stack_depth();
	for (int i = 0; i < node->nchildren; i++)
	{
		/* AND ends at the first that fails, OR at the first that holds */
		if (node_holds(node->children[i], metadata) == (node->kind == NODE_OR))
			return node->kind == NODE_OR;
	}
	return node->kind == NODE_AND;
}

/* Is that argument of the running call a constant of the query? */
static bool
is_constant_argument(FmgrInfo *flinfo, int argno)
{
	Node *call = flinfo->fn_expr;
	FuncExpr *func = (FuncExpr *) call;

	return call != NULL && IsA(call, FuncExpr) && list_length(func->args) > argno &&
		   IsA(list_nth(func->args, argno), Const);
}

/* The compiled filter of this call: that of the last one, if it is the same. */
static CompiledFilter *
get_filter(FunctionCallInfo fcinfo, int argno)
{
	FmgrInfo *flinfo = fcinfo->flinfo;
	CompiledFilter *compiled = flinfo->fn_extra;
	Jsonb *filter;

	if (compiled != NULL && compiled->is_constant)
		return compiled;

	filter = PG_GETARG_JSONB_P(argno);
	if (compiled != NULL && VARSIZE(compiled->source) == VARSIZE(filter) &&
		memcmp(compiled->source, filter, VARSIZE(filter)) == 0)
		return compiled;

	if (compiled != NULL)
	{
		flinfo->fn_extra = NULL;
		MemoryContextDelete(compiled->context);
	}
	compiled = compile_filter(filter, flinfo->fn_mcxt);
	compiled->is_constant = is_constant_argument(flinfo, argno);
	flinfo->fn_extra = compiled;
	return compiled;
}

Datum
pinecone_match(PG_FUNCTION_ARGS)
{
	Jsonb *metadata = PG_GETARG_JSONB_P(0);
	CompiledFilter *filter = get_filter(fcinfo, 1);

	/* What is no object has no fields */
	PG_RETURN_BOOL(node_holds(filter->root, JB_ROOT_IS_OBJECT(metadata) ? &metadata->root : NULL));
}

PineconeMatcher *
pinecone_match_compile(Jsonb *filter)
{
	return (PineconeMatcher *) compile_filter(filter, CurrentMemoryContext);
}

bool
pinecone_match_holds(const PineconeMatcher *matcher, Jsonb *metadata)
{
	const CompiledFilter *filter = (const CompiledFilter *) matcher;

	return node_holds(filter->root,
					  metadata && JB_ROOT_IS_OBJECT(metadata) ? &metadata->root : NULL);
}
