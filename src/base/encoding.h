/*
 * encoding.h
 *		JSON in UTF-8 as text of the database's encoding.
 */
#ifndef PINECONE_ENCODING_H
#define PINECONE_ENCODING_H

/*
 * A character that the encoding lacks becomes an escape of its own, so that
 * equal texts stay equal and others differ; there is no error.  Palloc'ed, or
 * the text itself.
 */
extern char *pinecone_json_to_server(char *json, int len);

/* The other way round; to be pfree'd unless it is the text itself. */
extern char *pinecone_json_from_server(char *json);

#endif /* PINECONE_ENCODING_H */
