// SPDX-License-Identifier: GPL-2.0
/*
 * Limits: masks, the largest mapping, many mappings at once, alignment and
 * boundaries. Addresses are judged as the device gets them.
 */
#include <linux/sort.h>

#include "edu.h"

#define OUTSTANDING	400
#define CHURN		2000
#define ALIGN_COUNT	64

/* The required mask covers the highest address that this memory maps to. */
int test_required_mask(struct edu *edu, enum edu_zone zone)
{
	u64 mask = dma_get_required_mask(edu->dev);
	dma_addr_t last = 0;
	struct edu_buf buf;
	struct edu_map map;

	if (edu_alloc(edu, &buf, PAGE_SIZE, zone))
		return -ENOMEM;
	if (!dma_set_mask(edu->dev, DMA_BIT_MASK(64))) {
		if (!edu_map(edu, &map, buf.mem, PAGE_SIZE, DMA_TO_DEVICE)) {
			last = map.dma + PAGE_SIZE - 1;
			edu_unmap(edu, &map);
		}
		dma_set_mask(edu->dev, DMA_BIT_MASK(32));
	}
	edu_free(&buf);

	if (last && last <= mask && !(mask & (mask + 1)))
		return 0;
	edu_note("required mask is %#llx, memory lies at %pad", mask, &last);
	return -EIO;
}

/* A bounced mapping needs sync, a direct one on a coherent machine does not. */
int test_need_sync(struct edu *edu, enum edu_zone zone)
{
	bool bounced, need;
	int err = edu_need_sync(edu, zone, &bounced, &need);

	if (err)
		return err;
	if (bounced == need)
		return 0;
	edu_note("%s mapping: dma_need_sync() says %s", bounced ? "bounced" : "direct",
		 need ? "yes" : "no");
	return -EIO;
}

/* The same for a device that reaches all memory: direct unless bouncing is forced. */
int test_need_sync_64bit(struct edu *edu, enum edu_zone zone)
{
	int err = dma_set_mask(edu->dev, DMA_BIT_MASK(64));

	if (err)
		return err;
	err = test_need_sync(edu, zone);
	return dma_set_mask(edu->dev, DMA_BIT_MASK(32)) ?: err;
}

static int map_and_move(struct edu *edu, size_t off, size_t size, enum edu_zone zone)
{
	u32 salt = edu_random(edu, U32_MAX);
	struct edu_buf buf;
	struct edu_map map;
	int err = -EIO;

	if (edu_alloc(edu, &buf, off + size, zone))
		return -ENOMEM;
	edu_fill(edu, buf.mem + off, size, salt, 0);
	if (edu_map(edu, &map, buf.mem + off, size, DMA_BIDIRECTIONAL))
		goto out;
	err = edu_check_bounce(edu, &map, salt);
	if (!err)
		err = edu_check_map(edu, &map, true);
	edu_unmap(edu, &map);
out:
	edu_free(&buf);
	return err;
}

/* What dma_max_mapping_size() promises can be mapped, also at an odd offset. */
int test_max_mapping(struct edu *edu, enum edu_zone zone)
{
	size_t max = dma_max_mapping_size(edu->dev);
	int err;

	if (!max) {
		edu_note("dma_max_mapping_size() is 0");
		return -EIO;
	}
	err = map_and_move(edu, 0, min_t(size_t, max, SZ_1M), zone);
	if (err)
		return err;

	dma_set_min_align_mask(edu->dev, SZ_4K - 1);
	max = dma_max_mapping_size(edu->dev);
	err = map_and_move(edu, SZ_4K - 1, min_t(size_t, max, SZ_1M), zone);
	dma_set_min_align_mask(edu->dev, 0);
	return err;
}

/* A mapping larger than dma_max_mapping_size() fails cleanly, or its data is right. */
static int map_beyond(struct edu *edu, size_t size, enum edu_zone zone)
{
	u32 salt = edu_random(edu, U32_MAX);
	struct edu_buf buf;
	struct edu_map map;
	int err = 0;

	if (edu_alloc(edu, &buf, size, zone))
		return -ENOMEM;
	edu_fill(edu, buf.mem, buf.size, salt, 0);
	if (edu_map_quiet(edu, &map, buf.mem, size, DMA_BIDIRECTIONAL)) {
		err = edu_check(edu, buf.mem, buf.size, salt, 0, "after a failed map");
	} else {
		err = edu_check_bounce(edu, &map, salt);
		edu_unmap(edu, &map);
	}
	edu_free(&buf);
	return err;
}

int test_beyond_max_mapping(struct edu *edu, enum edu_zone zone)
{
	size_t max = min_t(size_t, dma_max_mapping_size(edu->dev), SZ_512K);
	int err;

	err = map_beyond(edu, max + 1, zone);
	if (!err)
		err = map_beyond(edu, 2 * max, zone);
	if (!err)
		err = map_beyond(edu, SZ_2M, zone);
	if (!err)
		err = map_and_move(edu, 0, SZ_4K, zone);	/* and the device still works */
	return err;
}

