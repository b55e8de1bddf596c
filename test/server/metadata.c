/*
 * metadata.c
 *		Metadata of a record: read, checked, merged, written.
 */
#include "metadata.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

bool metadata_drop_null = false;
bool metadata_point_zero = false;

/* Names of keys; only ever grows */
static struct
{
	pthread_rwlock_t lock;
	Str *names;
	uint32_t count, size;
	uint32_t *slots; /* number + 1, by hash */
	uint32_t nslots;
} keys = {.lock = PTHREAD_RWLOCK_INITIALIZER};

/* The slot where a name is or would be. */
static uint32_t
find_slot(Str name)
{
	uint32_t i = (uint32_t) hash_bytes(name.s, name.len) & (keys.nslots - 1);

	while (keys.slots[i] && !str_equal(keys.names[keys.slots[i] - 1], name))
		i = (i + 1) & (keys.nslots - 1);
	return i;
}

static void
grow_keys(void)
{
	keys.nslots = keys.nslots ? keys.nslots * 2 : 256;
	keys.size = keys.nslots / 2;
	keys.names = mem_resize(keys.names, keys.size * sizeof(Str));
	free(keys.slots);
	keys.slots = mem_zero(keys.nslots * sizeof(uint32_t));
	for (uint32_t i = 0; i < keys.count; i++)
		keys.slots[find_slot(keys.names[i])] = i + 1;
}

uint32_t
metadata_key(Str name)
{
	uint32_t found = 0;

	pthread_rwlock_rdlock(&keys.lock);
	if (keys.nslots)
		found = keys.slots[find_slot(name)];
	pthread_rwlock_unlock(&keys.lock);
	if (found)
		return found - 1;

	pthread_rwlock_wrlock(&keys.lock);
	if (keys.count == keys.size)
		grow_keys();
	if (!keys.slots[find_slot(name)])
	{
		keys.names[keys.count] = (Str){mem_text(name), name.len};
		keys.slots[find_slot(name)] = keys.count + 1;
		keys.count++;
	}
	found = keys.slots[find_slot(name)];
	pthread_rwlock_unlock(&keys.lock);
	return found - 1;
}

Str
metadata_key_name(uint32_t key)
{
	Str name;

	pthread_rwlock_rdlock(&keys.lock);
	name = keys.names[key];
	pthread_rwlock_unlock(&keys.lock);
	return name;
}

typedef MetadataBuilder Builder;

static Field *
add_field(Builder *b, uint32_t key)
{
	Field *fields = (Field *) b->fields.data;
	Field field = {.key = key};

	/* A key that comes twice: the later value counts */
	for (uint32_t i = 0; i < b->count; i++)
	{
		if (fields[i].key == key)
			return &fields[i];
	}
	buffer_add(&b->fields, &field, sizeof(field));
	b->count++;
	return (Field *) b->fields.data + b->count - 1;
}

static void
add_list_string(Builder *b, Str s)
{
	uint32_t length = (uint32_t) s.len;

	buffer_add(&b->strings, &length, sizeof(length));
	buffer_add_str(&b->strings, s);
}

Metadata *
metadata_finish(Builder *b)
{
	Metadata *m = NULL;
	size_t size = sizeof(Metadata) + b->fields.len + b->strings.len;

	if (b->count)
	{
		m = mem_alloc(size);
		m->count = b->count;
		m->size = (uint32_t) size;
		memcpy(m->fields, b->fields.data, b->fields.len);
		if (b->strings.len)
			memcpy((char *) m->fields + b->fields.len, b->strings.data, b->strings.len);
	}
	buffer_free(&b->fields);
	buffer_free(&b->strings);
	return m;
}

static bool
refuse_value(JsonReader *r, Str key, Str raw, Str *message)
{
	bool cut = raw.len > 100;

	*message = arena_printf(r->arena,
							"Metadata value must be a string, number, boolean or list of strings, got '%.*s%s' for field '%.*s'",
							(int) (cut ? 97 : raw.len), raw.s, cut ? "..." : "", (int) key.len, key.s);
	return false;
}

/* A list; only strings may be in it. */
static bool
read_list(JsonReader *r, Builder *b, Str key, Str *message)
{
	JsonReader again = *r;
	Str raw, item;
	bool first = true;
	uint32_t count = 0;
	size_t offset = b->strings.len;
	Field *field;

	json_begin(r, '[');
	while (json_next_item(r, &first))
	{
		if (json_peek(r) != '"')
		{
			*r = again;
			return json_skip(r, &raw) && refuse_value(r, key, raw, message);
		}
		if (!json_read_string(r, &item))
			return false;
		add_list_string(b, item);
		count++;
	}
	if (r->error)
		return false;
	field = add_field(b, metadata_key(key));
	field->type = FIELD_LIST;
	field->offset = (uint32_t) offset;
	field->length = count;
	return true;
}

/*
 * Read one field. Numbers, strings, booleans and lists of strings are what
 * metadata may hold; anything else is the error that the service gives.
 */
