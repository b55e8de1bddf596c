/*
 * bare.c
 *		The floor for the benchmarks: libcurl alone, sending what the extension
 *		sends and throwing the replies away.
 *
 *	bare query URL KEY BODYFILE N		N POSTs of a body; prints the median in microseconds
 *	bare get URL KEY URLFILE CONCURRENCY	GETs of every path in a file, several in
 *									flight; prints seconds and bytes
 *	bare post URL KEY BODYFILE CONCURRENCY	POSTs of every line of a file, likewise;
 *									prints seconds and bytes sent
 */
#include <curl/curl.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static size_t received = 0;

static size_t
discard(char *data, size_t size, size_t n, void *arg)
{
	(void) data;
	(void) arg;
	received += size * n;
	return size * n;
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static struct curl_slist *
headers(const char *key)
{
	char line[600];
	struct curl_slist *list = NULL;

	snprintf(line, sizeof(line), "Api-Key: %s", key);
	list = curl_slist_append(list, line);
	list = curl_slist_append(list, "X-Pinecone-Api-Version: 2025-10");
	list = curl_slist_append(list, "Content-Type: application/json");
	return curl_slist_append(list, "Expect:");
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;

	return (x > y) - (x < y);
}

static int
run_query(const char *url, const char *key, const char *file, int n)
{
	CURL *curl = curl_easy_init();
	char *body = malloc(1 << 22);
	FILE *in = fopen(file, "r");
	size_t len;
	double *times = malloc(n * sizeof(double));

	if (!curl || !in || !body || !times)
		return 1;
	len = fread(body, 1, (1 << 22) - 1, in);
	fclose(in);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers(key));
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long) len);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard);
	for (int i = 0; i < n; i++)
	{
		double start = now();
		long status = 0;

		if (curl_easy_perform(curl) != CURLE_OK)
			return 1;
		times[i] = now() - start;
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
		if (status != 200)
			return 1;
	}
	qsort(times, n, sizeof(double), compare);
	printf("%.1f\n", times[n / 2] * 1e6);
	return 0;
}

/* The next line of a file mapped into memory, or NULL. */
static char *
next_line(char **position, char *end, size_t *len)
{
	char *line = *position;
	char *stop;

	if (line >= end)
		return NULL;
	stop = memchr(line, '\n', end - line);
	if (stop == NULL)
		stop = end;
	*len = stop - line;
	*position = stop + 1;
	return line;
}

/* Every line of a file as a request, several in flight. */
static int
run_many(bool post, const char *url, const char *key, const char *file, int concurrency)
{
	CURLM *multi = curl_multi_init();
	struct curl_slist *list = headers(key);
	int fd = open(file, O_RDONLY);
	struct stat info;
	char full[17000];
	char *position;
	char *end;
	char *line;
	size_t len = 0, sent = 0;
	int running = 0, active = 0, left;
	double start;

	if (!multi || fd < 0 || fstat(fd, &info) != 0)
		return 1;
	position = mmap(NULL, info.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (position == MAP_FAILED)
		return 1;
	end = position + info.st_size;
	start = now();
	line = next_line(&position, end, &len);
	while (line != NULL || active > 0)
	{
		CURLMsg *message;

		for (; line != NULL && active < concurrency; line = next_line(&position, end, &len))
		{
			CURL *curl = curl_easy_init();

			if (post)
			{
				curl_easy_setopt(curl, CURLOPT_URL, url);
				curl_easy_setopt(curl, CURLOPT_POSTFIELDS, line);
				curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long) len);
				sent += len;
			}
			else
			{
				snprintf(full, sizeof(full), "%s%.*s", url, (int) len, line);
				curl_easy_setopt(curl, CURLOPT_URL, full);
			}
			curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
			curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard);
			curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
			curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 256L * 1024);
			curl_multi_add_handle(multi, curl);
			active++;
		}
		curl_multi_perform(multi, &running);
		while ((message = curl_multi_info_read(multi, &left)) != NULL)
		{
			if (message->msg != CURLMSG_DONE)
				continue;
			if (message->data.result != CURLE_OK)
			{
				fprintf(stderr, "%s\n", curl_easy_strerror(message->data.result));
				return 1;
			}
			curl_multi_remove_handle(multi, message->easy_handle);
			curl_easy_cleanup(message->easy_handle);
			active--;
		}
		if (active > 0)
			curl_multi_poll(multi, NULL, 0, 1000, NULL);
	}
	printf("%.4f %zu\n", now() - start, post ? sent : received);
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc == 6 && strcmp(argv[1], "query") == 0)
		return run_query(argv[2], argv[3], argv[4], atoi(argv[5]));
	if (argc == 6 && strcmp(argv[1], "get") == 0)
		return run_many(false, argv[2], argv[3], argv[4], atoi(argv[5]));
	if (argc == 6 && strcmp(argv[1], "post") == 0)
		return run_many(true, argv[2], argv[3], argv[4], atoi(argv[5]));
	fprintf(stderr, "usage: bare query URL KEY BODYFILE N | bare get URL KEY URLFILE CONCURRENCY | "
					"bare post URL KEY BODYFILE CONCURRENCY\n");
	return 2;
}
