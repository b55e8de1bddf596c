/*
 * embedded_text.h
 *		The text of a record that Pinecone is to make its vector of (integrated indexes).
 */
#ifndef PINECONE_EMBEDDED_TEXT_H
#define PINECONE_EMBEDDED_TEXT_H

#include "nodes/bitmapset.h"

#include "option/option_list.h"
#include "wire/record.h"

/* May an UPDATE of these columns change the text?  Of other indexes none does. */
extern bool pinecone_embedded_text_is_set(const PineconeTable *table, const Bitmapset *assigned);

/*
 * A record whose text is another than in "stored" (NULL: it does not matter) goes
 * without its vector, for Pinecone to make it anew.  Returns why none can be made of
 * the text of a record that has no vector, or NULL.
 */
extern const char *pinecone_embedded_text_settle(const PineconeTable *table, const PineconeRecord *stored,
												 PineconeRecord *record);

/*
 * May an UPDATE of these columns, after which the record is as "shown", have Pinecone
 * make the vector anew?  Whether it does is known when the stored text is.
 */
extern bool pinecone_embedded_text_may_change(const PineconeTable *table, const Bitmapset *assigned,
											  const PineconeRecord *shown);

#endif /* PINECONE_EMBEDDED_TEXT_H */
