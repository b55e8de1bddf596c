/*
 * statement.h
 *		Where sinks meet: each joins its statement, and the last one to finish has
 *		everything sent.
 */
#ifndef PINECONE_STATEMENT_H
#define PINECONE_STATEMENT_H

#include "nodes/execnodes.h"

#include "modify/sink.h"

typedef struct PineconeStatement PineconeStatement;

/* The statement that is executed with that state; made on first use. */
extern PineconeStatement *pinecone_statement_of(EState *estate);

/* The sinks that have not finished. */
extern void pinecone_statement_add(PineconeStatement *statement, PineconeSink *sink);
extern void pinecone_statement_remove(PineconeStatement *statement, PineconeSink *sink);

/* Before ExecutorFinish: have all that waits written, for triggers fire next. */
extern void pinecone_statement_before_triggers(EState *estate);

/* May triggers fire at any time, so that no row may wait for the next? */
extern bool pinecone_statement_is_finishing(const PineconeStatement *statement);
extern void pinecone_statement_set_finishing(PineconeStatement *statement);

/*
 * Note a record that the statement inserts, if it has other sinks: what
 * it deletes afterwards is the record that was there before, which is gone.
 */
extern void pinecone_statement_note_insert(PineconeStatement *statement, Oid serverid,
										   const char *namespace_, const char *id);
extern bool pinecone_statement_has_inserted(const PineconeStatement *statement, Oid serverid,
											const char *namespace_, const char *id);

/*
 * The log of what is to be sent when the statement ends, in the order in which
 * its sinks have been written to.
 */
extern PineconeSinkLog *pinecone_statement_log(PineconeStatement *statement);

#endif /* PINECONE_STATEMENT_H */
