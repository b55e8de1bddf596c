/*
 * texts.c
 *		The texts of a namespace by their words.
 */
#include "texts.h"

#include <stdlib.h>

/* Numbers that nobody has, before they are swept out */
#define MIN_DEAD 4096

static uint32_t
find_slot(const TextField *f, Str text)
{
	uint32_t i = (uint32_t) hash_bytes(text.s, text.len) & (f->nslots - 1);

	while (f->slots[i] && !str_equal(f->terms[f->slots[i] - 1].text, text))
		i = (i + 1) & (f->nslots - 1);
	return i;
}

const Term *
texts_find(const TextField *f, Str text)
{
	uint32_t slot = f->nslots ? f->slots[find_slot(f, text)] : 0;

	return slot ? &f->terms[slot - 1] : NULL;
}

static Term *
make_term(TextField *f, Str text)
{
	uint32_t slot;

	if (f->nterms >= f->nslots / 2)
	{
		f->nslots = f->nslots ? f->nslots * 2 : 256;
		f->terms_size = f->nslots / 2;
		f->terms = mem_resize(f->terms, sizeof(Term) * f->terms_size);
		free(f->slots);
		f->slots = mem_zero(sizeof(uint32_t) * f->nslots);
		for (uint32_t i = 0; i < f->nterms; i++)
			f->slots[find_slot(f, f->terms[i].text)] = i + 1;
	}
	slot = find_slot(f, text);
	if (!f->slots[slot])
	{
		f->terms[f->nterms] = (Term){.text = {mem_text(text), text.len}};
		f->slots[slot] = ++f->nterms;
	}
	return &f->terms[f->slots[slot] - 1];
}

/* A token of the document that has come last */
static void
add_position(Term *t, uint32_t ordinal, uint32_t position)
{
	uint32_t n;

	if (t->count == 0 || t->ordinals[t->count - 1] != ordinal)
	{
		if (t->count == t->size)
		{
			t->size = t->size ? t->size * 2 : 2;
			t->ordinals = mem_resize(t->ordinals, sizeof(uint32_t) * t->size);
			t->ends = mem_resize(t->ends, sizeof(uint32_t) * t->size);
		}
		t->ordinals[t->count] = ordinal;
		t->ends[t->count] = term_start(t, t->count);
		t->count++;
		t->live++;
	}
	n = t->ends[t->count - 1];
	if (n == t->positions_size)
	{
		t->positions_size = t->positions_size ? t->positions_size * 2 : 2;
		t->positions = mem_resize(t->positions, sizeof(uint16_t) * t->positions_size);
	}
	t->positions[n] = (uint16_t) position;
	t->ends[t->count - 1]++;
}

static Texts *
make_texts(const Schema *schema)
{
	Texts *t = mem_zero(sizeof(Texts));

	t->nfields = schema->nfull_texts;
	t->fields = mem_zero(sizeof(TextField) * (size_t) t->nfields);
	for (int i = 0; i < schema->count; i++)
	{
		if (schema->fields[i].full_text >= 0)
			t->fields[schema->fields[i].full_text].field = &schema->fields[i];
	}
	return t;
}

static void
add_ordinal(Texts *t, Record *r)
{
	if (t->nordinals == t->size)
	{
		t->size = t->size ? t->size * 2 : 64;
		t->records = mem_resize(t->records, sizeof(Record *) * t->size);
		for (int i = 0; i < t->nfields; i++)
			t->fields[i].lengths = mem_resize(t->fields[i].lengths, sizeof(uint32_t) * t->size);
	}
	r->document->ordinal = t->nordinals;
	t->records[t->nordinals++] = r;
}

