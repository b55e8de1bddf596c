/*
 * message.h
 *		Request bodies, and the small replies: statistics, counts, namespaces,
 *		index descriptions, errors.
 *
 * All JSON is UTF-8; callers convert.  Memory comes from the current context.
 * Decoders return false, with the reason, for what they cannot read.
 */
#ifndef PINECONE_MESSAGE_H
#define PINECONE_MESSAGE_H

#include "lib/stringinfo.h"

#include "wire/record.h"
#include "wire/schema.h"
#include "wire/search.h"
#include "wire/stats.h"
#include "wire/write.h"

/*
 * What EXPLAIN shows in place of a search's values: those not known yet, and
 * vectors, which are long.  NULL: the value itself.
 */
typedef struct PineconeSearchTexts
{
	const char *vector;
	const char *sparse;
	const char *id;
	const char *top_k;
} PineconeSearchTexts;

/* Requests; an empty namespace is left out, and so is a limit of 0. */
extern void pinecone_message_query(StringInfo body, const PineconeSearch *search,
								   const PineconeSearchTexts *shown);
extern void pinecone_message_fetch_by_metadata(StringInfo body, const char *namespace_,
											   const char *filter, int limit, const char *token);
extern void pinecone_message_append_record(StringInfo buf, const PineconeRecord *record);

/* Many in a body: what is before the first of them, and what is after the last. */
extern void pinecone_message_open_upsert(StringInfo body, const char *namespace_);
extern void pinecone_message_close_many(StringInfo body);

extern void pinecone_message_update(StringInfo body, const char *namespace_,
									const PineconeRecord *record);
extern void pinecone_message_update_by_filter(StringInfo body, const char *namespace_,
											  const char *filter, const char *set_metadata,
											  bool dry_run);
extern void pinecone_message_delete_ids(StringInfo body, const char *namespace_,
										char *const *ids, int nids);
extern void pinecone_message_delete_by_filter(StringInfo body, const char *namespace_,
											  const char *filter);
extern void pinecone_message_delete_all(StringInfo body, const char *namespace_);

/* Paths with their query strings */
extern void pinecone_message_fetch_path(StringInfo path, const char *namespace_,
										char *const *ids, int nids);
extern void pinecone_message_list_path(StringInfo path, const char *namespace_, const char *prefix,
									   int limit, const char *token);
extern void pinecone_message_append_parameter(StringInfo path, const char *name, const char *value);

/* Percent-encode all but unreserved characters, for paths and query strings. */
extern void pinecone_message_append_encoded(StringInfo url, const char *text);

/* ---- message_document.c: the same of documents (API 2026-07) ---- */

/* Where a namespace's documents are searched, fetched and so on. */
extern void pinecone_message_document_path(StringInfo path, const char *namespace_,
										   const char *operation);

/* "field" has the vectors that are searched, dense or sparse ones; fields are in UTF-8. */
extern void pinecone_message_document_search(StringInfo body, const PineconeSearch *search,
											 const char *field, const PineconeSearchTexts *shown);
extern void pinecone_message_document_fetch(StringInfo body, char *const *ids, int nids,
											const PineconeProjection *fields);
extern void pinecone_message_document_fetch_by_filter(StringInfo body, const char *filter, int limit,
													  const char *token,
													  const PineconeProjection *fields);
extern void pinecone_message_document_list(StringInfo body, const char *prefix, int limit,
										   const char *token);

/*
 * Writes.  Documents to upsert, and changes to them by id, are many in a body
 * that is opened; "dense" and "sparse" are the fields of the vectors.
 */
extern void pinecone_message_open_documents(StringInfo body);
extern void pinecone_message_append_document(StringInfo buf, const PineconeRecord *record,
											 const char *dense, const char *sparse);
extern void pinecone_message_append_change(StringInfo buf, const PineconeWrite *write,
										   const char *dense, const char *sparse);
extern void pinecone_message_document_update_by_filter(StringInfo body, const char *filter,
													   const char *set_fields);
extern void pinecone_message_document_delete_ids(StringInfo body, char *const *ids, int nids);
extern void pinecone_message_document_delete_by_filter(StringInfo body, const char *filter);

/* ---- message_records.c: the same of integrated indexes, whose texts Pinecone embeds ---- */

extern void pinecone_message_records_path(StringInfo path, const char *namespace_, const char *operation);
extern void pinecone_message_records_search(StringInfo body, const PineconeSearch *search,
											const PineconeSearchTexts *shown);

/* A record as one line, without its end; it has no vector, and its metadata has the text. */
extern void pinecone_message_append_line(StringInfo buf, const PineconeRecord *record);

/* ---- Values in JSON ---- */

extern void pinecone_message_append_string(StringInfo buf, const char *text);
extern void pinecone_message_append_floats(StringInfo buf, const float *values, int n);
extern void pinecone_message_append_sparse(StringInfo buf, const PineconeSparse *sparse);

/* Replies */
extern bool pinecone_message_decode_stats(const char *body, size_t len, PineconeStats **stats,
										  const char **reason);
extern bool pinecone_message_decode_count(const char *body, size_t len, double *matched,
										  const char **reason);
extern bool pinecone_message_decode_done(const char *body, size_t len, const char **reason);
extern bool pinecone_message_decode_upserted(const char *body, size_t len, double *count,
											 const char **reason);
extern bool pinecone_message_decode_namespaces(const char *body, size_t len,
											   PineconeNamespaceInfo **infos, int *n,
											   char **next_token, const char **reason);

/* One alias, or a page of them */
extern bool pinecone_message_decode_aliases(const char *body, size_t len, PineconeAlias **aliases,
											int *n, char **next_token, const char **reason);

/* An index description of any API version; host is NULL while there is none. */
extern bool pinecone_message_decode_index(const char *body, size_t len, char **host, bool *ready,
										  char **state, const char **reason);

/* Where an index is by such a description, or those of a list of them; as many as *n says. */
extern PineconePlace *pinecone_message_decode_places(const char *body, size_t len, int *n);

/*
 * The schema in an index's description, or in a text of that form: *schema stays
 * NULL for an index of vectors, as it is for what knows nothing of schemas.
 */
extern bool pinecone_message_decode_schema(const char *body, size_t len, PineconeSchema **schema,
										   const char **reason);

/* The text that an integrated index embeds, from a description of either form; NULL for any other. */
extern PineconeSchema *pinecone_message_decode_integrated(const char *body, size_t len);

/*
 * The message in an error's body, made fit to be shown, if it is of one of the
 * shapes that Pinecone's have; else NULL: it may be anybody's.  *code is the gRPC code if the body has one, else 0.
 */
extern char *pinecone_message_decode_error(const char *body, size_t len, int *code);

/* The machine's word for an error, in its first detail; NULL when there is none. */
extern char *pinecone_message_decode_reason(const char *body, size_t len);

#endif /* PINECONE_MESSAGE_H */
