/*
 * log.h
 *		Notes each request, and answers GET /_local/requests.
 */
#ifndef LOG_H
#define LOG_H

#include "request.h"

/* Note a request that has come in; its number, 0 when nothing is kept */
extern uint64_t log_begin(const Request *r);
/* Status 0: the connection was closed without an answer */
extern void log_end(uint64_t number, int status, int64_t duration_us);

/* All requests, or those of an index */
extern void log_write(Buffer *b, const Index *index);
extern void log_write_counts(Buffer *b, const Index *index);
extern void log_clear(const Index *index);
extern void log_end_all(void);

#endif
