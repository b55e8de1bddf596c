/*
 * store.h
 *		Indexes, their namespaces and records.
 *
 * A record keeps its JSON ready, piece by piece, so that replies are put
 * together by copying; all but the dense vector, whose text would be most of the
 * memory.  The dense vectors of a namespace lie in blocks of rows for the search
 * to run over, and a reply writes them anew (places.h).
 *
 * Writes are operations.  With a visibility lag they wait in a queue and are
 * applied, in order, when their time has come: reading calls
 * index_lock_shared, which does that first.
 */
#ifndef STORE_H
#define STORE_H

#include "metadata.h"

#include <pthread.h>
#include <stdatomic.h>

#define MAX_DIMENSION 20000

typedef enum Metric
{
	METRIC_COSINE,
	METRIC_DOTPRODUCT,
	METRIC_EUCLIDEAN,
} Metric;

typedef struct Sparse
{
	uint32_t count;
	float *values;
	uint32_t indices[]; /* ascending; the values follow */
} Sparse;

/*
 * The text is
 *		"id":"a","values":[1,2],"sparseValues":{...},"metadata":{...}
 * of which all but the values is ready, with the ends of the three pieces; a
 * piece that is not there has no length.
 */
typedef struct Record
{
	Str id;
	uint32_t row;
	uint32_t id_end, sparse_end, text_len;
	uint32_t values_len; /* of the array of values */
	char *text;			 /* behind it: how to write the values */
	Metadata *metadata;
	Sparse *sparse;
	struct Document *document; /* of a document index, where the text stays empty */
	char id_text[];
} Record;

typedef struct Ordered Ordered;

typedef struct Namespace
{
	char *name;	  /* "" is the default one */
	bool visible; /* created, or written to and the lag over */
	bool created; /* by a request of its own, so kept when empty */
	char *schema; /* JSON of the declared fields, or NULL */
	uint32_t *schema_keys;
	int nschema_keys;

	/* Records: by row, by id, in order of ids */
	Record **rows;
	float *norms; /* of the dense vectors, by row */
	uint32_t count, size;
	uint32_t *slots; /* row + 1, by hash of the id */
	uint32_t nslots;
	Ordered *order;
	float **blocks;
	uint32_t nblocks;
	struct Texts *texts; /* of documents, or NULL */
	size_t bytes;		 /* of the texts of all records */

	/* Log sequence numbers: given out, applied */
	uint64_t lsn, applied_lsn;
} Namespace;

typedef struct Operation Operation;
typedef struct Alias Alias;

/* Calls of different kinds may show a write at different times. */
typedef enum Lag
{
	LAG_SEARCH, /* also what counts and changes by filter */
	LAG_LIST,
	LAG_FETCH,
	LAG_STATS,
} Lag;

#define LAGS 4

/* What has been asked of an index: see metrics.c */
#define METRIC_OPERATIONS 6

typedef struct Served
{
	_Atomic uint64_t count[METRIC_OPERATIONS], us[METRIC_OPERATIONS];
	_Atomic uint64_t read_units, write_units;
} Served;

typedef struct Index
{
	/* Description */
	char *name;
	char id[40];   /* a UUID, which no index after it has */
	int dimension; /* 0 for a sparse one */
	Metric metric;
	bool sparse;
	char *cloud, *region;
	char *environment;	 /* when not serverless: of the customer's own cloud */
	char *tags;			 /* JSON object, or NULL */
	char *read_capacity; /* JSON, or NULL for on demand */
	char *schema;		 /* JSON of the filterable fields, or NULL */
	uint32_t *schema_keys;
	int nschema_keys;
	bool has_sparse_field;		   /* declared as hybrid, in the form of 2026-07 */
	struct Schema *fields;		   /* of an index of documents, or NULL */
	struct Integrated *integrated; /* of an index for a model, or NULL */
	char *cmek_id;				   /* or NULL */
	bool protected;
	_Atomic bool failed; /* a conversion into it */
	int64_t ready_at;

	/* Serving */
	int port;
	int listen_fd;
	_Atomic bool gone;
	_Atomic int references;
	Served served;

	/* Contents */
	pthread_rwlock_t lock;
	Namespace **namespaces; /* in order of names */
	int nnamespaces;
	Alias **aliases; /* likewise; see alias.h */
	int naliases;
	uint32_t rows_in_block;
	_Atomic int pending_count;
	Operation *pending, *pending_tail;

	/* As calls of another kind see it, when their lag is not that of searches */
	struct Index *replicas[LAGS];
	bool replica_current[LAGS]; /* it has had all writes */
} Index;

