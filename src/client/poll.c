/*
 * poll.c
 *		Sockets, a bell for threads and the latch, waited for together.
 */
#include "postgres.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "miscadmin.h"
#include "pgstat.h"
#include "storage/fd.h"
#include "storage/latch.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "client/poll.h"

/* What is known of a file descriptor, by its number. */
typedef struct Watch
{
	uint32 events; /* in the epoll set for these; 0: not in it */
	bool wanted;   /* somebody waits for them, too */
	bool stays;	   /* we shall be told when it is closed */
} Watch;

typedef struct Poll
{
	int epoll_fd;
	WaitEventSet *wait_set; /* epoll_fd and the latch */
	uint32 wait_events[PINECONE_WAITS];
	PineconeWait waits_for;
	bool woken; /* a sleep has ended because of a socket */

	/* Sockets */
	Watch *watches; /* malloc'ed */
	int nwatches;
	int nregistered; /* in the epoll set */
	int nwanted;
	int last_wanted; /* the last descriptor asked for */

	/* Others in the epoll set; -1: not made yet */
	int bell_fd;
	bool bell_armed; /* somebody may ring */
	int alarm_fd;
	bool alarm_set; /* it has been set, and not been seen to ring */
} Poll;

static const char *const wait_names[PINECONE_WAITS] = {
	[PINECONE_WAIT_REPLY] = "PineconeReply",
	[PINECONE_WAIT_TURN] = "PineconeTurn",
	[PINECONE_WAIT_RETRY] = "PineconeRetry",
	[PINECONE_WAIT_COMMIT] = "PineconeCommit",
};

/* NULL until all of it is there */
static Poll *all = NULL;

/* ---- Making it ---- */

/* A descriptor that PostgreSQL has counted already; it is not if there is none. */
static int
counted_descriptor(int fd)
{
	if (fd < 0)
		ReleaseExternalFD();
	return fd;
}

static void
report_descriptor(const char *what)
{
	ereport(ERROR,
			(errcode_for_socket_access(),
			 errmsg("could not create %s: %m", what),
			 errhint("This session has too many files or connections open; see \"max_files_per_process\".")));
}

static int
create_epoll(void)
{
	int fd = AcquireExternalFD() ? counted_descriptor(epoll_create1(EPOLL_CLOEXEC)) : -1;

	if (fd < 0)
		report_descriptor("an epoll descriptor");
	return fd;
}

static void
close_descriptor(int fd)
{
	close(fd);
	ReleaseExternalFD();
}

