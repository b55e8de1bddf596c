/*
 * id_walk.c
 *		The ids from some id on: what begins as it does, and then what comes after.
 *
 * A list can begin with a prefix, but not at an id.  What comes after an id has a
 * part of it as its beginning and then a greater byte: so first the beginning is
 * looked for that a page of ids has, then each greater byte in its place is a
 * region of its own, and when there is none left those one place before.  Together
 * they are all ids that come after, in order.  A byte that no id has there is a
 * request for nothing; several go at once, the more the less they bring.
 */
#include "postgres.h"

#include "lib/ilist.h"
#include "utils/memutils.h"

#include "base/limits.h"
#include "scan/id_walk.h"
#include "scan/page_chain.h"

/* Lists of beginnings, each longer than the one before, that are asked for at once */
#define PROBES 6

/* The greatest byte of an id */
#define MAX_BYTE 0x7f

/* After so many regions without an id in a row others may be many more */
#define VAIN_REGIONS 6
#define VAIN_WIDTH 8

/* Regions asked for at once, to begin with */
#define FIRST_WIDTH 2

/* The ids with a prefix */
typedef struct Region
{
	dlist_node node;
	char *prefix;
	char *token;
	PineconeCall *call; /* for its next page */
	bool done;			/* no more pages */
	bool any;			/* it has ids */
	PineconePageChain chain;

	/* A page that waits for the reader */
	MemoryContext page_cxt;
	PineconePage *page;
	int location;
} Region;

struct PineconeIdWalk
{
	const PineconeSourceSpec *spec;
	MemoryContext cxt;
	const char *low;
	int least; /* length of what all ids have to begin with */

	/* Looking for the beginning that a page has: shorter ones have more */
	int too_short;
	int fits;
	Region *fitting;
	Region *probes[PROBES];
	int nprobes;

	/* Regions that have been asked for, in order */
	bool walking;
	dlist_head regions;
	int nregions;
	int width;
	int empty;	   /* regions without an id, one after the other */
	int narrowest; /* width, */
	int greatest;
	int level; /* the next one: its place, */
	int byte;  /* and what is there */
	bool failed_order;
	char *last; /* id that was returned, or NULL */
};

/* ---- Regions ---- */

static void
ask(PineconeIdWalk *walk, Region *region)
{
	const PineconeSourceSpec *spec = walk->spec;
	MemoryContext old = MemoryContextSwitchTo(walk->cxt);
	int limit = PINECONE_LIST_PAGE;

	if (spec->session->max_page[0] > 0)
		limit = Min(limit, spec->session->max_page[0]);
	region->call = pinecone_vectors_list(spec->session, spec->counters, spec->namespace_,
										 region->prefix[0] ? region->prefix : NULL, limit, region->token);
	MemoryContextSwitchTo(old);
}

/* The ids that begin with so many bytes of the lowest one, and then another byte unless that is 0. */
static Region *
begin_region(PineconeIdWalk *walk, int len, int byte)
{
	MemoryContext old = MemoryContextSwitchTo(walk->cxt);
	Region *region = palloc0(sizeof(Region));

	region->prefix = palloc(len + 2);
	memcpy(region->prefix, walk->low, len);
	region->prefix[len] = byte;
	region->prefix[len + 1] = '\0';
	MemoryContextSwitchTo(old);
	ask(walk, region);
	return region;
}

static void
free_region(Region *region)
{
	if (region->call != NULL)
		pinecone_vectors_free(region->call);
	if (region->page_cxt != NULL)
		MemoryContextDelete(region->page_cxt);
	pfree(region->prefix);
	pfree(region);
}

