/*
 * mirror.h
 *		Mirrors: tables of this database whose rows foreign tables are to hold.
 */
#ifndef PINECONE_MIRROR_H
#define PINECONE_MIRROR_H

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"
#include "utils/array.h"

/* What pinecone_mirrors says of one */
typedef struct PineconeMirror
{
	int number;
	Oid foreign_table;
	Oid source;
	Oid owner;
	char *id_column; /* of the source */
	char *query;	 /* its rows as the foreign table is to hold them; names are qualified */
	bool filling;
	char *filled_to; /* or NULL */
	bool waits;		 /* for the next attempt */
} PineconeMirror;

/* ---- mirror.c ---- */

/*
 * Execute a statement about our own tables as their owner, by SPI, with nothing but
 * pg_catalog on the path: @x@ stands for the schema of our tables, @note@ for the OID
 * of our trigger's function, so it has no text of users in it.  An error unless it
 * does what is expected.  Stays in the current memory context.
 */
extern void pinecone_mirror_execute(const char *sql, int nargs, const Oid *types,
									const Datum *values, const char *nulls, int expected);

/*
 * The mirror of that number, or NULL: there is none.  "lock": until the transaction
 * ends, and NULL also if another session has; else to be read alone.
 */
extern PineconeMirror *pinecone_mirror_read(int number, bool lock);

/* ---- mirror_deliver.c ---- */

typedef struct PineconeMirrorDelivered
{
	int64 delivered;
	int64 dead;
	int64 waiting;	  /* changes that are left */
	TimestampTz next; /* when what has failed is to be tried again; 0: nothing has */
	bool more;		  /* it has stopped before the end */
} PineconeMirrorDelivered;

/*
 * Deliver the mirrors of a foreign table, or of all (InvalidOid) whose owner the
 * current user may act as, in transactions: to be called in one that has read
 * nothing, another one is open afterwards.  It begins no round after so many
 * milliseconds (0: never mind).
 */
extern void pinecone_mirror_deliver_changes(Oid foreign_table, int batch, int max_ms, PineconeMirrorDelivered *delivered);

/* ---- mirror_definition.c ---- */

/* What the arguments of pinecone_mirror() come to */
typedef struct PineconeMirrorWanted
{
	Oid source;
	Oid foreign_table;
	char *id_column;
	char *namespace_column; /* or NULL */
	char *selected;			/* a SELECT's list, of "s", the source */
	char *condition;		/* and its WHERE */
	List *columns;			/* names of the source's columns that matter; NIL: all */
} PineconeMirrorWanted;

/*
 * Look at all that is said, and make the definition.  "columns" and what follows may
 * be NULL.  Raises an error where that cannot be mirrored.
 */
extern void pinecone_mirror_define(PineconeMirrorWanted *wanted, ArrayType *columns, const char *embedding,
								   const char *filter);

#endif /* PINECONE_MIRROR_H */
