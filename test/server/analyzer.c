/*
 * analyzer.c
 *		Texts into tokens: split, lower case, stem, drop stop words, cut.
 *
 * Snowball's stemmers are not for several threads at a time, so each language
 * has a few of them that are lent out.
 */
#include "analyzer.h"

#include "facts.h"

#include <libstemmer.h>
#include <pthread.h>
#include <stdlib.h>
#include <wctype.h>

static const Language languages[] = {
	{"ar", "arabic"},
	{"da", "danish"},
	{"de", "german"},
	{"el", "greek"},
	{"en", "english"},
	{"es", "spanish"},
	{"fi", "finnish"},
	{"fr", "french"},
	{"hu", "hungarian"},
	{"it", "italian"},
	{"nl", "dutch"},
	{"no", "norwegian"},
	{"pt", "portuguese"},
	{"ro", "romanian"},
	{"ru", "russian"},
	{"sv", "swedish"},
	{"ta", "tamil"},
	{"tr", "turkish"},
};

#define LANGUAGES (sizeof(languages) / sizeof(languages[0]))
#define MAX_LENT 64
#define STOP_SLOTS 2048

/* What a language has at work */
typedef struct Tools
{
	pthread_mutex_t lock;
	struct sb_stemmer *idle[MAX_LENT];
	int nidle;
	Str stops[STOP_SLOTS]; /* by hash */
} Tools;

static Tools *tools[LANGUAGES];
static locale_t unicode;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static Str *
stop_slot(Tools *t, Str word)
{
	size_t i = hash_bytes(word.s, word.len) % STOP_SLOTS;

	while (t->stops[i].s && !str_equal(t->stops[i], word))
		i = (i + 1) % STOP_SLOTS;
	return &t->stops[i];
}

static void
fill_stops(Tools *t, const char *words)
{
	while (words && *words)
	{
		Str word = {words, strcspn(words, " ")};

		if (word.len > 0)
			*stop_slot(t, word) = word;
		words += word.len + (words[word.len] == ' ');
	}
}

static void
begin(void)
{
	unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t) 0);
	for (size_t i = 0; i < LANGUAGES; i++)
	{
		tools[i] = mem_zero(sizeof(Tools));
		pthread_mutex_init(&tools[i]->lock, NULL);
		fill_stops(tools[i], stop_words_of(languages[i].code));
	}
}

locale_t
analyzer_locale(void)
{
	pthread_once(&once, begin);
	return unicode;
}

const Language *
language_find(Str name)
{
	for (size_t i = 0; i < LANGUAGES; i++)
	{
		if (str_is(name, languages[i].code) || str_is(name, languages[i].name))
			return &languages[i];
	}
	return NULL;
}

bool
language_has_stop_words(const Language *language)
{
	return stop_words_of(language->code) != NULL;
}

static struct sb_stemmer *
borrow_stemmer(const Language *language)
{
	Tools *t = tools[language - languages];
	struct sb_stemmer *stemmer = NULL;

	pthread_mutex_lock(&t->lock);
	if (t->nidle > 0)
		stemmer = t->idle[--t->nidle];
	pthread_mutex_unlock(&t->lock);
	return stemmer ? stemmer : sb_stemmer_new(language->name, "UTF_8");
}

static void
return_stemmer(const Language *language, struct sb_stemmer *stemmer)
{
	Tools *t = tools[language - languages];

	pthread_mutex_lock(&t->lock);
	if (t->nidle < MAX_LENT)
	{
		t->idle[t->nidle++] = stemmer;
		stemmer = NULL;
	}
	pthread_mutex_unlock(&t->lock);
	sb_stemmer_delete(stemmer);
}

/* ---- Characters; texts are valid UTF-8 by now ---- */

static inline uint32_t
char_length(unsigned char first)
{
	return first < 0x80 ? 1 : first < 0xe0 ? 2 :
						  first < 0xf0	   ? 3 :
											 4;
}

static inline uint32_t
decode(const unsigned char *p, uint32_t n)
{
	uint32_t c = n == 1 ? p[0] : p[0] & (0xffu >> (n + 1));

	for (uint32_t i = 1; i < n; i++)
		c = c << 6 | (p[i] & 63);
	return c;
}

static void
add_char(Buffer *b, uint32_t c)
{
	char out[4];
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 :
						  c < 0x10000	? 3 :
										  4;

	for (size_t i = n - 1; i > 0; i--)
	{
		out[i] = (char) (0x80 | (c & 63));
		c >>= 6;
	}
	out[0] = (char) (n == 1 ? c : (0xf00u >> n & 0xff) | c);
	buffer_add(b, out, n);
}

uint32_t
utf8_count(Str text)
{
	uint32_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += ((unsigned char) text.s[i] & 0xc0) != 0x80;
	return n;
}

