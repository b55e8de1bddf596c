/*
 * compat.h
 *		Differences between PostgreSQL majors, 14 to 19.
 *
 * A wrapper takes the newest arguments and drops what older majors lack.
 */
#ifndef PINECONE_COMPAT_H
#define PINECONE_COMPAT_H

#include "commands/explain.h"
#include "executor/executor.h"
#include "foreign/fdwapi.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "optimizer/inherit.h"
#include "optimizer/pathnode.h"
#include "parser/parse_relation.h"
#include "parser/parsetree.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/selfuncs.h"
#include "utils/tuplesort.h"

#if PG_VERSION_NUM < 140000
#error "pinecone_fdw needs PostgreSQL 14 or newer"
#endif

/* PG16 took this out of postgres.h */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* PG18 split EXPLAIN's header */
#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#endif

/* PG15 brought its own random numbers */
#if PG_VERSION_NUM >= 150000
#include "common/pg_prng.h"
#define pinecone_random_double() pg_prng_double(&pg_global_prng_state)
#else
#define pinecone_random_double() (random() / ((double) MAX_RANDOM_VALUE + 1))
#endif

/* PG19 keeps the names of locks itself */
#if PG_VERSION_NUM >= 190000
#define pinecone_new_tranche(name) LWLockNewTrancheId(name)
#define pinecone_register_tranche(tranche, name) ((void) 0)
#else
#define pinecone_new_tranche(name) LWLockNewTrancheId()
#define pinecone_register_tranche(tranche, name) LWLockRegisterTranche(tranche, name)
#endif

/* PG15 gave it another name */
#if PG_VERSION_NUM >= 150000
#define pinecone_parse_analyze(raw, text) parse_analyze_fixedparams(raw, text, NULL, 0, NULL)
#else
#define pinecone_parse_analyze(raw, text) parse_analyze(raw, text, NULL, 0, NULL)
#endif

/* PG17 added fdw_restrictinfo, PG18 disabled_nodes */
#if PG_VERSION_NUM >= 180000
#define pinecone_create_scan_path(root, rel, rows, startup, total, keys, outer, fdw_private) \
	create_foreignscan_path(root, rel, NULL, rows, 0, startup, total, keys, outer, NULL, NIL, fdw_private)
#define pinecone_create_upper_path(root, rel, target, rows, startup, total, outer, fdw_private) \
	create_foreign_upper_path(root, rel, target, rows, 0, startup, total, NIL, outer, NIL, fdw_private)
#elif PG_VERSION_NUM >= 170000
#define pinecone_create_scan_path(root, rel, rows, startup, total, keys, outer, fdw_private) \
	create_foreignscan_path(root, rel, NULL, rows, startup, total, keys, outer, NULL, NIL, fdw_private)
#define pinecone_create_upper_path(root, rel, target, rows, startup, total, outer, fdw_private) \
	create_foreign_upper_path(root, rel, target, rows, startup, total, NIL, outer, NIL, fdw_private)
#else
#define pinecone_create_scan_path(root, rel, rows, startup, total, keys, outer, fdw_private) \
	create_foreignscan_path(root, rel, NULL, rows, startup, total, keys, outer, NULL, fdw_private)
#define pinecone_create_upper_path(root, rel, target, rows, startup, total, outer, fdw_private) \
	create_foreign_upper_path(root, rel, target, rows, startup, total, NIL, outer, fdw_private)
#endif

/* PG16 moved checkAsUser from the range table entry to the plan and the rel */
#if PG_VERSION_NUM >= 160000
#define pinecone_plan_base_relids(plan) ((plan)->fs_base_relids)
#define pinecone_scan_user(plan, estate) \
	(OidIsValid((plan)->checkAsUser) ? (plan)->checkAsUser : GetUserId())
#define pinecone_plan_user(root, rel) \
	(OidIsValid((rel)->userid) ? (rel)->userid : GetUserId())
#else
#define pinecone_plan_base_relids(plan) ((plan)->fs_relids)
#define pinecone_scan_user(plan, estate) \
	pinecone_entry_user(exec_rt_fetch((plan)->scan.scanrelid > 0 ? (plan)->scan.scanrelid : \
																   bms_next_member((plan)->fs_relids, -1), \
									  estate))
#define pinecone_plan_user(root, rel) \
	pinecone_entry_user(planner_rt_fetch((rel)->relid, root))
