// SPDX-License-Identifier: GPL-2.0
/*
 * Single mappings: many sizes and offsets, both directions, every byte compared.
 */
#include "edu.h"

#define PATH_BUFFERS	64

struct piece {
	unsigned int offset;	/* in the page */
	unsigned int size;
};

/* Together they fit into the device's memory. */
static const struct piece small_pieces[] = {
	{ 0, 1 }, { 1, 1 }, { 4095, 2 }, { 7, 3 }, { 2041, 8 }, { 64, 64 },
	{ 2047, 65 }, { 3, 511 }, { 3840, 512 }, { 1235, 1499 },
};

/* One at a time: the most edu can move, within a page and across two. */
static const struct piece big_pieces[] = { { 0, 4095 }, { 4001, 4095 } };

/* Test the scratch buffer first: all other tests rely on it. */
int test_device_answers(struct edu *edu, enum edu_zone zone)
{
	u32 salt = edu_random(edu, U32_MAX);
	u8 *seen;

	if (edu_write(edu, salt))
		return -EIO;
	seen = edu_read(edu, EDU_MAX_LEN);
	if (!seen)
		return -EIO;
	return edu_check(edu, seen, EDU_MAX_LEN, salt, 0, "scratch buffer");
}

static const char * const path_name[] = { "no error", "bounced", "direct", "error" };

static enum edu_expect map_one(struct edu *edu, struct edu_buf *buf, size_t off, size_t size)
{
	enum edu_expect path;
	struct edu_map map;

	if (edu_map_quiet(edu, &map, buf->mem + off, size, DMA_BIDIRECTIONAL))
		return EXPECT_ERROR;
	path = edu_bounced(edu, &map) ? EXPECT_BOUNCE : EXPECT_DIRECT;
	edu_unmap(edu, &map);
	return path;
}

static int judge_paths(const unsigned int *seen, enum edu_expect expect)
{
	unsigned int good = seen[expect];

	if (expect == EXPECT_ANY)
		good = seen[EXPECT_BOUNCE] + seen[EXPECT_DIRECT];
	edu_note("%u buffers: %u bounced, %u direct, %u errors; expected: %s", PATH_BUFFERS,
		 seen[EXPECT_BOUNCE], seen[EXPECT_DIRECT], seen[EXPECT_ERROR],
		 path_name[expect]);
	return good == PATH_BUFFERS ? 0 : -EIO;
}

/* Every buffer takes the path that expect= or expect_low= names. */
int test_expected_path(struct edu *edu, enum edu_zone zone)
{
	struct edu_buf *buf = kcalloc(PATH_BUFFERS, sizeof(*buf), GFP_KERNEL);
	unsigned int seen[4] = { 0 };
	int err = -ENOMEM;
	size_t off;
	int i;

	if (!buf)
		return err;
	for (i = 0; i < PATH_BUFFERS; i++) {
		if (edu_alloc(edu, &buf[i], SZ_8K, zone))
			goto out;
		off = edu_random(edu, PAGE_SIZE);
		seen[map_one(edu, &buf[i], off, 1 + edu_random(edu, PAGE_SIZE))]++;
	}
	err = judge_paths(seen, zone == EDU_LOW ? edu->expect_low : edu->expect);
out:
	for (i = 0; i < PATH_BUFFERS; i++)
		edu_free(&buf[i]);
	kfree(buf);
	return err;
}

static int load_one(struct edu *edu, struct edu_buf *buf, const struct piece *piece,
		    unsigned int at, u32 salt)
{
	struct edu_map map;
	int err;

	edu_fill(edu, buf->mem, buf->size, ~salt, 0);
	edu_fill(edu, buf->mem + piece->offset, piece->size, salt, at);
	if (edu_map(edu, &map, buf->mem + piece->offset, piece->size, DMA_TO_DEVICE))
		return -EIO;
	err = edu_load(edu, &map, 0, at, piece->size);
	edu_unmap(edu, &map);
	return err;
}

static int load_all(struct edu *edu, struct edu_buf *buf, const struct piece *piece,
		    int count, u32 salt)
{
	unsigned int at = 0;
	u8 *seen;
	int i;

	for (i = 0; i < count; i++) {
		if (load_one(edu, buf, &piece[i], at, salt))
			return -EIO;
		at += piece[i].size;
	}
	seen = edu_read(edu, at);
	return seen ? edu_check(edu, seen, at, salt, 0, "device read") : -EIO;
}

int test_to_device(struct edu *edu, enum edu_zone zone)
{
	u32 salt = edu_random(edu, U32_MAX);
	struct edu_buf buf;
	int err, i;

	if (edu_alloc(edu, &buf, SZ_8K, zone))
		return -ENOMEM;
	err = load_all(edu, &buf, small_pieces, ARRAY_SIZE(small_pieces), salt);
	for (i = 0; !err && i < ARRAY_SIZE(big_pieces); i++)
		err = load_all(edu, &buf, &big_pieces[i], 1, salt + 1 + i);
	edu_free(&buf);
	return err;
}

