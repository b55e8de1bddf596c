/*
 * alias.h
 *		Names that stand for a namespace when something is read (API 2026-07).
 *
 * Reads through an alias are answered by its target, which the reply names; no
 * listing has aliases, and nothing can be written through one.  An alias can be
 * pointed elsewhere at any time, also between two pages of one list.
 */
#ifndef PINECONE_ALIAS_H
#define PINECONE_ALIAS_H

#include "nodes/pg_list.h"

#include "client/session.h"

/*
 * The namespace that a name stands for, palloc'ed; NULL when it is no alias, or
 * the service does not tell.  Asks, unless a listing has the name or it was
 * asked for a short while ago; that it is an alias is asked anew if "fresh".
 */
extern char *pinecone_alias_target(PineconeSession *session, const char *name, bool fresh);

/* What is known of it without asking; good until the next question. */
extern const char *pinecone_alias_known(PineconeSession *session, const char *name);

/*
 * Records of a namespace, by statistics that know its name or that of what it
 * is known to stand for; -1 where nobody knows.
 */
extern double pinecone_alias_records(PineconeSession *session, struct PineconeStats *stats,
									 const char *name);

/* May the reply to what was asked of a namespace be of another one? */
extern bool pinecone_alias_allows(PineconeSession *session, const char *name, const char *told);

/* All aliases of an index (of PineconeAlias), by name; NIL where there are none. */
extern List *pinecone_alias_list(PineconeSession *session);

/* ---- Within a statement ---- */

/*
 * What the names that a statement reads stand for, from the first reply on: it
 * never gets records of two namespaces by one name.
 */
typedef struct PineconePins PineconePins;

/* Those of the statement whose memory this is; made on first use. */
extern PineconePins *pinecone_pins_of(MemoryContext statement_cxt);

/* A number that tells it from all other statements; 0 for NULL. */
extern uint64 pinecone_pins_serial(const PineconePins *pins);

/* A reply names the namespace that answered: an error if it was another one before. */
extern void pinecone_pins_check(PineconePins *pins, PineconeSession *session, const char *name,
								const char *told);

/*
 * What a name stands for in this statement, or the name itself: as it was told
 * before, or asked now and kept.  "pins" may be NULL.
 */
extern const char *pinecone_pins_resolve(PineconePins *pins, PineconeSession *session,
										 const char *name);

/* What a name stands for, or NULL when nothing has answered to it. */
extern const char *pinecone_pins_target(PineconePins *pins, PineconeSession *session,
										const char *name);

#endif /* PINECONE_ALIAS_H */
