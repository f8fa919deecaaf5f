// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of another domain. Some have a pfn there that one of our bounce buffers has
 * here.
 */
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/pfn.h>
#include <linux/scatterlist.h>
#include <xen/grant_table.h>
#include <xen/xen.h>
#include <asm/xen/page.h>

#include "foreign.h"
#include "parity.h"

#define MOVED_MOST	4	/* pages that the device moves, for each kind */

static uint domid;
module_param(domid, uint, 0444);
MODULE_PARM_DESC(domid, "the domain that has granted pages, for the row foreign");

static uint refs[FOREIGN_MOST];
static int nr_refs;
module_param_array(refs, uint, &nr_refs, 0444);
MODULE_PARM_DESC(refs, "the references of its pages");

struct foreign {
	struct page *page[FOREIGN_MOST];
	struct gnttab_map_grant_ref map[FOREIGN_MOST];
	struct gnttab_unmap_grant_ref unmap[FOREIGN_MOST];
	struct fill fill;
	int direct;
	int bounced;
};

static int foreign_map(struct foreign *foreign)
{
	unsigned long addr;
	int i, err;

	err = gnttab_alloc_pages(nr_refs, foreign->page);
	if (err)
		return err;
	for (i = 0; i < nr_refs; i++) {
		addr = (unsigned long)pfn_to_kaddr(page_to_pfn(foreign->page[i]));
		gnttab_set_map_op(&foreign->map[i], addr, GNTMAP_host_map, refs[i], domid);
		gnttab_set_unmap_op(&foreign->unmap[i], addr, GNTMAP_host_map, -1);
	}
	err = gnttab_map_refs(foreign->map, NULL, foreign->page, nr_refs);
	for (i = 0; i < nr_refs; i++) {
		foreign->unmap[i].handle = foreign->map[i].handle;
		if (foreign->map[i].status != GNTST_okay)
			err = -EIO;
	}
	return err;
}

static int foreign_unmap(struct foreign *foreign)
{
	int err = gnttab_unmap_refs(foreign->unmap, NULL, foreign->page, nr_refs);

	gnttab_free_pages(nr_refs, foreign->page);
	return err;
}

/* Is this frame's pfn in the other domain the pfn of a bounce buffer in use here? */
static bool number_of_bounce(const struct foreign *foreign, struct page *page)
{
	unsigned long theirs = mfn_to_pfn_no_overrides(machine_frame(page_to_pfn(page)));
	unsigned long ours;
	int i;

	for (i = 0; i < foreign->fill.count; i++) {
		ours = mfn_to_pfn_no_overrides(PHYS_PFN(foreign->fill.held[i].map.dma));
		if (theirs >= ours && theirs <= ours + PHYS_PFN(foreign->fill.held[i].map.size - 1))
			return true;
	}
	return false;
}

/*
 * The device copies the end of the page to near its start. A sync brings one half of
 * that, the unmap brings the other.
 */
static int page_moves(struct edu *edu, struct edu_map *map, u32 salt, bool bounced)
{
	const unsigned int half = FOREIGN_LEN / 2;
	const size_t end = PAGE_SIZE - FOREIGN_LEN;

	if (edu_load(edu, map, end, 0, FOREIGN_LEN) ||
	    edu_store(edu, map, FOREIGN_AT, 0, FOREIGN_LEN))
		return -EIO;
	dma_sync_single_range_for_cpu(edu->dev, map->dma, FOREIGN_AT, half, map->dir);
	if (edu_check(edu, map->mem + FOREIGN_AT, half, salt, end, "synced half"))
		return -EIO;
	if (!bounced)
		return 0;
	return edu_check(edu, map->mem + FOREIGN_AT + half, FOREIGN_LEN - half, salt,
			 FOREIGN_AT + half, "half not synced");
}

/*
 * A scatterlist, because 7.3 with DMA_API_DEBUG refuses device pages in dma_map_page(), and
 * on these Linux maps foreign frames.
 */
