/*
 * plan_info.h
 *		What planning knows of a relation, and how its paths are written down.
 */
#ifndef PINECONE_PLAN_INFO_H
#define PINECONE_PLAN_INFO_H

#include "foreign/fdwapi.h"

#include "plan/translate.h"

/* A base relation's fdw_private; an upper relation's is that of its base. */
typedef struct PineconePlanInfo
{
	PineconeTable *table;
	Oid userid;
	PineconeSession *session; /* NULL without a user mapping */
	PineconeStats *stats;	  /* NULL when the service did not answer */
	PineconeTime planned_at;  /* when they were asked for, if that was for this statement; 0 */
	bool may_assume;		  /* the metric, until they come */
	bool metric_assumed;
	double record_bytes;		 /* of a full record's JSON */
	int nall;					 /* namespaces of the table */
	double nnamespaces;			 /* those that conditions leave */
	double records;				 /* in those */
	double nids;				 /* that a condition names; 0: none does */
	PineconeDistance search;	 /* what rows' scores are of, see plan_search.c */
	bool searched;				 /* is there such a thing? */
	bool searchable;			 /* can it lead a path? */
	bool ordered;				 /* whose rows then are in the query's order? */
	PineconeMetric other_metric; /* of a distance that the index does not measure */
	PineconeNoSearch no_search;	 /* if not: why? */
	bool lacks_score;			 /* and do rows, or their order, go by the score? */
	Expr *text;					 /* a condition that is a search by words, or NULL */
	bool words;					 /* a filter looks at words: it has to be sent */
	RelOptInfo *rel;			 /* the base relation, for aggregates on it */
} PineconePlanInfo;

/* What leads a path; the list in its fdw_private. */
enum PineconePathPrivate
{
	PATH_OP,	 /* Integer: PineconeOperation */
	PATH_LEAD,	 /* the clause with the ids or the prefix, or the
								 * distance to search by; or NULL */
	PATH_SORTED, /* Integer: rows come in the promised order; of counts: there
								 * is a row for each namespace */
	PATH_HAVING, /* of counts and groups: conditions on them */
	PATH_GROUPS	 /* of an order: the column, whether descending, NULLS FIRST; of groups: the column, whether by namespace, how many dry
								 * runs are worth while */
};

/* When the planning of the current statement began */
extern PineconeTime pinecone_plan_began;

/* The start of a translation of clauses on a relation. */
extern PineconeTranslate pinecone_plan_translate(PlannerInfo *root, RelOptInfo *rel);

/* Has a role a user mapping for a server, be it everybody's? */
extern bool pinecone_plan_has_mapping(Oid userid, Oid serverid);

/* Does a clause use no more of the table than the namespace? */
extern bool pinecone_plan_is_about_namespace(RelOptInfo *rel, Expr *clause);

/* Is a condition one that a listed id decides, before its record is fetched? */
extern bool pinecone_plan_is_about_id(PlannerInfo *root, RelOptInfo *rel, RestrictInfo *rinfo);

/* May records be counted by dry runs? */
extern bool pinecone_plan_may_count(const PineconePlanInfo *info);

extern bool pineconeIsForeignPathAsyncCapable(ForeignPath *path);

/* Columns that a relation's conditions and target want, offset as in pull_varattnos(). */
extern Bitmapset *pinecone_plan_columns_used(RelOptInfo *rel);

#endif /* PINECONE_PLAN_INFO_H */