#define pinecone_entry_user(rte) \
	(OidIsValid((rte)->checkAsUser) ? (rte)->checkAsUser : GetUserId())
#endif

/* PG16 moved the columns that an UPDATE sets from the range table entry */
#if PG_VERSION_NUM >= 160000
#define pinecone_updated_columns(root, rte, relid) \
	get_rel_all_updated_cols(root, find_base_rel(root, relid))
#define pinecone_result_user(rri, estate) \
	pinecone_user_or_current(ExecGetResultRelCheckAsUser(rri, estate))
#define pinecone_user_or_current(userid) (OidIsValid(userid) ? (userid) : GetUserId())
#else
#define pinecone_updated_columns(root, rte, relid) ((rte)->updatedCols)
#define pinecone_result_user(rri, estate) \
	pinecone_entry_user(exec_rt_fetch((rri)->ri_RangeTableIndex > 0 ? \
										  (rri)->ri_RangeTableIndex : \
										  (rri)->ri_RootResultRelInfo->ri_RangeTableIndex, \
									  estate))
#endif

/* PG16 keeps permissions beside range table entries, and none there without need: a copy asks for the same */
#if PG_VERSION_NUM >= 160000
#define pinecone_copy_permission(query, copy, outer, rte) \
	do \
	{ \
		if ((rte)->perminfoindex == 0) \
			break; \
		(query)->rteperminfos = list_make1(copyObject(getRTEPermissionInfo((outer)->rteperminfos, rte))); \
		(copy)->perminfoindex = 1; \
	} \
	while (0)
#define pinecone_is_view(rte) OidIsValid((rte)->relid)
#else
#define pinecone_copy_permission(query, copy, outer, rte) ((copy)->requiredPerms = 0)
#define pinecone_is_view(rte) false
#endif

/* PG16 asks for all objects' rights by one function */
#if PG_VERSION_NUM >= 160000
#include "catalog/pg_foreign_server.h"
#define pinecone_server_aclcheck(serverid, userid, mode) \
	object_aclcheck(ForeignServerRelationId, serverid, userid, mode)
#else
#define pinecone_server_aclcheck(serverid, userid, mode) pg_foreign_server_aclcheck(serverid, userid, mode)
#endif

/* PG16 leaves out what a condition makes constant */
#if PG_VERSION_NUM >= 160000
#define pinecone_group_keys(root) ((root)->processed_groupClause)
#define pinecone_distinct_keys(root) ((root)->processed_distinctClause)
#else
#define pinecone_group_keys(root) ((root)->parse->groupClause)
#define pinecone_distinct_keys(root) ((root)->parse->distinctClause)
#endif

/* PG17 added root and returns a float */
#if PG_VERSION_NUM >= 170000
#define pinecone_array_length(root, node) estimate_array_length(root, node)
#else
#define pinecone_array_length(root, node) ((double) estimate_array_length(node))
#endif

/* PG18 freed path keys of B-trees' numbers */
#if PG_VERSION_NUM >= 180000
#define pinecone_pathkey_ascends(pathkey) ((pathkey)->pk_cmptype == COMPARE_LT)
#else
#define pinecone_pathkey_ascends(pathkey) ((pathkey)->pk_strategy == BTLessStrategyNumber)
#endif

/* PG17's header of locales needs ICU's own, which need not be there */
#if PG_VERSION_NUM >= 170000
extern bool pinecone_collation_is_c(Oid collation);
#else
#include "utils/pg_locale.h"
#define pinecone_collation_is_c(collation) lc_collate_is_c(collation)
#endif

/* PG18 put it in front, and as a word of its own */
#if PG_VERSION_NUM < 180000
#define pg_noreturn pg_attribute_noreturn()
#endif

/* PG15 replaced the list of value node types and its boolean tuplesort option */
#if PG_VERSION_NUM >= 150000
#define PINECONE_TUPLESORT_ONCE TUPLESORT_NONE
#else
#define PINECONE_TUPLESORT_ONCE false
#endif

/* PG15 renamed it and made it remove what it finds */
#if PG_VERSION_NUM < 150000
#define MarkGUCPrefixReserved(prefix) EmitWarningsOnPlaceholders(prefix)
#endif

/* A cache over a nested loop's inner side */
#define pinecone_memoized_path(path) \
	(IsA(path, MemoizePath) ? ((MemoizePath *) (path))->subpath : NULL)