/* A page that has come: of its ids those that are wanted. */
static void
take_page(PineconeIdWalk *walk, Region *region)
{
	PineconeSession *session = walk->spec->session;
	PineconePage *page;
	MemoryContext old;
	int ceiling;
	int n = 0;

	if (pinecone_vectors_failure(region->call) == PINECONE_FAILURE_REJECTED &&
		(ceiling = pinecone_vectors_ceiling(region->call, "limit", PINECONE_LIST_PAGE, true)) > 0)
	{
		session->max_page[0] = ceiling;
		pinecone_vectors_free(region->call);
		ask(walk, region);
		return;
	}
	region->page_cxt = AllocSetContextCreate(walk->cxt, "pinecone ids of a page", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(region->page_cxt);
	page = pinecone_vectors_page(region->call);
	MemoryContextSwitchTo(old);
	region->location = pinecone_vectors_location(region->call);
	pinecone_page_chain_check(&region->chain, walk->cxt, page);
	pinecone_vectors_free(region->call);
	region->call = NULL;
	region->token = page->next_token ? MemoryContextStrdup(walk->cxt, page->next_token) : NULL;
	region->done = region->token == NULL;
	region->any = region->any || page->nrecords > 0;
	for (int i = 0; i < page->nrecords; i++)
	{
		const char *id = page->records[i].id;

		if (strncmp(id, region->prefix, strlen(region->prefix)) == 0 && strcmp(id, walk->low) >= 0)
			page->records[n++] = page->records[i];
	}
	page->nrecords = n;
	region->page = page;
}

/* ---- Where to begin ---- */

static void
start_probes(PineconeIdWalk *walk)
{
	int between = walk->fits - walk->too_short - 1;

	walk->nprobes = Min(PROBES, between);
	for (int i = 0; i < walk->nprobes; i++)
		walk->probes[i] = begin_region(walk, walk->too_short + 1 + i * between / walk->nprobes, 0);
}

/* What has been found out, when all of them have come. */
static void
take_probes(PineconeIdWalk *walk)
{
	for (int i = 0; i < walk->nprobes; i++)
	{
		Region *probe = walk->probes[i];
		int len = strlen(probe->prefix);

		if (!probe->done)
			walk->too_short = Max(walk->too_short, len);
		else if (len < walk->fits || walk->fitting == NULL)
		{
			if (walk->fitting != NULL)
				free_region(walk->fitting);
			walk->fitting = probe;
			walk->fits = len;
			continue;
		}
		free_region(probe);
	}
	walk->nprobes = 0;
}

static void
start_walking(PineconeIdWalk *walk)
{
	/* none fits a page: all that begins with the lowest one comes page by page */
	if (walk->fitting == NULL)
		walk->fitting = begin_region(walk, walk->fits, 0);
	dlist_push_tail(&walk->regions, &walk->fitting->node);
	walk->nregions = 1;
	walk->walking = true;
	walk->level = walk->fits - 1;
	walk->byte = walk->level >= walk->least ? (unsigned char) walk->low[walk->level] + 1 : 0;
}

/* Returns false for as long as it has to wait. */
static bool
find_beginning(PineconeIdWalk *walk)
{
	while (!walk->walking)
	{
		for (int i = 0; i < walk->nprobes; i++)
		{
			Region *probe = walk->probes[i];

			if (probe->call != NULL && pinecone_vectors_ready(probe->call))
				take_page(walk, probe);
			if (probe->call != NULL)
				return false;
		}
		take_probes(walk);
		if (walk->fits - walk->too_short > 1)
			start_probes(walk);
		else
			start_walking(walk);
	}
	return true;
}

/* ---- Walking ---- */

static bool
has_more_regions(PineconeIdWalk *walk)
{
	while (walk->level >= walk->least && walk->byte > MAX_BYTE)
	{
		walk->level--;
		if (walk->level >= walk->least)
			walk->byte = (unsigned char) walk->low[walk->level] + 1;
	}
	return walk->level >= walk->least;
}

static void
start_regions(PineconeIdWalk *walk)
{
	int most = Min(PINECONE_LISTING_CALLS, walk->spec->session->options->max_concurrency);

	while (walk->nregions < Min(walk->width, most) && has_more_regions(walk))
	{
		Region *region = begin_region(walk, walk->level, walk->byte++);

		dlist_push_tail(&walk->regions, &region->node);
		walk->nregions++;
	}
}

/* Regions that have been read go; those without an id say that there may be few. */
static void
drop_read(PineconeIdWalk *walk)
{
	while (!dlist_is_empty(&walk->regions))
	{
		Region *head = dlist_head_element(Region, node, &walk->regions);

		if (head->page != NULL || !head->done)
			return;
		dlist_delete(&head->node);
		walk->nregions--;
		walk->empty = head->any ? 0 : walk->empty + 1;
		walk->width = head->any ? walk->narrowest : Min(2 * walk->width, walk->greatest);
		free_region(head);
	}
}

void
pinecone_id_walk_advance(PineconeIdWalk *walk, double wanted)
{
	dlist_iter iter;

	pinecone_vectors_advance();
	if (!find_beginning(walk))
		return;
	dlist_foreach(iter, &walk->regions)
	{
		Region *region = dlist_container(Region, node, iter.cur);

		if (region->call != NULL && pinecone_vectors_finished(region->call))
			take_page(walk, region);
		/* an empty page is of no use to the reader, but that it is from the same index */
		if (region->page != NULL && region->page->nrecords == 0 && region->location == walk->spec->session->location)
		{
			MemoryContextDelete(region->page_cxt);
			region->page_cxt = NULL;
			region->page = NULL;
		}
	}
	drop_read(walk);
	if (wanted <= 0)
		return;
	if (!dlist_is_empty(&walk->regions))
	{
		Region *head = dlist_head_element(Region, node, &walk->regions);

		if (head->page == NULL && head->call == NULL && !head->done)
			ask(walk, head);
	}
	start_regions(walk);
	pinecone_vectors_advance();
}

/* ---- For the reader ---- */

PineconePage *
pinecone_id_walk_take(PineconeIdWalk *walk, MemoryContext parent, MemoryContext *cxt, int *location)
{
	Region *head;
	PineconePage *page;

	if (!walk->walking || dlist_is_empty(&walk->regions))
		return NULL;
	head = dlist_head_element(Region, node, &walk->regions);
	page = head->page;
	if (page == NULL)
		return NULL;
	for (int i = 0; i < page->nrecords; i++)
	{
		const char *id = page->records[i].id;

		if (walk->last != NULL && strcmp(id, walk->last) <= 0)
			pinecone_page_chain_report(psprintf("Ids are not listed in order: \"%s\" comes after \"%s\".",
												id, walk->last));
		if (walk->last != NULL)
			pfree(walk->last);
		walk->last = MemoryContextStrdup(walk->cxt, id);
	}
	*cxt = head->page_cxt;
	*location = head->location;
	MemoryContextSetParent(*cxt, parent);
	head->page_cxt = NULL;
	head->page = NULL;
	drop_read(walk);
	return page;
}

bool
pinecone_id_walk_done(PineconeIdWalk *walk)
{
	return walk->walking && dlist_is_empty(&walk->regions) && !has_more_regions(walk);
}

bool
pinecone_id_walk_is_vain(const PineconeIdWalk *walk)
{
	return walk->empty >= VAIN_REGIONS;
}

void
pinecone_id_walk_widen(PineconeIdWalk *walk)
{
	walk->width = walk->narrowest = walk->greatest = PINECONE_LISTING_CALLS;
}

const char *
pinecone_id_walk_last(const PineconeIdWalk *walk)
{
	return walk->last;
}

int
pinecone_id_walk_calls(PineconeIdWalk *walk, PineconeCall **calls)
{
	dlist_iter iter;
	int n = 0;

	for (int i = 0; i < walk->nprobes; i++)
	{
		if (walk->probes[i]->call != NULL)
			calls[n++] = walk->probes[i]->call;
	}
	dlist_foreach(iter, &walk->regions)
	{
		Region *region = dlist_container(Region, node, iter.cur);

		if (region->call != NULL && n < PINECONE_LISTING_CALLS)
			calls[n++] = region->call;
	}
	return n;
}

PineconeIdWalk *
pinecone_id_walk_begin(const PineconeSourceSpec *spec)
{
	PineconeIdWalk *walk = palloc0(sizeof(PineconeIdWalk));

	walk->spec = spec;
	walk->cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone id walk", ALLOCSET_DEFAULT_SIZES);
	walk->low = spec->after;
	walk->least = spec->prefix ? strlen(spec->prefix) : 0;
	walk->too_short = walk->least;
	walk->fits = strlen(spec->after);
	walk->width = walk->narrowest = FIRST_WIDTH;
	walk->greatest = VAIN_WIDTH;
	dlist_init(&walk->regions);
	return walk;
}
