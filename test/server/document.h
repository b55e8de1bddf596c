/*
 * document.h
 *		Makes, changes and writes documents.
 *
 * Dense and sparse vector lie where those of other records lie.  Texts are kept
 * with the record; those that are not kept leave their vectors behind.
 */
#ifndef DOCUMENT_H
#define DOCUMENT_H

#include "schema.h"

/* What the vectors and records API answer to a write */
#define WRITE_TO_DOCUMENTS \
	"This index has a document schema, so writes must go through the documents API. Use POST " \
	"/namespaces/{namespace}/documents/upsert, /update or /delete, with X-Pinecone-Api-Version 2026-07 or later."

typedef struct Document
{
	uint32_t ordinal; /* in the namespace's texts */
	uint32_t ntexts;
	bool has_dense;
	Str texts[]; /* by their number in the schema; no s: there is none */
} Document;

/*
 * What a request says of a document: all of it, or what to change.  Texts and keys
 * are in the request's memory, the rest is malloc'ed.
 */
typedef struct DocumentInput
{
	Str id;
	bool has_id;
	bool has_dense;
	bool any_field; /* of the schema */
	Str *texts;
	float *values; /* of the index's dimension */
	Sparse *sparse;
	Metadata *metadata;
	uint32_t *removed;
	int nremoved;
	int tokens; /* that were embedded */
} DocumentInput;

/* Changes of one document, as operations keep them */
typedef struct Patch
{
	Str id;
	bool has_dense;
	float *values;
	Sparse *sparse;
	Metadata *metadata;
	Str *texts;
	int ntexts;
	uint32_t *removed;
	int nremoved;
} Patch;

/* What of a document is shown */
typedef struct Projection
{
	bool all;
	bool named; /* the list was not empty */
	uint32_t *keys;
	int nkeys;
} Projection;

/*
 * Read one; with patch set _remove_fields may be there, and _id need not be.
 * False: the reply holds the error.
 */
extern bool document_read(Request *r, JsonReader *j, bool patch, DocumentInput *in);
/* The fields of an object into in: those of a document, or set_fields */
extern bool document_read_fields(Request *r, JsonReader *j, bool patch, DocumentInput *in);
extern bool document_read_removed(Request *r, JsonReader *j, DocumentInput *in);
/* Nothing may be both set and removed. */
extern bool document_check_removed(Request *r, const DocumentInput *in);
/* Embed its texts */
extern void document_embed(const Schema *schema, DocumentInput *in);
extern void document_input_free(DocumentInput *in);
extern bool document_check_id(Request *r, Str id);
/* Both take over what is malloc'ed */
extern Record *document_make(const Schema *schema, DocumentInput *in);
extern Patch *patch_make(const Schema *schema, DocumentInput *in);
extern void patch_free(Patch *patch);
extern Patch *patch_copy(const Patch *patch, int dimension);

/* Would it keep a field of the schema? */
extern bool patch_leaves_field(const Schema *schema, const Record *record, const Patch *patch);
/* Under the exclusive lock; may take over what the patch has when last is set. */
extern void document_patch(Index *index, Namespace *ns, Record *record, Patch *patch, bool last);

extern void document_free(Document *document);
/* NULL of NULL */
extern Document *document_copy(const Document *document);
extern void document_measure(const Schema *schema, Record *record);
/* {"_id":...} without the last bracket; fields follow as the projection says */
extern void document_write(Buffer *b, const Index *index, const Namespace *ns, const Record *record, const Projection *projection);
extern void document_write_id(Buffer *b, const Record *record);

/* POST /namespaces/{namespace}/documents/{operation}; false: it is long */
extern bool documents_respond(Request *r, Str namespace, Str operation);
extern bool document_upsert(Request *r, Str namespace);
extern bool document_update(Request *r, Str namespace);
extern bool document_delete(Request *r, Str namespace);
extern bool document_search(Request *r, Str namespace);
extern bool document_fetch(Request *r, Str namespace);
extern bool document_list(Request *r, Str namespace);

/* Shared readers; false, and the reply holds the error */
extern const JsonValue *document_body(Request *r);
extern bool document_check_keys(Request *r, const JsonValue *body, const char *const *known);
extern bool document_read_filter(Request *r, const JsonValue *json, bool allow_match, bool allow_empty, struct Filter **filter);
extern bool read_projection(Request *r, JsonReader *j, Projection *projection);
/* Under the lock: are its names known, if that matters? */
extern bool projection_check(Request *r, const Namespace *ns, const Projection *projection);
/* Is it for a thread of the pool? */
extern bool document_is_long(Request *r, Str namespace);
/* Does the index find nothing, as --assume says of some? */
extern bool documents_are_hidden(const Index *index);
/* Write the end of an answer: namespace, usage; read_units as they are billed */
extern void document_write_end(Request *r, Str namespace, unsigned read_units, int tokens);
extern void document_add_lsn(Request *r, const Namespace *ns, bool is_search);
extern void document_forget_excess(Request *r);
extern bool document_limit_result(Request *r);

/* Loading: upsert one that may have vectors in place of a text that is not kept */
extern bool document_load(Request *r, Str namespace, const JsonValue *line);
extern void document_save(Buffer *b, const Index *index, const Namespace *ns, const Record *record);

#endif
