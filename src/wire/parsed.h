/*
 * parsed.h
 *		The JSON of small replies, for wire/message*.c, which alone know json-c.
 *
 * It belongs to the memory context that is current when it is parsed.  json-c and
 * utils/builtins.h both own the name json_object: these files do without the latter.
 */
#ifndef PINECONE_PARSED_H
#define PINECONE_PARSED_H

#include <json-c/json.h>

/* Parse a whole body; NULL when it is not JSON. */
extern struct json_object *pinecone_parsed_body(const char *body, size_t len);

/* A member; NULL when there is none, and of what is no object, or NULL. */
extern struct json_object *pinecone_parsed_member(struct json_object *object, const char *name);

extern bool pinecone_parsed_is_object(struct json_object *value);

/* A string member, palloc'ed; NULL when there is none. */
extern char *pinecone_parsed_string(struct json_object *object, const char *name);

/* A number, also when it is written as a string (64-bit ones are). */
extern bool pinecone_parsed_number(struct json_object *object, const char *name, double *number);

/* A count of something, which an integer can hold. */
extern bool pinecone_parsed_count(struct json_object *object, const char *name, double *count);

#endif /* PINECONE_PARSED_H */
