/*
 * limits.h
 *		May this request go, this second?
 */
#ifndef LIMITS_H
#define LIMITS_H

#include "request.h"

/* Documented limits times this; 0: none */
extern _Atomic double limits_factor;

typedef enum LimitKind
{
	LIMIT_QUERY,
	LIMIT_QUERY_UNITS,
	LIMIT_UPSERT,
	LIMIT_UPSERT_BYTES,
	LIMIT_UPDATE,
	LIMIT_UPDATE_RECORDS,
	LIMIT_UPDATE_BY_METADATA,
	LIMIT_DELETE,
	LIMIT_DELETE_RECORDS,
	LIMIT_DELETE_BY_METADATA,
	LIMIT_FETCH,
	LIMIT_FETCH_BY_METADATA,
	LIMIT_LIST,
	LIMIT_STATS,
} LimitKind;

/* Take an amount; false: the reply holds the 429 */
extern bool limit_take(Request *r, LimitKind kind, Str namespace, double amount);

#endif
