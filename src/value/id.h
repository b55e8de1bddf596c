/*
 * id.h
 *		Ids, as the types that an id column may have show them.
 */
#ifndef PINECONE_ID_H
#define PINECONE_ID_H

/* A value of an id column as an id; and an id as such a value, false when it does not fit. */
extern char *pinecone_id_text(Oid typid, Datum value);
extern bool pinecone_id_datum(Oid typid, const char *id, Datum *datum);

#endif /* PINECONE_ID_H */
