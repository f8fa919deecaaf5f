// SPDX-License-Identifier: GPL-2.0
/*
 * Coherent memory: large, below any mask, where the bus ends, aligned, in atomic
 * context.
 */
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/spinlock.h>

#include "parity.h"

/* What a driver of a RAID controller asked for, and did not get. */
#define ODD_SIZE	2415919

#define MASK_LEAST	24
#define MASK_MOST	36

static int coherent_get(struct edu *edu, struct edu_map *map, size_t size, gfp_t gfp)
{
	map->size = size;
	map->dir = DMA_BIDIRECTIONAL;
	map->mem = dma_alloc_coherent(edu->dev, size, &map->dma, gfp | __GFP_NOWARN);
	return map->mem ? 0 : -ENOMEM;
}

static void coherent_put(struct edu *edu, struct edu_map *map)
{
	dma_free_coherent(edu->dev, map->size, map->mem, map->dma);
}

/* Aligned to its size, one piece, below @limit, and the same frames for CPU and device. */
static int coherent_judge(const struct edu_map *map, u64 limit)
{
	size_t align = PAGE_SIZE << get_order(map->size);
	unsigned long pfn = PHYS_PFN(virt_to_phys(map->mem));

	if (map->dma + map->size - 1 <= limit && IS_ALIGNED(map->dma, align) &&
	    machine_frame(pfn) == PHYS_PFN(map->dma) &&
	    machine_contiguous(map->mem, map->size))
		return 0;
	edu_note("%zu bytes: at %pad for the device, frame %#lx for the CPU, limit %#llx",
		 map->size, &map->dma, machine_frame(pfn), limit);
	return -EIO;
}

static int coherent_one(struct edu *edu, size_t size, u64 limit, bool move)
{
	struct edu_map map;
	int err;

	if (coherent_get(edu, &map, size, GFP_KERNEL))
		return -ENOMEM;
	err = coherent_judge(&map, limit);
	if (!err && move)
		err = moves(edu, &map, false);
	coherent_put(edu, &map);
	return err;
}

int row_coherent_large(struct edu *edu, struct said *said)
{
	static const size_t sizes[] = { SZ_1M, ODD_SIZE, SZ_4M };
	int err = 0, ret;
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		ret = coherent_one(edu, sizes[i], DMA_BIT_MASK(32), true);
		if (ret)
			err = ret;
		say(said, "%s%zu: %s", i ? ", " : "", sizes[i],
		    !ret ? "yes" : ret == -ENOMEM ? "none" : "wrong");
	}
	return err;
}

/* A mask may only be refused if no memory can be had below it. */
static int below_mask(struct edu *edu, unsigned int bits, bool *served)
{
	u64 mask = DMA_BIT_MASK(bits);
	bool refused = dma_set_coherent_mask(edu->dev, mask);
	int err;

	edu->dev->coherent_dma_mask = mask;
	err = coherent_one(edu, PAGE_SIZE, mask, false);
	if (!err)
		err = coherent_one(edu, SZ_64K, mask, false);
	edu_note("a coherent mask of %u bits is %s, and memory below it %s", bits,
		 refused ? "refused" : "accepted",
		 !err ? "given" : err == -ENOMEM ? "not given" : "wrong");
	*served = !refused && !err;
	return refused ? (err == -ENOMEM ? 0 : -EIO) : err;
}

int row_coherent_masks(struct edu *edu, struct said *said)
{
	unsigned int bits, least = 0;
	int err = 0, ret;
	bool served;

	for (bits = MASK_LEAST; bits <= MASK_MOST; bits++) {
		ret = below_mask(edu, bits, &served);
		if (ret) {
			say(said, "%u bits: wrong; ", bits);
			err = ret;
		}
		if (served && !least)
			least = bits;
	}
	say(said, "from %u bits", least);
	return dma_set_coherent_mask(edu->dev, DMA_BIT_MASK(32)) ?: err;
}

/* The bus reaches less memory than the device. */
static int below_bus_limit(struct edu *edu, struct said *said)
{
	u64 limit = DMA_BIT_MASK(31);
	int err;

	edu->dev->bus_dma_limit = limit;
	err = coherent_one(edu, SZ_64K, limit, false);
	edu->dev->bus_dma_limit = 0;
	say(said, !err ? "kept" : err == -ENOMEM ? "no memory" : "ignored");
	return err;
}

int row_coherent_bus_limit(struct edu *edu, struct said *said)
{
	return with_mask(edu, 64, said, below_bus_limit);
}

int row_coherent_aligned(struct edu *edu, struct said *said)
{
	size_t size;
	int err = 0;

	for (size = SZ_8K; !err && size <= SZ_4M; size *= 2) {
		err = coherent_one(edu, size, DMA_BIT_MASK(32), false);
		if (err)
			say(said, "%s: %s", size_name(size), err == -ENOMEM ? "none" : "wrong");
	}
	if (!err)
		say(said, "8 KiB to 4 MiB");
	return err;
}

/* With a lock held, as drivers do. Memory may be refused, but nothing may sleep. */
int row_coherent_atomic(struct edu *edu, struct said *said)
{
	static DEFINE_SPINLOCK(lock);
	struct edu_map map;
	size_t size, most = 0;
	int err = 0;

	for (size = PAGE_SIZE; !err && size <= SZ_4M; size *= 2) {
		spin_lock(&lock);
		err = coherent_get(edu, &map, size, GFP_ATOMIC);
		spin_unlock(&lock);
		if (err) {
			err = 0;
			continue;
		}
		most = size;
		err = coherent_judge(&map, DMA_BIT_MASK(32));
		coherent_put(edu, &map);
	}
	say(said, "up to %s", size_name(most));
	return err ?: most >= SZ_64K ? YES : -ENOMEM;
}
