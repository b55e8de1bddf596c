/*
 * signals.h
 *		PostgreSQL's signal handlers belong to the main thread.
 *
 * A thread inherits the signals that are blocked when it is made: all have to be,
 * but for those that a thread raises itself by what it does.
 */
#ifndef PINECONE_SIGNALS_H
#define PINECONE_SIGNALS_H

#include <signal.h>

/* Before threads may be made, and afterwards. */
static inline void
pinecone_signals_block(sigset_t *old)
{
	static const int synchronous[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT};
	sigset_t all;

	sigfillset(&all);
	for (int i = 0; i < lengthof(synchronous); i++)
		sigdelset(&all, synchronous[i]);
	pthread_sigmask(SIG_BLOCK, &all, old);
}

static inline void
pinecone_signals_restore(const sigset_t *old)
{
	pthread_sigmask(SIG_SETMASK, old, NULL);
}

#endif /* PINECONE_SIGNALS_H */
