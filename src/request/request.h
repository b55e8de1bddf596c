/*
 * request.h
 *		The request plan: which of Pinecone's operations produces the rows of a
 *		scan, as plain data that the planner hands to the executor.
 *
 * Values known only at run time (parameters, outer columns, constants alike)
 * are expressions in ForeignScan.fdw_exprs; the plan refers to them by number.
 * Nothing here knows JSON or URLs.
 */
#ifndef PINECONE_REQUEST_H
#define PINECONE_REQUEST_H

#include "nodes/pg_list.h"

#include "client/vectors.h"
#include "wire/schema.h"

typedef enum PineconeOperation
{
	PINECONE_OP_FETCH,		/* records of given ids */
	PINECONE_OP_QUERY,		/* nearest neighbours, best first */
	PINECONE_OP_LIST,		/* ids alone, in bytewise order */
	PINECONE_OP_LIST_FETCH, /* ids in order, then their records */
	PINECONE_OP_FILTER,		/* fetch by metadata: records matching a filter */
	PINECONE_OP_STATS,		/* count(*) from index statistics */
	PINECONE_OP_COUNT,		/* count(*) with a filter, by an update dry run */
	PINECONE_OP_ORDERED,	/* fetch by metadata, in the order of a number */
	PINECONE_OP_GROUPS		/* the values of a field, each counted by dry runs */
} PineconeOperation;

typedef enum PineconeCompare
{
	PINECONE_EQ,
	PINECONE_NE,
	PINECONE_LT,
	PINECONE_LE,
	PINECONE_GT,
	PINECONE_GE
} PineconeCompare;

/*
 * A condition on metadata.  Conditions are in negation normal form: each says
 * when a row is wanted, and an SQL NULL never is.
 */
typedef enum PineconeConditionKind
{
	PINECONE_COND_AND,			 /* args */
	PINECONE_COND_OR,			 /* args */
	PINECONE_COND_COMPARE,		 /* column, compare, value */
	PINECONE_COND_IN,			 /* column = ANY (array value) */
	PINECONE_COND_NOT_IN,		 /* column <> ALL (array value) */
	PINECONE_COND_DISTINCT,		 /* column IS DISTINCT FROM value */
	PINECONE_COND_NOT_DISTINCT,	 /* column IS NOT DISTINCT FROM value */
	PINECONE_COND_EXISTS,		 /* column IS NOT NULL, metadata ? key */
	PINECONE_COND_NOT_EXISTS,	 /* column IS NULL */
	PINECONE_COND_ELEMENT,		 /* value = ANY (list column) */
	PINECONE_COND_CONTAINS,		 /* list column @> array value */
	PINECONE_COND_OVERLAPS,		 /* list column && array value */
	PINECONE_COND_KEYS_ANY,		 /* metadata ?| array value */
	PINECONE_COND_KEYS_ALL,		 /* metadata ?& array value */
	PINECONE_COND_JSON_CONTAINS, /* metadata @> value */
	PINECONE_COND_JSON_TEXT,	 /* metadata ->> key = value */
	PINECONE_COND_JSON_EQUAL,	 /* metadata -> key, or a jsonb column, = value */
	PINECONE_COND_DAYS,			 /* column >= a day and < another, args: a COMPARE each */
	PINECONE_COND_JSON_TEXT_IN,	 /* metadata ->> key = ANY (array value) */
	PINECONE_COND_RAW,			 /* pinecone_match(metadata, value) */
	PINECONE_COND_RECORD,		 /* pinecone_match_record(id, value) */
	PINECONE_COND_MATCH_PHRASE,	 /* pinecone_match_phrase(column, value); or the negation, where compare is NE */
	PINECONE_COND_MATCH_ALL,	 /* pinecone_match_all(column, value) */
	PINECONE_COND_MATCH_ANY		 /* pinecone_match_any(column, value) */
} PineconeConditionKind;

