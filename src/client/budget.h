/*
 * budget.h
 *		May another request be sent, by what a statement and a month may cost?
 */
#ifndef PINECONE_BUDGET_H
#define PINECONE_BUDGET_H

struct PineconeSession;

/*
 * Raises an error when a budget is used up, which says which; warns when one of
 * a month is used up to the share that pinecone_fdw.month_warning gives.
 */
extern void pinecone_budget_check(struct PineconeSession *session);

#endif /* PINECONE_BUDGET_H */
