/*
 * limits.h
 *		How much Pinecone takes and gives at a time, and what goes by that.
 *
 * "make SMALL_LIMITS=1" makes all of it small, so that tests of a few hundred
 * records meet every limit; pinecone-local --small-limits goes with it.
 */
#ifndef PINECONE_LIMITS_H
#define PINECONE_LIMITS_H

#ifdef PINECONE_SMALL_LIMITS
#define PINECONE_LIMIT(limit, small) (small)
#else
#define PINECONE_LIMIT(limit, small) (limit)
#endif

/* ---- The API's, of 2025-10 ---- */

/* The version that document indexes came with */
#define PINECONE_DOCUMENTS_VERSION "2026-07"

/* Bytes of a record's id, of a namespace's name */
#define PINECONE_MAX_ID 512
#define PINECONE_MAX_NAMESPACE 512

/* Matches of a search */
#define PINECONE_MAX_TOP_K PINECONE_LIMIT(10000, 5)

/* Ids of a page of a list, records of a page of a fetch by metadata */
#define PINECONE_LIST_PAGE PINECONE_LIMIT(100, 3)
#define PINECONE_FILTER_PAGE PINECONE_LIMIT(10000, 4)

/* Records of an upsert, ids of a delete, records that an update by filter changes */
#define PINECONE_UPSERT_BATCH PINECONE_LIMIT(1000, 3)
#define PINECONE_EMBEDDED_UPSERT_BATCH PINECONE_LIMIT(96, 3) /* with texts to embed */
#define PINECONE_DELETE_BATCH PINECONE_LIMIT(1000, 3)
#define PINECONE_MAX_UPDATED 100000

/*
 * Records that one count is asked for, and of each part where there are more: the
 * greatest number that a dry run tells stands for more.
 */
#define PINECONE_MOST_TOLD PINECONE_LIMIT(100000, 45)
#define PINECONE_COUNTED_AT_ONCE PINECONE_LIMIT(95000, 40)
#define PINECONE_COUNTED_OF_PART PINECONE_LIMIT(60000, 25)

/* Such parts, and so how many records are swept */
#define PINECONE_COUNTED_PARTS 24
#define PINECONE_MOST_SWEPT (0.8 * PINECONE_COUNTED_PARTS * PINECONE_COUNTED_OF_PART)

/* Records that are fetched for a read unit */
#define PINECONE_RECORDS_PER_UNIT 10

/* Values of $in */
#define PINECONE_MAX_IN_VALUES 10000

/* Texts of a request to embed them: each hosted model takes so many, and has no smaller limit */
#define PINECONE_EMBED_BATCH 96

/* Bytes of an upsert */
#define PINECONE_MAX_BODY PINECONE_LIMIT(2 * 1000 * 1000, 20 * 1000)

/* ---- Ours, which keep within them ---- */

/*
 * Ids of a fetch, of which there may be 1,000, and bytes of them: its URL has to
 * pass any proxy.
 */
#define PINECONE_FETCH_BATCH PINECONE_LIMIT(100, 2)
#define PINECONE_FETCH_QUERY 6000

/* The same where requests are what counts: for all ids of a namespace */
#define PINECONE_WIDE_FETCH_BATCH PINECONE_LIMIT(1000, 2)

/* Documents are fetched by a body, which takes all that are allowed (API 2026-07) */
#define PINECONE_DOCUMENTS_FETCH PINECONE_LIMIT(1000, 2)

/*
 * A reply of more than 4 MB is refused.  Sizes are estimated, so we aim below; a
 * reply refused all the same is asked for in smaller parts.
 */
#define PINECONE_REPLY_BYTES PINECONE_LIMIT(3 * 1024 * 1024, 2 * 1024)

/* Of them, for a record's metadata of which nothing is known */
#define PINECONE_METADATA_BYTES 400

/* Ids after one are walked to if they are not more than so many, of twice as many and more */
#define PINECONE_WALK_MOST_IDS (20 * PINECONE_LIST_PAGE)

/* Neighbours that a search asks for first when nothing says how many are wanted */
#define PINECONE_FIRST_TOP_K PINECONE_LIMIT(100, 2)

/* Outer rows that a read-ahead begins with: searches, lookups */
#define PINECONE_FIRST_SEARCHES PINECONE_LIMIT(4, 2)
#define PINECONE_FIRST_IDS PINECONE_LIMIT(16, 4)

/* Of a filter that stands for those of many rows: values of $in, parts of $or */
#define PINECONE_GATHERED_VALUES PINECONE_LIMIT(1000, 3)
#define PINECONE_GATHERED_PARTS PINECONE_LIMIT(100, 2)

/* Changed records that a transaction fetches before it reads, to filter them itself */
#define PINECONE_MAX_CHANGED PINECONE_LIMIT(1000, 5)

/* Rows of a modification that wait for their stored records together */
#define PINECONE_BUFFER_ROWS PINECONE_LIMIT(400, 5)

#endif /* PINECONE_LIMITS_H */
