/*
 * ours.c
 *		Planner and executor meet tables of callbacks of many wrappers.  Ours are
 *		known by one of their functions, so that nobody who asks has to know
 *		those functions.
 */
#include "postgres.h"

#include "foreign/fdwapi.h"

#include "base/ours.h"

static IterateForeignScan_function iterate = NULL;

void
pinecone_ours_note(const FdwRoutine *routine)
{
	iterate = routine->IterateForeignScan;
}

bool
pinecone_ours_is(const FdwRoutine *routine)
{
	return routine != NULL && iterate != NULL && routine->IterateForeignScan == iterate;
}
