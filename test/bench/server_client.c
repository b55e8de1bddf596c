/*
 * server_client.c
 *		The client of server.sh: plain sockets, so that what is measured is the
 *		server.
 *
 *	server_client upsert PORT COUNT DIMENSION CONNECTIONS	bytes and seconds
 *	server_client query PORT DIMENSION COUNT				median seconds
 *	server_client download PORT SECONDS CONNECTIONS PATH	bytes and seconds
 *	server_client read BYTES THREADS						seconds to read memory once
 *	server_client touch BYTES								seconds to get and clear memory
 *
 * The API key is "bench".
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef struct Client
{
	int fd;
	char *buffer;
	size_t size;
} Client;

static void
fail(const char *what)
{
	fprintf(stderr, "server_client: %s\n", what);
	exit(1);
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static Client
connect_to(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short) port)};
	Client c = {.fd = socket(AF_INET, SOCK_STREAM, 0), .size = 1 << 20};
	int on = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(c.fd, (struct sockaddr *) &address, sizeof(address)) != 0)
		fail("could not connect");
	setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c.buffer = malloc(c.size + 1);
	return c;
}

static void
send_all(int fd, const char *data, size_t len)
{
	while (len > 0)
	{
		ssize_t n = write(fd, data, len);

		if (n <= 0)
			fail("the connection broke");
		data += n;
		len -= (size_t) n;
	}
}

/* Read a reply and forget it; returns the length of its body. */
static size_t
read_reply(Client *c)
{
	size_t have = 0, body, left;
	char *end = NULL, *length;

	while (!end)
	{
		ssize_t n = read(c->fd, c->buffer + have, c->size - have);

		if (n <= 0)
			fail("the connection broke");
		have += (size_t) n;
		c->buffer[have] = '\0';
		end = strstr(c->buffer, "\r\n\r\n");
	}
	if (strncmp(c->buffer, "HTTP/1.1 200", 12) != 0)
		fail(c->buffer);
	length = strcasestr(c->buffer, "content-length:");
	body = strtoul(length + 15, NULL, 10);
	left = body - (have - (size_t) (end + 4 - c->buffer));
	while (left > 0)
	{
		ssize_t n = read(c->fd, c->buffer, left < c->size ? left : c->size);

		if (n <= 0)
			fail("the connection broke");
		left -= (size_t) n;
	}
	return body;
}

/* A value as an embedding has it, in as many digits as a float needs */
static int
print_value(char *out, unsigned *seed)
{
	float value = ((float) rand_r(seed) / (float) RAND_MAX - 0.5f) * 0.1f;
	int len = 0;

	for (int precision = 6; precision <= 9; precision++)
	{
		len = sprintf(out, "%.*g", precision, (double) value);
		if (strtof(out, NULL) == value)
			break;
	}
	return len;
}

static char *
make_post(const char *path, const char *body, size_t len, size_t *total)
{
	char *message = malloc(len + 300);
	int head = sprintf(message, "POST %s HTTP/1.1\r\nHost: localhost\r\nApi-Key: bench\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", path, len);

	memcpy(message + head, body, len);
	*total = (size_t) head + len;
	return message;
}

/* ---- upsert ---- */

typedef struct Batches
{
	int port, count;
	char **messages;
	size_t *lengths;
	_Atomic int next;
} Batches;

static void *
send_batches(void *arg)
{
	Batches *b = arg;
	Client c = connect_to(b->port);

	for (int i; (i = atomic_fetch_add(&b->next, 1)) < b->count;)
	{
		send_all(c.fd, b->messages[i], b->lengths[i]);
		read_reply(&c);
	}
	close(c.fd);
	free(c.buffer);
	return NULL;
}

static void
upsert(int port, int count, int dimension, int connections)
{
	Batches b = {.port = port};
	char *body = malloc(4 << 20);
	unsigned seed = 1;
	size_t bytes = 0;
	pthread_t threads[64];
	double start;

	for (int i = 0; i < count;)
	{
		size_t len = (size_t) sprintf(body, "{\"namespace\":\"bench\",\"vectors\":[");

		for (int n = 0; n < 1000 && i < count && len + (size_t) dimension * 16 + 200 < 2000000; n++, i++)
		{
			len += (size_t) sprintf(body + len, "%s{\"id\":\"record-%07d\",\"values\":[", n ? "," : "", i);
			for (int d = 0; d < dimension; d++)
			{
				if (d > 0)
					body[len++] = ',';
				len += (size_t) print_value(body + len, &seed);
			}
			len += (size_t) sprintf(body + len, "],\"metadata\":{\"year\":%d,\"genre\":\"drama\"}}", 1950 + i % 70);
		}
		len += (size_t) sprintf(body + len, "]}");
		b.messages = realloc(b.messages, sizeof(char *) * (size_t) (b.count + 1));
		b.lengths = realloc(b.lengths, sizeof(size_t) * (size_t) (b.count + 1));
		b.messages[b.count] = make_post("/vectors/upsert", body, len, &b.lengths[b.count]);
		b.count++;
		bytes += len;
	}
	start = now();
	for (int i = 0; i < connections; i++)
		pthread_create(&threads[i], NULL, send_batches, &b);
	for (int i = 0; i < connections; i++)
		pthread_join(threads[i], NULL);
	printf("%zu %.6f\n", bytes, now() - start);
}

