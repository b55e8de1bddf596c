/*
 * pages.c
 *		Takes the pages of a list, whose tokens must not come round.
 */
#include "postgres.h"

#include "admin/failed.h"
#include "admin/pages.h"

void
pinecone_pages_read(PineconePages *pages, PineconeCall *call, PineconeJsonWalk *walk)
{
	Jsonb *reply = pinecone_json_reply(call);
	JsonbContainer *root = reply ? &reply->root : NULL;
	JsonbContainer *list = pinecone_json_array(root, pages->member);

	if (list == NULL)
		pinecone_failed_reply(call, psprintf("the reply has no \"%s\"", pages->member));
	pages->token = pinecone_json_string(pinecone_json_object(root, "pagination"), "next");
	if (pages->token != NULL && pages->token[0] == '\0')
		pages->token = NULL;
	if (pages->token != NULL && pages->earlier != NULL && strcmp(pages->token, pages->earlier) == 0)
		pinecone_failed_reply(call, "the pages come round: a token was given twice");
	/* whatever the length of the round, it is found within twice that */
	pages->n++;
	if ((pages->n & (pages->n - 1)) == 0)
		pages->earlier = pages->token;
	pinecone_json_walk(walk, list);
}
