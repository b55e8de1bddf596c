/*
 * memory.h
 *		Memory that goes back to the system, or is not to be had.
 */
#ifndef PINECONE_MEMORY_H
#define PINECONE_MEMORY_H

#include "base/compat.h"

/*
 * As MemoryContextReset(), but memory is not kept for later if there was much
 * of it, or parts that have gone by now were "many".
 */
extern void pinecone_memory_reset(MemoryContext cxt, bool many);

/* What is free goes back to the system. */
extern void pinecone_memory_trim(void);

/* Raise the error that there is no more. */
pg_noreturn extern void pinecone_memory_report(void);

#endif /* PINECONE_MEMORY_H */
