/*
 * bound.c
 *		Which host has answered a statement.
 */
#include "postgres.h"

#include "base/per_statement.h"
#include "client/bound.h"

typedef struct Place
{
	const PineconeSession *session;
	int location;
	int number; /* of the host */
} Place;

struct PineconeBound
{
	PineconePerStatement statement;
	List *places; /* of Place: one for each session */
};

static dlist_head all = DLIST_STATIC_INIT(all);

PineconeBound *
pinecone_bound_of(MemoryContext statement_cxt)
{
	return pinecone_per_statement_of(&all, statement_cxt, sizeof(PineconeBound));
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
	old = MemoryContextSwitchTo(bound->statement.cxt);
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
		Place *place = find(dlist_container(PineconeBound, statement.node, iter.cur), session);

		if (place != NULL && place->location == session->location)
			return true;
	}
	return false;
}
