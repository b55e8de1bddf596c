/*
 * alloc.h
 *		Put before every file under test: memory from palloc() with an end that
 *		AddressSanitizer knows, and that stays poisoned after pfree().
 *
 * Chunks are PostgreSQL's own, for its functions get them too; what follows the
 * bytes that were asked for is poisoned.
 */
#include "postgres.h"

#include "utils/memutils.h"

extern void *fuzz_palloc(Size size);
extern void *fuzz_palloc0(Size size);
extern void *fuzz_repalloc(void *chunk, Size size);
extern void fuzz_pfree(void *chunk);
extern char *fuzz_pstrdup(const char *text);
extern char *fuzz_pnstrdup(const char *text, Size len);
extern void fuzz_unpoison(void);

#ifndef FUZZ_ALLOC_ITSELF
#define palloc(size) fuzz_palloc(size)
#define palloc0(size) fuzz_palloc0(size)
#define repalloc(chunk, size) fuzz_repalloc(chunk, size)
#define pfree(chunk) fuzz_pfree(chunk)
#define pstrdup(text) fuzz_pstrdup(text)
#define pnstrdup(text, len) fuzz_pnstrdup(text, len)

/* Contexts are used again, by code that knows nothing of poison */
#define MemoryContextReset(context) (fuzz_unpoison(), MemoryContextReset(context))
#undef MemoryContextDelete
#define MemoryContextDelete(context) (fuzz_unpoison(), MemoryContextDelete(context))
#endif
