/*
 * argument.h
 *		Arguments of the functions that administer: looked at before anything is
 *		sent, so that a bad one is an error that names it and says what is allowed.
 */
#ifndef PINECONE_ARGUMENT_H
#define PINECONE_ARGUMENT_H

#include "fmgr.h"
#include "utils/jsonb.h"

#include "base/compat.h"
#include "client/session.h"

/* What a function does to what it administers */
typedef enum PineconeAdminUse
{
	PINECONE_ADMIN_READS,
	PINECONE_ADMIN_WRITES /* not in a read-only transaction, nor from a cluster that may not write */
} PineconeAdminUse;

/*
 * The server that an argument names, which the current user must have the right
 * and a mapping for.  "function" is for messages, as in "pinecone_indexes()".
 */
extern Oid pinecone_argument_server(FunctionCallInfo fcinfo, int n, const char *function, PineconeAdminUse use);

/* A foreign table of ours; whether the user may read it is not looked at. */
extern Oid pinecone_argument_table(FunctionCallInfo fcinfo, int n, const char *name);

/* A server's session; of one that has an index, where "of_index" is set. */
extern PineconeSession *pinecone_argument_session(Oid serverid, bool of_index);

/* The right and the mapping alone, of a server that a table names. */
extern void pinecone_argument_check_mapping(Oid serverid);

/*
 * Values that must be given, and not be NULL.  Texts are not empty; a wait is in
 * milliseconds, from an interval.
 */
extern char *pinecone_argument_text(FunctionCallInfo fcinfo, int n, const char *name);
extern bool pinecone_argument_bool(FunctionCallInfo fcinfo, int n, const char *name);
extern int64 pinecone_argument_wait(FunctionCallInfo fcinfo, int n, const char *name);

/* The same, or NULL. */
extern char *pinecone_argument_optional_text(FunctionCallInfo fcinfo, int n, const char *name);

/* Names that Pinecone takes for an index, an alias, a namespace. */
extern char *pinecone_argument_index(FunctionCallInfo fcinfo, int n, const char *name);
extern char *pinecone_argument_alias(FunctionCallInfo fcinfo, int n, const char *name);

/* "" is the default namespace; in paths and bodies that is __default__. */
extern char *pinecone_argument_namespace(FunctionCallInfo fcinfo, int n, const char *name);
extern const char *pinecone_argument_sent_namespace(const char *name);

/* Tags: an object of short strings; NULL where there are none. */
extern Jsonb *pinecone_argument_tags(FunctionCallInfo fcinfo, int n, const char *name);

/* Raise an error for a value. */
pg_noreturn extern void pinecone_argument_reject(const char *name, const char *value, const char *allowed);

#endif /* PINECONE_ARGUMENT_H */
