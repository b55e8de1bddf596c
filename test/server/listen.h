/*
 * listen.h
 *		Opens the sockets, and tells which index a connection is for.
 */
#ifndef LISTEN_H
#define LISTEN_H

#include "store.h"

struct sockaddr;

/* Start the thread that accepts; connections go to the callback, which owns them */
extern bool listen_start(bool (*accepted)(int fd, const struct sockaddr *address, unsigned len));
extern void listen_stop(void);
/* After all connections have ended */
extern void listen_end(void);

/* Open a socket on a port (0: any free one); -1 with errno when that fails */
extern int listen_open(int port, int *actual_port);
/* Accept from it, for an index or (NULL) the control plane */
extern void listen_add(int fd, Index *index);
extern void listen_remove(int fd);

/* The index that a new connection is for: the caller's reference */
extern Index *listen_take_index(int fd);
extern void listen_note_closed(void);
extern void listen_count(uint64_t *open, uint64_t *accepted);

#endif
