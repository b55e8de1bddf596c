/*
 * pages.h
 *		Lists that come a page after the other.
 */
#ifndef PINECONE_PAGES_H
#define PINECONE_PAGES_H

#include "admin/json.h"

/* What of it is being read */
typedef struct PineconePages
{
	const char *member; /* that the entries are in */
	char *token;		/* of the next page, or NULL */
	char *earlier;		/* one of before */
	int64 n;
} PineconePages;

/*
 * The entries of a page that has come; the next page is at "token".  An error if
 * the reply is no such list, or the pages come round.
 */
extern void pinecone_pages_read(PineconePages *pages, PineconeCall *call, PineconeJsonWalk *walk);

#endif /* PINECONE_PAGES_H */
