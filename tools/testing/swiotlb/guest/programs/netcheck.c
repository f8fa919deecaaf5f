// SPDX-License-Identifier: GPL-2.0
/*
 * Send seeded content to a TCP echo server in writes of many sizes, and compare
 * what comes back while more is still being sent.
 *
 *   netcheck HOST PORT SEED BYTES
 *   netcheck --serve PORT        an echo server on the host, for one connection
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "guest.h"

#define BUFFER		(256 * 1024)
#define SILENCE_S	30		/* seconds without a byte: failed */

struct flow {
	int sock;
	__u64 seed;
	__u64 bytes;
	__u64 done;
	bool ok;
};

/* Mostly small, some the size of a frame or of many. */
static size_t pick_size(struct rng *rng, __u64 left)
{
	static const size_t most[] = { 8, 256, 1460, 1514, 9000, 65536, BUFFER };
	size_t size = 1 + rng_below(rng, most[rng_below(rng, 7)]);

	return size < left ? size : left;
}

/* Send all of it. A send that stops for SILENCE_S fails. */
static bool send_all(int sock, const char *mem, size_t len)
{
	ssize_t done;

	while (len) {
		done = send(sock, mem, len, MSG_NOSIGNAL);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0) {
			note("send: %s", strerror(errno));
			return false;
		}
		mem += done;
		len -= done;
	}
	return true;
}

static void *sender(void *arg)
{
	struct flow *flow = arg;
	struct rng rng = rng_from(flow->seed, 1);
	char *mem = xalloc(BUFFER, 64);

	flow->ok = true;
	while (flow->ok && flow->done < flow->bytes) {
		size_t len = pick_size(&rng, flow->bytes - flow->done);
		size_t off = rng_below(&rng, 64) % (BUFFER - len + 1);

		pattern_fill(mem + off, len, flow->seed, 0, flow->done);
		flow->ok = send_all(flow->sock, mem + off, len);
		if (flow->ok)
			flow->done += len;
	}
	shutdown(flow->sock, SHUT_WR);
	free(mem);
	return NULL;
}

static void receive(struct flow *flow)
{
	struct rng rng = rng_from(flow->seed, 2);
	char *mem = xalloc(BUFFER, 64);

	flow->ok = true;
	while (flow->ok && flow->done < flow->bytes) {
		size_t len = pick_size(&rng, flow->bytes - flow->done);
		ssize_t got = recv(flow->sock, mem, len, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			note("%llu of %llu bytes came back: %s", flow->done,
			     flow->bytes,
			     got ? strerror(errno) : "connection closed");
			flow->ok = false;
			break;
		}
		flow->ok = pattern_check(mem, got, flow->seed, 0, flow->done) < 0;
		flow->done += got;
	}
	free(mem);
}

/* Bytes beyond those sent are wrong as well. */
static bool at_end(int sock)
{
	char byte;
	ssize_t got = recv(sock, &byte, 1, 0);

	if (got > 0)
		note("more came back than was sent");
	if (got < 0)
		note("the end: %s", strerror(errno));
	return !got;
}

static int check(int sock, __u64 seed, __u64 bytes)
{
	struct flow out = { .sock = sock, .seed = seed, .bytes = bytes };
	struct flow in = out;
	pthread_t thread;

	ktap_start("netcheck", 3);
	if (pthread_create(&thread, NULL, sender, &out))
		die("no thread");
	receive(&in);
	if (!in.ok)
		shutdown(sock, SHUT_RDWR);	/* the sender need not wait */
	pthread_join(thread, NULL);
	ktap_result(out.ok, "sent");
	ktap_result(in.ok, "echo_compared");
	ktap_result(in.ok && at_end(sock), "nothing_more");
	close(sock);
	return ktap_end(out.done + in.done);
}

static int connect_to(const char *host, __u16 port)
{
	struct timeval silence = { .tv_sec = SILENCE_S };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	int sock = socket(AF_INET, SOCK_STREAM, 0);

	if (inet_pton(AF_INET, host, &to.sin_addr) != 1)
		die("HOST: '%s' is no IPv4 address", host);
	if (sock < 0)
		die("socket: %s", strerror(errno));
	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof(silence));
	setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &silence, sizeof(silence));
	if (connect(sock, (struct sockaddr *)&to, sizeof(to)))
		die("%s port %u: %s", host, port, strerror(errno));
	return sock;
}

static int echo(int sock)
{
	char *mem = xalloc(BUFFER, 64);
	ssize_t got;

	while ((got = recv(sock, mem, BUFFER, 0)) > 0) {
		if (!send_all(sock, mem, got))
			return 1;
	}
	free(mem);
	close(sock);
	return got < 0;
}

static int serve(__u16 port)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int sock = socket(AF_INET, SOCK_STREAM, 0);
	int one = 1;

	setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (sock < 0 || bind(sock, (struct sockaddr *)&at, sizeof(at)) || listen(sock, 1))
		die("port %u: %s", port, strerror(errno));
	sock = accept(sock, NULL, NULL);
	if (sock < 0)
		die("accept: %s", strerror(errno));
	return echo(sock);
}

int main(int argc, char **argv)
{
	__u64 seed, bytes;
	__u16 port;

	if (argc == 3 && !strcmp(argv[1], "--serve"))
		return serve(parse_number(argv[2], "PORT", 1, 65535));
	if (argc != 5) {
		fprintf(stderr, "usage: netcheck HOST PORT SEED BYTES\n"
				"       netcheck --serve PORT\n");
		return 2;
	}
	port = parse_number(argv[2], "PORT", 1, 65535);
	seed = parse_number(argv[3], "SEED", 0, ~0ull);
	bytes = parse_number(argv[4], "BYTES", 1, 1ull << 40);
	return check(connect_to(argv[1], port), seed, bytes);
}
