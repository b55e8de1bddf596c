/*
 * json.h
 *		Looks things up in replies that are taken as jsonb.
 */
#ifndef PINECONE_ADMIN_JSON_H
#define PINECONE_ADMIN_JSON_H

#include "utils/jsonb.h"

#include "client/vectors.h"

/*
 * The reply of a call, which must have succeeded; an error where it is not JSON
 * that PostgreSQL takes.  An empty one is NULL.
 */
extern Jsonb *pinecone_json_reply(PineconeCall *call);

/* Members of an object; NULL, or false, where they are not there or of another type. */
extern JsonbContainer *pinecone_json_object(JsonbContainer *object, const char *name);
extern JsonbContainer *pinecone_json_array(JsonbContainer *object, const char *name);
extern char *pinecone_json_string(JsonbContainer *object, const char *name);
extern bool pinecone_json_number(JsonbContainer *object, const char *name, double *number); /* also one in quotes */
extern bool pinecone_json_is_true(JsonbContainer *object, const char *name);

/* The member as a value of its own, or NULL; a null is none. */
extern Jsonb *pinecone_json_member(JsonbContainer *object, const char *name);

/* An object's members, or an array's elements, that are objects: one after the other. */
typedef struct PineconeJsonWalk
{
	JsonbIterator *it;
	char *key; /* of an object's */
	int len;   /* of the last one */
} PineconeJsonWalk;

extern void pinecone_json_walk(PineconeJsonWalk *walk, JsonbContainer *container);
extern JsonbContainer *pinecone_json_next(PineconeJsonWalk *walk);

/* As JSON text in UTF-8, to be sent. */
extern char *pinecone_json_text(const Jsonb *json);

/* A copy of the last one. */
extern Jsonb *pinecone_json_copy(const PineconeJsonWalk *walk, JsonbContainer *object);

#endif /* PINECONE_ADMIN_JSON_H */
