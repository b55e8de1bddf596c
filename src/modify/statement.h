/*
 * statement.h
 *		Where modifications meet: each joins its statement, and the last one to end
 *		has everything sent.
 */
#ifndef PINECONE_STATEMENT_H
#define PINECONE_STATEMENT_H

#include "nodes/execnodes.h"

#include "pending/pending_log.h"

struct PineconeModify;
typedef struct PineconeStatement PineconeStatement;

/* The statement that is executed with that state; made on first use. */
extern PineconeStatement *pinecone_statement_of(EState *estate);
extern PineconeStatement *pinecone_statement_find(EState *estate); /* or NULL */

/* The modifications whose rows may wait in memory. */
extern void pinecone_statement_add(PineconeStatement *statement, struct PineconeModify *modify);
extern void pinecone_statement_remove(PineconeStatement *statement, struct PineconeModify *modify);
extern List *pinecone_statement_modifies(const PineconeStatement *statement);

/* May triggers fire at any time, so that no row may wait for the next? */
extern bool pinecone_statement_is_finishing(const PineconeStatement *statement);
extern void pinecone_statement_set_finishing(PineconeStatement *statement);

/*
 * Note a record that the statement inserts, if it has other modifications: what
 * it deletes afterwards is the record that was there before, which is gone.
 */
extern void pinecone_statement_note_insert(PineconeStatement *statement, Oid serverid,
										   const char *namespace_, const char *id);
extern bool pinecone_statement_has_inserted(const PineconeStatement *statement, Oid serverid,
											const char *namespace_, const char *id);

/*
 * The log of what is to be sent when the statement ends, in the order in which
 * its modifications have written.  The last one that gives it up sends it:
 * then pinecone_statement_release_log() is true.
 */
extern PineconePendingLog *pinecone_statement_log(PineconeStatement *statement);
extern bool pinecone_statement_release_log(PineconeStatement *statement);

#endif /* PINECONE_STATEMENT_H */
