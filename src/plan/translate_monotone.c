/*
 * translate_monotone.c
 *		Expressions that rise, or fall, as a distance or a score does.
 *
 * Arithmetic with constants, casts between numbers and rounding keep an order or
 * turn it around: 1 - distance, round(distance::numeric, 2), 1 / (1 + distance).
 * They are taken apart from the outside to the core, and on the way back it is seen
 * where the values are, because a division turns at 0 and a cast can overflow.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

#include "base/setting.h"
#include "plan/translate_expr.h"
#include "request/request.h"

/* Values of a chain stay within these, and constants that scale them. */
#define MAX_VALUE 1e100
#define MAX_REAL 1e37
#define MAX_FACTOR 1e6
#define MIN_SCALE 1e-18

typedef struct Chain
{
	PineconeTranslate *cxt;
	PineconeMetric score_metric; /* the core is such a score; or else a distance */
	PineconeDistance *distance;
	Expr *core;
	bool falls;	 /* as the distance or score rises */
	double low;	 /* range of the values so far, and how much the core's */
	double high; /* have been scaled down */
	double scale;
} Chain;

typedef enum StepKind
{
	STEP_NONE,
	STEP_SAME,
	STEP_NEGATE,
	STEP_ADD,
	STEP_SUBTRACT,
	STEP_MULTIPLY,
	STEP_DIVIDE,
	STEP_ROUND, /* to whole numbers, or so many digits */
	STEP_TYPMOD /* to a numeric(p,s) */
} StepKind;

/* What a built-in function does to the order of numbers. Those that are not listed may do anything. */
static StepKind
step_of_function(Oid funcid)
{
	switch (funcid)
	{
		case F_FLOAT8_FLOAT4:
		case F_FLOAT4_FLOAT8:
		case F_NUMERIC_FLOAT4:
		case F_NUMERIC_FLOAT8:
		case F_FLOAT4_NUMERIC:
		case F_FLOAT8_NUMERIC:
			return STEP_SAME;
		case F_FLOAT4UM:
		case F_FLOAT8UM:
		case F_NUMERIC_UMINUS:
			return STEP_NEGATE;
		case F_FLOAT4PL:
		case F_FLOAT8PL:
		case F_FLOAT48PL:
		case F_FLOAT84PL:
		case F_NUMERIC_ADD:
			return STEP_ADD;
		case F_FLOAT4MI:
		case F_FLOAT8MI:
		case F_FLOAT48MI:
		case F_FLOAT84MI:
		case F_NUMERIC_SUB:
			return STEP_SUBTRACT;
		case F_FLOAT4MUL:
		case F_FLOAT8MUL:
		case F_FLOAT48MUL:
		case F_FLOAT84MUL:
		case F_NUMERIC_MUL:
			return STEP_MULTIPLY;
		case F_FLOAT4DIV:
		case F_FLOAT8DIV:
		case F_FLOAT48DIV:
		case F_FLOAT84DIV:
		case F_NUMERIC_DIV:
			return STEP_DIVIDE;
		case F_ROUND_FLOAT8:
		case F_TRUNC_FLOAT8:
		case F_CEIL_FLOAT8:
		case F_CEILING_FLOAT8:
		case F_FLOOR_FLOAT8:
		case F_ROUND_NUMERIC:
		case F_TRUNC_NUMERIC:
		case F_CEIL_NUMERIC:
		case F_CEILING_NUMERIC:
		case F_FLOOR_NUMERIC:
		case F_ROUND_NUMERIC_INT4:
		case F_TRUNC_NUMERIC_INT4:
			return STEP_ROUND;
		case F_NUMERIC_NUMERIC_INT4:
			return STEP_TYPMOD;
		default:
			return STEP_NONE;
	}
}

