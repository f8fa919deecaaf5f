// SPDX-License-Identifier: GPL-2.0
/*
 * Count the instructions that an I/O of a block device takes in the whole system: reads
 * and writes, in sequence and at random, of many sizes, one or several at a time. Prints
 * one line per case, each counted three times. Destroys what the device holds.
 *
 *   diskload NAME DEV SEED
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "busy.h"
#include "guest.h"

#define DEPTH_MOST	64
#define SIZE_MOST	(1024 * 1024)
#define AT_ONCE_MOST	(16ull << 20)	/* a quarter of the default pool */
#define PAGE		4096
#define IOS		1024		/* I/Os of a case, or fewer ... */
#define BYTES_MOST	(32ull << 20)	/* ... when they would move more bytes */
#define SPAN		(64ull << 20)	/* bytes of the device that are used */
#define TIMES		3

static const size_t sizes[] = { 512, 4096, 16384, 65536, SIZE_MOST };
static const unsigned int depths[] = { 1, 4, 16, DEPTH_MOST };

struct load {
	int fd;
	aio_context_t ring;
	char *mem;
	__u64 blocks;		/* of this size on the device */
	struct rng rng;
	bool write;
	bool random;
	size_t size;
	unsigned int depth;
	unsigned int ios;
	__u64 next;
};

static __u64 pick_block(struct load *load)
{
	if (load->random)
		return rng_below(&load->rng, load->blocks);
	return load->next++ % load->blocks;
}

/* Start @depth I/Os and wait for all. The device's speed does not change the calls. */
static void do_batch(struct load *load)
{
	struct io_event events[DEPTH_MOST];
	struct iocb iocbs[DEPTH_MOST];
	struct iocb *list[DEPTH_MOST];
	unsigned int i;

	memset(iocbs, 0, sizeof(*iocbs) * load->depth);
	for (i = 0; i < load->depth; i++) {
		iocbs[i].aio_fildes = load->fd;
		iocbs[i].aio_lio_opcode = load->write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD;
		iocbs[i].aio_buf = (__u64)(load->mem + i * load->size);
		iocbs[i].aio_nbytes = load->size;
		iocbs[i].aio_offset = pick_block(load) * load->size;
		list[i] = &iocbs[i];
	}
	if (syscall(SYS_io_submit, load->ring, load->depth, list) != load->depth)
		die("io_submit: %s", strerror(errno));
	if (syscall(SYS_io_getevents, load->ring, load->depth, load->depth, events, NULL) !=
	    load->depth)
		die("io_getevents: %s", strerror(errno));
	for (i = 0; i < load->depth; i++) {
		if (events[i].res != (__s64)load->size)
			die("%s of %zu bytes: result %lld", load->write ? "write" : "read",
			    load->size, events[i].res);
	}
}

static __u64 count(struct load *load)
{
	struct busy start;
	unsigned int done;

	load->next = 0;
	load->rng = rng_from(load->size, load->depth);
	do_batch(load);		/* warm */
	start = busy_read();
	for (done = 0; done < load->ios; done += load->depth)
		do_batch(load);
	return busy_since(&start);
}

static void count_case(struct load *load, const char *name)
{
	__u64 busy[TIMES];
	int i;

	load->ios = load->size * IOS > BYTES_MOST ? BYTES_MOST / load->size : IOS;
	if (load->ios < load->depth)
		load->ios = load->depth;
	for (i = 0; i < TIMES; i++)
		busy[i] = count(load);
	note("IO dev=%s op=%s order=%s size=%zu depth=%u ios=%u busy=%llu,%llu,%llu", name,
	     load->write ? "write" : "read", load->random ? "random" : "sequence",
	     load->size, load->depth, load->ios, busy[0], busy[1], busy[2]);
}

static void count_sizes(struct load *load, const char *name)
{
	unsigned int i, k;

	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		for (k = 0; k < sizeof(depths) / sizeof(*depths); k++) {
			load->size = sizes[i];
			load->depth = depths[k];
			if (load->size * load->depth > AT_ONCE_MOST)
				continue;
			load->blocks = SPAN / load->size;
			count_case(load, name);
		}
	}
}

/*
 * Pages that are not adjacent, as in a process that has run for a while: each takes a
 * mapping of its own. Without this, the kernel would give one guest scattered pages and
 * another guest adjacent ones.
 */
static char *scattered_memory(void)
{
	char *mem = xalloc(AT_ONCE_MOST, PAGE);
	size_t pages = AT_ONCE_MOST / PAGE;
	size_t i;

	for (i = 0; i < pages; i++)
		mem[i * 1367 % pages * PAGE] = 1;
	return mem;
}

static void open_device(struct load *load, const char *path, __u64 seed)
{
	__u64 bytes;

	load->fd = open(path, O_RDWR | O_DIRECT);
	if (load->fd < 0 || ioctl(load->fd, BLKGETSIZE64, &bytes))
		die("%s: %s", path, strerror(errno));
	if (bytes < SPAN)
		die("%s has %llu bytes, %llu are needed", path, bytes, SPAN);
	if (syscall(SYS_io_setup, DEPTH_MOST, &load->ring))
		die("io_setup: %s", strerror(errno));
	load->mem = scattered_memory();
	pattern_fill(load->mem, AT_ONCE_MOST, seed, 0, 0);
}

int main(int argc, char **argv)
{
	struct load load = { 0 };
	int i;

	if (argc != 4) {
		fprintf(stderr, "usage: diskload NAME DEV SEED\nDEV is overwritten.\n");
		return 2;
	}
	ktap_start("diskload", 1);
	open_device(&load, argv[2], parse_number(argv[3], "SEED", 0, ~0ull));
	busy_start();
	for (i = 0; i < 4; i++) {
		load.write = !(i & 1);
		load.random = i & 2;
		count_sizes(&load, argv[1]);
	}
	ktap_result(true, "counted");
	return ktap_end(0);
}