typedef enum OperationKind
{
	OP_UPSERT,
	OP_UPDATE,
	OP_UPDATE_MATCHING,
	OP_DELETE_IDS,
	OP_DELETE_ALL,
	OP_DELETE_MATCHING,
	OP_PATCH,
	OP_PATCH_MATCHING,
} OperationKind;

struct Filter;

/* A write.  What it points to is its own. */
struct Operation
{
	OperationKind kind;
	Namespace *ns;
	uint64_t lsn;
	int64_t due;
	Operation *next;

	Record **records; /* OP_UPSERT; taken over one by one */
	int nrecords;
	char *ids; /* OP_UPDATE (one), OP_DELETE_IDS: each with its length (4 bytes) */
	int nids;
	float *values; /* of one record, or of all one after the other */
	Sparse *sparse;
	Metadata *metadata;
	struct Filter *filter;
	int limit;				/* of records that OP_UPDATE_MATCHING changes */
	struct Patch **patches; /* OP_PATCH; OP_PATCH_MATCHING (one) */
	int npatches;
};

/* Milliseconds until a write is visible, by kind of call */
extern _Atomic int store_lag_ms[LAGS];

extern Index *index_new(const char *name, int dimension, Metric metric, bool sparse);
extern void index_hold(Index *index);
extern void index_release(Index *index);
extern const char *metric_name(Metric metric);
extern bool metric_of_name(Str name, Metric *metric);

/* Both apply first what is due */
extern void index_lock_shared(Index *index);
extern void index_lock(Index *index);
extern void index_unlock(Index *index);
/* Make all pending writes visible now */
extern void index_flush(Index *index);
/* Which index to lock and read for a call: this one, or its replica */
extern Index *index_seen_by(Index *index, Lag lag);
/* Under both locks: make the other one hold the records that the index does, and no others */
extern void index_copy_records(Index *index, Index *other);

/* Under a lock.  Names "" and "__default__" are one. */
extern Namespace *namespace_find(Index *index, Str name);
extern Namespace *namespace_make(Index *index, Str name);
extern void namespace_remove(Index *index, Namespace *ns);
extern Str namespace_canonical(Str name);

extern Record *namespace_get(const Namespace *ns, Str id);
typedef struct Cursor
{
	const Ordered *order;
	uint32_t chunk, at;
} Cursor;
extern Cursor namespace_cursor(const Namespace *ns, Str id, bool after);
extern Record *cursor_next(Cursor *c);

static inline float *
namespace_vector(const Index *index, const Namespace *ns, uint32_t row)
{
	return ns->blocks[row / index->rows_in_block] + (size_t) (row % index->rows_in_block) * (size_t) index->dimension;
}

/* A record gets a vector, of the index's dimension. */
extern void namespace_set_vector(Index *index, Namespace *ns, uint32_t row, const float *values);

/*
 * Submit a write, under the exclusive lock: gives it its number, and applies it
 * now or when the lag is over.
 */
extern uint64_t index_submit(Index *index, Operation *op);
extern Operation *operation_new(OperationKind kind, Namespace *ns);
extern void operation_free(Operation *op);
/* The same for a namespace of another index */
extern Operation *operation_copy(const Operation *op, Namespace *ns, int dimension);

/*
 * A record with its text.  The id and the places of the values, of which there
 * are so many and whose text has that length, are copied, metadata and sparse
 * taken over.
 */
extern Record *record_make(Str id, const char *places, int dimension, size_t values_len, Sparse *sparse, Metadata *metadata);
/* Make the text anew; with these values, or those that it has when they are NULL. */
extern void record_update(Record *record, const float *values, int dimension);
/* The record as in an object, without the brackets; and ,"values":[...] alone */
extern void record_add(Buffer *b, const Record *record, const Index *index, const Namespace *ns);
extern void record_add_values(Buffer *b, const Record *record, const Index *index, const Namespace *ns);
extern void record_free(Record *record);
extern Record *record_copy(const Record *record, int dimension);
extern Sparse *sparse_new(uint32_t count);
extern Sparse *sparse_copy(const Sparse *sparse);

/* Of the whole text: the name before the values takes ten bytes */
static inline size_t
record_size(const Record *r)
{
	return (size_t) r->text_len + r->values_len + 10;
}

static inline Str
record_piece(const Record *r, uint32_t from, uint32_t to)
{
	return (Str){r->text + from, to - from};
}

#endif
