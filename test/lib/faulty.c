/*
 * faulty.c
 *		A library to be preloaded: a resolver that does not answer, a clock that is
 *		set, memory that runs out.  Faulty.pm says when.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <netdb.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* As Faulty.pm packs it */
typedef struct Control
{
	int64_t clock_offset; /* s that the time of day is wrong by */
	int64_t silent;		  /* no look-up of a name in .test is answered */
	int64_t lookups;	  /* counted here */
	int64_t process;	  /* whose memory runs out */
	int64_t countdown;	  /* the allocation that fails, counted from 1; 0: none */
	int64_t failed;		  /* counted here */
	char library[64];	  /* allocations of this library alone; "": of the program */
} Control;

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

static Control *control = NULL;

__attribute__((constructor)) static void
open_control(void)
{
	const char *path = getenv("FAULTY_FILE");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *map;

	if (fd < 0)
		return;
	map = mmap(NULL, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (map != MAP_FAILED)
		control = map;
}

/* ---- Names ---- */

int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
	static int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = NULL;
	size_t len = node ? strlen(node) : 0;

	if (real == NULL)
		real = (int (*)(const char *, const char *, const struct addrinfo *, struct addrinfo **)) dlsym(RTLD_NEXT, "getaddrinfo");
	if (control == NULL || len < 5 || strcmp(node + len - 5, ".test") != 0)
		return real(node, service, hints, list);
	__atomic_add_fetch(&control->lookups, 1, __ATOMIC_SEQ_CST);
	while (control->silent)
		usleep(10000);
	if (strncmp(node, "unknown.", 8) == 0)
		return EAI_NONAME;
	/* one that is refused comes first */
	return real(strncmp(node, "two.", 4) == 0 ? "localhost" : "127.0.0.1", service, hints, list);
}

/* ---- The time of day ---- */

int
clock_gettime(clockid_t clock, struct timespec *now)
{
	static int (*real)(clockid_t, struct timespec *) = NULL;
	int result;

	if (real == NULL)
		real = (int (*)(clockid_t, struct timespec *)) dlsym(RTLD_NEXT, "clock_gettime");
	result = real(clock, now);
	if (result == 0 && clock == CLOCK_REALTIME && control != NULL)
		now->tv_sec += control->clock_offset;
	return result;
}

int
gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	struct timespec precise;

	if (clock_gettime(CLOCK_REALTIME, &precise) < 0)
		return -1;
	now->tv_sec = precise.tv_sec;
	now->tv_usec = precise.tv_nsec / 1000;
	return 0;
}

time_t
time(time_t *place)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (place != NULL)
		*place = now.tv_sec;
	return now.tv_sec;
}

/* ---- Memory ---- */

typedef struct Range
{
	uintptr_t address;
	int found;
} Range;

static int
look_at_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	Range *range = arg;
	const char *name = info->dlpi_name ? info->dlpi_name : "";

	if (control->library[0] ? strstr(name, control->library) == NULL : name[0] != '\0')
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++)
	{
		uintptr_t start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;

		if (info->dlpi_phdr[i].p_type == PT_LOAD && range->address >= start &&
			range->address < start + info->dlpi_phdr[i].p_memsz)
			range->found = 1;
	}
	return range->found;
}

/* Is this the one that fails? */
static int
fails(void *caller)
{
	static __thread int looking = 0;
	Range range = {(uintptr_t) caller, 0};

	if (control == NULL || control->countdown <= 0 || control->process != getpid() || looking)
		return 0;
	looking = 1;
	dl_iterate_phdr(look_at_object, &range);
	looking = 0;
	if (!range.found || --control->countdown > 0)
		return 0;
	control->failed++;
	errno = ENOMEM;
	return 1;
}

void *
malloc(size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *old, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(old, size);
}

char *
strdup(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);

	return copy ? memcpy(copy, text, size) : NULL;
}
