/*
 * dns_lookup.h
 *		Asks for the addresses of a host; they are there, or on their way, or cannot
 *		be had.
 *
 * A resolver may not answer for half a minute, and cannot be interrupted.  So a
 * look-up runs by itself, and whoever wants its answer asks now and then; when
 * it is not wanted any more it is left to end when it will.
 */
#ifndef PINECONE_DNS_LOOKUP_H
#define PINECONE_DNS_LOOKUP_H

#include "base/clock.h"

typedef enum PineconeAddressState
{
	PINECONE_ADDRESS_KNOWN,
	PINECONE_ADDRESS_ASKED, /* not answered yet */
	PINECONE_ADDRESS_FAILED
} PineconeAddressState;

/*
 * The addresses of a host, separated by commas, IPv6 in brackets; "" for one
 * that needs no look-up.  When it has failed, "text" says why.  The text is good
 * until the next call of pinecone_address_advance().  A caller that has waited
 * since a while is given addresses that are out of date rather than none.
 */
extern PineconeAddressState pinecone_address_find(const char *host, PineconeTime waiting_since,
												  const char **text);

/* Is it, by what has been looked up, an address of the host?  Asks nobody. */
extern bool pinecone_address_is_of(const char *host, const char *address);

/* They could not be connected to: do not use them again. */
extern void pinecone_address_forget(const char *host);

/* Take answers that have come.  Returns whether any are still to come. */
extern bool pinecone_address_advance(void);

#endif /* PINECONE_DNS_LOOKUP_H */