struct held {
	struct edu_buf buf;
	struct edu_map map;
	u32 salt;
	bool mapped;
	bool bounced;
};

/* The mapping is made with salt's content; the buffer around it holds that of salt + 2. */
static int held_map(struct edu *edu, struct held *held, enum edu_zone zone)
{
	size_t off = edu_random(edu, PAGE_SIZE);
	size_t size = 1 + edu_random(edu, edu_random(edu, 4) ? SZ_2K : SZ_16K);

	held->salt = edu_random(edu, U32_MAX);
	if (edu_alloc(edu, &held->buf, off + size, zone))
		return -ENOMEM;
	edu_fill(edu, held->buf.mem, held->buf.size, held->salt + 2, 0);
	edu_fill(edu, held->buf.mem + off, size, held->salt, 0);
	if (edu_map(edu, &held->map, held->buf.mem + off, size, DMA_BIDIRECTIONAL)) {
		edu_free(&held->buf);
		return -EIO;
	}
	held->bounced = edu_bounced(edu, &held->map);
	edu_fill(edu, held->map.mem, size, held->salt + 1, 0);
	held->mapped = true;
	return 0;
}

/* What the device would see of this mapping. */
static u32 held_salt(const struct held *held)
{
	return held->bounced ? held->salt : held->salt + 1;
}

/* Unmap, and compare unless @err is set: only the first fault is reported. */
static int held_unmap(struct edu *edu, struct held *held, int err)
{
	size_t off = held->map.mem - held->buf.mem;
	size_t end = off + held->map.size;

	held->mapped = false;
	edu_unmap(edu, &held->map);
	if (!err)
		err = edu_check(edu, held->buf.mem, off, held->salt + 2, 0, "before the mapping");
	if (!err)
		err = edu_check(edu, held->map.mem, held->map.size, held_salt(held), 0,
				"unmapped content");
	if (!err)
		err = edu_check(edu, held->buf.mem + end, held->buf.size - end, held->salt + 2,
				end, "after the mapping");
	edu_free(&held->buf);
	return err;
}

static int by_address(const void *a, const void *b)
{
	const struct edu_map *x = *(const struct edu_map **)a;
	const struct edu_map *y = *(const struct edu_map **)b;

	if (x->dma == y->dma)
		return 0;
	return x->dma < y->dma ? -1 : 1;
}

/* No two outstanding mappings may share a byte of DMA space. */
static int check_disjoint(struct held *held)
{
	const struct edu_map **map;
	int n = 0, err = 0;
	int i;

	map = kcalloc(OUTSTANDING, sizeof(*map), GFP_KERNEL);
	if (!map)
		return -ENOMEM;
	for (i = 0; i < OUTSTANDING; i++) {
		if (held[i].mapped)
			map[n++] = &held[i].map;
	}
	sort(map, n, sizeof(*map), by_address, NULL);
	for (i = 1; !err && i < n; i++) {
		if (map[i - 1]->dma + map[i - 1]->size <= map[i]->dma)
			continue;
		edu_note("mappings overlap: %zu bytes at %pad, %zu at %pad", map[i - 1]->size,
			 &map[i - 1]->dma, map[i]->size, &map[i]->dma);
		err = -EIO;
	}
	kfree(map);
	return err;
}

/* The device reads a few of them, one after the other into its memory: nine transfers. */
static int held_load_some(struct edu *edu, struct held *held)
{
	const unsigned int count = 8, room = EDU_MAX_LEN / count;
	unsigned int i, len;
	struct held *pick;
	u8 *seen;

	for (i = 0; i < count; i++) {
		pick = &held[i * OUTSTANDING / count];
		len = min_t(size_t, pick->map.size, room);
		if (edu_load(edu, &pick->map, pick->map.size - len, i * room, len))
			return -EIO;
	}
	seen = edu_read(edu, count * room);
	if (!seen)
		return -EIO;
	for (i = 0; i < count; i++) {
		pick = &held[i * OUTSTANDING / count];
		len = min_t(size_t, pick->map.size, room);
		if (edu_check(edu, seen + i * room, len, held_salt(pick), pick->map.size - len,
			      "device read"))
			return -EIO;
	}
	return 0;
}

static int held_churn(struct edu *edu, struct held *held, enum edu_zone zone)
{
	struct held *pick;
	int err = 0;
	int i;

	for (i = 0; !err && i < OUTSTANDING; i++)
		err = held_map(edu, &held[i], zone);
	if (!err)
		err = check_disjoint(held);
	if (!err)
		err = held_load_some(edu, held);
	for (i = 0; !err && i < CHURN; i++) {
		pick = &held[edu_random(edu, OUTSTANDING)];
		err = pick->mapped ? held_unmap(edu, pick, 0) : held_map(edu, pick, zone);
	}
	return err ?: check_disjoint(held);
}

