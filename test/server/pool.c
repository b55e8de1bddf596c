/*
 * pool.c
 *		Threads for long work, and a clock that calls back.
 */
#include "pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

typedef struct Task
{
	void (*work)(void *);
	void *arg;
	struct Task *next;
} Task;

static struct
{
	pthread_mutex_t lock;
	pthread_cond_t more;
	Task *first, *last;
	int idle;
	bool stopping;
	pthread_t *threads;
	int nthreads;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER};

static void *
work_on_tasks(void *arg)
{
	(void) arg;
	pthread_mutex_lock(&pool.lock);
	for (;;)
	{
		Task *task;

		while (!pool.first && !pool.stopping)
		{
			pool.idle++;
			pthread_cond_wait(&pool.more, &pool.lock);
			pool.idle--;
		}
		if (!pool.first)
			break;
		task = pool.first;
		pool.first = task->next;
		if (!pool.first)
			pool.last = NULL;
		pthread_mutex_unlock(&pool.lock);
		task->work(task->arg);
		free(task);
		pthread_mutex_lock(&pool.lock);
	}
	pthread_mutex_unlock(&pool.lock);
	return NULL;
}

void
pool_start(int nthreads)
{
	pool.nthreads = nthreads;
	pool.threads = mem_alloc(sizeof(pthread_t) * (size_t) nthreads);
	for (int i = 0; i < nthreads; i++)
		pthread_create(&pool.threads[i], NULL, work_on_tasks, NULL);
}

void
pool_stop(void)
{
	pthread_mutex_lock(&pool.lock);
	pool.stopping = true;
	pthread_cond_broadcast(&pool.more);
	pthread_mutex_unlock(&pool.lock);
	for (int i = 0; i < pool.nthreads; i++)
		pthread_join(pool.threads[i], NULL);
	free(pool.threads);
}

int
pool_threads(void)
{
	return pool.nthreads;
}

static void
submit(void (*work)(void *), void *arg)
{
	Task *task = mem_alloc(sizeof(Task));

	*task = (Task){.work = work, .arg = arg};
	if (pool.last)
		pool.last->next = task;
	else
		pool.first = task;
	pool.last = task;
	pthread_cond_signal(&pool.more);
}

void
pool_submit(void (*work)(void *), void *arg)
{
	pthread_mutex_lock(&pool.lock);
	submit(work, arg);
	pthread_mutex_unlock(&pool.lock);
}

/* ---- Work that is shared out ---- */

typedef struct Shared
{
	void (*work)(void *context, int worker, int n);
	void *context;
	int count;
	_Atomic int next;
	_Atomic int workers;
	/* Threads that may still look at this, under the lock */
	int references;
	int working;
	pthread_mutex_t lock;
	pthread_cond_t done;
} Shared;

static void
take_part(Shared *s)
{
	int worker = -1, n;

	while ((n = atomic_fetch_add(&s->next, 1)) < s->count)
	{
		if (worker < 0)
			worker = atomic_fetch_add(&s->workers, 1);
		s->work(s->context, worker, n);
	}
}

static void
leave(Shared *s)
{
	bool last;

	pthread_mutex_lock(&s->lock);
	last = --s->references == 0;
	pthread_mutex_unlock(&s->lock);
	if (last)
	{
		pthread_mutex_destroy(&s->lock);
		pthread_cond_destroy(&s->done);
		free(s);
	}
}

/* What a helping thread does, perhaps when all has been done already. */
static void
help(void *arg)
{
	Shared *s = arg;

	pthread_mutex_lock(&s->lock);
	s->working++;
	pthread_mutex_unlock(&s->lock);
	take_part(s);
	pthread_mutex_lock(&s->lock);
	if (--s->working == 0)
		pthread_cond_signal(&s->done);
	pthread_mutex_unlock(&s->lock);
	leave(s);
}