#define pinecone_memoize_evictions(node) (((MemoizeState *) (node))->stats.cache_evictions)

/* PG15 added the first stage to choose, PG18 the relations left */
#if PG_VERSION_NUM >= 180000
#define pinecone_find_matching_subplans(prune) ExecFindMatchingSubPlans(prune, false, NULL)
#elif PG_VERSION_NUM >= 150000
#define pinecone_find_matching_subplans(prune) ExecFindMatchingSubPlans(prune, false)
#else
#define pinecone_find_matching_subplans(prune) ExecFindMatchingSubPlans(prune)
#endif

/* PG18 counts what has been disabled apart from the costs */
#if PG_VERSION_NUM >= 180000
#define pinecone_copy_disabled_nodes(to, from) ((to)->disabled_nodes = (from)->disabled_nodes)
#else
#define pinecone_copy_disabled_nodes(to, from) ((void) 0)
#endif

/* PG18 dropped the restriction */
#if PG_VERSION_NUM >= 180000
#define pinecone_have_dangerous_phv(root, outer_relids, inner_params) false
#else
#define pinecone_have_dangerous_phv(root, outer_relids, inner_params) \
	have_dangerous_phv(root, outer_relids, inner_params)
#endif

/* PG17 lets extensions name their waits */
#if PG_VERSION_NUM >= 170000
#include "utils/wait_event.h"
#define pinecone_wait_event_new(name) WaitEventExtensionNew(name)
#else
#define pinecone_wait_event_new(name) ((void) (name), PG_WAIT_EXTENSION)
#endif

/* PG18 keeps the members of partitions and other children apart */
#if PG_VERSION_NUM >= 180000
extern List *pinecone_class_members(EquivalenceClass *ec, RelOptInfo *rel);
#else
#define pinecone_class_members(ec, rel) ((ec)->ec_members)
#endif

/* PG18 has rows as they were before in RETURNING: OLD of the query so many levels up */
#if PG_VERSION_NUM >= 180000
#define pinecone_is_old(node, level) \
	(IsA(node, Var) ? ((Var *) (node))->varreturningtype == VAR_RETURNING_OLD && ((Var *) (node))->varlevelsup == (level) : \
					  IsA(node, ReturningExpr) && ((ReturningExpr *) (node))->retold && ((ReturningExpr *) (node))->retlevelsup == (level))
#else
#define pinecone_is_old(node, level) false
#endif

/* PG19 tells planner hooks of the EXPLAIN that they plan for */
#if PG_VERSION_NUM >= 190000
#define PINECONE_PLANNER_ARGS \
	Query *parse, const char *query_string, int options, ParamListInfo params, ExplainState *es
#define PINECONE_PLANNER_PASS parse, query_string, options, params, es
#else
#define PINECONE_PLANNER_ARGS \
	Query *parse, const char *query_string, int options, ParamListInfo params
#define PINECONE_PLANNER_PASS parse, query_string, options, params
#endif

/* PG18 took away the last argument of an ExecutorRun hook */
#if PG_VERSION_NUM >= 180000
#define PINECONE_EXECUTOR_RUN_ARGS QueryDesc *queryDesc, ScanDirection direction, uint64 count
#define PINECONE_EXECUTOR_RUN_PASS queryDesc, direction, count
#else
#define PINECONE_EXECUTOR_RUN_ARGS \
	QueryDesc *queryDesc, ScanDirection direction, uint64 count, bool execute_once
#define PINECONE_EXECUTOR_RUN_PASS queryDesc, direction, count, execute_once
#endif

/* PG15 has a hook in which to ask for shared memory; before, that was for _PG_init */
#if PG_VERSION_NUM >= 150000
#define PINECONE_SHMEM_REQUEST_HOOK
#endif

/* PG15 has a name for it */
#if PG_VERSION_NUM < 150000
#define strtoi64(text, end, base) ((int64) strtoll(text, end, base))
#endif

/* PG15 put the random state behind a pointer */
#if PG_VERSION_NUM >= 150000
#define pinecone_sampler_state(reservoir) (&(reservoir)->randstate)
#else
#define pinecone_sampler_state(reservoir) ((reservoir)->randstate)
#endif

