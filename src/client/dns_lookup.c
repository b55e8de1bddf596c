/*
 * dns_lookup.c
 *		The addresses of host names, looked up in threads that nobody waits for.
 *
 * libcurl would do so, too, but waits for its thread when a request is cancelled.
 *
 * What a thread and the session share is malloc'ed and counted; the thread
 * touches nothing else, and has all signals blocked, since PostgreSQL's handlers
 * belong to the main thread.
 */
#include "postgres.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/ilist.h"
#include "utils/memutils.h"

#include "base/signals.h"
#include "client/dns_lookup.h"
#include "client/poll.h"

/* Addresses are asked for again after this; meanwhile the old ones are used. */
#define FRESH_MS 60000

/* Older ones are used only when there is no answer for a moment. */
#define USABLE_MS (10 * 60000)
#define PATIENCE_MS 1000

/* Look-ups at a time, those that nobody wants any more included */
#define MAX_THREADS 16

#define MAX_ADDRESSES 16

/* The names in memory; more than a session talks to */
#define MAX_HOSTS 64

/* A look-up, shared by the session and its thread */
typedef struct Lookup
{
	pthread_mutex_t lock;
	int users;
	bool done;
	int bell; /* to be rung then */
	int error;
	char *addresses; /* malloc'ed, or NULL */
	char host[];
} Lookup;

typedef struct Host
{
	dlist_node node;
	char *name;
	char *addresses; /* or NULL */
	PineconeTime answered_at;
	Lookup *lookup; /* or NULL */
	char *failure;	/* of the last one, or NULL */
	PineconeTime failed_at;
} Host;

static dlist_head hosts = DLIST_STATIC_INIT(hosts);
static int nhosts = 0;
static int npending = 0; /* of them, with a look-up */

/* ---- In the thread ---- */

static void
release_lookup(Lookup *lookup)
{
	bool last;

	pthread_mutex_lock(&lookup->lock);
	last = --lookup->users == 0;
	pthread_mutex_unlock(&lookup->lock);
	if (!last)
		return;
	pthread_mutex_destroy(&lookup->lock);
	free(lookup->addresses);
	free(lookup);
}

/* An address as libcurl reads it; false for one that it cannot. */
static bool
print_address(const struct sockaddr *address, char *text, size_t size)
{
	char plain[INET6_ADDRSTRLEN];

	if (address->sa_family == AF_INET)
		return inet_ntop(AF_INET, &((const struct sockaddr_in *) address)->sin_addr, text, size) != NULL;
	/* one that belongs to an interface cannot be written so */
	if (address->sa_family != AF_INET6 || ((const struct sockaddr_in6 *) address)->sin6_scope_id != 0 ||
		!inet_ntop(AF_INET6, &((const struct sockaddr_in6 *) address)->sin6_addr, plain, sizeof(plain)))
		return false;
	snprintf(text, size, "[%s]", plain);
	return true;
}

static char *
print_addresses(const struct addrinfo *list)
{
	char *text = calloc(MAX_ADDRESSES, INET6_ADDRSTRLEN + 4);
	char *end = text;
	int n = 0;

	for (const struct addrinfo *one = list; text != NULL && one != NULL && n < MAX_ADDRESSES; one = one->ai_next)
	{
		char address[INET6_ADDRSTRLEN + 3];

		if (!print_address(one->ai_addr, address, sizeof(address)))
			continue;
		end += sprintf(end, "%s%s", n > 0 ? "," : "", address);
		n++;
	}
	if (n > 0)
		return text;
	free(text);
	return NULL;
}

static void *
run_lookup(void *arg)
{
	Lookup *lookup = arg;
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	uint64 one = 1;

	lookup->error = getaddrinfo(lookup->host, NULL, &hints, &list);
	if (lookup->error == 0)
	{
		lookup->addresses = print_addresses(list);
		if (lookup->addresses == NULL)
			lookup->error = EAI_NODATA;
		freeaddrinfo(list);
	}
	pthread_mutex_lock(&lookup->lock);
	lookup->done = true;
	pthread_mutex_unlock(&lookup->lock);
	(void) !write(lookup->bell, &one, sizeof(one));
	release_lookup(lookup);
	return NULL;
}

/* ---- In the session ---- */

static Lookup *
start_lookup(const char *name)
{
	int bell = pinecone_poll_bell();
	Lookup *lookup = calloc(1, sizeof(Lookup) + strlen(name) + 1);
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t signals;
	int error;

	if (lookup == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	strcpy(lookup->host, name);
	lookup->bell = bell;
	lookup->users = 2;
	pthread_mutex_init(&lookup->lock, NULL);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pinecone_signals_block(&signals);
	error = pthread_create(&thread, &attributes, run_lookup, lookup);
	pinecone_signals_restore(&signals);
	pthread_attr_destroy(&attributes);
	if (error != 0)
	{
		pthread_mutex_destroy(&lookup->lock);
		free(lookup);
		errno = error;
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("could not start a thread to look a host up: %m")));
	}
	return lookup;
}

static void
set_text(char **place, const char *text)
{
	char *copy = text ? MemoryContextStrdup(TopMemoryContext, text) : NULL;

	if (*place)
		pfree(*place);
	*place = copy;
}

