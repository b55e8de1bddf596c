/*
 * bound.c
 *		Which host has answered a statement.
 */
#include "postgres.h"

#include "lib/ilist.h"
#include "utils/memutils.h"

#include "client/bound.h"

typedef struct Place
{
	const PineconeSession *session;
	int location;
	int number; /* of the host */
} Place;

struct PineconeBound
{
	dlist_node node; /* in the list of all statements' */
	MemoryContext cxt;
	MemoryContextCallback cleanup;
	List *places; /* of Place: one for each session */
};

static dlist_head all = DLIST_STATIC_INIT(all);

static void
release(void *arg)
{
	PineconeBound *bound = arg;

	dlist_delete(&bound->node);
}

PineconeBound *
pinecone_bound_of(MemoryContext statement_cxt)
{
	dlist_iter iter;
	PineconeBound *bound;

	dlist_foreach(iter, &all)
	{
		bound = dlist_container(PineconeBound, node, iter.cur);
		if (bound->cxt == statement_cxt)
			return bound;
	}
	bound = MemoryContextAllocZero(statement_cxt, sizeof(PineconeBound));
	bound->cxt = statement_cxt;
	bound->cleanup.func = release;
	bound->cleanup.arg = bound;
	MemoryContextRegisterResetCallback(statement_cxt, &bound->cleanup);
	dlist_push_head(&all, &bound->node);
	return bound;
}

static Place *
find(const PineconeBound *bound, const PineconeSession *session)
{
	ListCell *lc;

	if (bound == NULL)
		return NULL;
	foreach(lc, bound->places)
	{
		Place *place = lfirst(lc);

		if (place->session == session)
			return place;
	}
	return NULL;
}

bool
pinecone_bound_note(PineconeBound *bound, const PineconeSession *session, int location, int number)
{
	Place *place = find(bound, session);
	MemoryContext old;

	if (bound == NULL)
		return true;
	if (place != NULL)
		return place->location == location;
	old = MemoryContextSwitchTo(bound->cxt);
	place = palloc(sizeof(Place));
	*place = (Place){session, location, number};
	bound->places = lappend(bound->places, place);
	MemoryContextSwitchTo(old);
	return true;
}

int
pinecone_bound_number(const PineconeBound *bound, const PineconeSession *session)
{
	Place *place = find(bound, session);

	return place ? place->number : -1;
}

bool
pinecone_bound_is_elsewhere(const PineconeBound *bound, const PineconeSession *session)
{
	Place *place = find(bound, session);

	return place != NULL && place->location != session->location;
}

bool
pinecone_bound_any(const PineconeSession *session)
{
	dlist_iter iter;

	dlist_foreach(iter, &all)
	{
		Place *place = find(dlist_container(PineconeBound, node, iter.cur), session);

		if (place != NULL && place->location == session->location)
			return true;
	}
	return false;
}
