// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers, seeded content, mappings, and two checks of a mapping: is it bounced, and
 * does the device see what the CPU wrote?
 */
#include <linux/gfp.h>

#include "edu.h"

/* Pieces that edu_check_map() moves; three of them must fit into the device. */
#define PIECE	331

u32 edu_random(struct edu *edu, u32 below)
{
	return prandom_u32_state(&edu->rnd) % below;
}

/* Byte number @i of the content that belongs to @salt. */
static u8 edu_byte(const struct edu *edu, u32 salt, size_t i)
{
	u32 x = edu->seed + salt * 0x9e3779b1u + (u32)i * 0x85ebca6bu;

	x = (x ^ (x >> 15)) * 0x2c1b3c6du;
	x = (x ^ (x >> 12)) * 0x297a2d39u;
	return x >> 24;
}

void edu_fill(const struct edu *edu, void *mem, size_t len, u32 salt, size_t from)
{
	u8 *byte = mem;
	size_t i;

	for (i = 0; i < len; i++)
		byte[i] = edu_byte(edu, salt, from + i);
}

/* Compare with the content of @salt from byte @from on. */
int edu_check(const struct edu *edu, const void *mem, size_t len, u32 salt,
	      size_t from, const char *what)
{
	const u8 *byte = mem;
	u8 want;
	size_t i;

	for (i = 0; i < len; i++) {
		want = edu_byte(edu, salt, from + i);
		if (byte[i] == want)
			continue;
		edu_note("%s: byte %zu of %zu is %02x, expected %02x",
			 what, i, len, byte[i], want);
		return -EIO;
	}
	return 0;
}

int edu_alloc(struct edu *edu, struct edu_buf *buf, size_t size, enum edu_zone zone)
{
	bool low = zone == EDU_LOW ||
		   (zone == EDU_MAPPABLE && edu->expect == EXPECT_ERROR);

	buf->size = PAGE_ALIGN(size);
	buf->mem = alloc_pages_exact(buf->size, GFP_KERNEL | (low ? GFP_DMA32 : 0));
	if (buf->mem)
		return 0;
	edu_note("no %zu bytes of memory for a buffer", buf->size);
	return -ENOMEM;
}

void edu_free(struct edu_buf *buf)
{
	if (buf->mem)
		free_pages_exact(buf->mem, buf->size);
	buf->mem = NULL;
}

/* Map, and leave it to the caller to say what a failure means. */
int edu_map_quiet(struct edu *edu, struct edu_map *map, void *mem, size_t size,
		  enum dma_data_direction dir)
{
	map->mem = mem;
	map->size = size;
	map->dir = dir;
	map->dma = dma_map_single_attrs(edu->dev, mem, size, dir, DMA_ATTR_NO_WARN);
	return dma_mapping_error(edu->dev, map->dma) ? -ENOMEM : 0;
}

int edu_map(struct edu *edu, struct edu_map *map, void *mem, size_t size,
	    enum dma_data_direction dir)
{
	int err = edu_map_quiet(edu, map, mem, size, dir);

	if (err)
		edu_note("%zu bytes at page offset %lu could not be mapped",
			 size, offset_in_page(mem));
	return err;
}

void edu_unmap(struct edu *edu, struct edu_map *map)
{
	dma_unmap_single(edu->dev, map->dma, map->size, map->dir);
}

/*
 * Change one byte in the buffer alone and sync it for the CPU: the old value comes
 * back from a bounce buffer, and only from there. No address is compared, so Xen's
 * frames don't matter. The mapping must be bidirectional.
 */
bool edu_bounced(struct edu *edu, const struct edu_map *map)
{
	u8 old = READ_ONCE(*map->mem);
	bool bounced;

	WRITE_ONCE(*map->mem, (u8)~old);
	dma_sync_single_for_cpu(edu->dev, map->dma, 1, map->dir);
	bounced = READ_ONCE(*map->mem) == old;
	WRITE_ONCE(*map->mem, old);
	return bounced;
}

/* Map a page of the zone. Is it bounced, and does dma_need_sync() say that it needs sync? */
int edu_need_sync(struct edu *edu, enum edu_zone zone, bool *bounced, bool *need)
{
	struct edu_buf buf;
	struct edu_map map;
	int err;

	if (edu_alloc(edu, &buf, PAGE_SIZE, zone))
		return -ENOMEM;
	err = edu_map(edu, &map, buf.mem, PAGE_SIZE, DMA_BIDIRECTIONAL);
	if (!err) {
		*bounced = edu_bounced(edu, &map);
		*need = dma_need_sync(edu->dev, map.dma);
		edu_unmap(edu, &map);
	}
	edu_free(&buf);
	return err;
}

/*
 * Check every byte of a mapping that was made with the content of @salt: overwrite
 * the buffer; if it is bounced, a sync brings all of the content back.
 */
int edu_check_bounce(struct edu *edu, const struct edu_map *map, u32 salt)
{
	u32 kept = edu_bounced(edu, map) ? salt : salt + 1;

	edu_fill(edu, map->mem, map->size, salt + 1, 0);
	dma_sync_single_for_cpu(edu->dev, map->dma, map->size, map->dir);
	return edu_check(edu, map->mem, map->size, kept, 0, "bounced content");
}

/*
 * Let the device read start, middle and end of a mapping, then write into its
 * middle, and compare every byte. Needs 3 * PIECE bytes; shorter ones are moved
 * whole. Five transfers. With @streaming the buffer is synced around them.
 */
int edu_check_map(struct edu *edu, const struct edu_map *map, bool streaming)
{
	unsigned int len = min_t(size_t, PIECE, map->size);
	size_t at[] = { 0, (map->size - len) / 2, map->size - len };
	u32 salt = edu_random(edu, U32_MAX);
	size_t store;
	u8 *seen;
	int i;

	edu_fill(edu, map->mem, map->size, salt, 0);
	if (streaming)
		dma_sync_single_for_device(edu->dev, map->dma, map->size, map->dir);

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		if (edu_load(edu, map, at[i], i * len, len))
			return -EIO;
	}
	seen = edu_read(edu, ARRAY_SIZE(at) * len);
	if (!seen)
		return -EIO;
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		if (edu_check(edu, seen + i * len, len, salt, at[i], "device read"))
			return -EIO;
	}

	/* What the device read last goes to the middle. */
	store = at[1];
	if (edu_store(edu, map, store, 2 * len, len))
		return -EIO;
	if (streaming)
		dma_sync_single_for_cpu(edu->dev, map->dma, map->size, map->dir);
	if (edu_check(edu, map->mem, store, salt, 0, "before what the device wrote"))
		return -EIO;
	if (edu_check(edu, map->mem + store, len, salt, at[2], "device write"))
		return -EIO;
	return edu_check(edu, map->mem + store + len, map->size - store - len, salt,
			 store + len, "after what the device wrote");
}
