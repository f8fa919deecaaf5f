// SPDX-License-Identifier: GPL-2.0
/*
 * Write seeded content to a whole block device in several ways, read it back in
 * others, compare every byte. Destroys what the device holds.
 *
 *   diskcheck DEV SEED MIB
 *   diskcheck --verify FILE SEED MIB     the last content, in an image on the host
 *
 * Each step that writes leaves its own content everywhere: older content is an error.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest.h"

#define MIB		(1024ull * 1024)
#define SECTOR		512
#define REGION		(MIB)		/* what a thread takes at a time */
#define THREADS_MOST	16
#define CHUNK_MOST	(512 * 1024)

enum { SMALL = 1, LARGE, DEEP, CACHED };	/* streams, one per step that writes */

struct job {
	const char *path;
	int flags;
	bool write;
	__u64 seed;
	__u64 stream;
	__u64 size;
	size_t chunk_most;		/* sizes are random, from a sector to this */
	atomic_ullong next;		/* the first region that no thread has taken */
	atomic_bool failed;
};

static atomic_ullong moved;

/* One transfer, compared at once when it is a read. */
static bool transfer(struct job *job, int fd, char *mem, size_t len, __u64 at)
{
	ssize_t done;

	if (job->write) {
		pattern_fill(mem, len, job->seed, job->stream, at);
		done = pwrite(fd, mem, len, (off_t)at);
	} else {
		memset(mem, 0xee, len);
		done = pread(fd, mem, len, (off_t)at);
	}
	if (done != (ssize_t)len) {
		note("%s of %zu bytes at %llu: %s", job->write ? "write" : "read", len,
		     at, done < 0 ? strerror(errno) : "cut short");
		return false;
	}
	atomic_fetch_add(&moved, len);
	if (job->write)
		return true;
	return pattern_check(mem, len, job->seed, job->stream, at) < 0;
}

/* A region in pieces of random size, at random sector offsets in memory. */
static bool do_region(struct job *job, int fd, char *mem, struct rng *rng, __u64 at)
{
	__u64 end = at + REGION < job->size ? at + REGION : job->size;

	while (at < end) {
		size_t len = SECTOR * (1 + rng_below(rng, job->chunk_most / SECTOR));
		size_t off = SECTOR * rng_below(rng, 8);

		if (len > end - at)
			len = end - at;
		if (!transfer(job, fd, mem + off, len, at))
			return false;
		at += len;
	}
	return true;
}

static void *worker(void *arg)
{
	struct job *job = arg;
	char *mem = xalloc(CHUNK_MOST + 8 * SECTOR, 4096);
	int fd = open(job->path, job->flags);
	struct rng rng;
	__u64 at;

	if (fd < 0)
		die("%s: %s", job->path, strerror(errno));
	while (!atomic_load(&job->failed)) {
		at = atomic_fetch_add(&job->next, REGION);
		if (at >= job->size)
			break;
		rng = rng_from(job->seed, job->stream * 7919 + at);
		if (!do_region(job, fd, mem, &rng, at))
			atomic_store(&job->failed, true);
	}
	if (job->write && fsync(fd)) {
		note("fsync: %s", strerror(errno));
		atomic_store(&job->failed, true);
	}
	close(fd);
	free(mem);
	return NULL;
}

static bool run(struct job *job, unsigned int threads)
{
	pthread_t thread[THREADS_MOST];
	unsigned int i;

	atomic_store(&job->next, 0);
	atomic_store(&job->failed, false);
	for (i = 0; i < threads; i++) {
		if (pthread_create(&thread[i], NULL, worker, job))
			die("no more threads");
	}
	for (i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	return !atomic_load(&job->failed);
}

/* Drop cached content of the device, so that the next read comes from the device. */
static bool drop_cache(const char *path)
{
	int fd = open(path, O_RDONLY);
	int err;

	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	fsync(fd);
	err = ioctl(fd, BLKFLSBUF, 0);
	if (err)
		note("BLKFLSBUF: %s", strerror(errno));
	close(fd);
	if (err)
		return false;

	fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
	if (fd < 0 || write(fd, "3", 1) != 1) {
		note("/proc/sys/vm/drop_caches: %s", strerror(errno));
		err = -1;
	}
	if (fd >= 0)
		close(fd);
	return !err;
}

static bool direct(struct job *job, bool write, __u64 stream, size_t most, unsigned int threads)
{
	job->write = write;
	job->flags = O_DIRECT | (write ? O_WRONLY : O_RDONLY);
	job->stream = stream;
	job->chunk_most = most;
	return run(job, threads);
}

static bool cached(struct job *job, bool write, unsigned int threads)
{
	bool ok;

	if (!drop_cache(job->path))
		return false;
	job->write = write;
	job->flags = write ? O_WRONLY : O_RDONLY;
	job->stream = CACHED;
	job->chunk_most = 96 * 1024;
	ok = run(job, threads);
	return drop_cache(job->path) && ok;
}

static int check_device(struct job *job)
{
	ktap_start("diskcheck", 8);
	ktap_result(direct(job, true, SMALL, 8 * 1024, 1), "direct_write_small");
	ktap_result(direct(job, false, SMALL, CHUNK_MOST, 1), "direct_read_large");
	ktap_result(direct(job, true, LARGE, CHUNK_MOST, 1), "direct_write_large");
	ktap_result(direct(job, false, LARGE, 8 * 1024, 4), "direct_read_small");
	ktap_result(direct(job, true, DEEP, 64 * 1024, THREADS_MOST), "direct_write_deep");
	ktap_result(direct(job, false, DEEP, 64 * 1024, THREADS_MOST), "direct_read_deep");
	ktap_result(cached(job, true, 2) && direct(job, false, CACHED, CHUNK_MOST, 2),
		    "cached_write_direct_read");
	ktap_result(cached(job, false, 4), "cached_read");
	return ktap_end(atomic_load(&moved));
}

static int verify_image(struct job *job)
{
	ktap_start("diskcheck_verify", 1);
	job->flags = O_RDONLY;
	job->stream = CACHED;
	job->chunk_most = CHUNK_MOST;
	ktap_result(run(job, 1), "image");
	return ktap_end(atomic_load(&moved));
}

/* Before anything is written: is there such a device, and is it large enough? */
static void require_size(const char *path, __u64 size, bool device)
{
	struct stat st;
	off_t have;
	int fd = open(path, O_RDONLY);

	if (fd < 0 || fstat(fd, &st))
		die("%s: %s", path, strerror(errno));
	if (device && !S_ISBLK(st.st_mode))
		die("%s is no block device", path);
	have = lseek(fd, 0, SEEK_END);
	close(fd);
	if (have < 0 || (__u64)have < size)
		die("%s has %lld bytes, %llu are asked for: give a smaller MIB", path,
		    (long long)have, size);
}

int main(int argc, char **argv)
{
	bool verify = argc > 1 && !strcmp(argv[1], "--verify");
	struct job job = { 0 };

	if (argc != 4 + verify) {
		fprintf(stderr, "usage: diskcheck DEV SEED MIB\n"
				"       diskcheck --verify FILE SEED MIB\n"
				"DEV is overwritten.\n");
		return 2;
	}
	argv += verify;
	job.path = argv[1];
	job.seed = parse_number(argv[2], "SEED", 0, ~0ull);
	job.size = parse_number(argv[3], "MIB", 1, 1 << 20) * MIB;
	require_size(job.path, job.size, !verify);
	return verify ? verify_image(&job) : check_device(&job);
}