/* Bytes of the first n characters, or of all */
static uint32_t
prefix_length(Str text, uint32_t n)
{
	uint32_t at = 0;

	while (n-- > 0 && at < text.len)
		at += char_length((unsigned char) text.s[at]);
	return at;
}

/* ---- Tokens ---- */

static void
add_token(Tokens *t, uint32_t offset, uint32_t len, uint32_t position)
{
	if (t->count == t->size)
	{
		t->size = t->size ? t->size * 2 : 128;
		t->tokens = mem_resize(t->tokens, sizeof(Token) * t->size);
	}
	t->tokens[t->count++] = (Token){offset, len, position};
}

static void
add_grams(const Analysis *a, Tokens *t, uint32_t offset, uint32_t len, uint32_t position)
{
	uint32_t end = offset + len;

	for (uint32_t start = offset; start < end; start += char_length((unsigned char) t->text.data[start]))
	{
		for (int n = a->min_gram; n <= a->max_gram; n++)
		{
			Str rest = {t->text.data + start, end - start};
			uint32_t bytes = prefix_length(rest, (uint32_t) n);

			if (utf8_count((Str){rest.s, bytes}) < (uint32_t) n)
				break;
			add_token(t, start, bytes, position);
		}
		if (a->prefix_only)
			break;
	}
}

/* A word has been read, in lower case, at the end of the text. */
static void
end_word(const Analysis *a, Tokens *t, struct sb_stemmer *stemmer, uint32_t offset)
{
	uint32_t len = (uint32_t) t->text.len - offset, position = t->words++;
	Tools *language = tools[a->language - languages];
	bool stop;

	if (len > t->longest)
		t->longest = len;
	stop = a->stop_words && fact(FACT_STOP_WORDS) && stop_slot(language, (Str){t->text.data + offset, len})->s;
	if (stemmer && !stop)
	{
		const sb_symbol *stem = sb_stemmer_stem(stemmer, (const sb_symbol *) t->text.data + offset, (int) len);

		if (stem)
		{
			len = (uint32_t) sb_stemmer_length(stemmer);
			t->text.len = offset;
			buffer_add(&t->text, stem, len);
		}
		stop = a->stop_words && !fact(FACT_STOP_WORDS) && stop_slot(language, (Str){t->text.data + offset, len})->s;
	}
	if (stop || len == 0)
		return;
	if (len > MAX_TOKEN_CHARS)
	{
		uint32_t cut = prefix_length((Str){t->text.data + offset, len}, MAX_TOKEN_CHARS);

		if (cut < len && fact(FACT_LONG_TOKEN))
			return;
		len = cut;
	}
	if (a->max_gram)
		add_grams(a, t, offset, len, position);
	else
		add_token(t, offset, len, position);
}

/*
 * Cut a text into words, runs of letters and digits in lower case; end_word()
 * makes tokens of them as the analysis says.
 */
void
analyze(const Analysis *a, Str text, Tokens *t)
{
	const unsigned char *p = (const unsigned char *) text.s, *end = p + text.len;
	struct sb_stemmer *stemmer;
	uint32_t start = 0;
	bool inside = false;

	pthread_once(&once, begin);
	stemmer = a->stemming ? borrow_stemmer(a->language) : NULL;
	t->text.len = t->count = t->words = t->longest = 0;
	buffer_reserve(&t->text, text.len + 16);
	while (p < end)
	{
		uint32_t n = char_length(*p), c = *p;
		bool alphanumeric;

		if (n == 1)
		{
			alphanumeric = (c - '0') < 10 || ((c | 32) - 'a') < 26;
			if (c - 'A' < 26)
				c |= 32;
		}
		else
		{
			c = decode(p, n);
			alphanumeric = unicode ? iswalnum_l((wint_t) c, unicode) : true;
			if (alphanumeric && unicode)
				c = (uint32_t) towlower_l((wint_t) c, unicode);
		}
		p += n;
		if (alphanumeric)
		{
			if (!inside)
				start = (uint32_t) t->text.len;
			inside = true;
			if (c < 0x80)
				buffer_add_char(&t->text, (char) c);
			else
				add_char(&t->text, c);
		}
		else if (inside)
		{
			end_word(a, t, stemmer, start);
			inside = false;
		}
	}
	if (inside)
		end_word(a, t, stemmer, start);
	if (stemmer)
		return_stemmer(a->language, stemmer);
}

void
tokens_free(Tokens *t)
{
	buffer_free(&t->text);
	free(t->tokens);
	*t = (Tokens){0};
}

void
analyzer_end(void)
{
	for (size_t i = 0; i < LANGUAGES && tools[i]; i++)
	{
		while (tools[i]->nidle > 0)
			sb_stemmer_delete(tools[i]->idle[--tools[i]->nidle]);
		free(tools[i]);
		tools[i] = NULL;
	}
	if (unicode)
		freelocale(unicode);
	unicode = (locale_t) 0;
}