typedef struct PineconeCondition
{
	PineconeConditionKind kind;
	PineconeCompare compare;
	AttrNumber attnum; /* the column, or 0 when "key" names the field */
	char *key;		   /* metadata key, when there is no column */
	int value;		   /* number of the value's expression, or -1 */
	List *args;		   /* of PineconeCondition */
} PineconeCondition;

/* Why a distance in a query is no search, for EXPLAIN */
typedef enum PineconeNoSearch
{
	PINECONE_NO_SEARCH_UNSAID,		/* there is none, or there is one */
	PINECONE_NO_SEARCH_VOLATILE,	/* the query vector may differ from row to row */
	PINECONE_NO_SEARCH_JOINED,		/* it is another relation's */
	PINECONE_NO_SEARCH_OWN_COLUMNS, /* it is made of the row */
	PINECONE_NO_SEARCH_FUNCTION,	/* no distance that an index measures */
	PINECONE_NO_SEARCH_ORDER,		/* rows are wanted in another order */
	PINECONE_NO_SEARCH_SPARSE,		/* no distance that an index measures of sparse vectors */
	PINECONE_NO_SEARCH_SUM			/* it is made of a dense one's and a sparse one's */
} PineconeNoSearch;

/* Kinds of clauses that a search by words has */
typedef enum PineconeClauseKind
{
	PINECONE_CLAUSE_TEXT,
	PINECONE_CLAUSE_QUERY_STRING,
	PINECONE_CLAUSE_EMBED,
	PINECONE_CLAUSE_SPARSE_EMBED,
	PINECONE_CLAUSE_RERANKED
} PineconeClauseKind;

/* What a scan tuple's column holds: an attribute number, or this. */
#define PINECONE_LAYOUT_DISTANCE 0
#define PINECONE_LAYOUT_NEGATED (-1) /* the distance times -1 */
#define PINECONE_LAYOUT_COUNT 0		 /* less its place among the counts: of STATS, COUNT and GROUPS */
#define PINECONE_LAYOUT_ROW (-1000)	 /* the whole row, in one */

/* What is counted, of what meets the request's filter */
typedef struct PineconeCount
{
	PineconeCondition *filter; /* what meets this as well; or NULL */
	int factor;				   /* sum(factor): NULL of no records; or 0 for a count */
} PineconeCount;

/* No distance or score that matters is as far from 0. */
#define PINECONE_FAR 1e30

/* Cosines, rounded as the service does */
#define PINECONE_MAX_COSINE 1.1

/* Of GROUPS: records that have the field, and how many values it has */
#define PINECONE_LAYOUT_NOT_NULL (-2)
#define PINECONE_LAYOUT_DISTINCT (-3)
#define PINECONE_LAYOUT_FILTERED (-100) /* less the place of a filter among the counts */

