/*
 * sweep_split.c
 *		How records are divided so that a search brings each part.
 *
 * Some of them have come, and show what fields they have.  A field divides them
 * by its numbers, by its texts or booleans, and into those that have it and those
 * that do not.  The field is taken whose largest part is the smallest, and what is
 * still too large is divided again.
 *
 * Parts that no record has shown need not be there: they are searched only if
 * records are missing in the end.  Nor is it certain that a filter finds what it
 * seems to: a list may be found by each of its texts.  What is complete is told
 * by counts alone, so that all of this may be wrong.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/float.h"
#include "utils/memutils.h"

#include "base/limits.h"
#include "scan/sweep_part.h"
#include "wire/decode.h"

/* A part is thought to have so much of what a search can bring */
#define FILLED 0.6

/* Records that are looked at, fields of them, texts of a field */
#define MOST_LOOKED_AT 2000
#define MOST_FIELDS 24
#define MOST_TEXTS 400

/* Divisions, one within the other, and parts altogether */
#define MOST_DEPTH 24
#define MOST_PARTS 400

/* The largest part has to be smaller than this share of the whole */
#define LEAST_GAIN 0.9

typedef struct Number
{
	double value;
	int record;
} Number;

/* What some records have in a field */
typedef struct Field
{
	const char *name;
	int nnumbers;
	Number *numbers; /* in order */
	int ntexts;		 /* different ones */
	char **texts;
	int *text_counts;
	int *text_of; /* by record: its number, or -1 */
	int nsingle;  /* texts that one record has */
	int nfalse;
	int ntrue;
	int nothers; /* lists and the like */
	int nmissing;
	double largest; /* part of it, as a share */
} Field;

typedef struct Division
{
	PineconeSweep *sweep;
	PineconeFields **fields; /* of the records that are looked at */
	dlist_head *likely;		 /* parts that these show, */
	dlist_head *unlikely;	 /* and others */
	double target;			 /* records of a part, */
	double most;			 /* and more must not be expected */
	bool undivided;			 /* some are too many */
} Division;

/* ---- What records have ---- */

static const PineconeField *
field_of(const PineconeFields *fields, const char *name)
{
	for (int i = 0; i < fields->n; i++)
	{
		if (fields->fields[i].name != NULL && strcmp(fields->fields[i].name, name) == 0)
			return &fields->fields[i];
	}
	return NULL;
}

static void
add_text(Field *field, char *text, int record)
{
	for (int i = 0; i < field->ntexts; i++)
	{
		if (strcmp(field->texts[i], text) != 0)
			continue;
		field->text_counts[i]++;
		field->text_of[record] = i;
		return;
	}
	if (field->ntexts == MOST_TEXTS)
	{
		field->nothers++;
		return;
	}
	field->texts[field->ntexts] = text;
	field->text_counts[field->ntexts] = 1;
	field->text_of[record] = field->ntexts++;
}

static int
compare_numbers(const void *a, const void *b)
{
	double x = ((const Number *) a)->value;
	double y = ((const Number *) b)->value;

	return (x > y) - (x < y);
}

static Field *
look_at_field(Division *division, const char *name, const int *records, int n)
{
	Field *field = palloc0(sizeof(Field));

	field->name = name;
	field->numbers = palloc(n * sizeof(Number));
	field->texts = palloc(MOST_TEXTS * sizeof(char *));
	field->text_counts = palloc(MOST_TEXTS * sizeof(int));
	field->text_of = palloc(n * sizeof(int));
	for (int i = 0; i < n; i++)
	{
		const PineconeField *one = field_of(division->fields[records[i]], name);

		field->text_of[i] = -1;
		if (one == NULL || one->value.kind == PINECONE_VALUE_NULL)
			field->nmissing++;
		else if (one->value.kind == PINECONE_VALUE_NUMBER)
			field->numbers[field->nnumbers++] = (Number){one->value.number, records[i]};
		else if (one->value.kind == PINECONE_VALUE_STRING && !one->value.no_text)
			add_text(field, one->value.text, i);
		else if (one->value.kind == PINECONE_VALUE_BOOL)
			*(one->value.boolean ? &field->ntrue : &field->nfalse) += 1;
		else
			field->nothers++;
	}
	qsort(field->numbers, field->nnumbers, sizeof(Number), compare_numbers);
	return field;
}

/* The first place from "from" on at which there is another number. */
static int
next_number(const Field *field, int from)
{
	int i = from + 1;

	while (i < field->nnumbers && field->numbers[i].value == field->numbers[from].value)
		i++;
	return i;
}

/* Where a part of numbers ends that begins at "from" and has "most" if it can. */
static int
end_of_numbers(const Field *field, int from, int most)
{
	int end = next_number(field, from);

	while (end < field->nnumbers)
	{
		int next = next_number(field, end);

		if (next - from > most)
			break;
		end = next;
	}
	return end;
}

