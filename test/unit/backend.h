/*
 * backend.h
 *		Stand-ins for PostgreSQL's backend, to test decoders outside of it.
 */
#ifndef PINECONE_TEST_BACKEND_H
#define PINECONE_TEST_BACKEND_H

/* Free all that palloc() and its kin have handed out. */
extern void backend_free_all(void);

#endif /* PINECONE_TEST_BACKEND_H */
