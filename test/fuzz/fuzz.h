/*
 * fuzz.h
 *		What a target is: a function that takes any bytes, and aborts when what the
 *		extension makes of them is wrong.
 *
 * Targets run inside a backend (driver.c), each call in a memory context of its
 * own.  SQL errors are fine unless they are internal ones.
 */
#ifndef PINECONE_FUZZ_H
#define PINECONE_FUZZ_H

#include "postgres.h"

typedef struct FuzzTarget
{
	const char *name;
	void (*run)(const char *data, size_t size);
} FuzzTarget;

extern void fuzz_reply(const char *data, size_t size);
extern void fuzz_documents(const char *data, size_t size);
extern void fuzz_message(const char *data, size_t size);
extern void fuzz_embeddings(const char *data, size_t size);
extern void fuzz_header(const char *data, size_t size);
extern void fuzz_floats(const char *data, size_t size);
extern void fuzz_record(const char *data, size_t size);
extern void fuzz_match(const char *data, size_t size);
extern void fuzz_option(const char *data, size_t size);
extern void fuzz_host(const char *data, size_t size);
extern void fuzz_moments(const char *data, size_t size);
extern void fuzz_write(const char *data, size_t size);
extern void fuzz_sparse(const char *data, size_t size);
extern void fuzz_vector(const char *data, size_t size);
extern void fuzz_times(const char *data, size_t size);

/* Say what is wrong, and abort. */
extern void fuzz_wrong(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#define FUZZ_CHECK(good, ...) \
	do \
	{ \
		if (!(good)) \
			fuzz_wrong(__VA_ARGS__); \
	} \
	while (0)

/* Is it text as SQL would hand it over: of the server's encoding, without NUL? */
extern bool fuzz_is_text(const char *data, size_t size);

/* A copy as a body comes from the network: malloc'ed, freed at the run's end. */
extern char *fuzz_body(const char *data, size_t size);

/* Read all of a string, and of an array. */
extern void fuzz_touch(const char *text);
extern void fuzz_touch_bytes(const void *bytes, size_t size);

#endif /* PINECONE_FUZZ_H */