/* How small the parts become that a field divides so many records into. */
static void
rate_field(Field *field, int n, int most)
{
	int largest = Max(field->nothers, Max(field->nmissing, Max(field->ntrue, field->nfalse)));

	for (int from = 0; from < field->nnumbers;)
	{
		int end = end_of_numbers(field, from, most);

		largest = Max(largest, end - from);
		from = end;
	}
	for (int i = 0; i < field->ntexts; i++)
	{
		largest = Max(largest, field->text_counts[i]);
		field->nsingle += field->text_counts[i] == 1;
	}
	/* texts that came once are about as many as records whose text has not come (Good, 1953) */
	largest = Max(largest, field->nothers + field->nsingle);
	/* no filter finds lists where there are no texts to be told from */
	if (field->nothers > 0 && field->ntexts == 0)
		largest = n;
	field->largest = (double) largest / n;
}

/* The field that divides best, or NULL. */
static Field *
best_field(Division *division, const int *records, int n, int most)
{
	const char *names[MOST_FIELDS];
	int nnames = 0;
	Field *best = NULL;

	for (int i = 0; i < n; i += Max(1, n / 50))
	{
		const PineconeFields *fields = division->fields[records[i]];

		for (int j = 0; j < fields->n && nnames < MOST_FIELDS; j++)
		{
			bool known = fields->fields[j].name == NULL;

			for (int k = 0; k < nnames && !known; k++)
				known = strcmp(names[k], fields->fields[j].name) == 0;
			if (!known)
				names[nnames++] = fields->fields[j].name;
		}
	}
	for (int i = 0; i < nnames; i++)
	{
		Field *field = look_at_field(division, names[i], records, n);

		rate_field(field, n, most);
		if (best == NULL || field->largest < best->largest)
			best = field;
	}
	return best != NULL && best->largest <= LEAST_GAIN ? best : NULL;
}

/* ---- Parts ---- */

static void divide(Division *division, const int *records, int n, PineconeFilter filter, double expected, int depth);

/* A part with those of the records that are in it: it may have to be divided again. */
static void
add_part(Division *division, const int *records, int n, PineconeFilter filter, PineconeFilter more,
		 double expected, int depth)
{
	if (n > 0)
		divide(division, records, n, pinecone_filter_both(filter, more), expected, depth + 1);
	else
		(void) pinecone_sweep_add(division->sweep, division->unlikely,
								  pinecone_filter_both(filter, more), 0, depth + 1);
}

static void
divide_numbers(Division *division, const Field *field, int most, PineconeFilter filter, double each, int depth)
{
	int *records = palloc(Max(field->nnumbers, 1) * sizeof(int));

	for (int from = 0; from < field->nnumbers;)
	{
		int end = end_of_numbers(field, from, most);
		double low = from == 0 ? -get_float8_infinity() : field->numbers[from].value;
		double high = end == field->nnumbers ? get_float8_infinity() : field->numbers[end].value;
		PineconeFilter range;

		if (from == 0 && end == field->nnumbers)
			range = pinecone_filter_either(pinecone_filter_numbers(field->name, field->numbers[from].value, false, high, false),
										   pinecone_filter_numbers(field->name, low, false, field->numbers[from].value, true));
		else
			range = pinecone_filter_numbers(field->name, low, false, high, true);
		for (int i = from; i < end; i++)
			records[i - from] = field->numbers[i].record;
		add_part(division, records, end - from, filter, range, (end - from) * each, depth);
		from = end;
	}
}

/* The records of some texts, by number, from all that have been looked at. */
static int
records_of_texts(const Field *field, const int *records, int n, const bool *chosen, int *result)
{
	int nresult = 0;

	for (int i = 0; i < n; i++)
	{
		if (field->text_of[i] >= 0 && chosen[field->text_of[i]])
			result[nresult++] = records[i];
	}
	return nresult;
}

static void
divide_texts(Division *division, const Field *field, const int *records, int n, int most,
			 PineconeFilter filter, double each, int depth)
{
	int *part = palloc(n * sizeof(int));
	bool *chosen = palloc0(Max(field->ntexts, 1) * sizeof(bool));
	bool *done = palloc0(Max(field->ntexts, 1) * sizeof(bool));
	char **texts = palloc(Max(field->ntexts, 1) * sizeof(char *));
	int others = field->nothers + field->nsingle;
	int npart;

	for (int first = 0; first < field->ntexts; first++)
	{
		int count = 0;
		int ntexts = 0;

		if (done[first])
			continue;
		memset(chosen, 0, field->ntexts * sizeof(bool));
		for (int i = first; i < field->ntexts; i++)
		{
			if (done[i] || (i > first && count + field->text_counts[i] > most))
				continue;
			done[i] = chosen[i] = true;
			texts[ntexts++] = field->texts[i];
			count += field->text_counts[i];
		}
		npart = records_of_texts(field, records, n, chosen, part);
		add_part(division, part, npart, filter, pinecone_filter_texts(field->name, true, texts, ntexts),
				 npart * each, depth);
	}
	/* texts that have not been seen, lists without one that has, and numbers, which then come twice */
	if (field->ntexts > 0)
		(void) pinecone_sweep_add(division->sweep, others > 0 ? division->likely : division->unlikely,
								  pinecone_filter_both(filter, pinecone_filter_both(pinecone_filter_exists(field->name, true), pinecone_filter_texts(field->name, false, field->texts, field->ntexts))),
								  others * each, depth + 1);
}