/* Hundreds of mappings, made and released in random order. */
int test_outstanding(struct edu *edu, enum edu_zone zone)
{
	struct held *held = kcalloc(OUTSTANDING, sizeof(*held), GFP_KERNEL);
	int err, i;

	if (!held)
		return -ENOMEM;
	err = held_churn(edu, held, zone);
	for (i = 0; i < OUTSTANDING; i++) {
		if (held[i].mapped)
			err = held_unmap(edu, &held[i], err);
	}
	kfree(held);
	return err;
}

static int check_aligned(struct edu *edu, const struct edu_map *map, unsigned int mask)
{
	unsigned long kept = (unsigned long)map->mem & mask;

	if ((map->dma & mask) == kept)
		return 0;
	edu_note("%zu bytes: address %pad does not keep the low bits %#lx of the buffer",
		 map->size, &map->dma, kept);
	return -EIO;
}

static int align_one(struct edu *edu, struct edu_buf *buf, unsigned int mask)
{
	u32 salt = edu_random(edu, U32_MAX);
	size_t off = edu_random(edu, PAGE_SIZE);
	struct edu_map map;
	int err;

	edu_fill(edu, buf->mem, buf->size, ~salt, 0);
	map.size = 1 + edu_random(edu, SZ_8K);
	edu_fill(edu, buf->mem + off, map.size, salt, 0);
	if (edu_map(edu, &map, buf->mem + off, map.size, DMA_BIDIRECTIONAL))
		return -EIO;
	err = check_aligned(edu, &map, mask);
	if (!err)
		err = edu_check_bounce(edu, &map, salt);
	edu_unmap(edu, &map);
	if (!err)
		err = edu_check(edu, buf->mem, off, ~salt, 0, "before the mapping");
	return err;
}

static int align_all(struct edu *edu, unsigned int mask, enum edu_zone zone)
{
	struct edu_buf buf;
	int err = 0;
	int i;

	if (edu_alloc(edu, &buf, SZ_16K, zone))
		return -ENOMEM;
	dma_set_min_align_mask(edu->dev, mask);
	for (i = 0; !err && i < ALIGN_COUNT; i++)
		err = align_one(edu, &buf, mask);
	if (!err)
		err = map_and_move(edu, 2789, SZ_8K + 5, zone);
	dma_set_min_align_mask(edu->dev, 0);
	edu_free(&buf);
	return err;
}

int test_min_align_mask(struct edu *edu, enum edu_zone zone)
{
	int err = align_all(edu, 511, zone);

	return err ?: align_all(edu, SZ_4K - 1, zone);
}

static int check_boundary(const struct edu_map *map, u64 mask)
{
	dma_addr_t last = map->dma + map->size - 1;

	if ((map->dma & ~mask) == (last & ~mask))
		return 0;
	edu_note("%zu bytes at %pad cross a boundary of %#llx", map->size, &map->dma, mask + 1);
	return -EIO;
}

/*
 * Only bounced mappings are checked: a direct mapping lies where the buffer does.
 * Mappings are held, so that they go through the pool.
 */
static int boundary_all(struct edu *edu, u64 mask, size_t slack, enum edu_zone zone, int *bounced)
{
	struct edu_map map[ALIGN_COUNT];
	struct edu_buf buf;
	int err = 0;
	int n;

	if (edu_alloc(edu, &buf, mask + 1 + PAGE_SIZE, zone))
		return -ENOMEM;
	dma_set_seg_boundary(edu->dev, mask);
	for (n = 0; n < ALIGN_COUNT; n++) {
		size_t size = mask + 1 - slack - (n % 4) * 512;

		if (n % 3 == 1)
			size = 1 + edu_random(edu, size);
		err = edu_map(edu, &map[n], buf.mem + edu_random(edu, PAGE_SIZE), size,
			      DMA_BIDIRECTIONAL);
		if (err)
			break;
		if (!edu_bounced(edu, &map[n]))
			continue;
		(*bounced)++;
		err = err ?: check_boundary(&map[n], mask);
	}
	while (n--)
		edu_unmap(edu, &map[n]);
	dma_set_seg_boundary(edu->dev, DMA_BIT_MASK(32));
	edu_free(&buf);
	return err;
}

int test_seg_boundary(struct edu *edu, enum edu_zone zone)
{
	int bounced = 0;
	int err;

	err = boundary_all(edu, SZ_4K - 1, 0, zone, &bounced);
	if (!err)
		err = boundary_all(edu, SZ_64K - 1, 0, zone, &bounced);
	if (!err) {
		dma_set_min_align_mask(edu->dev, SZ_4K - 1);
		err = boundary_all(edu, SZ_64K - 1, SZ_4K, zone, &bounced);
		dma_set_min_align_mask(edu->dev, 0);
	}
	if (err || bounced)
		return err;
	edu->why = "nothing was bounced";
	return EDU_SKIP;
}
