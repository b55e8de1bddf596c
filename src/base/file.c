/*
 * file.c
 *		Small files on the database server, kept in memory until they change.
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nodes/pg_list.h"
#include "storage/fd.h"
#include "utils/memutils.h"

#include "base/file.h"

/* A file as it was when last read; kept for the backend's life. */
typedef struct KeptFile
{
	PineconeFile file; /* first, so that one is the other */
	char *path;
	struct stat stat;
} KeptFile;

static List *kept_files = NIL;

static KeptFile *
find_kept(const char *path)
{
	ListCell *lc;

	foreach(lc, kept_files)
	{
		if (strcmp(((KeptFile *) lfirst(lc))->path, path) == 0)
			return lfirst(lc);
	}
	return NULL;
}

static bool
is_unchanged(const struct stat *one, const struct stat *other)
{
	return one->st_ino == other->st_ino && one->st_dev == other->st_dev &&
		   one->st_size == other->st_size && one->st_mode == other->st_mode &&
		   one->st_mtim.tv_sec == other->st_mtim.tv_sec &&
		   one->st_mtim.tv_nsec == other->st_mtim.tv_nsec;
}

static bool
refuse(bool again, const char *what, const char *path, const char *doing)
{
	if (!again)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not %s %s \"%s\": %m", doing, what, path)));
	return false;
}

/* Is it one that can be opened and read without waiting for anybody? */
static bool
is_plain(const struct stat *stat, const char *path, const char *what, size_t most, bool again)
{
	if (!S_ISREG(stat->st_mode))
	{
		if (!again)
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("%s \"%s\" is not a regular file", what, path)));
		return false;
	}
	if (stat->st_size > (off_t) most)
	{
		if (!again)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("%s \"%s\" is longer than %zu bytes", what, path, most)));
		return false;
	}
	return true;
}

/* All of it into "data", which has room for most + 1 bytes; -1 with errno set. */
static ssize_t
read_all(int fd, char *data, size_t most)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, data + len, most - len)) != 0)
	{
		if (n < 0 && errno != EINTR)
			return -1;
		len += Max(n, 0);
	}
	data[len] = '\0';
	return len;
}

/* Read it into memory of the current context. */
static char *
read_file(const char *path, const char *what, size_t most, bool again, struct stat *stat, size_t *len)
{
	char *data;
	ssize_t n;
	int fd = OpenTransientFile(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
	{
		(void) refuse(again, what, path, "open");
		return NULL;
	}
	/* it may not be what it was a moment ago */
	if (fstat(fd, stat) < 0 || !is_plain(stat, path, what, most, again))
	{
		CloseTransientFile(fd);
		return NULL;
	}
	data = palloc(stat->st_size + 1);
	n = read_all(fd, data, stat->st_size);
	if (n < 0)
		(void) refuse(again, what, path, "read");
	CloseTransientFile(fd);
	*len = Max(n, 0);
	return n < 0 ? NULL : data;
}

static KeptFile *
keep_file(KeptFile *kept, const char *path, const char *data, size_t len, const struct stat *stat)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
	char *copy = palloc(len + 1);

	memcpy(copy, data, len + 1);
	if (kept == NULL)
	{
		kept = palloc0(sizeof(KeptFile));
		kept->path = pstrdup(path);
		kept_files = lappend(kept_files, kept);
	}
	if (kept->file.data != NULL)
		pfree(kept->file.data);
	kept->file.data = copy;
	kept->file.len = len;
	kept->file.public = (stat->st_mode & S_IROTH) != 0;
	kept->stat = *stat;
	MemoryContextSwitchTo(old);
	return kept;
}

const PineconeFile *
pinecone_file_read(const char *path, const char *what, size_t most, bool again)
{
	KeptFile *kept = find_kept(path);
	struct stat now;
	size_t len;
	char *data;

	if (stat(path, &now) < 0)
	{
		(void) refuse(again, what, path, "read");
		return NULL;
	}
	if (!is_plain(&now, path, what, most, again))
		return NULL;
	if (!again && kept != NULL && is_unchanged(&kept->stat, &now))
	{
		kept->file.fresh = false;
		return &kept->file;
	}
	data = read_file(path, what, most, again, &now, &len);
	if (data == NULL)
		return NULL;
	kept = keep_file(kept, path, data, len, &now);
	kept->file.fresh = true;
	pfree(data);
	return &kept->file;
}
