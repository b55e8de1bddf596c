/*
 * metadata.h
 *		From JSON to the stored form of a record's metadata, and back.
 *
 * A metadata value is one piece of memory: a header, the entries, the strings.
 * Keys are numbers that stand for their names in the whole program, so that a
 * filter finds a field by comparing integers.
 */
#ifndef METADATA_H
#define METADATA_H

#include "json.h"

#define METADATA_LIMIT 40960

typedef enum FieldType
{
	FIELD_BOOL,
	FIELD_NUMBER,
	FIELD_STRING,
	FIELD_LIST, /* of strings */
} FieldType;

typedef struct Field
{
	uint32_t key;
	uint16_t type;
	uint16_t boolean;
	union
	{
		double number;
		struct
		{
			uint32_t offset; /* into the strings */
			uint32_t length; /* of the string; of a list, how many strings */
		};
	};
} Field;

typedef struct Metadata
{
	uint32_t count;
	uint32_t size; /* of all this */
	Field fields[];
} Metadata;

/* Switches of how metadata is read and written */
extern bool metadata_drop_null;	 /* drop null values instead of refusing them */
extern bool metadata_point_zero; /* write integral numbers as 2020.0 */

extern uint32_t metadata_key(Str name);
extern Str metadata_key_name(uint32_t key);

/*
 * Read an object; false with a message (made in the arena) when it is not
 * valid metadata or, in reader->error, not JSON.  The result is malloc'ed, NULL
 * for an empty one.
 */
extern bool metadata_read(JsonReader *r, Metadata **result, Str *message);

/*
 * The same, field by field: start with an empty builder, and finish it in any
 * case.
 */
typedef struct MetadataBuilder
{
	Buffer fields;
	Buffer strings;
	uint32_t count;
} MetadataBuilder;

extern bool metadata_read_field(JsonReader *r, MetadataBuilder *b, Str key, Str *message);
extern Metadata *metadata_finish(MetadataBuilder *b);

/* A copy without some fields; NULL when none is left */
extern Metadata *metadata_without(const Metadata *metadata, const uint32_t *keys, int nkeys);
/* One field as "name":value */
extern void metadata_write_field(Buffer *b, const Metadata *metadata, const Field *field);

/* A new value: base with the fields of changes set; both may be NULL */
extern Metadata *metadata_merge(const Metadata *base, const Metadata *changes);

extern void metadata_write(Buffer *b, const Metadata *metadata);
extern bool metadata_check_size(const Metadata *metadata, Arena *arena, Str *message);

static inline const Field *
metadata_find(const Metadata *m, uint32_t key)
{
	if (m)
	{
		for (uint32_t i = 0; i < m->count; i++)
		{
			if (m->fields[i].key == key)
				return &m->fields[i];
		}
	}
	return NULL;
}

static inline const char *
metadata_strings(const Metadata *m)
{
	return (const char *) (m->fields + m->count);
}

static inline Str
metadata_string(const Metadata *m, const Field *f)
{
	return (Str){metadata_strings(m) + f->offset, f->length};
}

/* The next string of a list: a length of four bytes, then the text */
static inline Str
metadata_next_string(const char **at)
{
	uint32_t length;
	Str s;

	memcpy(&length, *at, sizeof(length));
	s = (Str){*at + sizeof(length), length};
	*at = s.s + length;
	return s;
}

#endif
