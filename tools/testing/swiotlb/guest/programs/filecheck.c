// SPDX-License-Identifier: GPL-2.0
/*
 * Thousands of files of many sizes in many directories, contents from a seed.
 *
 *   filecheck write DIR SEED COUNT
 *   filecheck verify DIR SEED COUNT
 *
 * verify derives every size and byte anew and counts the files it finds, so it
 * works after a remount, on another machine, or on a mounted image.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest.h"

#define SIZE_MOST	(2u << 20)
#define DIRS		32

struct set {
	const char *dir;
	__u64 seed;
	__u64 count;
	__u64 moved;
	char *mem;
};

/* Half are below 4 KiB, one in 64 may have any size up to SIZE_MOST, some are empty. */
static size_t file_size(const struct set *set, __u64 number)
{
	static const struct {
		unsigned int below;	/* of 64 */
		size_t most;
	} share[] = {
		{ 2, 1 }, { 34, 4096 }, { 54, 32768 }, { 63, 262144 }, { 64, SIZE_MOST + 1 },
	};
	struct rng rng = rng_from(set->seed, number);
	__u64 draw = rng_below(&rng, 64);
	unsigned int i = 0;

	while (draw >= share[i].below)
		i++;
	return rng_below(&rng, share[i].most);
}

static void file_path(const struct set *set, __u64 number, char *path)
{
	snprintf(path, PATH_MAX, "%s/%02u/%06llu", set->dir, (unsigned int)(number % DIRS),
		 number);
}

static bool failed(const char *what, const char *path)
{
	note("%s %s: %s", what, path, strerror(errno));
	return false;
}

/* Written in pieces of random size, as programs do. */
static bool write_content(const struct set *set, int fd, size_t size, struct rng *rng)
{
	size_t at, len;

	for (at = 0; at < size; at += len) {
		len = 1 + rng_below(rng, 128 * 1024);
		if (len > size - at)
			len = size - at;
		if (write(fd, set->mem + at, len) != (ssize_t)len)
			return false;
	}
	return true;
}

static bool write_file(struct set *set, __u64 number)
{
	struct rng rng = rng_from(~set->seed, number);
	size_t size = file_size(set, number);
	char path[PATH_MAX];
	bool ok;
	int fd;

	file_path(set, number, path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
	if (fd < 0)
		return failed("create", path);
	pattern_fill(set->mem, size, set->seed, number, 0);
	ok = write_content(set, fd, size, &rng);
	if (ok && !rng_below(&rng, 16))
		ok = !fsync(fd);
	if (close(fd) || !ok)
		return failed("write", path);
	set->moved += size;
	return true;
}

static bool verify_file(struct set *set, __u64 number)
{
	size_t size = file_size(set, number);
	char path[PATH_MAX];
	size_t at = 0;
	ssize_t got;
	int fd;

	file_path(set, number, path);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return failed("open", path);
	/* Ask for one byte more than there should be, to find a file that is too long. */
	while ((got = read(fd, set->mem + at, size + 1 - at)) > 0)
		at += got;
	close(fd);
	if (got < 0)
		return failed("read", path);
	set->moved += at;
	if (at != size) {
		note("%s has %zu%s bytes, expected %zu", path, at, at > size ? " or more" : "",
		     size);
		return false;
	}
	if (pattern_check(set->mem, size, set->seed, number, 0) < 0)
		return true;
	note("%s (%zu bytes) is wrong", path, size);
	return false;
}

static bool write_all(struct set *set)
{
	char path[PATH_MAX];
	__u64 i;

	if (mkdir(set->dir, 0755) && errno != EEXIST)
		return failed("mkdir", set->dir);
	for (i = 0; i < DIRS; i++) {
		snprintf(path, sizeof(path), "%s/%02u", set->dir, (unsigned int)i);
		if (mkdir(path, 0755))
			return failed("mkdir", path);
	}
	for (i = 0; i < set->count; i++) {
		if (!write_file(set, i))
			return false;
	}
	sync();
	return true;
}

static __u64 count_files(const struct set *set)
{
	__u64 files = 0;
	struct dirent *entry;
	char path[PATH_MAX];
	unsigned int i;
	DIR *dir;

	for (i = 0; i < DIRS; i++) {
		snprintf(path, sizeof(path), "%s/%02u", set->dir, i);
		dir = opendir(path);
		if (!dir)
			continue;
		while ((entry = readdir(dir)))
			files += entry->d_name[0] != '.';
		closedir(dir);
	}
	return files;
}

/* Goes on after a wrong file, up to a few, so that a report shows which. */
static bool verify_all(struct set *set)
{
	unsigned int wrong = 0;
	__u64 files, i;

	for (i = 0; i < set->count && wrong < 10; i++)
		wrong += !verify_file(set, i);
	files = count_files(set);
	if (files != set->count)
		note("%llu files, expected %llu", files,
		     set->count);
	return !wrong && files == set->count;
}

int main(int argc, char **argv)
{
	bool writing = argc > 1 && !strcmp(argv[1], "write");
	struct set set = { 0 };
	bool ok;

	if (argc != 5 || (!writing && strcmp(argv[1], "verify"))) {
		fprintf(stderr, "usage: filecheck write|verify DIR SEED COUNT\n"
				"write wants a DIR without files of an earlier run.\n");
		return 2;
	}
	set.dir = argv[2];
	set.seed = parse_number(argv[3], "SEED", 0, ~0ull);
	set.count = parse_number(argv[4], "COUNT", 1, 999999);
	set.mem = xalloc(SIZE_MOST + 1, 4096);

	ktap_start(writing ? "filecheck_write" : "filecheck_verify", 1);
	ok = writing ? write_all(&set) : verify_all(&set);
	ktap_result(ok, writing ? "files_written" : "files_verified");
	free(set.mem);
	return ktap_end(set.moved);
}
