/*
 * control.h
 *		The control plane's parts.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include "request.h"

/* Does the request speak of indexes in the form of 2026-07 and later? */
extern bool control_has_schemas(const Request *r);
extern void control_write_index(Request *r, const Index *index);
/* Its fields as from 2026-07 on, {"fields": {...}} */
extern void control_write_schema(Buffer *b, const Index *index);

/* POST /indexes, POST /indexes/create-for-model, PATCH /indexes/{name} */
extern void control_create(Request *r);
extern void control_create_for_model(Request *r);
extern void control_configure(Request *r, Index *index);
/* POST /indexes/{name}/convert; /conversion-jobs.  False: it is none of them */
extern bool convert_respond(Request *r);
extern void convert_end(void);
/* Backups, and restoring them; likewise */
extern bool backup_respond(Request *r);
extern void backup_end(void);

/* What is between the slashes of a path */
typedef struct Path
{
	Str parts[5];
	int count;
} Path;

/* False: there is more of it, or escapes are wrong */
extern bool control_split_path(Request *r, Path *path);

static inline bool
path_is(const Path *path, const char *first, int count)
{
	return path->count == count && str_is(path->parts[0], first);
}

/*
 * Take a metadata schema (or NULL): the keys that can be filtered by.  False:
 * the reply holds the error.
 */
extern bool control_set_schema(Request *r, Index *index, const JsonValue *schema);

/* Is this a name for an index? */
extern bool control_is_name(Str name);

/* Readers.  False, as of what follows: the reply holds the error. */
extern bool control_bad(Request *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
extern bool control_unread(Request *r, const char *what, const char *field);
/* The body as an object, or NULL */
extern const JsonValue *control_body(Request *r);
extern bool control_take_string(Request *r, const JsonValue *object, const char *key, Str *to);
extern bool control_take_dimension(Request *r, const JsonValue *v, int *dimension);
extern bool control_take_metric(Request *r, const JsonValue *object, Metric otherwise, Metric *metric);
extern bool control_take_protection(Request *r, const JsonValue *body, bool *protected);
/* Optional: NULL is good */
extern bool control_check_capacity(Request *r, const JsonValue *capacity);
extern bool control_check_tags(Request *r, const JsonValue *tags);
/* Are all keys among these?  The list ends with NULL. */
extern bool control_check_keys(Request *r, const JsonValue *object, const char *const *known);
/* The read capacity as descriptions show it; malloc'ed, NULL for none */
extern char *control_capacity(const JsonValue *given);
/* A member that is there and not null */
extern const JsonValue *json_present(const JsonValue *object, const char *key);

#endif