/* The arguments of a step, or NIL: of a built-in function or operator. */
static List *
step_arguments(Expr *expr, StepKind *kind)
{
	if (IsA(expr, OpExpr))
	{
		*kind = step_of_function(get_opcode(((OpExpr *) expr)->opno));
		return *kind == STEP_NONE ? NIL : ((OpExpr *) expr)->args;
	}
	if (IsA(expr, FuncExpr))
	{
		*kind = step_of_function(((FuncExpr *) expr)->funcid);
		return *kind == STEP_NONE ? NIL : ((FuncExpr *) expr)->args;
	}
	return NIL;
}

static bool
constant_number(Expr *expr, double *number)
{
	Const *value = (Const *) expr;

	if (!IsA(expr, Const) || value->constisnull)
		return false;
	switch (value->consttype)
	{
		case INT4OID:
			*number = DatumGetInt32(value->constvalue);
			return true;
		case FLOAT4OID:
			*number = DatumGetFloat4(value->constvalue);
			break;
		case FLOAT8OID:
			*number = DatumGetFloat8(value->constvalue);
			break;
		case NUMERICOID:
			*number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value->constvalue));
			break;
		default:
			return false;
	}
	return isfinite(*number);
}

/* ---- The core ---- */

static void
set_range(Chain *chain, double low, double high)
{
	chain->low = low;
	chain->high = high;
	chain->scale = 1;
}

static bool
is_core(Chain *chain, Expr *expr)
{
	if (chain->score_metric != PINECONE_METRIC_UNKNOWN)
	{
		if (pinecone_translate_column(chain->cxt, (Node *) expr, PINECONE_ROLE_SCORE) == NULL ||
			!IsA(expr, Var))
			return false;
		if (chain->score_metric == PINECONE_METRIC_COSINE)
			set_range(chain, -PINECONE_MAX_COSINE, PINECONE_MAX_COSINE);
		else
			set_range(chain, chain->score_metric == PINECONE_METRIC_EUCLIDEAN ? 0 : -PINECONE_FAR, PINECONE_FAR);
	}
	else
	{
		if (!pinecone_translate_distance(chain->cxt, expr, chain->distance))
			return false;
		chain->falls = chain->distance->negated;
		switch (chain->distance->metric)
		{
			case PINECONE_METRIC_COSINE:
				set_range(chain, 0, 2);
				break;
			case PINECONE_METRIC_EUCLIDEAN:
				set_range(chain, 0, PINECONE_FAR);
				break;
			default:
				set_range(chain, -PINECONE_FAR, PINECONE_FAR);
				break;
		}
	}
	chain->core = expr;
	return true;
}

/* ---- Steps ---- */

static void
negate(Chain *chain)
{
	double low = chain->low;

	chain->low = -chain->high;
	chain->high = -low;
	chain->falls = !chain->falls;
}

static bool
scale(Chain *chain, double factor)
{
	if (factor < 0)
		negate(chain);
	factor = fabs(factor);
	if (factor > MAX_FACTOR || factor < 1 / MAX_FACTOR)
		return false;
	chain->low *= factor;
	chain->high *= factor;
	chain->scale *= factor;
	return chain->scale >= MIN_SCALE;
}

/* number / what there is: 0 must not lie within it */
static bool
divide_by(Chain *chain, double number)
{
	double low = chain->low;

	if ((chain->low <= 0 && chain->high >= 0) || number == 0 ||
		fabs(number) > MAX_FACTOR || fabs(number) < 1 / MAX_FACTOR)
		return false;
	chain->low = Min(number / chain->high, number / low);
	chain->high = Max(number / chain->high, number / low);
	chain->falls = number > 0 ? !chain->falls : chain->falls;
	chain->scale = MIN_SCALE;
	return true;
}

/* Does everything fit a numeric(p,s), by its type modifier? */
static bool
fits_typmod(Chain *chain, double typmod)
{
	int packed = (int) typmod - VARHDRSZ;
	int scale = packed & 0x7ff;
	int whole = ((packed >> 16) & 0xffff) - scale;

	return packed >= 0 && scale < 1024 && whole > 0 && whole < 100 &&
		   Max(fabs(chain->low), fabs(chain->high)) < pow(10, whole) - 1;
}