/* The set that is waited on, kept for the backend's life: a wait is one system call. */
static WaitEventSet *
create_wait_set(int epoll_fd)
{
	WaitEventSet *volatile set = NULL;

	PG_TRY();
	{
		set = pinecone_create_wait_event_set(TopMemoryContext, 3);
		AddWaitEventToSet(set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
		if (IsUnderPostmaster)
			AddWaitEventToSet(set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
		AddWaitEventToSet(set, WL_SOCKET_READABLE, epoll_fd, NULL, NULL);
	}
	PG_CATCH();
	{
		if (set != NULL)
			FreeWaitEventSet(set);
		close_descriptor(epoll_fd);
		PG_RE_THROW();
	}
	PG_END_TRY();
	return set;
}

void
pinecone_poll_initialize(void)
{
	Poll *made;

	if (all != NULL)
		return;
	made = MemoryContextAllocZero(TopMemoryContext, sizeof(Poll));
	made->bell_fd = made->alarm_fd = made->last_wanted = -1;
	made->epoll_fd = -1;
	PG_TRY();
	{
		made->epoll_fd = create_epoll();
		made->wait_set = create_wait_set(made->epoll_fd);
		for (int i = 0; i < PINECONE_WAITS; i++)
			made->wait_events[i] = pinecone_wait_event_new(wait_names[i]);
	}
	PG_CATCH();
	{
		pfree(made);
		PG_RE_THROW();
	}
	PG_END_TRY();
	all = made;
}

/* ---- Sockets ---- */

static Watch *
find_watch(int fd)
{
	if (fd >= all->nwatches)
	{
		int n = Max(fd + 1, 64);
		Watch *larger = realloc(all->watches, n * sizeof(Watch));

		if (larger == NULL)
			return NULL;
		memset(larger + all->nwatches, 0, (n - all->nwatches) * sizeof(Watch));
		all->watches = larger;
		all->nwatches = n;
	}
	return &all->watches[fd];
}

/* Have a descriptor in the epoll set for these events; for none, out of it. */
static bool
set_events(Watch *watch, int fd, uint32 events)
{
	struct epoll_event event = {.events = events, .data.fd = fd};
	int op = watch->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
	int other = watch->events == 0 ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (watch->events == events)
		return true;
	if (events == 0)
		(void) epoll_ctl(all->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	else if (epoll_ctl(all->epoll_fd, op, fd, &event) < 0 &&
			 epoll_ctl(all->epoll_fd, other, fd, &event) < 0)
		return false;
	all->nregistered += (events != 0) - (watch->events != 0);
	watch->events = events;
	return true;
}

static void
set_wanted(Watch *watch, bool wanted)
{
	all->nwanted += wanted - watch->wanted;
	watch->wanted = wanted;
}

bool
pinecone_poll_opened(int fd)
{
	Watch *watch = find_watch(fd);

	if (watch == NULL)
		return false;
	watch->stays = true;
	return true;
}

void
pinecone_poll_closed(int fd)
{
	Watch *watch = find_watch(fd);

	if (watch == NULL)
		return;
	set_wanted(watch, false);
	(void) set_events(watch, fd, 0);
	watch->stays = false;
}

bool
pinecone_poll_want(int fd, int events)
{
	Watch *watch = find_watch(fd);

	if (watch == NULL)
		return false;
	set_wanted(watch, true);
	all->last_wanted = fd;
	return set_events(watch, fd,
					  ((events & PINECONE_POLL_IN) ? EPOLLIN : 0) |
						  ((events & PINECONE_POLL_OUT) ? EPOLLOUT : 0));
}

void
pinecone_poll_unwant(int fd)
{
	Watch *watch = find_watch(fd);

	if (watch == NULL)
		return;
	set_wanted(watch, false);
	if (!watch->stays)
		(void) set_events(watch, fd, 0);
}

static int
list_open(int *fds, int size, bool idle)
{
	int n = 0;

	for (int fd = 0; all != NULL && fd < all->nwatches; fd++)
	{
		if (!all->watches[fd].stays || (idle && all->watches[fd].wanted))
			continue;
		if (n < size)
			fds[n] = fd;
		n++;
	}
	return n;
}

int
pinecone_poll_idle(int *fds, int size)
{
	return list_open(fds, size, true);
}

int
pinecone_poll_open(int *fds, int size)
{
	return list_open(fds, size, false);
}

bool
pinecone_poll_is_wanted(int fd)
{
	return all != NULL && fd < all->nwatches && all->watches[fd].wanted;
}

/*
 * Before a wait: a connection that nobody uses must not end it, again and
 * again, by being closed at the other end.  While some are in use,
 * pinecone_poll_ready() sees to that.
 */
static void
forget_idle(void)
{
	if (all->nwanted > 0 || all->nregistered == 0)
		return;
	for (int fd = 0; fd < all->nwatches; fd++)
		(void) set_events(&all->watches[fd], fd, 0);
}

/* Take the count that a timer or an event descriptor holds. */
static void
take_count(int fd)
{
	uint64 count;

	(void) !read(fd, &count, sizeof(count));
}

/* One of ours that is not a socket? */
static bool
is_signal(int fd)
{
	if (fd == all->alarm_fd)
	{
		take_count(fd);
		all->alarm_set = false;
		return true;
	}
	if (fd == all->bell_fd)
	{
		take_count(fd);
		return true;
	}
	return false;
}

int
pinecone_poll_ready(PineconePollEvent *ready, int size)
{
	struct epoll_event events[32];
	bool woken = all->woken;
	int n;
	int found = 0;

	if (all->nwanted == 0 && !all->alarm_set && !all->bell_armed)
		return 0;
	all->woken = false;
	if (woken && !all->alarm_set && !all->bell_armed && all->nregistered == 1 &&
		all->watches[all->last_wanted].events == EPOLLIN)
	{
		/* no need to ask which one it is */
		ready[0] = (PineconePollEvent){all->last_wanted, PINECONE_POLL_IN};
		return 1;
	}
	n = epoll_wait(all->epoll_fd, events, Min(size, lengthof(events)), 0);
	for (int i = 0; i < n; i++)
	{
		int fd = events[i].data.fd;
		uint32 seen = events[i].events;

		if (is_signal(fd))
			continue;
		if (!all->watches[fd].wanted)
		{
			/* closed at the other end: its owner will find out */
			(void) set_events(&all->watches[fd], fd, 0);
			continue;
		}
		ready[found].fd = fd;
		ready[found++].events = ((seen & EPOLLIN) ? PINECONE_POLL_IN : 0) |
								((seen & EPOLLOUT) ? PINECONE_POLL_OUT : 0) |
								((seen & (EPOLLERR | EPOLLHUP)) ? PINECONE_POLL_ERROR : 0);
	}
	return found;
}

/* ---- Waiting ---- */

/* A descriptor that is made when it is first needed, in the epoll set for good. */
static void
keep_descriptor(int *place, int fd, const char *what)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (fd >= 0 && epoll_ctl(all->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
	{
		close_descriptor(fd);
		fd = -1;
	}
	if (fd < 0)
		report_descriptor(what);
	*place = fd;
}

int
pinecone_poll_bell(void)
{
	if (all->bell_fd < 0)
		keep_descriptor(&all->bell_fd,
						AcquireExternalFD() ? counted_descriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) : -1,
						"an event descriptor");
	all->bell_armed = true;
	return all->bell_fd;
}

void
pinecone_poll_silence_bell(void)
{
	if (all->bell_armed)
		take_count(all->bell_fd);
	all->bell_armed = false;
}

int
pinecone_poll_descriptor(void)
{
	forget_idle();
	return all->epoll_fd;
}

void
pinecone_poll_alarm(long timeout_ms)
{
	struct itimerspec when = {0};

	if (all->alarm_fd < 0)
		keep_descriptor(&all->alarm_fd,
						AcquireExternalFD() ? counted_descriptor(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) : -1,
						"a timer descriptor");
	when.it_value.tv_sec = timeout_ms / 1000;
	/* a time of zero would turn it off */
	when.it_value.tv_nsec = Max(1, timeout_ms % 1000 * 1000000);
	all->alarm_set = true;
	if (timerfd_settime(all->alarm_fd, 0, &when, NULL) < 0)
		elog(ERROR, "could not set a timer: %m");
}

/* An alarm is for who waits otherwise; rung and unseen it would end our sleep. */
static void
silence_alarm(void)
{
	struct itimerspec never = {0};

	if (all->alarm_set)
		(void) timerfd_settime(all->alarm_fd, 0, &never, NULL);
	all->alarm_set = false;
}

void
pinecone_poll_wait_for(PineconeWait what)
{
	if (all != NULL)
		all->waits_for = what;
}

void
pinecone_poll_sleep(long timeout_ms)
{
	WaitEvent event;

	forget_idle();
	silence_alarm();
	all->woken = WaitEventSetWait(all->wait_set, timeout_ms, &event, 1, all->wait_events[all->waits_for]) > 0 &&
				 (event.events & WL_SOCKET_READABLE) != 0;
	ResetLatch(MyLatch);
}