/* Records of one of the two booleans, or without the field */
static int
records_of_kind(Division *division, const char *name, const int *records, int n, int wanted, int *result)
{
	int nresult = 0;

	for (int i = 0; i < n; i++)
	{
		const PineconeField *one = field_of(division->fields[records[i]], name);
		bool missing = one == NULL || one->value.kind == PINECONE_VALUE_NULL;

		if (missing ? wanted < 0 : one->value.kind == PINECONE_VALUE_BOOL && one->value.boolean == wanted)
			result[nresult++] = records[i];
	}
	return nresult;
}

static void
divide_by_field(Division *division, const Field *field, const int *records, int n, int most,
				PineconeFilter filter, double each, int depth)
{
	int *part = palloc(n * sizeof(int));
	int npart;

	divide_numbers(division, field, most, filter, each, depth);
	divide_texts(division, field, records, n, most, filter, each, depth);
	for (int value = 0; value < 2 && field->ntrue + field->nfalse > 0; value++)
	{
		npart = records_of_kind(division, field->name, records, n, value, part);
		add_part(division, part, npart, filter, pinecone_filter_boolean(field->name, value), npart * each, depth);
	}
	npart = records_of_kind(division, field->name, records, n, -1, part);
	add_part(division, part, npart, filter, pinecone_filter_exists(field->name, false), npart * each, depth);
}

/*
 * Records that are expected to be so many, of which some are known: one part, or
 * several.
 */
static void
divide(Division *division, const int *records, int n, PineconeFilter filter, double expected, int depth)
{
	PineconeSweep *sweep = division->sweep;
	Field *field = NULL;
	int most;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (expected > division->target && depth < MOST_DEPTH && sweep->nparts < MOST_PARTS)
	{
		most = (int) Max(1, n * division->target / expected);
		field = best_field(division, records, n, most);
		if (field == NULL && expected > division->most)
			division->undivided = true;
	}
	if (field == NULL)
	{
		(void) pinecone_sweep_add(sweep, division->likely, filter, expected, depth);
		return;
	}
	if (sweep->field == NULL)
		sweep->field = MemoryContextStrdup(sweep->cxt, field->name);
	divide_by_field(division, field, records, n, most, filter, expected / n, depth);
}

/* Divide what meets a filter, as the records of a page show. */
static bool
divide_page(Division *division, const PineconePage *page, PineconeFilter filter, double expected, int depth)
{
	PineconeSweep *sweep = division->sweep;
	int step = Max(1, page->nrecords / MOST_LOOKED_AT);
	int *records = palloc(Max(page->nrecords, 1) * sizeof(int));
	int n = 0;

	division->fields = palloc(Max(page->nrecords, 1) * sizeof(PineconeFields *));
	for (int i = 0; i < page->nrecords; i += step)
	{
		const PineconeRecord *record = &page->records[i];
		const char *reason;

		if (record->metadata == NULL || !pinecone_decode_metadata(pinecone_record_padded_metadata(record), record->metadata_len, &division->fields[n], &reason))
			division->fields[n] = palloc0(sizeof(PineconeFields));
		records[n] = n;
		n++;
	}
	if (n == 0 || depth >= MOST_DEPTH || sweep->nparts >= MOST_PARTS)
		division->undivided = true;
	else if (best_field(division, records, n, (int) Max(1, n * division->target / expected)) == NULL)
		division->undivided = true;
	else
		divide(division, records, n, filter, expected, depth);
	return !division->undivided;
}

bool
pinecone_sweep_split(PineconeSweep *sweep, const PineconeSweepPart *part, const PineconePage *page)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone division", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	double capacity = pinecone_sweep_capacity(sweep);
	Division division = {sweep, .likely = &sweep->waiting, .unlikely = &sweep->unlikely, .target = Max(1, capacity * FILLED), .most = capacity};
	double expected = part->expected;
	bool done;

	/* more than a search brings, and nobody knows how many more */
	if (expected <= capacity)
		expected = 4.0 * Max(page->nrecords, part->top_k);
	done = divide_page(&division, page, part->filter, expected, part->depth);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(cxt);
	return done;
}

bool
pinecone_sweep_divide(PineconeSweep *sweep, const PineconePage *page, double records, double target,
					  dlist_head *likely, dlist_head *unlikely)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pinecone division", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	Division division = {sweep, .likely = likely, .unlikely = unlikely, .target = target, .most = PINECONE_COUNTED_AT_ONCE};
	bool done = divide_page(&division, page, (PineconeFilter){PINECONE_FILTER_ALWAYS, NULL}, records, 0);

	MemoryContextSwitchTo(old);
	MemoryContextDelete(cxt);
	return done;
}