/* ---- query ---- */

static int
compare_doubles(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;

	return (x > y) - (x < y);
}

static void
query(int port, int dimension, int count)
{
	Client c = connect_to(port);
	double *times = malloc(sizeof(double) * (size_t) count);
	char *body = malloc((size_t) dimension * 20 + 200);
	unsigned seed = 2;

	for (int i = 0; i < count; i++)
	{
		size_t len = (size_t) sprintf(body, "{\"namespace\":\"bench\",\"topK\":10,\"vector\":[");
		size_t total;
		char *message;
		double start;

		for (int d = 0; d < dimension; d++)
		{
			if (d > 0)
				body[len++] = ',';
			len += (size_t) print_value(body + len, &seed);
		}
		len += (size_t) sprintf(body + len, "]}");
		message = make_post("/query", body, len, &total);
		start = now();
		send_all(c.fd, message, total);
		read_reply(&c);
		times[i] = now() - start;
		free(message);
	}
	qsort(times, (size_t) count, sizeof(double), compare_doubles);
	printf("%.6f\n", times[count / 2]);
}

/* ---- download ---- */

typedef struct Download
{
	int port;
	double end;
	const char *path;
	_Atomic size_t bytes;
} Download;

static void *
download_pages(void *arg)
{
	Download *d = arg;
	Client c = connect_to(d->port);
	char *message = malloc(strlen(d->path) + 200);
	size_t len = (size_t) sprintf(message, "GET %s HTTP/1.1\r\nHost: localhost\r\nApi-Key: bench\r\n\r\n", d->path);

	while (now() < d->end)
	{
		send_all(c.fd, message, len);
		d->bytes += read_reply(&c);
	}
	return NULL;
}

static void
download(int port, double seconds, int connections, const char *path)
{
	double start = now();
	Download d = {.port = port, .end = start + seconds, .path = path};
	pthread_t threads[64];

	for (int i = 0; i < connections; i++)
		pthread_create(&threads[i], NULL, download_pages, &d);
	for (int i = 0; i < connections; i++)
		pthread_join(threads[i], NULL);
	printf("%zu %.6f\n", d.bytes, now() - start);
}

/* ---- memory ---- */

typedef struct Part
{
	const float *data;
	size_t count;
	float sum;
} Part;

static void *
read_part(void *arg)
{
	Part *p = arg;
	float sums[16] = {0};

	for (size_t i = 0; i + 16 <= p->count; i += 16)
	{
		for (int k = 0; k < 16; k++)
			sums[k] += p->data[i + (size_t) k];
	}
	for (int k = 0; k < 16; k++)
		p->sum += sums[k];
	return NULL;
}

static void
read_memory(size_t bytes, int nthreads)
{
	float *data = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	double times[11];
	float sum = 0;

	madvise(data, bytes, MADV_HUGEPAGE);
	for (size_t i = 0; i < bytes / sizeof(float); i++)
		data[i] = (float) (i & 1023);
	for (int run = 0; run < 11; run++)
	{
		Part parts[64];
		pthread_t threads[64];
		double start = now();

		for (int i = 0; i < nthreads; i++)
		{
			parts[i] = (Part){.data = data + bytes / sizeof(float) / (size_t) nthreads * (size_t) i, .count = bytes / sizeof(float) / (size_t) nthreads};
			pthread_create(&threads[i], NULL, read_part, &parts[i]);
		}
		for (int i = 0; i < nthreads; i++)
		{
			pthread_join(threads[i], NULL);
			sum += parts[i].sum;
		}
		times[run] = now() - start;
	}
	qsort(times, 11, sizeof(double), compare_doubles);
	/* The sum must be used, or nothing is read */
	fprintf(stderr, sum == 0 ? "?" : "");
	printf("%.6f\n", times[5]);
}

static void
touch_memory(size_t bytes)
{
	double start = now();
	char *data = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (size_t i = 0; i < bytes; i += 4096)
		data[i] = 1;
	printf("%.6f\n", now() - start);
}

int
main(int argc, char **argv)
{
	if (argc == 6 && strcmp(argv[1], "upsert") == 0)
		upsert(atoi(argv[2]), atoi(argv[3]), atoi(argv[4]), atoi(argv[5]));
	else if (argc == 5 && strcmp(argv[1], "query") == 0)
		query(atoi(argv[2]), atoi(argv[3]), atoi(argv[4]));
	else if (argc == 6 && strcmp(argv[1], "download") == 0)
		download(atoi(argv[2]), atof(argv[3]), atoi(argv[4]), argv[5]);
	else if (argc == 4 && strcmp(argv[1], "read") == 0)
		read_memory(strtoul(argv[2], NULL, 10), atoi(argv[3]));
	else if (argc == 3 && strcmp(argv[1], "touch") == 0)
		touch_memory(strtoul(argv[2], NULL, 10));
	else
		fail("see the top of server_client.c");
	return 0;
}
