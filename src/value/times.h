/*
 * times.h
 *		From strings and numbers of metadata to dates and times, and back.
 */
#ifndef PINECONE_TIMES_H
#define PINECONE_TIMES_H

#include "lib/stringinfo.h"
#include "utils/date.h"
#include "utils/timestamp.h"

#include "option/option_list.h"
#include "wire/record.h"

/*
 * A value as a date, or as a timestamp with or without time zone that
 * timestamp(typmod) holds without rounding; false: it does not fit.
 */
extern bool pinecone_times_read_date(PineconeFormat format, const PineconeValue *value,
									 Datum *datum);
extern bool pinecone_times_read(PineconeFormat format, bool with_zone, int32 typmod,
								const PineconeValue *value, Datum *datum);

/* The reverse, as JSON; returns NULL, or the reason why it cannot be stored. */
extern const char *pinecone_times_append_date(StringInfo buf, PineconeFormat format, DateADT date);
extern const char *pinecone_times_append(StringInfo buf, PineconeFormat format, bool with_zone,
										 Timestamp timestamp);

/*
 * In place of a stored value (JSON, or NULL for none): as it is if it means the same
 * time, and else spelled as that is.
 */
extern const char *pinecone_times_append_like(StringInfo buf, const char *stored, bool with_zone,
											  Timestamp timestamp);

/* What a string is, if it is a date or a time: spelled so that iso (as JavaScript does), iso_short or iso_python writes it, or otherwise. */
typedef enum PineconeTimeSpelling
{
	PINECONE_TIME_NONE,
	PINECONE_TIME_DATE,
	PINECONE_TIME_LOCAL, /* without a time zone */
	PINECONE_TIME_ISO,
	PINECONE_TIME_ISO_SHORT,
	PINECONE_TIME_ISO_PYTHON,
	PINECONE_TIME_OTHER
} PineconeTimeSpelling;

extern PineconeTimeSpelling pinecone_times_spelling(const char *text, int len);

#endif /* PINECONE_TIMES_H */
