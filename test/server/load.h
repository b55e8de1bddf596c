/*
 * load.h
 *		From files to indexes and back, a JSON line a record.
 */
#ifndef LOAD_H
#define LOAD_H

#include "store.h"

/* False with a message in error (malloc'ed): file, line, what is wrong */
extern bool load_file(const char *path, char **error);
/* A document index with the schema of a file; NULL: it has said why on standard error */
extern Index *load_schema(const char *name, const char *path);
/* Everything, to a new file that then takes the place of the old one */
extern bool save_file(const char *path, char **error);

#endif
