/*
 * json_text.h
 *		Looks at a text before PostgreSQL's parser does, so that nothing is raised.
 */
#ifndef PINECONE_JSON_TEXT_H
#define PINECONE_JSON_TEXT_H

/* Would json's, or jsonb's input function take it?  Raises no error. */
extern bool pinecone_json_text_is_valid(char *text, int len, bool jsonb);

#endif /* PINECONE_JSON_TEXT_H */
