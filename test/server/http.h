/*
 * http.h
 *		What handlers see of a request and fill in of a reply.
 */
#ifndef HTTP_H
#define HTTP_H

#include "request.h"

/* Start serving; false with a message on standard error */
extern bool http_start(void);
extern void http_stop(void);

#endif
