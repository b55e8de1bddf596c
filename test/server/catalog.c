/*
 * catalog.c
 *		The indexes there are.
 */
#include "catalog.h"

#include "listen.h"
#include "settings.h"

#include <errno.h>
#include <stdlib.h>

static struct
{
	pthread_mutex_t lock;
	Index **indexes; /* in order of names */
	int count;
	int next_port;
} catalog = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Under the lock */
static int
position(Str name, bool *found)
{
	int i = 0;

	while (i < catalog.count && str_compare(str_of(catalog.indexes[i]->name), name) < 0)
		i++;
	*found = i < catalog.count && str_equal(str_of(catalog.indexes[i]->name), name);
	return i;
}

/* The next port from the base on that is free. */
static int
open_port(int port, int *actual)
{
	int fd = -1;

	if (port || !settings.index_port_base)
		return listen_open(port, actual);
	for (int tries = 0; fd < 0 && tries < 1000; tries++)
	{
		if (!catalog.next_port)
			catalog.next_port = settings.index_port_base;
		fd = listen_open(catalog.next_port++, actual);
		if (fd < 0 && errno != EADDRINUSE)
			break;
	}
	return fd;
}

bool
catalog_add(Index *index, int port)
{
	bool found;
	int at;

	pthread_mutex_lock(&catalog.lock);
	at = position(str_of(index->name), &found);
	if (found)
		errno = EEXIST;
	else if ((index->listen_fd = open_port(port, &index->port)) >= 0)
	{
		catalog.indexes = mem_resize(catalog.indexes, sizeof(Index *) * (size_t) (catalog.count + 1));
		memmove(catalog.indexes + at + 1, catalog.indexes + at, sizeof(Index *) * (size_t) (catalog.count - at));
		catalog.indexes[at] = index;
		catalog.count++;
		index_hold(index);
		listen_add(index->listen_fd, index);
	}
	pthread_mutex_unlock(&catalog.lock);
	return !found && index->listen_fd >= 0;
}

bool
catalog_remove(const char *name)
{
	bool found;
	int at;
	Index *index = NULL;

	pthread_mutex_lock(&catalog.lock);
	at = position(str_of(name), &found);
	if (found)
	{
		index = catalog.indexes[at];
		catalog.count--;
		memmove(catalog.indexes + at, catalog.indexes + at + 1, sizeof(Index *) * (size_t) (catalog.count - at));
		index->gone = true;
		listen_remove(index->listen_fd);
	}
	pthread_mutex_unlock(&catalog.lock);
	index_release(index);
	return found;
}

Index *
catalog_find(Str name)
{
	bool found;
	int at;
	Index *index = NULL;

	pthread_mutex_lock(&catalog.lock);
	at = position(name, &found);
	if (found)
	{
		index = catalog.indexes[at];
		index_hold(index);
	}
	pthread_mutex_unlock(&catalog.lock);
	return index;
}

Index **
catalog_all(void)
{
	Index **all;

	pthread_mutex_lock(&catalog.lock);
	all = mem_zero(sizeof(Index *) * (size_t) (catalog.count + 1));
	for (int i = 0; i < catalog.count; i++)
	{
		all[i] = catalog.indexes[i];
		index_hold(all[i]);
	}
	pthread_mutex_unlock(&catalog.lock);
	return all;
}

void
catalog_free_all(Index **indexes)
{
	for (int i = 0; indexes[i]; i++)
		index_release(indexes[i]);
	free(indexes);
}

static const char *
host_name(void)
{
	return settings.host_name ? settings.host_name : settings.tls_cert ? "localhost" :
																		 settings.listen;
}

void
catalog_add_host(Buffer *b, int port)
{
	buffer_printf(b, "\"%s%s:%d\"", settings.tls_cert ? "" : "http://", host_name(), port);
}

void
catalog_add_url(Buffer *b, int port)
{
	buffer_printf(b, "%s://%s:%d", settings.tls_cert ? "https" : "http", host_name(), port);
}

void
catalog_end(void)
{
	for (int i = 0; i < catalog.count; i++)
		index_release(catalog.indexes[i]);
	free(catalog.indexes);
}
