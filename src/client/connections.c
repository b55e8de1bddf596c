/*
 * connections.c
 *		Open sockets, told by the addresses at their other ends.
 *
 * libcurl keeps the connections, and does not tell of them; the sockets do.  One
 * that has been shut down is found dead by libcurl when it would use it again.
 */
#include "postgres.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "client/connections.h"
#include "client/dns_lookup.h"
#include "client/poll.h"
#include "client/route.h"
#include "client/session.h"

/* More than there are open */
#define MAX_SOCKETS 1024

/* One that either end has shut down has an address still. */
static bool
is_established(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 && info.tcpi_state == TCP_ESTABLISHED;
}

/* Whom is a socket connected to?  False when it is not, or not any more. */
static bool
find_peer(int fd, char *address, size_t size, int *port)
{
	struct sockaddr_storage peer = {0};
	socklen_t len = sizeof(peer);
	const void *in;

	if (!is_established(fd) || getpeername(fd, (struct sockaddr *) &peer, &len) != 0)
		return false;
	if (peer.ss_family == AF_INET)
	{
		in = &((struct sockaddr_in *) &peer)->sin_addr;
		*port = ntohs(((struct sockaddr_in *) &peer)->sin_port);
	}
	else if (peer.ss_family == AF_INET6)
	{
		in = &((struct sockaddr_in6 *) &peer)->sin6_addr;
		*port = ntohs(((struct sockaddr_in6 *) &peer)->sin6_port);
	}
	else
		return false;
	return inet_ntop(peer.ss_family, in, address, size) != NULL;
}

/* Does the way to a URL lead there? */
static bool
leads_to(const char *url, const char *address, int port)
{
	PineconeRoute route;

	if (url == NULL)
		return false;
	pinecone_route_find(url, &route);
	for (int i = 0; i < route.n; i++)
	{
		if (route.ports[i] == port && pinecone_address_is_of(route.names[i], address))
			return true;
	}
	return false;
}

static int
compare_names(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

/* Servers with a session whose index, or control plane, is there */
static List *
servers_at(const char *address, int port)
{
	List *names = NIL;
	ListCell *lc;

	foreach(lc, pinecone_session_all())
	{
		const PineconeSession *session = lfirst(lc);
		const PineconeServerOptions *options = session->options;
		const char *control = options->control_host;
		ListCell *known;
		bool found = false;

		if (strstr(control, "://") == NULL)
			control = psprintf("https://%s", control);
		if (!leads_to(session->base_url, address, port) && !leads_to(control, address, port))
			continue;
		foreach(known, names)
			found = found || strcmp(lfirst(known), options->servername) == 0;
		if (!found)
			names = lappend(names, pstrdup(options->servername));
	}
	list_sort(names, compare_names);
	return names;
}

List *
pinecone_connections_list(void)
{
	int fds[MAX_SOCKETS];
	int n = Min(pinecone_poll_open(fds, MAX_SOCKETS), MAX_SOCKETS);
	List *list = NIL;

	for (int i = 0; i < n; i++)
	{
		char address[INET6_ADDRSTRLEN];
		PineconeConnection *connection;
		int port;

		if (!find_peer(fds[i], address, sizeof(address), &port))
			continue;
		connection = palloc0(sizeof(PineconeConnection));
		connection->address = pstrdup(address);
		connection->port = port;
		connection->in_use = pinecone_poll_is_wanted(fds[i]);
		connection->servers = servers_at(address, port);
		list = lappend(list, connection);
	}
	return list;
}

int
pinecone_connections_close(void)
{
	int fds[MAX_SOCKETS];
	int n = Min(pinecone_poll_idle(fds, MAX_SOCKETS), MAX_SOCKETS);
	int closed = 0;

	for (int i = 0; i < n; i++)
	{
		char address[INET6_ADDRSTRLEN];
		int port;

		if (find_peer(fds[i], address, sizeof(address), &port) && shutdown(fds[i], SHUT_RDWR) == 0)
			closed++;
	}
	return closed;
}
