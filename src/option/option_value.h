/*
 * option_value.h
 *		Single options among those given, for those who read objects' options.
 */
#ifndef PINECONE_OPTION_VALUE_H
#define PINECONE_OPTION_VALUE_H

#include "foreign/foreign.h"

#include "option/option_list.h"

/* A copy of an option's value; what is said otherwise, if it was not given. */
extern char *pinecone_option_string(List *defs, const char *name, const char *otherwise);

/* The same with the default that the table of options has. */
extern char *pinecone_option_value(List *defs, const char *name);
extern int pinecone_option_number(List *defs, const char *name);
extern bool pinecone_option_bool(List *defs, const char *name);

/* A list of namespaces, sorted and distinct; raises an error when it is none. */
extern char **pinecone_option_names(const char *value, int *n);

/* Can a key be sent in a header? */
extern bool pinecone_option_key_is_valid(const char *key);

extern PineconeServerOptions *pinecone_option_read_server(ForeignServer *server);

#endif /* PINECONE_OPTION_VALUE_H */
