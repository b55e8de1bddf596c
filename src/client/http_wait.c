/*
 * http_wait.c
 *		Waits are poll.c's; how long, libcurl's timer and the deadlines say.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "client/deadline.h"
#include "client/http.h"
#include "client/http_wait.h"
#include "client/poll.h"

int
pinecone_http_socket(void)
{
	pinecone_poll_initialize();
	pinecone_deadline_attended_elsewhere(); /* somebody is going to wait on it */
	return pinecone_poll_descriptor();
}

void
pinecone_http_alarm(long timeout_ms)
{
	long timer = pinecone_http_timeout();

	pinecone_poll_initialize();
	pinecone_poll_alarm(timer >= 0 ? Min(timeout_ms, timer) : timeout_ms);
}

void
pinecone_http_sleep(long timeout_ms)
{
	long timer = pinecone_http_timeout();

	pinecone_poll_initialize();
	if (timer >= 0 && (timeout_ms < 0 || timer < timeout_ms))
		timeout_ms = timer;
	if (timeout_ms != 0)
	{
		pinecone_poll_sleep(timeout_ms);
		pinecone_deadline_attended();
	}
	CHECK_FOR_INTERRUPTS();
}
