// SPDX-License-Identifier: GPL-2.0
/*
 * DMA memory of a device as a place to map other domains' pages into: the grant table
 * gives up the frames of this memory, and takes others when it is freed.
 */
#include <linux/mm.h>
#include <xen/grant_table.h>
#include <asm/xen/page.h>

#include "parity.h"

#define PAGES	16
#define ROUNDS	8

static struct page *page_of(const struct gnttab_dma_alloc_args *args, int i)
{
	return virt_to_page(args->vaddr + i * PAGE_SIZE);
}

/* These pages have no frames any more. */
static int check_given_up(const struct gnttab_dma_alloc_args *args)
{
	unsigned long pfn;
	int i;

	for (i = 0; i < PAGES; i++) {
		pfn = page_to_pfn(page_of(args, i));
		if (args->pages[i] == page_of(args, i) &&
		    machine_frame(pfn) == INVALID_P2M_ENTRY)
			continue;
		edu_note("page %d: pfn %#lx, not %#lx, has frame %#lx", i,
			 page_to_pfn(args->pages[i]), pfn, machine_frame(pfn));
		return -EIO;
	}
	return 0;
}

/* After they were freed, these pages can be used again. */
static int check_given_back(struct edu *edu)
{
	struct edu_map map = { .size = PAGES * PAGE_SIZE, .dir = DMA_BIDIRECTIONAL };
	int err;

	map.mem = dma_alloc_coherent(edu->dev, map.size, &map.dma, GFP_KERNEL);
	if (!map.mem)
		return -ENOMEM;
	err = moves(edu, &map, false);
	dma_free_coherent(edu->dev, map.size, map.mem, map.dma);
	return err;
}

static int alloc_and_free(struct edu *edu, bool coherent)
{
	struct page *pages[PAGES];
	xen_pfn_t frames[PAGES];
	struct gnttab_dma_alloc_args args = {
		.dev = edu->dev, .coherent = coherent, .nr_pages = PAGES,
		.pages = pages, .frames = frames,
	};
	int err;

	err = gnttab_dma_alloc_pages(&args);
	if (err)
		return err;
	err = check_given_up(&args);
	return gnttab_dma_free_pages(&args) ?: err ?: check_given_back(edu);
}

/* Stock takes the DMA address for a physical one, and panics. */
int row_grant_pages(struct edu *edu, struct said *said)
{
	int i, err = 0;

	if (!IS_ENABLED(CONFIG_ARCH_HAS_DMA_MACHINE)) {
		say(said, "not asked, it panics");
		return -EIO;
	}
	for (i = 0; !err && i < ROUNDS; i++)
		err = alloc_and_free(edu, true) ?: alloc_and_free(edu, false);
	say(said, "%d pages, %d times", PAGES, i);
	return err;
}