typedef struct PineconeRequest
{
	PineconeOperation op;
	uint32 schema; /* hash of what the plan takes the index to declare; 0: vectors */

	/* Which records */
	PineconeCondition *filter; /* or NULL */
	List *ids;				   /* numbers of text or text[] expressions; OR'ed */
	List *namespaces;		   /* AND'ed lists of such numbers; NIL: all */
	List *namespace_quals;	   /* numbers of conditions on the namespace alone */
	List *id_quals;			   /* numbers of conditions on the id alone: LIST_FETCH */
	int prefix;				   /* number of a text expression, or -1 */
	bool prefix_is_like;	   /* it is a LIKE pattern */
	int prefix_high;		   /* "prefix" and this are ends of a range of ids, or -1 */
	int place;				   /* number of a tid or tid[] expression that the ctid equals, or -1: LIST, LIST_FETCH */
	int after;				   /* number of an id that comes before all others, or is the first; or -1 */
	int before;				   /* of descending ids: likewise, the last one or one after it */

	/* Search by words, in place of neighbours: lists of three integers: what kind
	 * of clause, the column or 0, the number of the words; of one that is reranked
	 * also those of the model, of how many candidates, and of the fields */
	List *clauses;

	/* Nearest neighbours */
	PineconeMetric metric;
	int vector;					   /* number of the query vector, or -1 */
	int sparse;					   /* number of the sparse query vector, or -1: only if it matters */
	int zeros;					   /* dimension of the dense vector that a search by a sparse one needs, or 0 */
	int alpha;					   /* where both matter: number of the dense one's weight, a float8 */
	int vector_id;				   /* number of the id of a stored record whose
								 * vector is the query, or -1 */
	int bound;					   /* number of a float8: distance limit, or -1; or of
								 * a boolean that distances meet up to some limit */
	bool bound_is_strict;		   /* distances are less than the float8 */
	int score_bound;			   /* number of a real or float8 that scores have to */
	PineconeCompare score_compare; /* be on this side of, or -1; or of a boolean */
	bool scored;				   /* scores are computed here: nothing else brings them */
	PineconeNoSearch no_search;	   /* why a distance of the query is none */
	bool lacks_score;			   /* which rows there are, or their order, goes by a score that is NULL */
	PineconeMetric other_metric;   /* that a distance of the query has, which
								 * the index does not measure; or unknown */

	/* How much */
	int limit;		/* numbers of int8 expressions, or -1; hints: */
	int offset;		/* rows beyond them can be asked for */
	double survive; /* share of rows expected to pass local conditions */
	double rows;	/* the planner's estimate */
	double matches; /* likewise of records, before local conditions */
	bool all;		/* the plan is made for reading all of the rows */
	int begins;		/* no limit, but a reader who may stop: rows to begin with; else 0 */

	/* How they are thought to be read: see way.h */
	int way;
	double way_requests;
	double way_bytes;
	double way_units;
	double way_latency_us;

	/* When statistics were asked for to make the plan; 0: they were known */
	PineconeTime planned_at;
	bool metric_assumed; /* they had not come: the metric is what the query wants */

	/* What of them */
	bool want_values;
	bool want_metadata;
	bool want_ctid;
	bool sorted;		   /* rows must come in the promised order */
	bool skips;			   /* rows left out by OFFSET are not looked at */
	bool grouped;		   /* STATS: a row for each namespace that has records; GROUPS: for each value */
	AttrNumber group;	   /* GROUPS, ORDERED: the column of the field */
	bool group_namespaces; /* GROUPS: those of each namespace by themselves */
	int group_budget;	   /* GROUPS: dry runs that are worth while, */
	int group_searches;	   /* and searches in their place */
	bool descending;	   /* ORDERED; LIST, LIST_FETCH: by the id */
	bool nulls_first;
	List *wanted; /* attribute numbers to fill */
	List *counts; /* of PineconeCount; the first has no filter, but for GROUPS */
	List *layout; /* scan tuple columns; NIL: the table's own, or counts */
} PineconeRequest;

/*
 * Can an index be searched by a distance of the dense vector, the sparse one, or both in
 * one?  "schema" is that of documents, or NULL.
 */
extern bool pinecone_request_fits(const PineconeSchema *schema, const PineconeStats *stats,
								  PineconeMetric metric, bool dense, bool sparse);

/* To and from the copyable form kept in ForeignScan.fdw_private. */
extern List *pinecone_request_to_list(const PineconeRequest *request);
extern PineconeRequest *pinecone_request_from_list(List *list);

/* Note in such a form that rows left out by OFFSET are only counted. */
extern void pinecone_request_mark_skips(List *list);

/* The columns that a condition, with those it is made of, looks at. */
extern Bitmapset *pinecone_request_columns(const PineconeCondition *condition);

/* Does a condition look at words? */
extern bool pinecone_request_matches_words(const PineconeCondition *condition);

/* Is it one that nothing here can evaluate, so that what is asked has to be asked with it? */
extern bool pinecone_request_needs_sending(const PineconeCondition *condition);

extern const char *pinecone_request_operation_name(PineconeOperation op);

#endif /* PINECONE_REQUEST_H */
