/*
 * async.h
 *		Foreign scans below an asynchronous Append.
 */
#ifndef PINECONE_ASYNC_H
#define PINECONE_ASYNC_H

#include "foreign/fdwapi.h"

/* The callbacks for it; none before PostgreSQL 14. */
extern void pinecone_async_install(FdwRoutine *routine);

#endif /* PINECONE_ASYNC_H */
