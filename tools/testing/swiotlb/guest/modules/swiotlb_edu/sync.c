// SPDX-License-Identifier: GPL-2.0
/*
 * Partial sync: a range anywhere in a mapping is copied, and only that range.
 *
 * What a bounce buffer holds is shown by the CPU alone: overwrite the original,
 * sync, and look which bytes came back. A direct mapping must never change.
 */
#include "edu.h"

#define SYNC_AT		100	/* where the mapping starts in its buffer */
#define SYNC_SIZE	12000
#define SYNC_RANDOM	12

enum { MAPPED = 1, CPU, RANGE };	/* salts added to the test's own */

struct span {
	size_t off;
	size_t len;
};

static const struct span fixed_ranges[] = {
	{ 0, 1 }, { 1, 1 }, { 2047, 2 }, { 1947, 3 }, { 2048, 1 }, { 3995, 3 }, { 4096, 64 },
	{ 5001, 3333 }, { SYNC_SIZE - 1, 1 }, { 1, SYNC_SIZE - 2 }, { 0, SYNC_SIZE },
};

struct sync_test {
	struct edu_buf buf;
	struct edu_map map;
	bool bounced;
	u32 salt;
};

static struct span pick_range(struct edu *edu, int i)
{
	struct span range;

	if (i < ARRAY_SIZE(fixed_ranges))
		return fixed_ranges[i];
	range.off = edu_random(edu, SYNC_SIZE);
	range.len = 1 + edu_random(edu, SYNC_SIZE - range.off);
	return range;
}

static int sync_open(struct edu *edu, struct sync_test *test, enum edu_zone zone)
{
	if (edu_alloc(edu, &test->buf, SZ_16K, zone))
		return -ENOMEM;
	test->salt = edu_random(edu, U32_MAX);
	edu_fill(edu, test->buf.mem, test->buf.size, test->salt, 0);
	edu_fill(edu, test->buf.mem + SYNC_AT, SYNC_SIZE, test->salt + MAPPED, 0);
	if (edu_map(edu, &test->map, test->buf.mem + SYNC_AT, SYNC_SIZE, DMA_BIDIRECTIONAL)) {
		edu_free(&test->buf);
		return -EIO;
	}
	test->bounced = edu_bounced(edu, &test->map);
	return 0;
}

/* Bytes around the mapping must be as they were; then give everything back. */
static int sync_close(struct edu *edu, struct sync_test *test, int err)
{
	size_t end = SYNC_AT + SYNC_SIZE;

	edu_unmap(edu, &test->map);
	if (!err)
		err = edu_check(edu, test->buf.mem, SYNC_AT, test->salt, 0, "before the mapping");
	if (!err)
		err = edu_check(edu, test->buf.mem + end, test->buf.size - end, test->salt, end,
				"after the mapping");
	edu_free(&test->buf);
	return err;
}

/* The range holds the content of @inside, all the rest that of @outside. */
static int check_range(struct edu *edu, struct sync_test *test, struct span range,
		       int inside, int outside)
{
	u8 *mem = test->map.mem;
	size_t end = range.off + range.len;
	int err;

	err = edu_check(edu, mem, range.off, test->salt + outside, 0, "before the range");
	if (!err)
		err = edu_check(edu, mem + range.off, range.len, test->salt + inside, range.off,
				"range");
	if (!err)
		err = edu_check(edu, mem + end, SYNC_SIZE - end, test->salt + outside, end,
				"after the range");
	if (err)
		edu_note("synced: %zu bytes at %zu of %u", range.len, range.off, SYNC_SIZE);
	return err;
}

static int sync_range_for_cpu(struct edu *edu, struct sync_test *test, struct span range)
{
	edu_fill(edu, test->map.mem, SYNC_SIZE, test->salt + CPU, 0);
	dma_sync_single_range_for_cpu(edu->dev, test->map.dma, range.off, range.len,
				      DMA_BIDIRECTIONAL);
	return check_range(edu, test, range, test->bounced ? MAPPED : CPU, CPU);
}

int test_sync_for_cpu(struct edu *edu, enum edu_zone zone)
{
	struct sync_test test;
	int err, i;

	err = sync_open(edu, &test, zone);
	if (err)
		return err;
	for (i = 0; !err && i < ARRAY_SIZE(fixed_ranges) + SYNC_RANDOM; i++)
		err = sync_range_for_cpu(edu, &test, pick_range(edu, i));
	return sync_close(edu, &test, err);
}

/* Sync one range to the device, then fetch all that the device would see. */
static int sync_range_for_device(struct edu *edu, struct sync_test *test, struct span range)
{
	u8 *mem = test->map.mem;
	int inside = test->bounced ? RANGE : CPU;
	int outside = test->bounced ? MAPPED : CPU;

	edu_fill(edu, mem, SYNC_SIZE, test->salt + MAPPED, 0);
	dma_sync_single_for_device(edu->dev, test->map.dma, SYNC_SIZE, DMA_BIDIRECTIONAL);
	edu_fill(edu, mem, SYNC_SIZE, test->salt + RANGE, 0);
	dma_sync_single_range_for_device(edu->dev, test->map.dma, range.off, range.len,
					 DMA_BIDIRECTIONAL);
	edu_fill(edu, mem, SYNC_SIZE, test->salt + CPU, 0);
	dma_sync_single_for_cpu(edu->dev, test->map.dma, SYNC_SIZE, DMA_BIDIRECTIONAL);
	return check_range(edu, test, range, inside, outside);
}

int test_sync_for_device(struct edu *edu, enum edu_zone zone)
{
	struct sync_test test;
	int err, i;

	err = sync_open(edu, &test, zone);
	if (err)
		return err;
	for (i = 0; !err && i < ARRAY_SIZE(fixed_ranges) + SYNC_RANDOM; i++)
		err = sync_range_for_device(edu, &test, pick_range(edu, i));
	return sync_close(edu, &test, err);
}

/* The device reads a range that was synced to it, and writes another. */
static int sync_transfers(struct edu *edu, struct sync_test *test)
{
	const struct span read = { 1001, 777 }, written = { 7003, 501 };
	u8 *mem = test->map.mem;
	u8 *seen;

	edu_fill(edu, mem + read.off, read.len, test->salt + RANGE, read.off);
	dma_sync_single_range_for_device(edu->dev, test->map.dma, read.off, read.len,
					 DMA_BIDIRECTIONAL);
	if (edu_load(edu, &test->map, read.off, 0, read.len))
		return -EIO;
	seen = edu_read(edu, read.len);
	if (!seen || edu_check(edu, seen, read.len, test->salt + RANGE, read.off, "device read"))
		return -EIO;

	if (edu_write(edu, test->salt + RANGE))
		return -EIO;
	if (edu_store(edu, &test->map, written.off, written.off % 1000, written.len))
		return -EIO;
	edu_fill(edu, mem, written.off, test->salt + CPU, 0);
	dma_sync_single_range_for_cpu(edu->dev, test->map.dma, written.off, written.len,
				      DMA_BIDIRECTIONAL);
	if (edu_check(edu, mem, written.off, test->salt + CPU, 0, "before the device's write"))
		return -EIO;
	return edu_check(edu, mem + written.off, written.len, test->salt + RANGE,
			 written.off % 1000, "device write");
}

int test_sync_transfer(struct edu *edu, enum edu_zone zone)
{
	struct sync_test test;
	int err;

	err = sync_open(edu, &test, zone);
	if (err)
		return err;
	return sync_close(edu, &test, sync_transfers(edu, &test));
}