/* The device fills @piece with its memory from @at on; all around must stay. */
static int store_one(struct edu *edu, struct edu_buf *buf, const struct piece *piece,
		     unsigned int at, u32 salt)
{
	size_t end = piece->offset + piece->size;
	struct edu_map map;
	int err;

	edu_fill(edu, buf->mem, buf->size, ~salt, 0);
	if (edu_map(edu, &map, buf->mem + piece->offset, piece->size, DMA_FROM_DEVICE))
		return -EIO;
	err = edu_store(edu, &map, 0, at, piece->size);
	edu_unmap(edu, &map);
	if (err)
		return err;
	if (edu_check(edu, buf->mem, piece->offset, ~salt, 0, "before the buffer"))
		return -EIO;
	if (edu_check(edu, buf->mem + piece->offset, piece->size, salt, at, "device write"))
		return -EIO;
	return edu_check(edu, buf->mem + end, buf->size - end, ~salt, end, "after the buffer");
}

static int store_all(struct edu *edu, struct edu_buf *buf, const struct piece *piece,
		     int count, u32 salt)
{
	unsigned int at = 0;
	int err = 0;
	int i;

	for (i = 0; !err && i < count; i++) {
		err = store_one(edu, buf, &piece[i], at, salt);
		at += piece[i].size;
	}
	return err;
}

int test_from_device(struct edu *edu, enum edu_zone zone)
{
	u32 salt = edu_random(edu, U32_MAX);
	struct edu_buf buf;
	int err, i;

	if (edu_write(edu, salt))
		return -EIO;
	if (edu_alloc(edu, &buf, 3 * PAGE_SIZE, zone))
		return -ENOMEM;
	err = store_all(edu, &buf, small_pieces, ARRAY_SIZE(small_pieces), salt);
	for (i = 0; !err && i < ARRAY_SIZE(big_pieces); i++)
		err = store_all(edu, &buf, &big_pieces[i], 1, salt);
	edu_free(&buf);
	return err;
}

/* 64 KiB at an odd offset: start, middle and end. */
int test_large(struct edu *edu, enum edu_zone zone)
{
	struct edu_buf buf;
	struct edu_map map;
	int err = -EIO;

	if (edu_alloc(edu, &buf, SZ_64K + PAGE_SIZE, zone))
		return -ENOMEM;
	if (edu_map(edu, &map, buf.mem + 777, SZ_64K, DMA_BIDIRECTIONAL))
		goto out;
	err = edu_check_map(edu, &map, true);
	edu_unmap(edu, &map);
out:
	edu_free(&buf);
	return err;
}

/* Bytes that the device did not write keep what they held before the map. */
int test_partial_write(struct edu *edu, enum edu_zone zone)
{
	u32 salt = edu_random(edu, U32_MAX);
	struct edu_buf buf;
	struct edu_map map;
	int err = -EIO;

	if (edu_write(edu, salt))
		return err;
	if (edu_alloc(edu, &buf, SZ_8K, zone))
		return -ENOMEM;
	edu_fill(edu, buf.mem, buf.size, salt + 1, 0);
	if (edu_map(edu, &map, buf.mem + 100, 6000, DMA_FROM_DEVICE))
		goto out;
	err = edu_store(edu, &map, 3001, 0, 500);
	edu_unmap(edu, &map);
	if (!err)
		err = edu_check(edu, buf.mem, 3101, salt + 1, 0, "unwritten start");
	if (!err)
		err = edu_check(edu, buf.mem + 3101, 500, salt, 0, "device write");
	if (!err)
		err = edu_check(edu, buf.mem + 3601, buf.size - 3601, salt + 1, 3601,
				"unwritten end");
out:
	edu_free(&buf);
	return err;
}

/* Unmapping with DMA_ATTR_SKIP_CPU_SYNC leaves the buffer alone. */
int test_skip_cpu_sync(struct edu *edu, enum edu_zone zone)
{
	u32 salt = edu_random(edu, U32_MAX);
	struct edu_buf buf;
	struct edu_map map;
	int err = -EIO;

	if (edu_alloc(edu, &buf, SZ_8K, zone))
		return -ENOMEM;
	edu_fill(edu, buf.mem, buf.size, salt, 0);
	if (edu_map(edu, &map, buf.mem + 11, 5000, DMA_FROM_DEVICE))
		goto out;
	edu_fill(edu, buf.mem, buf.size, salt + 1, 0);
	dma_unmap_single_attrs(edu->dev, map.dma, map.size, map.dir, DMA_ATTR_SKIP_CPU_SYNC);
	err = edu_check(edu, buf.mem, buf.size, salt + 1, 0, "unmap without sync");
out:
	edu_free(&buf);
	return err;
}