/* PG17 ties wait event sets to resource owners */
#if PG_VERSION_NUM >= 170000
#define pinecone_create_wait_event_set(cxt, n) CreateWaitEventSet(NULL, n)
#else
#define pinecone_create_wait_event_set(cxt, n) CreateWaitEventSet(cxt, n)
#endif

/* PG17 lets the caller bring the lexer's memory */
#if PG_VERSION_NUM >= 170000
#define pinecone_json_lex(text, len, encoding, need_escapes) \
	makeJsonLexContextCstringLen(NULL, text, len, encoding, need_escapes)
#else
#define pinecone_json_lex(text, len, encoding, need_escapes) \
	makeJsonLexContextCstringLen(text, len, encoding, need_escapes)
#endif

/* PG19 keeps the value that is built along with the state of building it */
#if PG_VERSION_NUM >= 190000
typedef JsonbInState PineconeJsonbState;
#define pinecone_push_jsonb(state, token, value) pushJsonbValue(state, token, value)
#else
typedef struct PineconeJsonbState
{
	JsonbValue *result; /* once it is complete */
	JsonbParseState *parse;
} PineconeJsonbState;
#define pinecone_push_jsonb(state, token, value) \
	((void) ((state)->result = pushJsonbValue(&(state)->parse, token, value)))
#endif

/* PG19 wants to be told when a descriptor is complete */
#if PG_VERSION_NUM >= 190000
#define pinecone_finish_tuple_desc(desc) TupleDescFinalize(desc)
#else
#define pinecone_finish_tuple_desc(desc) ((void) 0)
#endif

/* PG19 made a set of the relations that a statement modifies */
#if PG_VERSION_NUM >= 190000
#define pinecone_is_result_relation(estate, rtindex) bms_is_member(rtindex, (estate)->es_plannedstmt->resultRelationRelids)
#define pinecone_count_result_relations(estate) bms_num_members((estate)->es_plannedstmt->resultRelationRelids)
#else
#define pinecone_is_result_relation(estate, rtindex) list_member_int((estate)->es_plannedstmt->resultRelations, rtindex)
#define pinecone_count_result_relations(estate) list_length((estate)->es_plannedstmt->resultRelations)
#endif

/* PG19 took away the path node that was made unique for a semijoin, and gave its name to the other one */
#if PG_VERSION_NUM >= 190000
#define T_UpperUniquePath T_UniquePath
#define UpperUniquePath UniquePath
#endif

/* PG19 makes the relation unique before it joins it */
#if PG_VERSION_NUM >= 190000
#define pinecone_unique_path(root, rel, sjinfo) ((rel)->cheapest_total_path)
#else
#define pinecone_unique_path(root, rel, sjinfo) \
	((Path *) create_unique_path(root, rel, (rel)->cheapest_total_path, sjinfo))
#endif

/* PG19 wants to know which strategies a join is of, to see whether they are enabled */
#if PG_VERSION_NUM >= 190000
#define pinecone_initial_cost_nestloop(root, workspace, jointype, outer, inner, extra) \
	initial_cost_nestloop(root, workspace, jointype, \
						  PGS_CONSIDER_NONPARTIAL | (IsA(inner, MemoizePath) ? PGS_NESTLOOP_MEMOIZE : PGS_NESTLOOP_PLAIN), \
						  outer, inner, extra)
#else
#define pinecone_initial_cost_nestloop(root, workspace, jointype, outer, inner, extra) \
	initial_cost_nestloop(root, workspace, jointype, outer, inner, extra)
#endif

/* PG19 made a node's instrumentation one of several kinds */
#if PG_VERSION_NUM >= 190000
#define pinecone_needs_timer(instrument) ((instrument)->instr.need_timer)
#else
#define pinecone_needs_timer(instrument) ((instrument)->need_timer)
#endif

/* PG19 lets modules look at a plan when it is made, and lists nodes that were taken out */
#if PG_VERSION_NUM >= 190000
#include "optimizer/planner.h"
#define PINECONE_PLANNER_SHUTDOWN
#endif

/* PG15 added conditions that end a window function's work */
#if PG_VERSION_NUM >= 150000
extern Node *pinecone_window_limit(Query *parse);
#else
#define pinecone_window_limit(parse) ((Node *) NULL)
#endif

/* The schema that an extension is in; InvalidOid where there is no such extension. */
extern Oid pinecone_extension_schema(Oid extension);

#endif /* PINECONE_COMPAT_H */
