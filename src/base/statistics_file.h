/*
 * statistics_file.h
 *		A block of memory in a file, from a clean end of the server to its next start.
 */
#ifndef PINECONE_STATISTICS_FILE_H
#define PINECONE_STATISTICS_FILE_H

/*
 * Write it; failing is told in the log, and leaves no file.  "form" tells blocks
 * of another make apart.
 */
extern void pinecone_statistics_file_write(const char *path, uint32 form, const void *block, size_t size);

/*
 * Read one of this form, palloc'ed, and remove the file.  NULL: there is none, or
 * it is damaged or of another make, which is told in the log.
 */
extern void *pinecone_statistics_file_read(const char *path, uint32 form, size_t *size);

#endif /* PINECONE_STATISTICS_FILE_H */
