/*
 * http.h
 *		HTTP: connections, requests in, replies out.  The only user of
 *		libmicrohttpd.
 */
#ifndef HTTP_H
#define HTTP_H

#include "request.h"

/* Start serving; false with a message on standard error */
extern bool http_start(void);
extern void http_stop(void);

#endif
