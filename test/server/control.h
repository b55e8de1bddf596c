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

/* POST /indexes, PATCH /indexes/{name} */
extern void control_create(Request *r);
extern void control_configure(Request *r, Index *index);

/*
 * Take a metadata schema (or NULL): the keys that can be filtered by.  False:
 * the reply holds the error.
 */
extern bool control_set_schema(Request *r, Index *index, const JsonValue *schema);

/* Is this a name for an index? */
extern bool control_is_name(Str name);

#endif
