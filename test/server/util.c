/*
 * util.c
 *		Memory, growing texts, arenas, clocks.
 */
#include "util.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct ArenaBlock
{
	ArenaBlock *next;
	max_align_t memory[];
};

static void *
checked(void *p)
{
	if (!p)
	{
		fputs("pinecone-local: out of memory\n", stderr);
		abort();
	}
	return p;
}

Str
str_of(const char *text)
{
	return (Str){text, text ? strlen(text) : 0};
}

void *
mem_alloc(size_t size)
{
	return checked(malloc(size ? size : 1));
}

void *
mem_zero(size_t size)
{
	return checked(calloc(1, size ? size : 1));
}

void *
mem_resize(void *p, size_t size)
{
	return checked(realloc(p, size ? size : 1));
}

void *
mem_copy(const void *p, size_t size)
{
	void *copy = mem_alloc(size);

	if (size)
		memcpy(copy, p, size);
	return copy;
}

char *
mem_text(Str s)
{
	char *copy = mem_alloc(s.len + 1);

	if (s.len)
		memcpy(copy, s.s, s.len);
	copy[s.len] = '\0';
	return copy;
}

void
buffer_grow(Buffer *b, size_t more)
{
	size_t size = b->size ? b->size : 256;

	while (size - b->len < more)
		size *= 2;
	b->data = mem_resize(b->data, size);
	b->size = size;
}

void
buffer_printf(Buffer *b, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	buffer_reserve(b, (size_t) n + 1);
	va_start(args, format);
	vsnprintf(b->data + b->len, (size_t) n + 1, format, args);
	va_end(args);
	b->len += (size_t) n;
}

void
buffer_free(Buffer *b)
{
	free(b->data);
	*b = (Buffer){0};
}

static pthread_key_t buffers_key;
static pthread_once_t buffers_once = PTHREAD_ONCE_INIT;

static void
free_buffers(void *buffers)
{
	for (int i = 0; buffers && i < THREAD_BUFFERS; i++)
		buffer_free((Buffer *) buffers + i);
	free(buffers);
}

static void
make_key(void)
{
	pthread_key_create(&buffers_key, free_buffers);
}

Buffer *
thread_buffer(int which)
{
	Buffer *buffers;

	pthread_once(&buffers_once, make_key);
	buffers = pthread_getspecific(buffers_key);
	if (!buffers)
	{
		buffers = mem_zero(sizeof(Buffer) * THREAD_BUFFERS);
		pthread_setspecific(buffers_key, buffers);
	}
	return &buffers[which];
}

void
thread_buffers_free(void)
{
	pthread_once(&buffers_once, make_key);
	free_buffers(pthread_getspecific(buffers_key));
	pthread_setspecific(buffers_key, NULL);
}

void *
arena_alloc(Arena *arena, size_t size)
{
	void *p;

	size = (size + 15) & ~(size_t) 15;
	if (arena->left < size)
	{
		size_t room = size > 4096 ? size : 4096;
		ArenaBlock *block = mem_alloc(sizeof(ArenaBlock) + room);

		block->next = arena->blocks;
		arena->blocks = block;
		arena->at = (char *) block->memory;
		arena->left = room;
	}
	p = arena->at;
	arena->at += size;
	arena->left -= size;
	return p;
}

Str
arena_printf(Arena *arena, const char *format, ...)
{
	va_list args;
	int n;
	char *text;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	text = arena_alloc(arena, (size_t) n + 1);
	va_start(args, format);
	vsnprintf(text, (size_t) n + 1, format, args);
	va_end(args);
	return (Str){text, (size_t) n};
}

void
arena_free(Arena *arena)
{
	while (arena->blocks)
	{
		ArenaBlock *next = arena->blocks->next;

		free(arena->blocks);
		arena->blocks = next;
	}
	*arena = (Arena){0};
}

static int64_t
clock_us(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t) t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t
now_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

int64_t
wall_us(void)
{
	return clock_us(CLOCK_REALTIME);
}

/* FNV-1a with a final mix: ids are short, and their last bytes differ most */
uint64_t
hash_bytes(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 0x100000001b3u;
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93u;
	return h ^ (h >> 32);
}

/* Not secret, only different: request ids */
uint64_t
random_u64(void)
{
	static _Thread_local uint64_t state;

	if (state == 0)
		state = (uint64_t) wall_us() ^ ((uint64_t) (uintptr_t) &state << 16);
	state += 0x9e3779b97f4a7c15u;
	return hash_bytes(&state, sizeof(state));
}

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
base64_encode(Buffer *out, Str in)
{
	const unsigned char *p = (const unsigned char *) in.s;

	for (size_t i = 0; i < in.len; i += 3)
	{
		size_t left = in.len - i;
		uint32_t v = (uint32_t) p[i] << 16 | (left > 1 ? (uint32_t) p[i + 1] << 8 : 0) | (left > 2 ? p[i + 2] : 0);

		buffer_add_char(out, base64_digits[v >> 18]);
		buffer_add_char(out, base64_digits[v >> 12 & 63]);
		buffer_add_char(out, left > 1 ? base64_digits[v >> 6 & 63] : '=');
		buffer_add_char(out, left > 2 ? base64_digits[v & 63] : '=');
	}
}

bool
base64_decode(Buffer *out, Str in)
{
	if (in.len % 4 != 0)
		return false;
	for (size_t i = 0; i < in.len; i += 4)
	{
		uint32_t v = 0;
		int padding = 0;

		for (int j = 0; j < 4; j++)
		{
			const char *digit = in.s[i + j] ? strchr(base64_digits, in.s[i + j]) : NULL;

			if (in.s[i + j] == '=' && j >= 2 && i + 4 == in.len)
				padding++;
			else if (!digit || padding)
				return false;
			v = v << 6 | (digit ? (uint32_t) (digit - base64_digits) : 0);
		}
		buffer_add_char(out, (char) (v >> 16));
		if (padding < 2)
			buffer_add_char(out, (char) (v >> 8));
		if (padding < 1)
			buffer_add_char(out, (char) v);
	}
	return true;
}
