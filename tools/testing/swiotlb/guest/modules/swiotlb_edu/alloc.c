// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that the DMA API allocates: coherent, pages, noncontiguous; and MMIO,
 * which is mapped directly.
 */
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/spinlock.h>

#include <xen/xen.h>

#include "edu.h"

#define REUSE_ROUNDS	48
#define REUSE_HELD	3
#define LEAK_ALLOWED	SZ_8M	/* what other users may take meanwhile */

/* Larger memory need not be aligned to its size. */
#define ALIGNED_UP_TO	SZ_4M

static int coherent_alloc(struct edu *edu, struct edu_map *map, size_t size, gfp_t gfp)
{
	map->size = size;
	map->dir = DMA_BIDIRECTIONAL;
	map->mem = dma_alloc_coherent(edu->dev, size, &map->dma, gfp);
	if (map->mem)
		return 0;
	edu_note("no coherent memory: %zu bytes", size);
	return -ENOMEM;
}

static void coherent_free(struct edu *edu, struct edu_map *map)
{
	dma_free_coherent(edu->dev, map->size, map->mem, map->dma);
}

/* Zeroed, below the mask, and aligned to its own order in DMA space. */
static int coherent_check(struct edu *edu, struct edu_map *map)
{
	size_t align = PAGE_SIZE << get_order(map->size);

	if (map->dma + map->size - 1 > edu->dev->coherent_dma_mask) {
		edu_note("%zu bytes at %pad, beyond mask %#llx", map->size, &map->dma,
			 edu->dev->coherent_dma_mask);
		return -EIO;
	}
	if (align <= ALIGNED_UP_TO && !IS_ALIGNED(map->dma, align)) {
		edu_note("%zu bytes at %pad, not aligned to %#zx", map->size, &map->dma, align);
		return -EIO;
	}
	if (memchr_inv(map->mem, 0, map->size)) {
		edu_note("%zu bytes are not zeroed", map->size);
		return -EIO;
	}
	return 0;
}

static int coherent_one(struct edu *edu, size_t size, gfp_t gfp, bool move)
{
	struct edu_map map;
	int err;

	if (coherent_alloc(edu, &map, size, gfp))
		return -ENOMEM;
	err = coherent_check(edu, &map);
	if (!err && move)
		err = edu_check_map(edu, &map, false);
	coherent_free(edu, &map);
	return err;
}

int test_coherent_sizes(struct edu *edu, enum edu_zone zone)
{
	static const size_t sizes[] = {
		1, 64, PAGE_SIZE - 1, PAGE_SIZE, PAGE_SIZE + 1, 3 * PAGE_SIZE, SZ_32K, SZ_64K + 1,
		SZ_256K, SZ_256K + SZ_4K, SZ_1M - 1, SZ_1M + 1, SZ_2M, 2355200, SZ_4M,
	};
	int err = 0;
	int i;

	for (i = 0; !err && i < ARRAY_SIZE(sizes); i++)
		err = coherent_one(edu, sizes[i], GFP_KERNEL, false);
	return err;
}

int test_coherent_data(struct edu *edu, enum edu_zone zone)
{
	static const size_t sizes[] = { 100, PAGE_SIZE + 1, 3 * SZ_64K, SZ_1M + 1, SZ_4M };
	int err = 0;
	int i;

	for (i = 0; !err && i < ARRAY_SIZE(sizes); i++)
		err = coherent_one(edu, sizes[i], GFP_KERNEL, true);
	return err;
}

static int coherent_below(struct edu *edu, unsigned int bits)
{
	int err;

	if (dma_set_coherent_mask(edu->dev, DMA_BIT_MASK(bits))) {
		/* A platform may refuse a small mask, but never 32 bits. */
		edu_note("a coherent mask of %u bits is refused", bits);
		return bits < 32 ? 0 : -EIO;
	}
	err = coherent_one(edu, PAGE_SIZE, GFP_KERNEL, false);
	if (!err)
		err = coherent_one(edu, SZ_64K, GFP_KERNEL, false);
	return err;
}

int test_coherent_masks(struct edu *edu, enum edu_zone zone)
{
	static const unsigned int bits[] = { 32, 31, 30, 28, 26 };
	u64 saved = edu->dev->coherent_dma_mask;
	int err = 0;
	int i;

	for (i = 0; !err && i < ARRAY_SIZE(bits); i++)
		err = coherent_below(edu, bits[i]);
	edu->dev->coherent_dma_mask = saved;
	return err;
}

/* With a spinlock held, as drivers do. Freeing is done outside. */
int test_coherent_atomic(struct edu *edu, enum edu_zone zone)
{
	static const size_t sizes[] = { 64, PAGE_SIZE, SZ_16K, SZ_64K };
	static DEFINE_SPINLOCK(lock);
	struct edu_map map;
	int err = 0;
	int i;

	for (i = 0; !err && i < ARRAY_SIZE(sizes); i++) {
		spin_lock(&lock);
		err = coherent_alloc(edu, &map, sizes[i], GFP_ATOMIC);
		spin_unlock(&lock);
		if (err)
			break;
		err = coherent_check(edu, &map);
		coherent_free(edu, &map);
	}
	return err;
}

