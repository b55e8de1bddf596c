/*
 * page_chain.h
 *		Pages that follow each other by their tokens must come to an end.
 */
#ifndef PINECONE_PAGE_CHAIN_H
#define PINECONE_PAGE_CHAIN_H

#include "base/compat.h"
#include "wire/record.h"

/* Begins as zeros */
typedef struct PineconePageChain
{
	double pages;		 /* that have come */
	double empty;		 /* without a record, one after the other */
	double next_mark;	 /* number of the page whose token is to be kept */
	char *earlier_token; /* one that must not come again, or NULL */
} PineconePageChain;

/* Take note of a page; raises an error when pages come round, or go on empty. */
extern void pinecone_page_chain_check(PineconePageChain *chain, MemoryContext cxt,
									  const PineconePage *page);

/* That error: a reply that makes no sense beside those before it. */
pg_noreturn extern void pinecone_page_chain_report(const char *detail);

#endif /* PINECONE_PAGE_CHAIN_H */
