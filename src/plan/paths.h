/*
 * paths.h
 *		Planner callbacks, and what they tell each other.
 *
 * paths.c estimates and offers paths, plan_namespace.c looks at namespaces,
 * plan_scan.c turns the chosen path into a plan, plan_upper.c offers
 * counts and groups answered by the service, plan_append.c looks after Appends.
 */
#ifndef PINECONE_PATHS_H
#define PINECONE_PATHS_H

#include "foreign/fdwapi.h"

#include "plan/plan_cost.h"
#include "plan/plan_info.h"

/* Records that are left by the conditions that can be sent. */
extern double pinecone_plan_sent_records(PlannerInfo *root, RelOptInfo *rel);

/* For the planner's hooks: see plan_append.c, plan_readahead.c. */
extern void pinecone_plan_append(PlannerInfo *root, RelOptInfo *rel, RangeTblEntry *rte);
extern void pinecone_plan_readaheads(PlannerInfo *root, RelOptInfo *joinrel, RelOptInfo *outerrel,
									 RelOptInfo *innerrel, JoinType jointype,
									 JoinPathExtraData *extra);

/* How many values expressions of a translation, given by number, will have. */
extern double pinecone_plan_count_values(PineconeTranslate *cxt, List *numbers);

/* Count the relation's records and namespaces, before and after pruning. */
extern void pinecone_plan_namespaces(PlannerInfo *root, RelOptInfo *rel);

/* How many namespaces a path asks, given the outer relations it depends on. */
extern double pinecone_plan_namespaces_asked(PlannerInfo *root, RelOptInfo *rel,
											 Relids required_outer);

/* The rows of a scan that join clauses prune to so many namespaces. */
extern double pinecone_plan_pruned_rows(PlannerInfo *root, RelOptInfo *rel, List *join_clauses,
										double namespaces);

/*
 * count(*) of one of our tables, also by namespace: offers a path and returns
 * true if that is all that an upper relation asks for.
 */
extern bool pinecone_plan_count(PlannerInfo *root, UpperRelationKind stage, RelOptInfo *input_rel,
								RelOptInfo *output_rel, PathTarget *target, Node *having);

/* The plan of such a path. */
extern ForeignScan *pinecone_plan_count_scan(RelOptInfo *rel, ForeignPath *path, PineconeRequest *request,
											 PineconeTranslate *translate, List *tlist);

/* The same for the values of a field, and how many records have each: plan_groups.c. */
extern bool pinecone_plan_groups(PlannerInfo *root, UpperRelationKind stage, RelOptInfo *input_rel,
								 RelOptInfo *output_rel, PathTarget *target, Node *having);

/* The plan of such a path.  Rows are those of the plan below, which stands in for it. */
extern ForeignScan *pinecone_plan_groups_scan(RelOptInfo *rel, ForeignPath *path, PineconeRequest *request,
											  PineconeTranslate *translate, List *tlist, Plan *instead);

/*
 * The order of a number, for those who want few rows: plan_order.c.  "used" are
 * pinecone_plan_columns_used(), "all" is the cost of reading all records by a filter.
 */
extern void pinecone_plan_order(PlannerInfo *root, RelOptInfo *rel, Bitmapset *used, Cost all);

/* The order of ids: plan_ids.c.  Are ids, and namespaces, all that is used of a relation? */
extern bool pinecone_plan_only_ids(RelOptInfo *rel, PineconeTable *table);

/* The order in which ids are listed, if the query has a use for it: for its ORDER BY or for a merge join. */
extern List *pinecone_plan_id_order(PlannerInfo *root, RelOptInfo *rel);

/* The condition that gives a prefix of ids, or NULL. */
extern RestrictInfo *pinecone_plan_prefix(PlannerInfo *root, RelOptInfo *rel);

/* Offer the opposite order to who wants few. */
extern void pinecone_plan_descent(PlannerInfo *root, RelOptInfo *rel);

/* What these look at.  The column of our table that an expression is, or NULL. */
extern PineconeColumn *pinecone_plan_plain_column(Expr *expr, RelOptInfo *rel, PineconeTable *table);

/*
 * Does an aggregate count the rows?  Ids and namespaces are never NULL, so
 * that counting them does.  The result of counting in part is a count too.
 */