static u64 free_bytes(void)
{
	struct sysinfo info;

	si_meminfo(&info);
	return (u64)info.freeram * info.mem_unit;
}

static int reuse_round(struct edu *edu, size_t *moved)
{
	static const size_t sizes[REUSE_HELD] = { SZ_1M, PAGE_SIZE + 1, 3 * PAGE_SIZE };
	struct edu_map map[REUSE_HELD];
	int err = 0;
	int got;

	for (got = 0; got < REUSE_HELD; got++) {
		err = coherent_alloc(edu, &map[got], sizes[got], GFP_KERNEL);
		if (err)
			break;
		*moved += sizes[got];
	}
	while (got--) {
		if (!err)
			err = coherent_check(edu, &map[got]);
		memset(map[got].mem, 0xa5, map[got].size);
		coherent_free(edu, &map[got]);
	}
	return err;
}

/* Allocate and free much more than may get lost. */
int test_coherent_reuse(struct edu *edu, enum edu_zone zone)
{
	size_t moved = 0;
	u64 before, after;
	int err, i;

	err = reuse_round(edu, &moved);		/* fill the caches of the allocators */
	before = free_bytes();
	for (i = 0; !err && i < REUSE_ROUNDS; i++)
		err = reuse_round(edu, &moved);
	after = free_bytes();
	if (err || after + LEAK_ALLOWED >= before)
		return err;
	edu_note("%llu KiB less memory free after %zu KiB were allocated and freed",
		 (before - after) >> 10, moved >> 10);
	return -EIO;
}

int test_alloc_pages(struct edu *edu, enum edu_zone zone)
{
	struct edu_map map = { .size = SZ_1M, .dir = DMA_BIDIRECTIONAL };
	struct page *page;
	int err;

	page = dma_alloc_pages(edu->dev, map.size, &map.dma, map.dir, GFP_KERNEL);
	if (!page) {
		edu_note("dma_alloc_pages() of %zu bytes failed", map.size);
		return -ENOMEM;
	}
	map.mem = page_address(page);
	err = coherent_check(edu, &map);
	if (!err)
		err = edu_check_map(edu, &map, true);
	dma_free_pages(edu->dev, map.size, page, map.dma, map.dir);
	return err;
}

static int noncontiguous_check(struct edu *edu, struct sg_table *sgt, size_t size)
{
	struct edu_map map = {
		.size = size,
		.dir = DMA_BIDIRECTIONAL,
		.dma = sg_dma_address(sgt->sgl),
	};
	int err;

	/* No IOMMU remaps here, so it must be contiguous for the device. */
	if (sgt->nents != 1 || sg_dma_len(sgt->sgl) < size) {
		edu_note("%u segments, the first of %u bytes", sgt->nents,
			 sg_dma_len(sgt->sgl));
		return -EIO;
	}
	map.mem = dma_vmap_noncontiguous(edu->dev, size, sgt);
	if (!map.mem)
		return -ENOMEM;
	err = edu_check_map(edu, &map, true);
	dma_vunmap_noncontiguous(edu->dev, map.mem);
	return err;
}

int test_alloc_noncontiguous(struct edu *edu, enum edu_zone zone)
{
	struct sg_table *sgt;
	int err;

	sgt = dma_alloc_noncontiguous(edu->dev, SZ_1M, DMA_BIDIRECTIONAL, GFP_KERNEL, 0);
	if (!sgt) {
		edu_note("dma_alloc_noncontiguous() of 1 MiB failed");
		return -ENOMEM;
	}
	err = noncontiguous_check(edu, sgt, SZ_1M);
	dma_free_noncontiguous(edu->dev, SZ_1M, sgt, DMA_BIDIRECTIONAL);
	return err;
}

/* Registers of a device are mapped at their bus address, and never bounced. */
int test_map_resource(struct edu *edu, enum edu_zone zone)
{
	phys_addr_t bar = pci_resource_start(edu->pdev, 0);
	dma_addr_t bus = pci_bus_address(edu->pdev, 0);
	dma_addr_t dma;

	dma = dma_map_resource(edu->dev, bar, PAGE_SIZE, DMA_BIDIRECTIONAL, 0);
	if (dma_mapping_error(edu->dev, dma)) {
		/* A PV guest does not know what Xen's IOMMU lets pass. */
		if (xen_pv_domain())
			return 0;
		edu_note("dma_map_resource() of BAR 0 at %pap failed", &bar);
		return -EIO;
	}
	dma_unmap_resource(edu->dev, dma, PAGE_SIZE, DMA_BIDIRECTIONAL, 0);
	if (dma == bus)
		return 0;
	edu_note("BAR 0 is mapped at %pad, its bus address is %pad", &dma, &bus);
	return -EIO;
}
