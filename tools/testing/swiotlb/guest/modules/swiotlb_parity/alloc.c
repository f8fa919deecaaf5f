// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that the DMA API allocates: contiguous for the device, and never at the
 * cost of bounce slots.
 */
#include <linux/mm.h>
#include <linux/scatterlist.h>

#include "parity.h"

static const size_t sizes[] = { SZ_64K, SZ_256K, SZ_1M, SZ_4M };

/* It lies below the mask, takes no slots, and device and CPU see the same data. */
static int check(struct edu *edu, const struct edu_map *map, long used_before)
{
	long used = swiotlb_counter("io_tlb_used");

	if (map->dma + map->size - 1 > edu->dev->coherent_dma_mask) {
		edu_note("%zu bytes at %pad, beyond the mask", map->size, &map->dma);
		return -EIO;
	}
	if (used < 0 || used != used_before) {
		edu_note("%zu bytes: %ld slots used, %ld before", map->size, used, used_before);
		return -EIO;
	}
	return moves(edu, map, true);
}

static int one_of_pages(struct edu *edu, size_t size)
{
	struct edu_map map = { .size = size, .dir = DMA_BIDIRECTIONAL };
	long used = swiotlb_counter("io_tlb_used");
	struct page *page;
	int err;

	page = dma_alloc_pages(edu->dev, size, &map.dma, map.dir, GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	map.mem = page_address(page);
	err = check(edu, &map, used);
	if (!err && !machine_contiguous(map.mem, size))
		err = -EIO;
	dma_free_pages(edu->dev, size, page, map.dma, map.dir);
	return err;
}

static int one_noncontiguous(struct edu *edu, size_t size)
{
	struct edu_map map = { .size = size, .dir = DMA_BIDIRECTIONAL };
	long used = swiotlb_counter("io_tlb_used");
	struct sg_table *sgt;
	int err = -EIO;

	sgt = dma_alloc_noncontiguous(edu->dev, size, map.dir, GFP_KERNEL, 0);
	if (!sgt)
		return -ENOMEM;
	map.dma = sg_dma_address(sgt->sgl);
	map.mem = dma_vmap_noncontiguous(edu->dev, size, sgt);
	/* No IOMMU here that could make one piece of several. */
	if (map.mem && sgt->nents == 1 && sg_dma_len(sgt->sgl) >= size)
		err = check(edu, &map, used);
	if (map.mem)
		dma_vunmap_noncontiguous(edu->dev, map.mem);
	dma_free_noncontiguous(edu->dev, size, sgt, map.dir);
	return err;
}

static int each_size(struct edu *edu, struct said *said,
		     int (*one)(struct edu *edu, size_t size))
{
	int err = 0, ret;
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		ret = one(edu, sizes[i]);
		if (ret)
			err = ret;
		say(said, "%s%s: %s", i ? ", " : "", size_name(sizes[i]),
		    !ret ? "yes" : ret == -ENOMEM ? "none" : "wrong");
	}
	return err;
}

int row_alloc_pages(struct edu *edu, struct said *said)
{
	return each_size(edu, said, one_of_pages);
}

int row_alloc_noncontiguous(struct edu *edu, struct said *said)
{
	return each_size(edu, said, one_noncontiguous);
}
