/*
 * pool.h
 *		Hands work to threads, and calls back later or after a time.
 */
#ifndef POOL_H
#define POOL_H

#include "util.h"

extern void pool_start(int nthreads);
extern void pool_stop(void);
extern int pool_threads(void);

/* Run work on a thread of the pool */
extern void pool_submit(void (*work)(void *), void *arg);

/*
 * Call work(context, worker, n) for each n below count, on this thread and on
 * those of the pool that have nothing else to do; worker counts the threads
 * that take part, from 0 up to pool_threads().  Returns when all is done.
 */
extern void pool_parallel(int count, void (*work)(void *context, int worker, int n), void *context);

/* Call back from the clock's thread at that time (of now_us) */
extern void timer_add(int64_t due, void (*call)(void *), void *arg);
/* Everything that waits, at once; nothing waits from then on */
extern void timer_stop(void);

#endif
