/*
 * listen.c
 *		The sockets that connections come in by.
 */
#include "listen.h"

#include "settings.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* By descriptor: what a listening socket and what a new connection is for */
typedef struct Socket
{
	Index *index;
	bool listening;
} Socket;

static struct
{
	pthread_mutex_t lock;
	Socket *sockets;
	int size;
	int epoll, wakeup;
	_Atomic bool stopping;
	pthread_t thread;
	bool (*accepted)(int fd, const struct sockaddr *address, unsigned len);
	_Atomic uint64_t opened, closed;
} all = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Under the lock */
static Socket *
socket_of(int fd)
{
	if (fd >= all.size)
	{
		int size = fd * 2 + 64;

		all.sockets = mem_resize(all.sockets, sizeof(Socket) * (size_t) size);
		memset(all.sockets + all.size, 0, sizeof(Socket) * (size_t) (size - all.size));
		all.size = size;
	}
	return &all.sockets[fd];
}

static void
accept_all(int listener)
{
	for (;;)
	{
		struct sockaddr_storage address;
		socklen_t len = sizeof(address);
		int fd, on = 1;
		Socket *s;
		Index *index, *old;

		/* The lock keeps the listener from being closed and its number given away */
		pthread_mutex_lock(&all.lock);
		if (!socket_of(listener)->listening || (fd = accept4(listener, (struct sockaddr *) &address, &len, SOCK_NONBLOCK | SOCK_CLOEXEC)) < 0)
		{
			pthread_mutex_unlock(&all.lock);
			if (errno == EMFILE || errno == ENFILE)
				usleep(10000);
			return;
		}
		index = socket_of(listener)->index;
		if (index)
			index_hold(index);
		s = socket_of(fd);
		old = s->index;
		s->index = index;
		pthread_mutex_unlock(&all.lock);
		index_release(old);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		all.opened++;
		if (!all.accepted(fd, (struct sockaddr *) &address, len))
			all.closed++;
	}
}

static void *
accept_connections(void *arg)
{
	struct epoll_event events[32];

	(void) arg;
	while (!all.stopping)
	{
		int n = epoll_wait(all.epoll, events, 32, -1);

		for (int i = 0; i < n; i++)
		{
			if (events[i].data.fd != all.wakeup)
				accept_all(events[i].data.fd);
		}
	}
	return NULL;
}

bool
listen_start(bool (*accepted)(int fd, const struct sockaddr *address, unsigned len))
{
	struct epoll_event event = {.events = EPOLLIN};

	all.accepted = accepted;
	all.epoll = epoll_create1(EPOLL_CLOEXEC);
	event.data.fd = all.wakeup = eventfd(0, EFD_CLOEXEC);
	epoll_ctl(all.epoll, EPOLL_CTL_ADD, all.wakeup, &event);
	return pthread_create(&all.thread, NULL, accept_connections, NULL) == 0;
}

void
listen_stop(void)
{
	all.stopping = true;
	eventfd_write(all.wakeup, 1);
	pthread_join(all.thread, NULL);
}

void
listen_end(void)
{
	for (int fd = 0; fd < all.size; fd++)
	{
		if (all.sockets[fd].listening)
			close(fd);
		index_release(all.sockets[fd].index);
	}
	free(all.sockets);
	close(all.epoll);
	close(all.wakeup);
}

int
listen_open(int port, int *actual_port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t) port)};
	socklen_t len = sizeof(address);
	int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (inet_pton(AF_INET, settings.listen, &address.sin_addr) != 1)
		errno = EADDRNOTAVAIL;
	else if (bind(fd, (struct sockaddr *) &address, sizeof(address)) == 0 && listen(fd, 1024) == 0 &&
			 getsockname(fd, (struct sockaddr *) &address, &len) == 0)
	{
		*actual_port = ntohs(address.sin_port);
		return fd;
	}
	int error = errno;

	close(fd);
	errno = error;
	return -1;
}

void
listen_add(int fd, Index *index)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
	Socket *s;
	Index *old;

	pthread_mutex_lock(&all.lock);
	s = socket_of(fd);
	old = s->index;
	if (index)
		index_hold(index);
	s->index = index;
	s->listening = true;
	pthread_mutex_unlock(&all.lock);
	index_release(old);
	epoll_ctl(all.epoll, EPOLL_CTL_ADD, fd, &event);
}

void
listen_remove(int fd)
{
	Socket *s;
	Index *index;

	pthread_mutex_lock(&all.lock);
	s = socket_of(fd);
	index = s->index;
	s->index = NULL;
	s->listening = false;
	epoll_ctl(all.epoll, EPOLL_CTL_DEL, fd, NULL);
	close(fd);
	pthread_mutex_unlock(&all.lock);
	index_release(index);
}

Index *
listen_take_index(int fd)
{
	Index *index;

	pthread_mutex_lock(&all.lock);
	index = socket_of(fd)->index;
	socket_of(fd)->index = NULL;
	pthread_mutex_unlock(&all.lock);
	return index;
}

void
listen_note_closed(void)
{
	all.closed++;
}

void
listen_count(uint64_t *open, uint64_t *accepted)
{
	*accepted = all.opened;
	*open = *accepted - all.closed;
}
