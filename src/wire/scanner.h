/*
 * scanner.h
 *		A place in JSON text, and how to move it on.
 *
 * Functions that return bool return false on failure, with the first reason in
 * the scanner; nothing here raises an error over what the text holds.  The text
 * is followed by a NUL byte, and may be read some bytes beyond (decode.h).
 */
#ifndef PINECONE_SCANNER_H
#define PINECONE_SCANNER_H

/* No reply nests this deep; a hostile one must not exhaust the stack. */
#define PINECONE_MAX_DEPTH 64

typedef struct PineconeScanner
{
	const char *p;
	const char *end;	/* of the text: holds a NUL byte */
	const char *reason; /* set on the first failure */
	const char *valid;	/* so far the text is valid UTF-8; NULL: it has been checked */
	int depth;
	bool want_values;
	int dimension; /* of the last vector: sizes the next */

	/* Of documents: the names of the fields with vectors, in UTF-8, or NULL */
	bool documents;
	const char *dense;
	const char *sparse;
	bool unscored; /* the score of one is null */
} PineconeScanner;

/* Fail for a reason, or because the text is at its end; always false. */
extern bool pinecone_scanner_fail(PineconeScanner *s, const char *reason);

/* Everything up to p must be UTF-8: what was checked is not looked at again. */
extern bool pinecone_scanner_check_encoding(PineconeScanner *s, const char *p);

extern bool pinecone_scanner_read_double(PineconeScanner *s, double *value);

/*
 * A scanned string decoded into palloc'ed UTF-8; NULL when it cannot be.  One
 * that is no text fails too, unless "no_text" is there to be set.
 */
extern char *pinecone_scanner_decode_string(PineconeScanner *s, const char *start, size_t len,
											bool escaped, bool *no_text);

/* Both: a string, which has to be text. */
extern char *pinecone_scanner_read_string(PineconeScanner *s);

/*
 * An array of numbers, palloc'ed unless it is empty; s->dimension is how many are
 * expected, and then how many the last one had.  And one of 32-bit integers.
 */
extern bool pinecone_scanner_read_floats(PineconeScanner *s, float **values, int *n);
extern bool pinecone_scanner_read_indices(PineconeScanner *s, uint32 **indices, int *n);

/* Check a value's form and pass over it. */
extern bool pinecone_scanner_skip_value(PineconeScanner *s);

static inline void
pinecone_scanner_skip_space(PineconeScanner *s)
{
	while (*s->p == ' ' || *s->p == '\n' || *s->p == '\t' || *s->p == '\r')
		s->p++;
}

static inline bool
pinecone_scanner_accept(PineconeScanner *s, char c)
{
	pinecone_scanner_skip_space(s);
	if (*s->p != c)
		return false;
	s->p++;
	return true;
}

static inline bool
pinecone_scanner_expect(PineconeScanner *s, char c, const char *reason)
{
	return pinecone_scanner_accept(s, c) || pinecone_scanner_fail(s, reason);
}

/* ---- Small, and called for every field of a reply ---- */

static inline bool
pinecone_scanner_is_special(char c)
{
	return (unsigned char) c < ' ' || c == '"' || c == '\\';
}

/*
 * The first byte from p on that is not itself in a string's text: a quote, a
 * backslash, a control character (the text's end is one).  Eight at a time, for
 * texts are most of a reply that has no vectors; they are aligned, and so never
 * reach beyond a word of which the text has a part.
 */
static inline const char *
pinecone_scanner_special(const char *p)
{
#ifndef WORDS_BIGENDIAN
	const uint64 ones = UINT64CONST(0x0101010101010101);

	for (; ((uintptr_t) p & 7) != 0; p++)
	{
		if (pinecone_scanner_is_special(*p))
			return p;
	}
	for (;; p += 8)
	{
		uint64 v;
		uint64 quotes;
		uint64 backslashes;
		uint64 found;

		memcpy(&v, p, 8);
		quotes = v ^ ones * '"';
		backslashes = v ^ ones * '\\';
		/* the top bit of every byte that is, exact up to the first */
		found = (((v - ones * ' ') & ~v) | ((quotes - ones) & ~quotes) | ((backslashes - ones) & ~backslashes)) & ones * 0x80;
		if (found != 0)
			return p + (__builtin_ctzll(found) >> 3);
	}
#else
	while (!pinecone_scanner_is_special(*p))
		p++;
	return p;
#endif
}

/* A string's text between its quotes, escapes and all. */
static inline bool
pinecone_scanner_scan_string(PineconeScanner *s, const char **start, size_t *len, bool *escaped)
{
	const char *p;

	*len = 0;
	*escaped = false;
	if (!pinecone_scanner_expect(s, '"', "a string was expected"))
		return false;
	*start = s->p;
	for (p = pinecone_scanner_special(s->p); *p != '"'; p = pinecone_scanner_special(p))
	{
		if (*p != '\\')
		{
			s->p = p;
			return pinecone_scanner_fail(s, "a string holds a control character");
		}
		*escaped = true;
		if (*++p == '\0')
		{
			s->p = p;
			return pinecone_scanner_fail(s, "a string does not end");
		}
		p++;
	}
	*len = p - *start;
	s->p = p + 1;
	return true;
}

/*
 * The next key of an object, the next element of an array: false at the end or
 * on failure.  "first" is true to begin with.
 */
static inline bool
pinecone_scanner_next_key(PineconeScanner *s, bool *first, const char **key, size_t *len)
{
	bool escaped;

	if (pinecone_scanner_accept(s, '}'))
		return false;
	if (!*first && !pinecone_scanner_expect(s, ',', "a comma was expected"))
		return false;
	*first = false;
	return pinecone_scanner_scan_string(s, key, len, &escaped) && pinecone_scanner_expect(s, ':', "a colon was expected");
}

static inline bool
pinecone_scanner_next_element(PineconeScanner *s, bool *first)
{
	if (pinecone_scanner_accept(s, ']'))
		return false;
	if (!*first && !pinecone_scanner_expect(s, ',', "a comma was expected"))
		return false;
	*first = false;
	return true;
}

/* Pass over null, if that is next. */
static inline bool
pinecone_scanner_accept_null(PineconeScanner *s)
{
	pinecone_scanner_skip_space(s);
	if (*s->p != 'n' || strncmp(s->p, "null", 4) != 0)
		return false;
	s->p += 4;
	return true;
}

static inline bool
pinecone_scanner_key_is(const char *key, size_t len, const char *name)
{
	return len == strlen(name) && memcmp(key, name, len) == 0;
}

#endif /* PINECONE_SCANNER_H */
