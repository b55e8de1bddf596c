/*
 * plan_modify.h
 *		What plans of writes and their execution have in common.
 */
#ifndef PINECONE_PLAN_MODIFY_H
#define PINECONE_PLAN_MODIFY_H

#include "foreign/fdwapi.h"

#include "option/option_list.h"

/* Junk columns of the rows that UPDATE and DELETE are given: what they are, and for columns their names */
#define PINECONE_JUNK_ID "pinecone_id"
#define PINECONE_JUNK_NAMESPACE "pinecone_namespace" /* of tables with such a column */
#define PINECONE_JUNK_ROW "pinecone_row"			 /* DELETE with RETURNING */

extern char *pinecone_plan_junk_name(const char *what, const PineconeColumn *column);

/* What PlanForeignModify leaves in fdw_private */
enum PineconeModifyPrivate
{
	PINECONE_MODIFY_ASSIGNED, /* attribute numbers that an UPDATE, or DO UPDATE, sets */
	PINECONE_MODIFY_BY_CTID	  /* Boolean: does the statement look at the table's ctid? */
};

/* What PlanDirectModify leaves in the scan's fdw_private */
enum PineconeDirectPrivate
{
	PINECONE_DIRECT_REQUEST,
	PINECONE_DIRECT_ASSIGNED,	 /* attribute numbers that an UPDATE sets */
	PINECONE_DIRECT_FIRST_VALUE, /* number of the first assigned value's expression */
	PINECONE_DIRECT_SET_TAG,	 /* does it count for the command tag? */
	PINECONE_DIRECT_CHECKED,	 /* are matching records read first? */
	PINECONE_DIRECT_EVERYTHING	 /* is the filter to be met by all records? */
};

extern int pineconeIsForeignRelUpdatable(Relation rel);
extern List *pineconePlanForeignModify(PlannerInfo *root, ModifyTable *plan, Index result_relation,
									   int subplan_index);
extern void pineconeAddForeignUpdateTargets(PlannerInfo *root, Index rtindex,
											RangeTblEntry *target_rte, Relation rel);

/* plan_direct.c */
extern bool pineconePlanDirectModify(PlannerInfo *root, ModifyTable *plan, Index result_relation,
									 int subplan_index);

#endif /* PINECONE_PLAN_MODIFY_H */
