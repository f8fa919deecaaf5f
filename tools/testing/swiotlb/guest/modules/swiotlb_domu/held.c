// SPDX-License-Identifier: GPL-2.0
/*
 * A driver holds memory while its domain is saved and restored: coherent memory, and a
 * mapping that it should have undone. Afterwards the frames are different, so both DMA
 * addresses are stale. A driver may still use coherent memory by its CPU address, pass
 * it to user space, and free it. Unmapping the stale mapping must not touch mappings
 * made meanwhile.
 */
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/scatterlist.h>
#include <asm/xen/page.h>

#include "../swiotlb_parity/parity.h"
#include "domu.h"

#define SALT		4711
#define MAP_SALT	4712
#define MAP_SIZE	SZ_64K

static const size_t coherent_sizes[HELD_COHERENT] = { SZ_4K, SZ_64K };

static int take_coherent(struct edu *edu, struct edu_map *map, size_t size, u32 salt)
{
	map->size = size;
	map->mem = dma_alloc_coherent(edu->dev, size, &map->dma, GFP_KERNEL);
	if (!map->mem)
		return -ENOMEM;
	edu_fill(edu, map->mem, size, salt, 0);
	return 0;
}

/* Even after an error, @held has everything that was allocated before. */
int held_take(struct edu *edu, struct held_over *held)
{
	int i, err;

	err = dma_set_mask_and_coherent(edu->dev, DMA_BIT_MASK(32));
	for (i = 0; !err && i < HELD_COHERENT; i++)
		err = take_coherent(edu, &held->coherent[i], coherent_sizes[i], SALT + i);
	if (!err)
		err = edu_alloc(edu, &held->buf, MAP_SIZE, EDU_HIGH);
	if (err)
		return err;
	edu_fill(edu, held->buf.mem, MAP_SIZE, MAP_SALT, 0);
	held->used = swiotlb_counter("io_tlb_used");
	err = edu_map(edu, &held->map, held->buf.mem, MAP_SIZE, DMA_BIDIRECTIONAL);
	held->mapped = !err;
	if (!err)
		held->pfn = bfn_to_local_pfn(PHYS_PFN(held->map.dma));
	return err;
}

/* A stale address that leads to the same page again would test nothing. */
static int has_moved(const struct held_over *held)
{
	if (bfn_to_local_pfn(PHYS_PFN(held->map.dma)) != held->pfn)
		return 0;
	edu_note("%pad is still that of pfn %#lx: no test", &held->map.dma, held->pfn);
	return -EINVAL;
}

/* dma_get_sgtable() must find the memory that the CPU uses. */
static int same_pages(struct edu *edu, const struct edu_map *map)
{
	struct sg_table table;
	int err;

	err = dma_get_sgtable(edu->dev, &table, map->mem, map->dma, map->size);
	if (err) {
		edu_note("no table of %zu bytes: %d", map->size, err);
		return err;
	}
	if (sg_page(table.sgl) != virt_to_page(map->mem) || table.sgl->length != map->size) {
		edu_note("the table of %zu bytes has other pages", map->size);
		err = -EIO;
	}
	sg_free_table(&table);
	return err;
}

/*
 * Free it while we hold a reference to its first page, which must be the last one then.
 * The other pages are free as soon as the API has freed them.
 */
static int freed_once(struct edu *edu, struct edu_map *map)
{
	struct page *page = virt_to_page(map->mem);
	size_t size = map->size;
	int left;

	get_page(page);
	dma_free_coherent(edu->dev, size, map->mem, map->dma);
	map->mem = NULL;
	left = page_count(page);
	put_page(page);
	if (left == 1)
		return 0;
	edu_note("%zu bytes: %d references are left, not 1", size, left);
	return -EIO;
}

static int check_coherent(struct edu *edu, struct edu_map *map, u32 salt)
{
	size_t size = map->size;
	int err;

	err = edu_check(edu, map->mem, size, salt, 0, "coherent memory") ?:
		same_pages(edu, map) ?: freed_once(edu, map);
	if (err)
		return err;
	/* The same pages may be allocated again, with their new frames. */
	err = take_coherent(edu, map, size, salt);
	if (err)
		return err;
	err = map_is_ours(map);
	dma_free_coherent(edu->dev, size, map->mem, map->dma);
	map->mem = NULL;
	return err;
}

/* Undo the stale mapping while the pieces are mapped. */
static int undo_stale(struct edu *edu, struct held_over *held, struct piece *piece, int n)
{
	int i, err;

	edu_unmap(edu, &held->map);
	held->mapped = false;
	err = edu_check(edu, held->buf.mem, MAP_SIZE, MAP_SALT, 0, "of the stale mapping");
	for (i = 0; !err && i < n; i++)
		err = map_is_ours(&piece[i].map) ?: edu_check_bounce(edu, &piece[i].map, i);
	return err;
}

static int map_pieces(struct edu *edu, struct piece *piece, int n, int *mapped)
{
	struct edu_buf *buf;
	int err;

	for (*mapped = 0; *mapped < n; ++*mapped) {
		buf = &piece[*mapped].buf;
		edu_fill(edu, buf->mem, buf->size, *mapped, 0);
		err = edu_map(edu, &piece[*mapped].map, buf->mem, buf->size,
			      DMA_BIDIRECTIONAL);
		if (err)
			return err;
	}
	return 0;
}

static int slots_came_back(const struct held_over *held)
{
	long used = swiotlb_counter("io_tlb_used");

	if (used >= 0 && used == held->used)
		return 0;
	edu_note("%ld slots in use, %ld before", used, held->used);
	return -EIO;
}

/* After the restore. @piece: @n buffers to map meanwhile. */
int held_check(struct edu *edu, struct held_over *held, struct piece *piece, int n)
{
	int i, mapped, err;

	err = has_moved(held);
	for (i = 0; !err && i < HELD_COHERENT; i++)
		err = check_coherent(edu, &held->coherent[i], SALT + i);
	if (err)
		return err;

	err = map_pieces(edu, piece, n, &mapped);
	if (!err)
		err = undo_stale(edu, held, piece, n);
	while (mapped--)
		edu_unmap(edu, &piece[mapped].map);
	return err ?: slots_came_back(held);
}

void held_drop(struct edu *edu, struct held_over *held)
{
	struct edu_map *map;

	if (held->mapped)
		edu_unmap(edu, &held->map);
	edu_free(&held->buf);
	for (map = held->coherent; map < held->coherent + HELD_COHERENT; map++)
		if (map->mem)
			dma_free_coherent(edu->dev, map->size, map->mem, map->dma);
}
