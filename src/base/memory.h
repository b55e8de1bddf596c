/*
 * memory.h
 *		Memory that goes back to the system.
 */
#ifndef PINECONE_MEMORY_H
#define PINECONE_MEMORY_H

/*
 * As MemoryContextReset(), but memory is not kept for later if there was much
 * of it, or parts that have gone by now were "many".
 */
extern void pinecone_memory_reset(MemoryContext cxt, bool many);

#endif /* PINECONE_MEMORY_H */
