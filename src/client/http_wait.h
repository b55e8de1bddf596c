/*
 * http_wait.h
 *		Sleeping while exchanges are on their way.
 */
#ifndef PINECONE_HTTP_WAIT_H
#define PINECONE_HTTP_WAIT_H

/*
 * Sleep until an exchange may have moved on, or the timeout (ms; -1: none);
 * then check for interrupts.
 */
extern void pinecone_http_sleep(long timeout_ms);

/*
 * For a WaitEventSet of someone else's: a descriptor that becomes readable when
 * an exchange may have moved on, and an alarm that makes it so after so many
 * ms at the latest.
 */
extern int pinecone_http_socket(void);
extern void pinecone_http_alarm(long timeout_ms);

#endif /* PINECONE_HTTP_WAIT_H */
