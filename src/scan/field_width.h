/*
 * field_width.h
 *		Bytes of fields, by what columns say of them.
 */
#ifndef PINECONE_FIELD_WIDTH_H
#define PINECONE_FIELD_WIDTH_H

#include "option/option_list.h"

/*
 * Bytes of JSON that the fields of these columns (attribute numbers) take in a
 * record, as types and ANALYZE tell; of those that they tell nothing of, all
 * together, "unknown".
 */
extern double pinecone_width_of_fields(const PineconeTable *table, const List *columns, double unknown);

#endif /* PINECONE_FIELD_WIDTH_H */
