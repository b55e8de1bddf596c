/*
 * embedded.h
 *		Texts that a statement has embedded, or is having embedded: each once, and
 *		many to a request.
 */
#ifndef PINECONE_EMBEDDED_H
#define PINECONE_EMBEDDED_H

#include "client/inference.h"

typedef struct PineconeEmbedded PineconeEmbedded;

/* What a model makes of a text: the same of all users of a server, but asked for by each. */
typedef struct PineconeEmbedWhat
{
	Oid serverid;
	PineconeEmbedder embedder;
	const char *text; /* in the server's encoding */
} PineconeEmbedWhat;

/*
 * Those of a statement, by the memory context that lives as long as it; made on
 * first use.
 */
extern PineconeEmbedded *pinecone_embedded_of(MemoryContext statement);

/*
 * Will the run of the statement that is under way read all of its rows, as no cursor
 * does?  Told where one begins, for as long as it runs; nobody need know of the
 * statement.
 */
extern void pinecone_embedded_note_run(MemoryContext statement, bool to_end);
extern bool pinecone_embedded_runs_to_end(const PineconeEmbedded *embedded);

/*
 * Ask ahead: when enough texts for a request have come, or at a flush, they are
 * sent.  Waits only when too many requests are on their way, and raises no error
 * over what the service makes of a text.
 */
extern void pinecone_embedded_ask(PineconeEmbedded *embedded, const PineconeEmbedWhat *what);
extern void pinecone_embedded_flush(PineconeEmbedded *embedded);

/*
 * The embedding, good until the next of these calls; waits for it, or asks for it
 * where nobody has.  "note" goes into the detail of an error.
 */
extern const PineconeEmbedding *pinecone_embedded_get(PineconeEmbedded *embedded, const PineconeEmbedWhat *what,
													  const char *note);

/* The row that is being computed, for errors; 0: nobody knows. */
extern void pinecone_embedded_set_row(PineconeEmbedded *embedded, double row);
extern double pinecone_embedded_row(const PineconeEmbedded *embedded);

/* What the calls have cost, for EXPLAIN, and how many texts they took. */
extern const PineconeCounters *pinecone_embedded_cost(const PineconeEmbedded *embedded, uint64 *texts);

#endif /* PINECONE_EMBEDDED_H */