static int page_one(struct edu *edu, struct page *page, u32 salt, bool bounced)
{
	struct edu_map map = { .mem = page_address(page), .size = PAGE_SIZE,
			       .dir = DMA_BIDIRECTIONAL };
	struct scatterlist sg;
	bool direct;
	int err;

	sg_init_table(&sg, 1);
	sg_set_page(&sg, page, PAGE_SIZE, 0);
	if (dma_map_sg_attrs(edu->dev, &sg, 1, map.dir, DMA_ATTR_NO_WARN) != 1)
		return -ENOMEM;
	map.dma = sg_dma_address(&sg);
	direct = PHYS_PFN(map.dma) == machine_frame(page_to_pfn(page));
	err = direct == bounced ? -EIO : page_moves(edu, &map, salt, bounced);
	if (direct == bounced)
		edu_note("page %u at %pad, frame %#lx", salt, &map.dma,
			 machine_frame(page_to_pfn(page)));
	dma_unmap_sg(edu->dev, &sg, 1, map.dir);
	return err ?: edu_check(edu, map.mem + FOREIGN_AT, FOREIGN_LEN, salt,
				PAGE_SIZE - FOREIGN_LEN, "after unmap");
}

/* Map pages with the pfn of a bounce buffer, as a device that must bounce them or not. */
static int page_all(struct edu *edu, struct foreign *foreign, bool bounced, int *done)
{
	int i, err = 0;

	for (i = bounced; !err && i < nr_refs - 1 && *done < MOVED_MOST; i += 2) {
		if (!number_of_bounce(foreign, foreign->page[i]))
			continue;
		err = page_one(edu, foreign->page[i], i, bounced);
		(*done)++;
	}
	return err;
}

static int foreign_moves(struct edu *edu, struct foreign *foreign)
{
	long used;
	int err;

	/* Fill the pool except two slot sets. */
	err = fill_most(edu, &foreign->fill);
	if (err)
		return err;
	used = swiotlb_counter("io_tlb_used");
	err = dma_set_mask(edu->dev, DMA_BIT_MASK(64));
	if (!err)
		err = page_all(edu, foreign, false, &foreign->direct);
	err = dma_set_mask(edu->dev, DMA_BIT_MASK(32)) ?: err;
	if (!err)
		err = page_all(edu, foreign, true, &foreign->bounced);
	if (used < 0 || swiotlb_counter("io_tlb_used") != used) {
		edu_note("%ld slots in use, %ld before", swiotlb_counter("io_tlb_used"), used);
		err = -EIO;
	}
	return err ?: fill_check(edu, &foreign->fill, DMA_BIT_MASK(32));
}

static int foreign_all(struct edu *edu, struct foreign *foreign, struct said *said)
{
	int err = foreign_map(foreign);

	if (err) {
		say(said, "the pages cannot be mapped");
		return err;
	}
	err = foreign_moves(edu, foreign);
	say(said, "%d direct, %d bounced", foreign->direct, foreign->bounced);
	/* Without a page that has the pfn of a bounce buffer, nothing was tested. */
	if (!foreign->direct || !foreign->bounced)
		err = err ?: -ENOENT;
	/* The domain may check its pages now. */
	WRITE_ONCE(*(u32 *)page_address(foreign->page[nr_refs - 1]), FOREIGN_DONE);
	return foreign_unmap(foreign) ?: err;
}

int row_foreign(struct edu *edu, struct said *said)
{
	struct foreign *foreign;
	int err;

	if (!xen_pv_domain() || !nr_refs)
		return NOT_HERE;
	foreign = kvzalloc(sizeof(*foreign), GFP_KERNEL);
	if (!foreign)
		return -ENOMEM;
	err = fill_open(&foreign->fill);
	if (!err) {
		err = foreign_all(edu, foreign, said);
		fill_close(edu, &foreign->fill);
	}
	kvfree(foreign);
	return err;
}
