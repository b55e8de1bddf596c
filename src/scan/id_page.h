/*
 * id_page.h
 *		Pages of ids that were kept one by one.
 */
#ifndef PINECONE_ID_PAGE_H
#define PINECONE_ID_PAGE_H

#include "wire/record.h"

/* Ids of such a page, at most */
#define PINECONE_PAGE_IDS 1000

/*
 * A page, in a memory context of its own, of the n ids at ids[0], ids[step], ...;
 * they are freed, and come in the page's memory.
 */
extern PineconePage *pinecone_id_page_take(char **ids, int n, int step, MemoryContext parent, MemoryContext *cxt);

#endif /* PINECONE_ID_PAGE_H */
