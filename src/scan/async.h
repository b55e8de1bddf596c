/*
 * async.h
 *		The callbacks of asynchronous execution.
 */
#ifndef PINECONE_ASYNC_H
#define PINECONE_ASYNC_H

#include "nodes/execnodes.h"

extern void pineconeForeignAsyncRequest(AsyncRequest *areq);
extern void pineconeForeignAsyncConfigureWait(AsyncRequest *areq);
extern void pineconeForeignAsyncNotify(AsyncRequest *areq);

#endif /* PINECONE_ASYNC_H */