void
pool_parallel(int count, void (*work)(void *context, int worker, int n), void *context)
{
	Shared *s;
	int helpers;

	if (count <= 1)
	{
		if (count == 1)
			work(context, 0, 0);
		return;
	}
	s = mem_zero(sizeof(Shared));
	s->work = work;
	s->context = context;
	s->count = count;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->done, NULL);

	pthread_mutex_lock(&pool.lock);
	helpers = pool.idle < count - 1 ? pool.idle : count - 1;
	if (helpers > pool.nthreads - 1)
		helpers = pool.nthreads - 1;
	s->references = helpers + 1;
	for (int i = 0; i < helpers; i++)
		submit(help, s);
	pthread_mutex_unlock(&pool.lock);

	take_part(s);
	pthread_mutex_lock(&s->lock);
	while (s->working > 0)
		pthread_cond_wait(&s->done, &s->lock);
	pthread_mutex_unlock(&s->lock);
	leave(s);
}

/* ---- The clock ---- */

typedef struct Timer
{
	int64_t due;
	void (*call)(void *);
	void *arg;
} Timer;

static struct
{
	pthread_mutex_t lock;
	pthread_cond_t changed;
	Timer *heap;
	int count, size;
	bool started, stopping;
	pthread_t thread;
} timers = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void
swap(int a, int b)
{
	Timer t = timers.heap[a];

	timers.heap[a] = timers.heap[b];
	timers.heap[b] = t;
}

static Timer
take_first(void)
{
	Timer first = timers.heap[0];
	int i = 0;

	timers.heap[0] = timers.heap[--timers.count];
	for (;;)
	{
		int child = 2 * i + 1;

		if (child + 1 < timers.count && timers.heap[child + 1].due < timers.heap[child].due)
			child++;
		if (child >= timers.count || timers.heap[i].due <= timers.heap[child].due)
			return first;
		swap(i, child);
		i = child;
	}
}

static void *
watch_clock(void *arg)
{
	(void) arg;
	pthread_mutex_lock(&timers.lock);
	while (!timers.stopping || timers.count > 0)
	{
		int64_t due;
		struct timespec until;
		Timer timer;

		if (timers.count == 0)
		{
			pthread_cond_wait(&timers.changed, &timers.lock);
			continue;
		}
		due = timers.heap[0].due;
		if (!timers.stopping && due > now_us())
		{
			until = (struct timespec){.tv_sec = due / 1000000, .tv_nsec = due % 1000000 * 1000};
			pthread_cond_timedwait(&timers.changed, &timers.lock, &until);
			continue;
		}
		timer = take_first();
		pthread_mutex_unlock(&timers.lock);
		timer.call(timer.arg);
		pthread_mutex_lock(&timers.lock);
	}
	pthread_mutex_unlock(&timers.lock);
	return NULL;
}

void
timer_add(int64_t due, void (*call)(void *), void *arg)
{
	int i;
	bool stopping;

	pthread_mutex_lock(&timers.lock);
	if (!timers.started && !timers.stopping)
	{
		pthread_condattr_t attr;

		pthread_condattr_init(&attr);
		pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
		pthread_cond_init(&timers.changed, &attr);
		pthread_condattr_destroy(&attr);
		pthread_create(&timers.thread, NULL, watch_clock, NULL);
		timers.started = true;
	}
	stopping = timers.stopping;
	if (!stopping)
	{
		if (timers.count == timers.size)
		{
			timers.size = timers.size ? timers.size * 2 : 64;
			timers.heap = mem_resize(timers.heap, sizeof(Timer) * (size_t) timers.size);
		}
		i = timers.count++;
		timers.heap[i] = (Timer){.due = due, .call = call, .arg = arg};
		for (; i > 0 && timers.heap[(i - 1) / 2].due > timers.heap[i].due; i = (i - 1) / 2)
			swap(i, (i - 1) / 2);
		pthread_cond_signal(&timers.changed);
	}
	pthread_mutex_unlock(&timers.lock);
	if (stopping)
		call(arg);
}

void
timer_stop(void)
{
	bool started;

	pthread_mutex_lock(&timers.lock);
	timers.stopping = true;
	started = timers.started;
	if (started)
		pthread_cond_signal(&timers.changed);
	pthread_mutex_unlock(&timers.lock);
	if (started)
		pthread_join(timers.thread, NULL);
	free(timers.heap);
	timers.heap = NULL;
}
