/*
 * control.h
 *		What is asked of a project, or of an index as a whole: indexes, namespaces,
 *		aliases, backups.  Each function sends a request and returns the finished
 *		call.
 *
 * Names and bodies are in UTF-8.  What is not safe to repeat is not repeated
 * once it may have been done; of the rest a repeat may find it done, and be
 * answered by "exists already" or "not found": pinecone_control_was_repeated()
 * tells.
 */
#ifndef PINECONE_CONTROL_H
#define PINECONE_CONTROL_H

#include "client/session.h"
#include "client/vectors.h"

/* The control plane's version with schemas, and that of aliases and documents */
#define PINECONE_SCHEMA_VERSION "2026-07"

/* Does the server's version put indexes in the form of schemas? */
extern bool pinecone_control_has_schemas(const PineconeSession *session);

/* ---- Indexes ---- */

extern PineconeCall *pinecone_control_indexes(PineconeSession *session);
extern PineconeCall *pinecone_control_describe_index(PineconeSession *session, const char *index, bool single_attempt);

/* "schemas": the body is of the form that says what fields there are. */
extern PineconeCall *pinecone_control_create_index(PineconeSession *session, const char *body, bool schemas);
extern PineconeCall *pinecone_control_configure_index(PineconeSession *session, const char *index, const char *body);
extern PineconeCall *pinecone_control_delete_index(PineconeSession *session, const char *index);

/* ---- Backups; a token of NULL asks for the first page, an index of NULL for all ---- */

extern PineconeCall *pinecone_control_backups(PineconeSession *session, const char *index, const char *token);
extern PineconeCall *pinecone_control_create_backup(PineconeSession *session, const char *index, const char *body);
extern PineconeCall *pinecone_control_describe_backup(PineconeSession *session, const char *id);
extern PineconeCall *pinecone_control_delete_backup(PineconeSession *session, const char *id);
extern PineconeCall *pinecone_control_restore(PineconeSession *session, const char *id, const char *body);
extern PineconeCall *pinecone_control_restore_jobs(PineconeSession *session, const char *token);
extern PineconeCall *pinecone_control_describe_restore_job(PineconeSession *session, const char *id);

/* ---- Of the server's index ---- */

extern PineconeCall *pinecone_control_stats(PineconeSession *session);
extern PineconeCall *pinecone_control_namespaces(PineconeSession *session, const char *prefix, const char *token);
extern PineconeCall *pinecone_control_create_namespace(PineconeSession *session, const char *body);
extern PineconeCall *pinecone_control_delete_namespace(PineconeSession *session, const char *name);
extern PineconeCall *pinecone_control_aliases(PineconeSession *session, const char *token);
extern PineconeCall *pinecone_control_describe_alias(PineconeSession *session, const char *alias);
extern PineconeCall *pinecone_control_create_alias(PineconeSession *session, const char *alias, const char *body);
extern PineconeCall *pinecone_control_repoint_alias(PineconeSession *session, const char *alias, const char *body);
extern PineconeCall *pinecone_control_delete_alias(PineconeSession *session, const char *alias);

/* One id of a namespace: a small read, whose reply names the namespace that answered. */
extern PineconeCall *pinecone_control_read_name(PineconeSession *session, const char *name);

/* A small read, and a write that changes nothing, to see whether the key may; single attempts. */
extern PineconeCall *pinecone_control_try_stats(PineconeSession *session);
extern PineconeCall *pinecone_control_try_read(PineconeSession *session);
extern PineconeCall *pinecone_control_try_write(PineconeSession *session);

/* ---- What has become of it ---- */

extern bool pinecone_control_succeeded(const PineconeCall *call);

/* The HTTP status of a service that refused, else 0. */
extern long pinecone_control_status(const PineconeCall *call);

/* The service's word for why it refused, or NULL. */
extern const char *pinecone_control_reason(const PineconeCall *call);

/* Has an earlier attempt perhaps done it? */
extern bool pinecone_control_was_repeated(const PineconeCall *call);

/* The reply of a call that has succeeded. */
extern const char *pinecone_control_body(const PineconeCall *call, size_t *len);

/* Microseconds that its last attempt took. */
extern int64 pinecone_control_duration(const PineconeCall *call);

#endif /* PINECONE_CONTROL_H */
