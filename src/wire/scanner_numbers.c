/*
 * scanner_numbers.c
 *		Arrays of numbers at a scanner's place: vectors, and the indices of sparse ones.
 */
#include "postgres.h"

#include <math.h>

#include "wire/parse_floats.h"
#include "wire/scanner.h"

bool
pinecone_scanner_read_floats(PineconeScanner *s, float **values, int *n)
{
	const char *reason;

	if (!pinecone_scanner_expect(s, '[', "an array of numbers was expected"))
		return false;
	if (pinecone_scanner_accept(s, ']'))
	{
		*n = 0;
		return true;
	}
	if (!pinecone_scanner_check_encoding(s, s->p))
		return false;
	*n = s->dimension;
	if (!pinecone_floats_decode(&s->p, s->end, values, n, &reason))
		return pinecone_scanner_fail(s, reason);
	s->valid = s->p; /* it was digits */
	s->dimension = *n;
	return true;
}

bool
pinecone_scanner_read_indices(PineconeScanner *s, uint32 **indices, int *n)
{
	int size = 64;
	bool first = true;

	if (!pinecone_scanner_expect(s, '[', "an array of indices was expected"))
		return false;
	*indices = palloc(size * sizeof(uint32));
	*n = 0;
	while (pinecone_scanner_next_element(s, &first))
	{
		double value;

		pinecone_scanner_skip_space(s);
		if (!pinecone_scanner_read_double(s, &value))
			return false;
		if (value < 0 || value > PG_UINT32_MAX || value != floor(value))
			return pinecone_scanner_fail(s, "a sparse index is not an unsigned 32-bit integer");
		if (*n == size)
		{
			size *= 2;
			*indices = repalloc(*indices, size * sizeof(uint32));
		}
		(*indices)[(*n)++] = (uint32) value;
	}
	return s->reason == NULL;
}
