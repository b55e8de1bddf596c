/*
 * field_part.h
 *		The parts of field_values.c: what they do for each other.
 */
#ifndef PINECONE_FIELD_PART_H
#define PINECONE_FIELD_PART_H

#include "scan/field_values.h"

/* ---- field_filter.c: all with what a part's records meet, which NULL has nothing of ---- */

/* Records that have the field, or do not */
extern PineconeFilter pinecone_field_exists_filter(ForeignScanState *node, const PineconeFieldPart *part, bool exists);

/* Records with a value */
extern PineconeFilter pinecone_field_value_filter(ForeignScanState *node, const PineconeFieldPart *part, Datum value);

/* Records that have the field, and none of the known values; those with one that searches have counted, of some values */
extern PineconeFilter pinecone_field_rest_filter(ForeignScanState *node, PineconeFieldPart *part);
extern PineconeFilter pinecone_field_searched_filter(ForeignScanState *node, PineconeFieldPart *part, int from, int end);

/* All records: those that have the field, and those that do not */
extern PineconeFilter pinecone_field_all_filter(ForeignScanState *node, const PineconeFieldPart *part);

/* ---- field_count.c ---- */

/* Ask for a count by a dry run; NULL of a filter that no record meets. */
extern PineconeCall *pinecone_field_send_count(ForeignScanState *node, PineconeFieldPart *part, PineconeFilter filter);

/* Wait for what that says; *call becomes NULL. */
extern double pinecone_field_take_count(PineconeScanState *state, PineconeCall **call);

/* ---- value_counts.c ---- */

/* Would counts by dry runs have to wait for their turn, so that they are held against one of all records? */
extern bool pinecone_field_counts_by_total(ForeignScanState *node);

/* Otherwise against that of the records that have the field; and those that do not are counted. */
extern void pinecone_field_ask_sums(ForeignScanState *node, PineconeFieldPart *part);

/* Take the count of all records.  Where it does not say, counts are asked for as without it. */
extern void pinecone_field_take_total(ForeignScanState *node, PineconeFieldPart *part);

/* Ask for the counts that have not been, if that is worth while: or give up. */
extern void pinecone_field_ask_counts(ForeignScanState *node, PineconeFieldPart *part);

typedef enum PineconeFieldSum
{
	PINECONE_FIELD_SUM_ALL,	   /* of all records */
	PINECONE_FIELD_SUM_LESS,   /* there are values that are not known, or searches came short */
	PINECONE_FIELD_SUM_UNKNOWN /* more has been asked, or it is given up */
} PineconeFieldSum;

/* Wait for the counts that have been asked for, and hold their sum against that of all records. */
extern PineconeFieldSum pinecone_field_sum(ForeignScanState *node, PineconeFieldPart *part);

/* All values are known, so that it was searches that came short: count by dry runs, or give up. */
extern void pinecone_field_count_anew(ForeignScanState *node, PineconeFieldPart *part);

/* ---- value_proof.c ---- */

typedef struct PineconeFieldProof PineconeFieldProof;

/* May a record have several values? */
extern bool pinecone_field_may_be_lists(const PineconeGroups *groups);

/* Ask whether the counts are right, of more records than one count tells; or give up. */
extern void pinecone_field_prove(ForeignScanState *node, PineconeFieldPart *part);

/* Wait for what that says. */
extern bool pinecone_field_is_proved(ForeignScanState *node, PineconeFieldPart *part);

extern void pinecone_field_drop_proof(PineconeFieldPart *part);

#endif /* PINECONE_FIELD_PART_H */