/* Take the answer if it is there. */
static void
take_answer(Host *host)
{
	Lookup *lookup = host->lookup;
	bool done;

	pthread_mutex_lock(&lookup->lock);
	done = lookup->done;
	pthread_mutex_unlock(&lookup->lock);
	if (!done)
		return;
	if (lookup->addresses != NULL)
	{
		set_text(&host->addresses, lookup->addresses);
		set_text(&host->failure, NULL);
		host->answered_at = pinecone_clock_now();
	}
	else
	{
		set_text(&host->failure, gai_strerror(lookup->error));
		host->failed_at = pinecone_clock_now();
	}
	host->lookup = NULL;
	npending--;
	release_lookup(lookup);
}

bool
pinecone_address_advance(void)
{
	dlist_iter iter;

	if (npending == 0)
		return false;
	dlist_foreach(iter, &hosts)
	{
		Host *host = dlist_container(Host, node, iter.cur);

		if (host->lookup != NULL)
			take_answer(host);
	}
	if (npending == 0)
		pinecone_poll_silence_bell();
	return npending > 0;
}

static void
free_host(Host *host)
{
	dlist_delete(&host->node);
	nhosts--;
	set_text(&host->addresses, NULL);
	set_text(&host->failure, NULL);
	pfree(host->name);
	pfree(host);
}

/* Make room for another, if there is one that is not being looked up. */
static void
drop_oldest(void)
{
	dlist_iter iter;

	dlist_reverse_foreach(iter, &hosts)
	{
		Host *host = dlist_container(Host, node, iter.cur);

		if (host->lookup == NULL)
		{
			free_host(host);
			return;
		}
	}
}

static Host *
find_host(const char *name)
{
	dlist_iter iter;
	Host *host;

	dlist_foreach(iter, &hosts)
	{
		host = dlist_container(Host, node, iter.cur);
		if (pg_strcasecmp(host->name, name) == 0)
		{
			dlist_move_head(&hosts, &host->node);
			return host;
		}
	}
	if (nhosts >= MAX_HOSTS)
		drop_oldest();
	host = MemoryContextAllocZero(TopMemoryContext, sizeof(Host));
	host->name = MemoryContextStrdup(TopMemoryContext, name);
	dlist_push_head(&hosts, &host->node);
	nhosts++;
	return host;
}

/* What means this machine without asking anybody? */
static bool
is_localhost(const char *name)
{
	size_t len = strlen(name);

	return pg_strcasecmp(name, "localhost") == 0 ||
		   (len > 10 && pg_strcasecmp(name + len - 10, ".localhost") == 0);
}

/* That, or an address? */
static bool
needs_no_lookup(const char *name)
{
	struct in6_addr address;

	return inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1 || is_localhost(name);
}

bool
pinecone_address_is_of(const char *name, const char *address)
{
	dlist_iter iter;

	if (is_localhost(name))
		return strcmp(address, "127.0.0.1") == 0 || strcmp(address, "::1") == 0;
	if (needs_no_lookup(name))
		return pg_strcasecmp(name, address) == 0;
	dlist_foreach(iter, &hosts)
	{
		Host *host = dlist_container(Host, node, iter.cur);
		const char *found;
		size_t len = strlen(address);

		if (host->addresses == NULL || pg_strcasecmp(host->name, name) != 0)
			continue;
		/* a list, in which those of IPv6 are in brackets */
		for (found = strstr(host->addresses, address); found != NULL; found = strstr(found + 1, address))
		{
			if ((found == host->addresses || found[-1] == ',' || found[-1] == '[') &&
				(found[len] == '\0' || found[len] == ',' || found[len] == ']'))
				return true;
		}
	}
	return false;
}

/*
 * Fresh addresses are taken at once. Old ones are used as well, but looked up
 * again meanwhile; after USABLE_MS that is waited for, up to PATIENCE_MS. A
 * failure is told to those who waited for it, and to nobody who comes later.
 */
PineconeAddressState
pinecone_address_find(const char *name, PineconeTime waiting_since, const char **text)
{
	Host *host;
	int64 age_ms;

	*text = "";
	if (needs_no_lookup(name))
		return PINECONE_ADDRESS_KNOWN;
	host = find_host(name);
	age_ms = (pinecone_clock_now() - host->answered_at) / 1000;
	if (host->addresses != NULL && age_ms < FRESH_MS)
	{
		*text = host->addresses;
		return PINECONE_ADDRESS_KNOWN;
	}

	/* who waited for it is told that it failed; who comes later has it looked up again */
	if (host->failure != NULL && host->addresses == NULL && host->failed_at >= waiting_since)
	{
		*text = host->failure;
		return PINECONE_ADDRESS_FAILED;
	}
	if (host->lookup == NULL &&
		(host->failure == NULL || host->addresses == NULL || pinecone_clock_passed(host->failed_at, FRESH_MS)) &&
		npending < MAX_THREADS)
	{
		host->lookup = start_lookup(name);
		npending++;
	}
	if (host->addresses != NULL &&
		(host->lookup == NULL || age_ms < USABLE_MS || pinecone_clock_passed(waiting_since, PATIENCE_MS)))
	{
		*text = host->addresses;
		return PINECONE_ADDRESS_KNOWN;
	}
	if (host->lookup != NULL)
		return PINECONE_ADDRESS_ASKED;
	*text = "too many look-ups are waiting for an answer";
	return PINECONE_ADDRESS_FAILED;
}

void
pinecone_address_forget(const char *name)
{
	if (!needs_no_lookup(name))
		set_text(&find_host(name)->addresses, NULL);
}