extern bool pinecone_plan_counts_rows(Aggref *agg, RelOptInfo *rel, PineconeTable *table);

/*
 * What an aggregate counts, if that is rows: all of them, or those that meet
 * a condition which the service answers exactly.
 */
extern bool pinecone_plan_translate_count(PineconeTranslate *cxt, Aggref *agg, RelOptInfo *rel, PineconeCount *count);

/* Is this the column of namespaces, with equality as Pinecone has it? */
extern bool pinecone_plan_is_namespace(Expr *expr, RelOptInfo *rel, PineconeTable *table);

/* Is every condition answered exactly by the service?  *any: is there one? */
extern bool pinecone_plan_conditions_are_exact(PlannerInfo *root, RelOptInfo *rel, bool *any);

/* For a hook in front of the planner: see plan_conflict.c, plan_one_row.c, plan_unordered.c. */
extern void pinecone_plan_conflicts(Query *query);
extern void pinecone_plan_one_rows(Query *query);
extern void pinecone_plan_unordered(Query *query);

/* Of a finished plan: see plan_offset.c.  Since it was set to false, has an OFFSET been planned? */
extern bool pinecone_plan_has_offset;
extern void pinecone_plan_offsets(PlannedStmt *stmt);

/* The plan to execute in place of one: see plan_embed_ahead.c. */
extern PlannedStmt *pinecone_plan_embed_ahead(PlannedStmt *stmt, int eflags);

/*
 * Find the search that the relation's rows are under: into the fields of its
 * PineconePlanInfo.  Says so when a query needs one and there is none.
 */
extern void pinecone_plan_find_search(PlannerInfo *root, RelOptInfo *rel);

/* The statistics that a relation is planned by, waited for where the plan depends on them. */
extern void pinecone_plan_find_stats(PlannerInfo *root, RelOptInfo *rel);

/* Is the query's order that of a distance, be it one that the index does not measure? */
extern bool pinecone_plan_orders_by_distance(PlannerInfo *root, RelOptInfo *rel);

/* Does a condition tell how far such a search has to go? */
extern bool pinecone_plan_has_bound(PlannerInfo *root, RelOptInfo *rel);

/*
 * The id of the stored record whose vector an expression is, or NULL: see
 * plan_stored_query.c.
 */
extern Expr *pinecone_plan_stored_query(PlannerInfo *root, RelOptInfo *rel, Expr *vector);

/* Raises an error when system columns that no record has are among these. */
extern void pinecone_plan_check_system_columns(const PineconeTable *table, const Bitmapset *used);

/* Before a wait for statistics: ask for all that the query needs. */
extern void pinecone_plan_refresh_all(PlannerInfo *root);

/*
 * Which of the columns used have to be read (FirstLowInvalidHeapAttributeNumber-
 * based): all, but for the whole rows of an UPDATE or DELETE that nobody looks at.
 */
extern Bitmapset *pinecone_plan_read_columns(PlannerInfo *root, RelOptInfo *rel, Bitmapset *used);

/* Are whole rows of it nothing but what an UPDATE or DELETE is made of: no row is ever joined anew? */
extern bool pinecone_plan_rows_stay(PlannerInfo *root, Index relid);

/*
 * LIMIT and OFFSET, when it is the scan's rows they count: into the request.  A guess
 * is good enough, for the scan goes on for as long as it is asked.  How many rows a
 * condition on their rank lets through, or 0.
 */
extern double pinecone_plan_ranked_rows(PlannerInfo *root);
extern void pinecone_plan_limit(PlannerInfo *root, PineconeTranslate *cxt, PineconeRequest *request, bool sorted);

extern void pineconeGetForeignRelSize(PlannerInfo *root, RelOptInfo *rel, Oid relid);
extern void pineconeGetForeignPaths(PlannerInfo *root, RelOptInfo *rel, Oid relid);
extern ForeignScan *pineconeGetForeignPlan(PlannerInfo *root, RelOptInfo *rel, Oid relid,
										   ForeignPath *path, List *tlist, List *scan_clauses,
										   Plan *outer_plan);
extern void pineconeGetForeignUpperPaths(PlannerInfo *root, UpperRelationKind stage,
										 RelOptInfo *input_rel, RelOptInfo *output_rel,
										 void *extra);

#endif /* PINECONE_PATHS_H */
