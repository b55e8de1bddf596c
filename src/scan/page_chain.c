/*
 * page_chain.c
 *		Tokens that come round, and pages that stay empty.
 *
 * The token of a page whose number is a power of two is compared with those of
 * later pages, until the next power: so tokens that come round are found
 * whatever their period.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "scan/page_chain.h"

/* So many pages without a record in a row are not on the way to one. */
#define MAX_EMPTY_PAGES 10000

void
pinecone_page_chain_report(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROTOCOL_VIOLATION),
			 errmsg("invalid response from Pinecone"),
			 errdetail_internal("%s", detail)));
}

void
pinecone_page_chain_check(PineconePageChain *chain, MemoryContext cxt, const PineconePage *page)
{
	chain->pages++;
	chain->empty = page->nrecords > 0 ? 0 : chain->empty + 1;
	if (page->next_token == NULL)
		return;
	if (chain->earlier_token != NULL && strcmp(chain->earlier_token, page->next_token) == 0)
		pinecone_page_chain_report("The pages of a list come round: a pagination token was given twice.");
	if (chain->empty >= MAX_EMPTY_PAGES)
		pinecone_page_chain_report("The pages of a list are empty and do not end.");
	if (chain->pages >= chain->next_mark)
	{
		if (chain->earlier_token)
			pfree(chain->earlier_token);
		chain->earlier_token = MemoryContextStrdup(cxt, page->next_token);
		chain->next_mark = Max(1, chain->next_mark * 2);
	}
}
