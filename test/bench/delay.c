/*
 * delay.c
 *		A relay to somewhere far away: what it takes in on one side it passes on
 *		later, in both directions.
 *
 *	delay MS FROM TO	from port FROM to port TO of the loopback interface, each way
 *						taking MS milliseconds, a connection a round trip more
 *
 * As much as comes is on its way at a time: the distance is in the delay, not in
 * how much passes.  What limits it then is what the two ends allow each other.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_PAIRS 256
#define PIECE (64 * 1024)

/* Bytes that came at one time */
typedef struct Piece
{
	struct Piece *next;
	long long due; /* when they have arrived, in microseconds */
	size_t len;
	size_t passed_on;
	char data[];
} Piece;

/* One direction of a connection */
typedef struct Way
{
	int from;
	int to;
	bool ended; /* nothing more comes */
	bool closed;
	Piece *first;
	Piece *last;
} Way;

typedef struct Pair
{
	bool used;
	long long open_at; /* nothing has arrived before the connection has */
	Way ways[2];
} Pair;

static Pair pairs[MAX_PAIRS];
static long long delay;

static long long
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static void
fail(const char *what)
{
	perror(what);
	exit(1);
}

static struct sockaddr_in
loopback(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return address;
}

static void
prepare(int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	fcntl(fd, F_SETFL, O_NONBLOCK);
}

static void
accept_pair(int listener, int to_port)
{
	struct sockaddr_in address = loopback(to_port);
	int near = accept(listener, NULL, NULL);
	int far = socket(AF_INET, SOCK_STREAM, 0);
	Pair *pair = pairs;

	while (pair < pairs + MAX_PAIRS && pair->used)
		pair++;
	if (near < 0 || far < 0 || pair == pairs + MAX_PAIRS || connect(far, (struct sockaddr *) &address, sizeof(address)) != 0)
	{
		close(near);
		close(far);
		return;
	}
	prepare(near);
	prepare(far);
	*pair = (Pair){.used = true, .open_at = now() + 3 * delay, .ways = {{.from = near, .to = far}, {.from = far, .to = near}}};
}

static void
drop(Pair *pair)
{
	for (int i = 0; i < 2; i++)
	{
		Way *way = &pair->ways[i];

		while (way->first)
		{
			Piece *next = way->first->next;

			free(way->first);
			way->first = next;
		}
		close(way->from);
	}
	pair->used = false;
}

/* Take in what has come; false: the connection is broken. */
static bool
take_in(Pair *pair, Way *way)
{
	Piece *piece = malloc(sizeof(Piece) + PIECE);
	ssize_t n;

	if (piece == NULL)
		fail("malloc");
	n = read(way->from, piece->data, PIECE);
	if (n <= 0)
	{
		free(piece);
		way->ended = n == 0;
		return n == 0 || errno == EAGAIN || errno == EINTR;
	}
	piece = realloc(piece, sizeof(Piece) + n);
	piece->next = NULL;
	piece->len = n;
	piece->passed_on = 0;
	piece->due = now() + delay;
	if (piece->due < pair->open_at)
		piece->due = pair->open_at;
	*(way->first ? &way->last->next : &way->first) = piece;
	way->last = piece;
	return true;
}

/* Pass on what has arrived; false: the connection is broken. */
static bool
pass_on(Way *way)
{
	while (way->first && way->first->due <= now())
	{
		Piece *piece = way->first;
		ssize_t n = send(way->to, piece->data + piece->passed_on, piece->len - piece->passed_on, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		piece->passed_on += n;
		if (piece->passed_on < piece->len)
			return true;
		way->first = piece->next;
		free(piece);
	}
	if (way->ended && way->first == NULL && !way->closed)
	{
		shutdown(way->to, SHUT_WR);
		way->closed = true;
	}
	return true;
}

/* What to wait for on the sockets of all connections; milliseconds, -1 for ever. */
static int
watch(struct pollfd *polls)
{
	long long first = -1;

	for (int p = 0; p < MAX_PAIRS; p++)
	{
		struct pollfd *both = &polls[2 * p];

		for (int i = 0; i < 2; i++)
			both[i] = (struct pollfd){.fd = pairs[p].used ? pairs[p].ways[i].from : -1};
		for (int i = 0; i < 2 && pairs[p].used; i++)
		{
			Way *way = &pairs[p].ways[i];

			both[i].events |= way->ended ? 0 : POLLIN;
			if (way->first == NULL)
				continue;
			if (way->first->due <= now())
				both[1 - i].events |= POLLOUT;
			else if (first < 0 || way->first->due < first)
				first = way->first->due;
		}
		for (int i = 0; i < 2; i++)
		{
			/* one that is only waited for to be closed says so all the time */
			if (both[i].events == 0)
				both[i].fd = -1;
		}
	}
	return first < 0 ? -1 : first > now() ? (int) ((first - now() + 999) / 1000) :
											0;
}

int
main(int argc, char **argv)
{
	static struct pollfd polls[2 * MAX_PAIRS + 1];
	struct sockaddr_in address;
	int on = 1;
	int listener;

	if (argc != 4)
	{
		fprintf(stderr, "usage: delay MS FROM TO\n");
		return 2;
	}
	delay = atoi(argv[1]) * 1000LL;
	address = loopback(atoi(argv[2]));
	listener = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *) &address, sizeof(address)) != 0 || listen(listener, 64) != 0)
		fail("listen");
	for (;;)
	{
		int timeout = watch(polls);

		polls[2 * MAX_PAIRS] = (struct pollfd){.fd = listener, .events = POLLIN};
		if (poll(polls, 2 * MAX_PAIRS + 1, timeout) < 0 && errno != EINTR)
			fail("poll");
		for (int p = 0; p < MAX_PAIRS; p++)
		{
			Pair *pair = &pairs[p];
			bool good = true;

			for (int i = 0; i < 2 && pair->used && good; i++)
			{
				if (polls[2 * p + i].revents & (POLLIN | POLLERR | POLLHUP))
					good = take_in(pair, &pair->ways[i]);
				good = good && pass_on(&pair->ways[i]);
			}
			if (pair->used && (!good || (pair->ways[0].closed && pair->ways[1].closed)))
				drop(pair);
		}
		if (polls[2 * MAX_PAIRS].revents)
			accept_pair(listener, atoi(argv[3]));
	}
}
