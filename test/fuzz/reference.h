/*
 * reference.h
 *		JSON as json-c reads it, to compare with what our own decoders make of it.
 */
#ifndef PINECONE_FUZZ_REFERENCE_H
#define PINECONE_FUZZ_REFERENCE_H

struct json_object;

/*
 * A whole text, strictly read; NULL when it is not JSON, names a key twice, or
 * holds what json-c and we are not to be compared by: U+0000, halves of surrogate
 * pairs.  Freed by reference_free().
 */
extern struct json_object *reference_parse(const char *text, size_t size);
extern void reference_free(struct json_object *root);

extern struct json_object *reference_member(struct json_object *object, const char *name);
extern bool reference_is_object(struct json_object *value);
extern bool reference_is_array(struct json_object *value);
extern bool reference_is_string(struct json_object *value);
extern bool reference_is_number(struct json_object *value);
extern int reference_length(struct json_object *value);
extern struct json_object *reference_item(struct json_object *array, int i);
extern const char *reference_string(struct json_object *value);

/* The text of a number as it stands there; numbers beyond int64 as NULL. */
extern const char *reference_number(struct json_object *value);

/* An object's members, one call for each. */
extern void reference_each(struct json_object *object,
						   void (*visit)(const char *name, struct json_object *value, void *arg), void *arg);

/* Is it a boolean, and which? */
extern bool reference_boolean(struct json_object *value, bool *flag);

#endif /* PINECONE_FUZZ_REFERENCE_H */
