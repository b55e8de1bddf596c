/*
 * idle.c
 *		Connections that nobody uses, closed after a while.
 */
#include "postgres.h"

#include <signal.h>
#include <sys/socket.h>

#include "miscadmin.h"
#include "storage/sinval.h"
#include "utils/timeout.h"

#include "base/setting.h"
#include "client/idle.h"
#include "client/poll.h"

/* What is open beyond these is ended with the next transaction's. */
#define MAX_IDLE 1024

/* The sockets, for the handler: there are as many as it may touch. */
static int idle_sockets[MAX_IDLE];
static volatile sig_atomic_t nidle = 0;

/* Has the handler ended them, and nothing happened since? */
static volatile sig_atomic_t ended = false;

static TimeoutId timeout_id = MAX_TIMEOUTS;
static bool timer_runs = false;

/* In a signal handler */
static void
end_connections(void)
{
	int old_errno = errno;
	int n = nidle;

	nidle = 0;
	for (int i = 0; i < n; i++)
		(void) shutdown(idle_sockets[i], SHUT_RDWR);
	ended = true;
	errno = old_errno;
}

/*
 * In a signal handler.  A backend that waits for its client looks at nothing but
 * its own interrupts: for that of a catch-up it begins a transaction, and ends it.
 */
static void
end_connections_and_wake(void)
{
	end_connections();
	HandleCatchupInterrupt();
}

bool
pinecone_idle_begin(void)
{
	bool were_ended = ended;
	int n;

	pinecone_idle_end();
	if (were_ended)
		return true;
	if (pinecone_idle_timeout_ms < 0)
		return false;
	n = pinecone_poll_idle(idle_sockets, MAX_IDLE);
	if (n == 0)
		return false;
	nidle = Min(n, MAX_IDLE);
	if (pinecone_idle_timeout_ms == 0)
	{
		end_connections();
		return true;
	}
	if (timeout_id == MAX_TIMEOUTS)
		timeout_id = RegisterTimeout(USER_TIMEOUT, end_connections_and_wake);
	enable_timeout_after(timeout_id, pinecone_idle_timeout_ms);
	timer_runs = true;
	return false;
}

void
pinecone_idle_end(void)
{
	nidle = 0;
	ended = false;
	if (timer_runs)
		disable_timeout(timeout_id, false);
	timer_runs = false;
}
