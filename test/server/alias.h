/*
 * alias.h
 *		Names that stand for namespaces when something is read.
 */
#ifndef ALIAS_H
#define ALIAS_H

#include "request.h"

/* Milliseconds until reads follow an alias that points elsewhere */
extern _Atomic int alias_delay_ms;

/* Under a lock: what is read when a name is asked for; the name itself when it is no alias. */
extern Str alias_resolve(const Index *index, Str name);
/* The same, as a copy that lasts as long as the request */
extern Str alias_target(Request *r, Str name);
/* And without the lock */
extern Str alias_target_seen(Request *r, Str name);
/* Under a lock: has a namespace aliases? */
extern bool alias_targets(const Index *index, const Namespace *ns);
/* Under a lock: is the name free of aliases?  False: the reply holds the error. */
extern bool alias_check_upsert(Request *r, Str name);
extern bool alias_check_write(Request *r, Str name);
extern bool alias_check_operation(Request *r, Str name);
/* A namespace that has aliases cannot be deleted */
extern bool alias_reply_targeted(Request *r);

/* /namespace-aliases */
extern bool alias_is_path(Str path);
extern bool aliases_respond(Request *r);
/* Make one, as when it is loaded */
extern bool aliases_load(Request *r, Str name, Str target);
extern void aliases_save(Buffer *b, const Index *index);
extern void aliases_free(Index *index);

#endif
