/*
 * file.h
 *		Reads a small file of the database server's, again only when it has changed;
 *		never waits for one that is no plain file.
 */
#ifndef PINECONE_FILE_H
#define PINECONE_FILE_H

typedef struct PineconeFile
{
	char *data; /* NUL-terminated */
	size_t len;
	bool fresh;	 /* it has been read just now */
	bool public; /* every user of the machine may read it */
} PineconeFile;

/*
 * The file of that path, at most so long; "what" is what messages call it.  Only
 * a regular file is opened, because a pipe would keep its reader waiting.  It is
 * read again when it has changed, and with "again" in any case.  What is wrong
 * with it is an error, or with "again" makes it NULL.  Good until the next call.
 */
extern const PineconeFile *pinecone_file_read(const char *path, const char *what, size_t most,
											  bool again);

#endif /* PINECONE_FILE_H */
