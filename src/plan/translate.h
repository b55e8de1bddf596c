/*
 * translate.h
 *		SQL expressions as metadata conditions, id lookups and vector searches.
 */
#ifndef PINECONE_TRANSLATE_H
#define PINECONE_TRANSLATE_H

#include "nodes/pathnodes.h"

#include "option/option_list.h"
#include "request/request.h"
#include "request/shippable.h"

typedef struct PineconeTranslate
{
	PlannerInfo *root;
	Index varno; /* the foreign table */
	PineconeTable *table;
	List *exprs; /* expressions to be evaluated at run time; grows */
} PineconeTranslate;

/*
 * vec <op> q, or a function of both; or pinecone_hybrid_distance() of two such, the
 * dense vector's and the sparse one's
 */
typedef struct PineconeDistance
{
	Expr *expr;			   /* the whole expression, as it stands in the query */
	PineconeMetric metric; /* the metric whose distance it is */
	bool negated;		   /* it is the distance times -1 */
	Expr *query;		   /* what the dense vector is compared with, or NULL: it does not matter */
	Expr *sparse;		   /* the same of the sparse vector */
	Expr *alpha;		   /* where both matter: the weight of the dense one */
	bool strict;		   /* of a bound that is a number: distances are less */
	bool rounds;		   /* of vectors that SQL rounds first, and the index does not */
} PineconeDistance;

/* ---- translate_expr.c ---- */

/* The number of an expression in cxt->exprs, added if it is not there. */
extern int pinecone_translate_add_expr(PineconeTranslate *cxt, Expr *expr);

/* Is the expression free of the table's columns and of volatile functions? */
extern bool pinecone_translate_is_value(PineconeTranslate *cxt, Expr *expr);

/* ---- translate.c ---- */

/*
 * A WHERE clause as a condition.  PINECONE_LOCAL: *condition is not set.
 * PINECONE_SUPERSET: the condition lets through too many rows, never too few.
 */
extern PineconeExactness pinecone_translate_clause(PineconeTranslate *cxt, Expr *clause,
												   PineconeCondition **condition);

/*
 * Of clauses that are ANDed: id >= low and id <= high, in bytewise order.  What lies
 * between begins with what both have in common.
 */
extern bool pinecone_translate_id_range(PineconeTranslate *cxt, List *clauses, int *low, int *high);

/* The same of one end alone: id > low, or id >= low; id < high, or id <= high. */
extern bool pinecone_translate_id_after(PineconeTranslate *cxt, List *clauses, int *low);
extern bool pinecone_translate_id_before(PineconeTranslate *cxt, List *clauses, int *high);

/* Of clauses that are ANDed: ctid = value, or ctid = ANY (array). */
extern bool pinecone_translate_place(PineconeTranslate *cxt, List *clauses, int *place);

/* ---- translate_days.c ---- */

/*
 * Of clauses that are ANDed: conditions that name the days between two of them, as
 * far as column and values are dates.  They let through too many rows.
 */
extern List *pinecone_translate_days(PineconeTranslate *cxt, List *clauses);

/* ---- translate_id.c ---- */

/* id = x, id = ANY (array), and ORs of these: numbers of the expressions. */
extern bool pinecone_translate_id(PineconeTranslate *cxt, Expr *clause, List **ids);

/* namespace = x and so on: the same for the namespace column. */
extern bool pinecone_translate_namespace(PineconeTranslate *cxt, Expr *clause, List **names);

/* Is whatever Pinecone calls a record, or a namespace, a value of that column as it is, rather than NULL or an error? */
extern bool pinecone_translate_names_fit(const PineconeColumn *column);

/* May a condition on the namespace be looked at before rows are? */
extern bool pinecone_translate_may_prune(const PineconeTable *table);

/*
 * id LIKE 'p%', id ^@ 'p', starts_with(id, 'p').  *exact: nothing is left to
 * check locally.
 */
extern bool pinecone_translate_prefix(PineconeTranslate *cxt, Expr *clause,
									  int *prefix, bool *is_like, bool *exact);

/* ---- translate_text.c ---- */

/*
 * column @@@ words, its like, and ORs of these, as the clauses of a search: see
 * PineconeRequest.
 */
extern bool pinecone_translate_text(PineconeTranslate *cxt, Expr *clause, List **clauses);

/* pinecone_match_phrase(column, words) and its like, as a condition that is exact. */
extern bool pinecone_translate_words(PineconeTranslate *cxt, Node *node, PineconeCondition **condition);

/*
 * NOT pinecone_match_any(column, words), a clause by itself: what is sent may let
 * through documents without the text, and pinecone_translate_has_text() is what is
 * left to check here in place of the clause; NULL: the clause is none of these.
 */
extern bool pinecone_translate_no_words(PineconeTranslate *cxt, Expr *clause, PineconeCondition **condition);
extern Expr *pinecone_translate_has_text(PineconeTranslate *cxt, Expr *clause);

/* ---- translate_distance.c ---- */

/* vec <op> q, with q free of the table's columns, also in the form of a function. */
extern bool pinecone_translate_distance(PineconeTranslate *cxt, Expr *expr,
										PineconeDistance *distance);

/* Are these the same, however they are spelled? */
extern bool pinecone_translate_same_distance(PlannerInfo *root, const PineconeDistance *a,
											 const PineconeDistance *b);

/* ---- translate_monotone.c ---- */

/* Does an expression rise with a distance, or fall, as 1 - (vec <op> q) does? */
extern bool pinecone_translate_ranked(PineconeTranslate *cxt, Expr *expr,
									  PineconeDistance *distance, bool *falls);

/*
 * A condition that ends a search: vec <op> q < r, *bound is the number of r, a
 * float8; or any other spelling of one, *bound is the number of a boolean on the
 * distance, which stands in it as a CaseTestExpr: true of the best distances, false
 * from somewhere on.
 */
extern bool pinecone_translate_bound(PineconeTranslate *cxt, Expr *clause,
									 PineconeDistance *distance, int *bound);

/*
 * score > s, or where the metric's scores are distances score < s: *bound is the
 * number of s, a real or float8.  Or a boolean likewise.
 */
extern bool pinecone_translate_score_bound(PineconeTranslate *cxt, Expr *clause,
										   PineconeMetric metric, int *bound,
										   PineconeCompare *compare);

#endif /* PINECONE_TRANSLATE_H */
