/*
 * fault.h
 *		Takes orders for faults, and says which one a request is to meet.
 */
#ifndef FAULT_H
#define FAULT_H

#include "request.h"

typedef enum FaultKind
{
	FAULT_NONE,
	FAULT_STATUS,		/* this status instead of an answer; the request has no effect */
	FAULT_DELAY,		/* the answer, later */
	FAULT_TRUNCATE,		/* a part of the body, then the connection is closed */
	FAULT_CLOSE,		/* the connection is closed; the request has no effect */
	FAULT_CLOSE_AFTER,	/* the connection is closed after the request had its effect */
	FAULT_GARBAGE,		/* a body that is not JSON */
	FAULT_CONTENT_TYPE, /* another content type */
	FAULT_DRIP,			/* the body piece by piece */
} FaultKind;

/* What to do; texts in the request's arena */
typedef struct Fault
{
	FaultKind kind;
	int status;
	int retry_after; /* seconds, -1: no header */
	int delay_ms;
	int bytes; /* of the part, of the pieces; -1: not given */
	int interval_ms;
	bool has_body;
	Str body;
	const char *content_type; /* or NULL */
} Fault;

/* The first fault that a request meets, counted down; kind FAULT_NONE if none */
extern Fault fault_take(Request *r);

/* Order one; false with a message when the order is not valid */
extern bool fault_add(const JsonValue *order, Index *index, Arena *arena, Str *message);
/* Those of an index, or all */
extern void fault_clear(const Index *index);
extern void fault_list(Buffer *b, const Index *index);

#endif
