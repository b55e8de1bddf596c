/*
 * page_order.h
 *		Puts a page of matches in order of their scores, and drops repeated ids.
 */
#ifndef PINECONE_PAGE_ORDER_H
#define PINECONE_PAGE_ORDER_H

#include "wire/record.h"

/* Put a page of matches in order, best first, and drop those that come twice. */
extern void pinecone_page_order_tidy(PineconePage *page, bool low_scores_first);

/* Drop the records whose id an earlier one has. */
extern void pinecone_page_order_drop_repeated(PineconePage *page);

#endif /* PINECONE_PAGE_ORDER_H */