bool
metadata_read_field(JsonReader *r, Builder *b, Str key, Str *message)
{
	Field *field;
	Str s;
	double number;
	bool boolean;

	switch (json_peek(r))
	{
		case '"':
			if (!json_read_string(r, &s))
				return false;
			field = add_field(b, metadata_key(key));
			field->type = FIELD_STRING;
			field->offset = (uint32_t) b->strings.len;
			field->length = (uint32_t) s.len;
			buffer_add_str(&b->strings, s);
			return true;
		case 't':
		case 'f':
			if (!json_read_bool(r, &boolean))
				return false;
			field = add_field(b, metadata_key(key));
			field->type = FIELD_BOOL;
			field->boolean = boolean;
			return true;
		case '[':
			return read_list(r, b, key, message);
		case 'n':
			if (metadata_drop_null)
				return json_read_null(r);
			/* fall through */
		case '{':
			return json_skip(r, &s) && refuse_value(r, key, s, message);
		default:
			if (!json_read_double(r, &number))
				return false;
			field = add_field(b, metadata_key(key));
			field->type = FIELD_NUMBER;
			field->number = number;
			return true;
	}
}

bool
metadata_read(JsonReader *r, Metadata **result, Str *message)
{
	Builder b = {0};
	bool first = true, good = true;
	Str key;

	*message = (Str){0};
	*result = NULL;
	if (!json_begin(r, '{'))
		return false;
	while (good && json_next_key(r, &first, &key))
	{
		if (key.len > 0 && key.s[0] == '$')
		{
			*message = arena_printf(r->arena, "Metadata field '%.*s' cannot start with '$'", (int) key.len, key.s);
			good = false;
		}
		else
			good = metadata_read_field(r, &b, key, message);
	}
	*result = metadata_finish(&b);
	if (good && !r->error)
		return true;
	free(*result);
	*result = NULL;
	return false;
}

/* A field as it is, strings and all */
static void
copy_field(Builder *b, const Metadata *m, const Field *from)
{
	const char *at = metadata_strings(m) + from->offset;
	Field *to = add_field(b, from->key);

	*to = *from;
	if (from->type == FIELD_STRING)
	{
		to->offset = (uint32_t) b->strings.len;
		buffer_add_str(&b->strings, metadata_string(m, from));
	}
	else if (from->type == FIELD_LIST)
	{
		to->offset = (uint32_t) b->strings.len;
		for (uint32_t n = 0; n < from->length; n++)
			add_list_string(b, metadata_next_string(&at));
	}
}

/* Add the fields of a value that another does not have. */
static void
add_all(Builder *b, const Metadata *m, const Metadata *without)
{
	for (uint32_t i = 0; m && i < m->count; i++)
	{
		if (!metadata_find(without, m->fields[i].key))
			copy_field(b, m, &m->fields[i]);
	}
}

Metadata *
metadata_merge(const Metadata *base, const Metadata *changes)
{
	Builder b = {0};

	add_all(&b, base, changes);
	add_all(&b, changes, NULL);
	return metadata_finish(&b);
}

Metadata *
metadata_without(const Metadata *m, const uint32_t *removed, int nremoved)
{
	Builder b = {0};

	for (uint32_t i = 0; m && i < m->count; i++)
	{
		bool keep = true;

		for (int k = 0; k < nremoved && keep; k++)
			keep = removed[k] != m->fields[i].key;
		if (keep)
			copy_field(&b, m, &m->fields[i]);
	}
	return metadata_finish(&b);
}

static void
write_number(Buffer *b, double number)
{
	json_add_double(b, number);
	if (metadata_point_zero && fabs(number) < 1e15 && number == floor(number))
		buffer_add_text(b, ".0");
}

void
metadata_write_field(Buffer *b, const Metadata *m, const Field *f)
{
	const char *at = metadata_strings(m) + f->offset;

	json_add_string(b, metadata_key_name(f->key));
	buffer_add_char(b, ':');
	switch ((FieldType) f->type)
	{
		case FIELD_BOOL:
			buffer_add_text(b, f->boolean ? "true" : "false");
			break;
		case FIELD_NUMBER:
			write_number(b, f->number);
			break;
		case FIELD_STRING:
			json_add_string(b, metadata_string(m, f));
			break;
		case FIELD_LIST:
			buffer_add_char(b, '[');
			for (uint32_t n = 0; n < f->length; n++)
			{
				if (n > 0)
					buffer_add_char(b, ',');
				json_add_string(b, metadata_next_string(&at));
			}
			buffer_add_char(b, ']');
	}
}

void
metadata_write(Buffer *b, const Metadata *m)
{
	buffer_add_char(b, '{');
	for (uint32_t i = 0; m && i < m->count; i++)
	{
		if (i > 0)
			buffer_add_char(b, ',');
		metadata_write_field(b, m, &m->fields[i]);
	}
	buffer_add_char(b, '}');
}

/* What counts against METADATA_LIMIT */
static size_t
metadata_text_size(const Metadata *m)
{
	Buffer b = {0};
	size_t size;

	metadata_write(&b, m);
	size = b.len;
	buffer_free(&b);
	return size;
}

bool
metadata_check_size(const Metadata *m, Arena *arena, Str *message)
{
	size_t size;

	size = metadata_text_size(m);
	if (size <= METADATA_LIMIT)
		return true;
	*message = arena_printf(arena, "Metadata size is %zu bytes, which exceeds the limit of %d bytes per vector", size,
							METADATA_LIMIT);
	return false;
}
