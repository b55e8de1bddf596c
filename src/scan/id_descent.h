/*
 * id_descent.h
 *		The ids from the last one down, or from some id down, for those who want a few of
 *		them.
 *
 * As a listing (listing.h) in the opposite order; the calls are the same.
 */
#ifndef PINECONE_ID_DESCENT_H
#define PINECONE_ID_DESCENT_H

#include "scan/source.h"

typedef struct PineconeIdDescent PineconeIdDescent;

/* Between the spec's "after" and "before", if there are such, and with its "prefix". */
extern PineconeIdDescent *pinecone_id_descent_begin(const PineconeSourceSpec *spec);

extern void pinecone_id_descent_advance(PineconeIdDescent *descent, double wanted);
extern PineconePage *pinecone_id_descent_take(PineconeIdDescent *descent, MemoryContext parent,
											  MemoryContext *cxt, int *location);
extern bool pinecone_id_descent_done(PineconeIdDescent *descent);
extern int pinecone_id_descent_calls(PineconeIdDescent *descent, PineconeCall **calls);

#endif /* PINECONE_ID_DESCENT_H */
