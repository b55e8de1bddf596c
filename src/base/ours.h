/*
 * ours.h
 *		Which relations and scans are of this wrapper?
 */
#ifndef PINECONE_OURS_H
#define PINECONE_OURS_H

struct FdwRoutine;

/* The handler has made this table of callbacks. */
extern void pinecone_ours_note(const struct FdwRoutine *routine);

/* Is this one it made?  NULL is not. */
extern bool pinecone_ours_is(const struct FdwRoutine *routine);

#endif /* PINECONE_OURS_H */
