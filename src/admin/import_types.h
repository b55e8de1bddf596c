/*
 * import_types.h
 *		Which type a field's values have in common.
 */
#ifndef PINECONE_IMPORT_TYPES_H
#define PINECONE_IMPORT_TYPES_H

#include "admin/import_options.h"
#include "wire/record.h"

/* What a value has been seen to be: a bit, or 0 for null; those of a field are ORed. */
extern int pinecone_import_classify(const PineconeValue *value);

/* A text, whatever it looks like */
extern int pinecone_import_class_of_text(void);

/*
 * The type that takes all values seen, and with it the column option "format" that
 * it needs, or NULL; jsonb when nothing else does.
 */
extern const char *pinecone_import_type(int seen, const PineconeImportOptions *options, const char **format);

#endif /* PINECONE_IMPORT_TYPES_H */
