/*
 * memcheck.h
 *		What PostgreSQL says to valgrind about palloc'd memory (USE_VALGRIND), said to
 *		AddressSanitizer too, where that is loaded: so it sees what reads or writes
 *		beyond the end of a chunk, or after pfree or the context's end, in modules
 *		that are built with it and in memcpy and its kin anywhere.
 *
 * test/cassert.sh puts this folder in front of where valgrind's own header is.
 */
#ifndef PINECONE_CASSERT_MEMCHECK_H
#define PINECONE_CASSERT_MEMCHECK_H

#include_next <valgrind/memcheck.h>

#include <stddef.h>

extern void __asan_poison_memory_region(void const volatile *address, size_t size) __attribute__((weak));
extern void __asan_unpoison_memory_region(void const volatile *address, size_t size) __attribute__((weak));

static inline void
asan_close(void const volatile *address, size_t size)
{
	if (__asan_poison_memory_region)
		__asan_poison_memory_region(address, size);
}

static inline void
asan_open(void const volatile *address, size_t size)
{
	if (__asan_unpoison_memory_region)
		__asan_unpoison_memory_region(address, size);
}

static inline void
valgrind_noaccess(void const volatile *address, size_t size)
{
	VALGRIND_MAKE_MEM_NOACCESS(address, size);
	asan_close(address, size);
}

static inline void
valgrind_undefined(void const volatile *address, size_t size)
{
	VALGRIND_MAKE_MEM_UNDEFINED(address, size);
	asan_open(address, size);
}

static inline void
valgrind_defined(void const volatile *address, size_t size)
{
	VALGRIND_MAKE_MEM_DEFINED(address, size);
	asan_open(address, size);
}

static inline void
valgrind_alloc(void const volatile *pool, void const volatile *address, size_t size)
{
	VALGRIND_MEMPOOL_ALLOC(pool, address, size);
	asan_open(address, size);
}

static inline void
valgrind_change(void const volatile *pool, void const volatile *old, void const volatile *address, size_t size)
{
	VALGRIND_MEMPOOL_CHANGE(pool, old, address, size);
	asan_open(address, size);
}

#undef VALGRIND_MAKE_MEM_NOACCESS
#undef VALGRIND_MAKE_MEM_UNDEFINED
#undef VALGRIND_MAKE_MEM_DEFINED
#undef VALGRIND_MEMPOOL_ALLOC
#undef VALGRIND_MEMPOOL_CHANGE
#define VALGRIND_MAKE_MEM_NOACCESS(address, size) valgrind_noaccess(address, size)
#define VALGRIND_MAKE_MEM_UNDEFINED(address, size) valgrind_undefined(address, size)
#define VALGRIND_MAKE_MEM_DEFINED(address, size) valgrind_defined(address, size)
#define VALGRIND_MEMPOOL_ALLOC(pool, address, size) valgrind_alloc(pool, address, size)
#define VALGRIND_MEMPOOL_CHANGE(pool, old, address, size) valgrind_change(pool, old, address, size)

#endif /* PINECONE_CASSERT_MEMCHECK_H */