static bool
take_step(Chain *chain, StepKind kind, List *args, bool operand_first, double number)
{
	bool alone = list_length(args) == 1;

	if (alone && kind != STEP_SAME && kind != STEP_NEGATE && kind != STEP_ROUND)
		return false;
	switch (kind)
	{
		case STEP_SAME:
			return alone;
		case STEP_NEGATE:
			negate(chain);
			return alone;
		case STEP_ADD:
		case STEP_SUBTRACT:
			if (kind == STEP_SUBTRACT && operand_first)
				number = -number;
			else if (kind == STEP_SUBTRACT)
				negate(chain);
			chain->low += number;
			chain->high += number;
			return true;
		case STEP_MULTIPLY:
			return scale(chain, number);
		case STEP_DIVIDE:
			if (operand_first)
				return number != 0 && scale(chain, 1 / number);
			return divide_by(chain, number);
		case STEP_ROUND:
			chain->low -= 1;
			chain->high += 1;
			return alone || (operand_first && number >= 0 && number <= 100);
		case STEP_TYPMOD:
			return operand_first && fits_typmod(chain, number);
		default:
			return false;
	}
}

static bool
follow(Chain *chain, Expr *expr)
{
	StepKind kind;
	List *args;
	double number = 0;
	bool first = true;

	check_stack_depth();
	if (is_core(chain, expr))
		return true;
	if (IsA(expr, RelabelType))
		return follow(chain, ((RelabelType *) expr)->arg);
	args = step_arguments(expr, &kind);
	if (args == NIL || list_length(args) > 2)
		return false;
	if (list_length(args) == 2 && !constant_number(lsecond(args), &number))
	{
		first = false;
		if (!constant_number(linitial(args), &number))
			return false;
	}
	if (!follow(chain, first ? linitial(args) : lsecond(args)) ||
		!take_step(chain, kind, args, first, number))
		return false;
	return Max(fabs(chain->low), fabs(chain->high)) <=
		   (exprType((Node *) expr) == FLOAT4OID ? MAX_REAL : MAX_VALUE);
}

/* ---- Asked from outside ---- */

bool
pinecone_translate_ranked(PineconeTranslate *cxt, Expr *expr, PineconeDistance *distance, bool *falls)
{
	Chain chain = {cxt, PINECONE_METRIC_UNKNOWN, distance};

	if (!follow(&chain, expr) || (!pinecone_enable_spellings && expr != chain.core))
		return false;
	*falls = chain.falls;
	return true;
}

typedef struct Replacement
{
	Expr *from;
	Expr *to;
} Replacement;

static Node *
replace_core(Node *node, void *context)
{
	Replacement *replacement = context;

	if (node == (Node *) replacement->from)
		return (Node *) replacement->to;
	return expression_tree_mutator(node, replace_core, context);
}

/*
 * Is a clause a comparison that the core's best values meet, and others beyond
 * some point do not?  The clause is returned as a condition on the core's value,
 * which stands in it as a CaseTestExpr.
 */
static Expr *
match_bound(Chain *chain, Expr *clause, bool best_is_high)
{
	OpExpr *op = (OpExpr *) clause;
	PineconeCompare compare;
	Replacement replacement;
	CaseTestExpr *value;
	Expr *left;
	Expr *right;
	bool below;

	if (!IsA(clause, OpExpr) || list_length(op->args) != 2 ||
		!pinecone_translate_compare(op->opno, &compare))
		return NULL;
	left = linitial(op->args);
	right = lsecond(op->args);
	if (pinecone_translate_is_value(chain->cxt, left))
	{
		Expr *swap = left;

		left = right;
		right = swap;
		compare = pinecone_translate_commute(compare);
	}
	if (!pinecone_translate_is_value(chain->cxt, right) || !follow(chain, left))
		return NULL;
	/* "=" and "<>" are no bounds */
	if (compare == PINECONE_EQ || compare == PINECONE_NE)
		return NULL;
	below = compare == PINECONE_LT || compare == PINECONE_LE;
	if (below == (chain->falls != best_is_high))
		return NULL;
	value = makeNode(CaseTestExpr);
	value->typeId = exprType((Node *) chain->core);
	value->typeMod = exprTypmod((Node *) chain->core);
	value->collation = InvalidOid;
	replacement.from = chain->core;
	replacement.to = (Expr *) value;
	if (chain->distance != NULL && chain->distance->negated)
		replacement.to = (Expr *) makeFuncExpr(F_FLOAT8UM, FLOAT8OID, list_make1(value), InvalidOid,
											   InvalidOid, COERCE_EXPLICIT_CALL);
	return (Expr *) replace_core((Node *) clause, &replacement);
}

