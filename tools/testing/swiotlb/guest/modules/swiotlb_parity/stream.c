// SPDX-License-Identifier: GPL-2.0
/*
 * Streaming mappings: larger than a slot set, and bounced only when necessary.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/workqueue.h>

#include "parity.h"

#define SET	SZ_256K		/* a slot set: contiguous in any case */
#define ACROSS	2000		/* a transfer starts so far before the end of a set */

/* Not in 6.12 */
#ifndef DMA_ATTR_REQUIRE_COHERENT
#define DMA_ATTR_REQUIRE_COHERENT	0
#endif

/* Contiguous memory, but a piece that is not aligned to its size. */
static int unaligned(struct edu *edu, struct said *said)
{
	static const size_t sizes[] = { SZ_16K, SZ_64K, SZ_256K, SZ_512K };
	struct edu_map whole, map;
	int i, bounced = 0;

	whole.mem = dma_alloc_coherent(edu->dev, SZ_1M, &whole.dma, GFP_KERNEL);
	if (!whole.mem)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (edu_map(edu, &map, whole.mem + PAGE_SIZE, sizes[i], DMA_TO_DEVICE)) {
			bounced++;
			continue;
		}
		bounced += map.dma != whole.dma + PAGE_SIZE;
		edu_unmap(edu, &map);
	}
	dma_free_coherent(edu->dev, SZ_1M, whole.mem, whole.dma);
	say(said, "%d of %zu bounced", bounced, ARRAY_SIZE(sizes));
	return bounced ? -EIO : YES;
}

int row_streaming_unaligned(struct edu *edu, struct said *said)
{
	return with_mask(edu, 64, said, unaligned);
}

/*
 * The device writes at the start, across the end of a set in the middle, and at the
 * end. A sync of the part in the middle brings that part, and nothing else.
 */
static int across_sets(struct edu *edu, struct edu_map *map, u32 salt)
{
	size_t middle = map->size > SET ? round_up(map->size / 2, SET) : map->size / 2;
	const size_t at[] = { 0, middle - ACROSS, map->size - EDU_MAX_LEN };
	size_t end = 0;
	int i;

	if (edu_write(edu, salt + 2))
		return -EIO;
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		if (edu_store(edu, map, at[i], 0, EDU_MAX_LEN))
			return -EIO;
	}
	edu_fill(edu, map->mem, map->size, salt + 1, 0);
	dma_sync_single_range_for_cpu(edu->dev, map->dma, at[1], EDU_MAX_LEN, map->dir);
	if (edu_check(edu, map->mem, at[1], salt + 1, 0, "before a partial sync") ||
	    edu_check(edu, map->mem + at[1], EDU_MAX_LEN, salt + 2, 0, "partial sync"))
		return -EIO;

	dma_sync_single_for_cpu(edu->dev, map->dma, map->size, map->dir);
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		if (edu_check(edu, map->mem + end, at[i] - end, salt, end, "not written") ||
		    edu_check(edu, map->mem + at[i], EDU_MAX_LEN, salt + 2, 0, "written"))
			return -EIO;
		end = at[i] + EDU_MAX_LEN;
	}
	return 0;
}

static int large(struct edu *edu, size_t size)
{
	u32 salt = edu_random(edu, U32_MAX);
	struct edu_buf buf;
	struct edu_map map;
	int err = -ENOSPC;

	if (edu_alloc(edu, &buf, size, EDU_HIGH))
		return -ENOMEM;
	edu_fill(edu, buf.mem, size, salt, 0);
	if (edu_map_quiet(edu, &map, buf.mem, size, DMA_BIDIRECTIONAL))
		goto out;
	err = edu_check_bounce(edu, &map, salt);
	if (!err && !edu_bounced(edu, &map)) {
		edu_note("%zu bytes did not bounce", size);
		err = -EIO;
	}
	if (!err) {
		edu_fill(edu, map.mem, size, salt, 0);
		dma_sync_single_for_device(edu->dev, map.dma, size, map.dir);
		err = across_sets(edu, &map, salt);
	}
	edu_unmap(edu, &map);
out:
	edu_free(&buf);
	return err;
}

int row_large_map(struct edu *edu, struct said *said)
{
	static const size_t sizes[] = { SZ_256K, SZ_512K, SZ_1M, SZ_2M };
	int err = 0, ret;
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		ret = large(edu, sizes[i]);
		if (ret)
			err = ret;
		say(said, "%s%s: %s", i ? ", " : "", size_name(sizes[i]),
		    !ret ? "yes" : ret == -ENOSPC ? "refused" : "wrong");
	}
	return err;
}

