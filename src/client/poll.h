/*
 * poll.h
 *		Adds and removes sockets, and sleeps until one of them is ready, the bell
 *		rings, the latch is set or a time has passed.
 *
 * The sockets are in an epoll set, so that a wait needs only that descriptor
 * and the latch.  They stay in it while nobody wants them, which saves two
 * system calls for each exchange on a connection that is kept.
 */
#ifndef PINECONE_POLL_H
#define PINECONE_POLL_H

/* What a socket is wanted for, or ready for */
#define PINECONE_POLL_IN 0x1
#define PINECONE_POLL_OUT 0x2
#define PINECONE_POLL_ERROR 0x4

typedef struct PineconePollEvent
{
	int fd;
	int events;
} PineconePollEvent;

/* Before all others; raises an error, and leaves nothing behind then. */
extern void pinecone_poll_initialize(void);

/* ---- These never raise an error ---- */

/* A socket has been opened; it will be told when it is closed. */
extern bool pinecone_poll_opened(int fd);
extern void pinecone_poll_closed(int fd);

/* Wait for these events of a socket; for none of it any more. */
extern bool pinecone_poll_want(int fd, int events);
extern void pinecone_poll_unwant(int fd);

/* Which ones are ready?  Returns how many, at most "size"; does not block. */
extern int pinecone_poll_ready(PineconePollEvent *ready, int size);

/*
 * The open sockets that nobody wants: up to "size" of them, and how many there
 * are.
 */
extern int pinecone_poll_idle(int *fds, int size);

/* The same of all open sockets; and is somebody waiting for one? */
extern int pinecone_poll_open(int *fds, int size);
extern bool pinecone_poll_is_wanted(int fd);

/* ---- Waiting ---- */

/* What for: as pg_stat_activity shows it, where the major lets extensions name their waits */
typedef enum PineconeWait
{
	PINECONE_WAIT_REPLY,  /* PineconeReply: the network */
	PINECONE_WAIT_TURN,	  /* PineconeTurn: what may be sent per second */
	PINECONE_WAIT_RETRY,  /* PineconeRetry: the time until a request is repeated */
	PINECONE_WAIT_COMMIT, /* PineconeCommit: the same as the first, while committing */
	PINECONE_WAITS
} PineconeWait;

extern void pinecone_poll_wait_for(PineconeWait what);

/* Sleep until a socket is ready, the bell rings, the latch is set, or so many ms. */
extern void pinecone_poll_sleep(long timeout_ms);

/*
 * A descriptor that threads write eight bytes to, which ends a wait; to be
 * silenced when nobody is expected to ring any more.
 */
extern int pinecone_poll_bell(void);
extern void pinecone_poll_silence_bell(void);

/* For a wait of someone else's: the descriptor, and an alarm that makes it readable. */
extern int pinecone_poll_descriptor(void);
extern void pinecone_poll_alarm(long timeout_ms);

#endif /* PINECONE_POLL_H */