static Expr *
distance_condition(PineconeTranslate *cxt, Expr *clause, PineconeDistance *distance)
{
	Chain chain = {cxt, PINECONE_METRIC_UNKNOWN, distance};

	return pinecone_enable_spellings ? match_bound(&chain, clause, false) : NULL;
}

static Expr *
score_condition(PineconeTranslate *cxt, Expr *clause, PineconeMetric metric)
{
	Chain chain = {cxt, metric};

	return pinecone_enable_spellings ? match_bound(&chain, clause, metric != PINECONE_METRIC_EUCLIDEAN) :
									   NULL;
}

/* ---- Bounds ---- */

/* A comparison with what is searched by on the left, and a value on the right. */
static bool
is_simple(PineconeTranslate *cxt, Expr *clause, bool best_is_high, Expr **left, Expr **right,
		  PineconeCompare *compare)
{
	OpExpr *op = (OpExpr *) clause;

	if (!IsA(clause, OpExpr) || list_length(op->args) != 2 ||
		!pinecone_translate_compare(op->opno, compare))
		return false;
	*left = linitial(op->args);
	*right = lsecond(op->args);
	if (pinecone_translate_is_value(cxt, *left))
	{
		Expr *swap = *left;

		*left = *right;
		*right = swap;
		*compare = pinecone_translate_commute(*compare);
	}
	/* the other side of a bound is where the search begins */
	return pinecone_translate_is_value(cxt, *right) &&
		   (best_is_high ? *compare == PINECONE_GT || *compare == PINECONE_GE :
						   *compare == PINECONE_LT || *compare == PINECONE_LE);
}

bool
pinecone_translate_bound(PineconeTranslate *cxt, Expr *clause, PineconeDistance *distance, int *bound)
{
	PineconeCompare compare;
	Expr *left;
	Expr *right;

	if (!is_simple(cxt, clause, false, &left, &right, &compare) || exprType((Node *) right) != FLOAT8OID ||
		!pinecone_translate_distance(cxt, left, distance) || distance->negated)
		right = distance_condition(cxt, clause, distance);
	else
		distance->strict = compare == PINECONE_LT;
	if (right == NULL)
		return false;
	*bound = pinecone_translate_add_expr(cxt, right);
	return true;
}

bool
pinecone_translate_score_bound(PineconeTranslate *cxt, Expr *clause, PineconeMetric metric,
							   int *bound, PineconeCompare *compare)
{
	bool best_is_high = metric != PINECONE_METRIC_EUCLIDEAN;
	Expr *left;
	Expr *right;

	if (!is_simple(cxt, clause, best_is_high, &left, &right, compare) ||
		(exprType((Node *) right) != FLOAT8OID && exprType((Node *) right) != FLOAT4OID) ||
		pinecone_translate_column(cxt, (Node *) left, PINECONE_ROLE_SCORE) == NULL)
	{
		right = score_condition(cxt, clause, metric);
		*compare = best_is_high ? PINECONE_GE : PINECONE_LE;
	}
	if (right == NULL)
		return false;
	*bound = pinecone_translate_add_expr(cxt, right);
	return true;
}