static bool can_map(struct edu *edu, struct page *page, size_t size)
{
	dma_addr_t dma;

	dma = dma_map_page_attrs(edu->dev, page, 0, size, DMA_TO_DEVICE, DMA_ATTR_NO_WARN);
	if (dma_mapping_error(edu->dev, dma))
		return false;
	dma_unmap_page(edu->dev, dma, size, DMA_TO_DEVICE);
	return true;
}

/* A small mapping on each CPU */
struct small {
	struct edu *edu;
	struct page *page;
	dma_addr_t *dma;
};

static long map_small(void *data)
{
	struct small *small = data;

	small->dma[smp_processor_id()] = dma_map_page_attrs(small->edu->dev, small->page, 0, 64,
							    DMA_TO_DEVICE, DMA_ATTR_NO_WARN);
	return 0;
}

static void unmap_small(struct small *small)
{
	unsigned int cpu;

	for (cpu = 0; cpu < nr_cpu_ids; cpu++)
		if (small->dma[cpu] && !dma_mapping_error(small->edu->dev, small->dma[cpu]))
			dma_unmap_page(small->edu->dev, small->dma[cpu], 64, DMA_TO_DEVICE);
}

static int map_largest(struct edu *edu, struct said *said, struct page *page, size_t size)
{
	struct small small = { .edu = edu, .page = page };
	unsigned int cpu;
	bool fits;

	small.dma = kcalloc(nr_cpu_ids, sizeof(*small.dma), GFP_KERNEL);
	if (!small.dma)
		return -ENOMEM;
	for_each_online_cpu(cpu)
		work_on_cpu(cpu, map_small, &small);
	fits = can_map(edu, page, size);
	unmap_small(&small);
	kfree(small.dma);
	say(said, "%zu KiB %s", size >> 10, fits ? "fit" : "do not fit");
	return fits ? YES : -EIO;
}

/* dma_max_mapping_size() can be mapped, even beside a small mapping on each CPU. */
int row_largest_map(struct edu *edu, struct said *said)
{
	size_t size = dma_max_mapping_size(edu->dev);
	struct page *page;

	if (size > SZ_1G) {
		say(said, "no limit told");
		return -EIO;
	}
	page = machine_run(size);
	if (!page) {
		say(said, "no memory to map");
		return -ENOMEM;
	}
	return map_largest(edu, said, page, size);
}

static int map_coherent(struct edu *edu, struct edu_map *map, void *mem)
{
	map->mem = mem;
	map->size = PAGE_SIZE;
	map->dir = DMA_BIDIRECTIONAL;
	map->dma = dma_map_single_attrs(edu->dev, mem, map->size, map->dir,
					DMA_ATTR_REQUIRE_COHERENT | DMA_ATTR_NO_WARN);
	return dma_mapping_error(edu->dev, map->dma) ? -ENOMEM : 0;
}

static void unmap_coherent(struct edu *edu, struct edu_map *map)
{
	dma_unmap_single_attrs(edu->dev, map->dma, map->size, map->dir,
			       DMA_ATTR_REQUIRE_COHERENT);
}

/* A page that the device reaches is mapped as it is. */
static int maps_in_reach(struct edu *edu)
{
	struct edu_map map;
	dma_addr_t dma;
	void *mem;
	int err;

	mem = dma_alloc_coherent(edu->dev, PAGE_SIZE, &dma, GFP_KERNEL);
	if (!mem)
		return -ENOMEM;
	err = map_coherent(edu, &map, mem);
	if (!err) {
		err = map.dma != dma ? -EIO : moves(edu, &map, false);
		unmap_coherent(edu, &map);
	}
	dma_free_coherent(edu->dev, PAGE_SIZE, mem, dma);
	return err;
}

/* A page that would be bounced is refused. */
static int refuses_beyond(struct edu *edu)
{
	struct edu_buf buf;
	struct edu_map map;
	bool bounced;
	int err = 0;

	if (edu_alloc(edu, &buf, PAGE_SIZE, EDU_HIGH))
		return -ENOMEM;
	if (!edu_map_quiet(edu, &map, buf.mem, PAGE_SIZE, DMA_BIDIRECTIONAL)) {
		bounced = edu_bounced(edu, &map);
		edu_unmap(edu, &map);
		if (bounced && !map_coherent(edu, &map, buf.mem)) {
			unmap_coherent(edu, &map);
			err = -EIO;
		}
	}
	edu_free(&buf);
	return err;
}

int row_require_coherent(struct edu *edu, struct said *said)
{
	int mapped, refused;

	if (!DMA_ATTR_REQUIRE_COHERENT)
		return NOT_HERE;
	mapped = maps_in_reach(edu);
	refused = refuses_beyond(edu);
	say(said, "in reach: %s, beyond: %s", mapped ? "not mapped" : "mapped as it is",
	    refused ? "bounced" : "refused");
	return mapped ?: refused;
}
