/*
 * lacks_score.h
 *		Refuses what goes by a score that no search has made, where no WARNING is seen.
 */
#ifndef PINECONE_LACKS_SCORE_H
#define PINECONE_LACKS_SCORE_H

#include "option/option_list.h"

/*
 * Which rows there are, or their order, goes by a score that no search has made:
 * an error in a session of postgres_fdw.
 */
extern void pinecone_lacks_score_refuse(const PineconeTable *table);

#endif /* PINECONE_LACKS_SCORE_H */
