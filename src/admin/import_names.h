/*
 * import_names.h
 *		What the column of a field is called.
 */
#ifndef PINECONE_IMPORT_NAMES_H
#define PINECONE_IMPORT_NAMES_H

/* A field's name in lower snake case, so that SQL need not quote it; palloc'ed. */
extern char *pinecone_import_fold(const char *name);

#endif /* PINECONE_IMPORT_NAMES_H */
