/*
 * util.h
 *		What every file here uses: checked memory, growing texts, arenas, time.
 */
#ifndef UTIL_H
#define UTIL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A piece of text somewhere, not ended by a null byte */
typedef struct Str
{
	const char *s;
	size_t len;
} Str;

#define STR(literal) ((Str){(literal), sizeof(literal) - 1})

static inline bool
str_is(Str a, const char *text)
{
	return strlen(text) == a.len && memcmp(a.s, text, a.len) == 0;
}

static inline bool
str_equal(Str a, Str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.s, b.s, a.len) == 0);
}

/* Bytewise, as Pinecone orders ids */
static inline int
str_compare(Str a, Str b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n ? memcmp(a.s, b.s, n) : 0;

	return c != 0 ? c : (a.len > b.len) - (a.len < b.len);
}

extern Str str_of(const char *text);

/* Allocation ends the program when there is no memory: nothing here could go on */
extern void *mem_alloc(size_t size);
extern void *mem_zero(size_t size);
extern void *mem_resize(void *p, size_t size);
extern void *mem_copy(const void *p, size_t size);
extern char *mem_text(Str s); /* null-terminated copy */

/* A text that grows; data is not null-terminated */
typedef struct Buffer
{
	char *data;
	size_t len;
	size_t size;
} Buffer;

extern void buffer_grow(Buffer *b, size_t more);
extern void buffer_printf(Buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
extern void buffer_free(Buffer *b);

static inline void
buffer_reserve(Buffer *b, size_t more)
{
	if (b->size - b->len < more)
		buffer_grow(b, more);
}

static inline void
buffer_add(Buffer *b, const void *data, size_t len)
{
	buffer_reserve(b, len);
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
}

static inline void
buffer_add_char(Buffer *b, char c)
{
	buffer_reserve(b, 1);
	b->data[b->len++] = c;
}

static inline void
buffer_add_text(Buffer *b, const char *text)
{
	buffer_add(b, text, strlen(text));
}

static inline void
buffer_add_str(Buffer *b, Str s)
{
	buffer_add(b, s.s, s.len);
}

/*
 * A buffer of this thread's own, for work that needs one again and again; freed
 * with the thread, in the main thread by thread_buffers_free.
 */
enum
{
	THREAD_BUFFER_TEXT,
	THREAD_BUFFER_FLOATS,
	THREAD_BUFFER_PLACES,
	THREAD_BUFFER_SCORES,
	THREAD_BUFFERS,
};
extern Buffer *thread_buffer(int which);
extern void thread_buffers_free(void);

/* Memory that is freed all at once, when a request is done */
typedef struct ArenaBlock ArenaBlock;
typedef struct Arena
{
	ArenaBlock *blocks;
	char *at;
	size_t left;
} Arena;

extern void *arena_alloc(Arena *arena, size_t size);
extern Str arena_printf(Arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
extern void arena_free(Arena *arena);

/* Microseconds: of a steady clock, of the day */
extern int64_t now_us(void);
extern int64_t wall_us(void);

extern uint64_t hash_bytes(const void *data, size_t len);
extern uint64_t random_u64(void);

/* Standard base64; decoding returns false when it is not that */
extern void base64_encode(Buffer *out, Str in);
extern bool base64_decode(Buffer *out, Str in);

#endif