void
texts_add(Index *index, Namespace *ns, Record *r)
{
	Tokens tokens = {0};
	Texts *t;

	if (!index->fields)
		return;
	if (!ns->texts)
		ns->texts = make_texts(index->fields);
	t = ns->texts;
	add_ordinal(t, r);
	for (int i = 0; i < t->nfields; i++)
	{
		TextField *f = &t->fields[i];
		Str text = r->document->texts[f->field->text];

		tokens.count = 0;
		if (text.s)
			analyze(&f->field->analysis, text, &tokens);
		for (uint32_t n = 0; n < tokens.count; n++)
			add_position(make_term(f, token_text(&tokens, n)), r->document->ordinal, tokens.tokens[n].position);
		f->lengths[r->document->ordinal] = tokens.count;
		f->total += tokens.count;
	}
	tokens_free(&tokens);
}

/* Drop what is under numbers that nobody has; the others move up. */
static void
sweep_term(Term *t, const uint32_t *moved)
{
	uint32_t kept = 0, at = 0, start = 0;

	for (uint32_t i = 0; i < t->count; i++)
	{
		uint32_t end = t->ends[i], to = moved[t->ordinals[i]];

		if (to != UINT32_MAX)
		{
			memmove(t->positions + at, t->positions + start, sizeof(uint16_t) * (end - start));
			at += end - start;
			t->ordinals[kept] = to;
			t->ends[kept++] = at;
		}
		start = end;
	}
	t->count = kept;
}

static void
sweep(Texts *t)
{
	uint32_t *moved = mem_alloc(sizeof(uint32_t) * t->nordinals);
	uint32_t kept = 0;

	for (uint32_t i = 0; i < t->nordinals; i++)
	{
		moved[i] = t->records[i] ? kept : UINT32_MAX;
		if (!t->records[i])
			continue;
		t->records[kept] = t->records[i];
		t->records[kept]->document->ordinal = kept;
		for (int n = 0; n < t->nfields; n++)
			t->fields[n].lengths[kept] = t->fields[n].lengths[i];
		kept++;
	}
	for (int n = 0; n < t->nfields; n++)
	{
		for (uint32_t i = 0; i < t->fields[n].nterms; i++)
			sweep_term(&t->fields[n].terms[i], moved);
	}
	t->nordinals = kept;
	t->dead = 0;
	free(moved);
}

void
texts_remove(Index *index, Namespace *ns, Record *r)
{
	Tokens tokens = {0};
	Texts *t = ns->texts;

	if (!index->fields || !t)
		return;
	t->removals++;
	for (int i = 0; i < t->nfields; i++)
	{
		TextField *f = &t->fields[i];
		Str text = r->document->texts[f->field->text];

		tokens.count = 0;
		if (text.s)
			analyze(&f->field->analysis, text, &tokens);
		for (uint32_t n = 0; n < tokens.count; n++)
		{
			uint32_t slot = f->nslots ? f->slots[find_slot(f, token_text(&tokens, n))] : 0;
			Term *term = slot ? &f->terms[slot - 1] : NULL;

			/* What --assume says of words may have changed meanwhile */
			if (term && term->removal != t->removals && term->live > 0)
			{
				term->removal = t->removals;
				term->live--;
			}
		}
		f->total -= f->lengths[r->document->ordinal];
	}
	tokens_free(&tokens);
	t->records[r->document->ordinal] = NULL;
	t->dead++;
	if (t->dead > MIN_DEAD && t->dead > t->nordinals / 2)
		sweep(t);
}

void
texts_free(Namespace *ns)
{
	Texts *t = ns->texts;

	ns->texts = NULL;
	for (int i = 0; t && i < t->nfields; i++)
	{
		TextField *f = &t->fields[i];

		for (uint32_t n = 0; n < f->nterms; n++)
		{
			free((char *) f->terms[n].text.s);
			free(f->terms[n].ordinals);
			free(f->terms[n].ends);
			free(f->terms[n].positions);
		}
		free(f->terms);
		free(f->slots);
		free(f->lengths);
	}
	if (t)
	{
		free(t->fields);
		free(t->records);
	}
	free(t);
}
