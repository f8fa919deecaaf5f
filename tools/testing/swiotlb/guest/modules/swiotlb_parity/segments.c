// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that is in one piece for the CPU and in several for devices: scatterlists
 * and block requests have to split it. Otherwise all of it bounces, even for a device
 * that reaches every page.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/tracepoint.h>
#include <xen/xen.h>

#include "parity.h"

#define BLOCK		SZ_64K
#define BLOCK_PAGES	(BLOCK / PAGE_SIZE)
#define TRIED_MOST	1024	/* blocks: 64 MiB */
#define DISK		"/dev/nvme0n1"

/* A block whose frames are not adjacent; natively there is none, and any will do. */
static struct page *alloc_scattered(void)
{
	struct page **tried = kvcalloc(TRIED_MOST, sizeof(*tried), GFP_KERNEL);
	struct page *page = NULL;
	int n = 0;

	if (!tried)
		return NULL;
	do {
		page = alloc_pages(GFP_KERNEL | __GFP_COMP | __GFP_NOWARN, get_order(BLOCK));
		if (!page || !xen_pv_domain() ||
		    !machine_contiguous(page_address(page), BLOCK))
			break;
		tried[n++] = page;
		page = NULL;
	} while (n < TRIED_MOST);
	while (n--)
		__free_pages(tried[n], get_order(BLOCK));
	kvfree(tried);
	return page;
}

/* How many segments have a DMA address that is not that of their memory */
static int count_bounced(struct sg_table *table)
{
	struct scatterlist *sg;
	int i, bounced = 0;

	for_each_sgtable_dma_sg(table, sg, i)
		bounced += PHYS_PFN(sg_dma_address(sg)) != machine_frame(page_to_pfn(sg_page(sg)));
	return bounced;
}

static bool all_contiguous(struct sg_table *table)
{
	struct scatterlist *sg;
	int i;

	for_each_sgtable_sg(table, sg, i) {
		if (!machine_contiguous(sg_virt(sg), sg->length))
			return false;
	}
	return true;
}

static int map_table(struct edu *edu, struct sg_table *table, struct said *said)
{
	int bounced, err;

	err = dma_map_sgtable(edu->dev, table, DMA_TO_DEVICE, 0);
	if (err) {
		say(said, "refused, error %d", err);
		return err;
	}
	bounced = count_bounced(table);
	say(said, "%u segments, %d bounced", table->nents, bounced);
	if (!bounced && !all_contiguous(table)) {
		say(said, ", wrong frames");
		err = -EIO;
	}
	dma_unmap_sgtable(edu->dev, table, DMA_TO_DEVICE, 0);
	return err ?: bounced ? -EIO : YES;
}

static int sg_of_block(struct edu *edu, struct said *said)
{
	struct page *block = alloc_scattered(), *pages[BLOCK_PAGES];
	struct sg_table table;
	int i, err;

	if (!block)
		return NOT_HERE;
	for (i = 0; i < BLOCK_PAGES; i++)
		pages[i] = block + i;
	err = sg_alloc_table_from_pages(&table, pages, BLOCK_PAGES, 0, BLOCK, GFP_KERNEL);
	if (!err) {
		err = map_table(edu, &table, said);
		sg_free_table(&table);
	}
	__free_pages(block, get_order(BLOCK));
	return err;
}

int row_sg_scattered(struct edu *edu, struct said *said)
{
	return with_mask(edu, 64, said, sg_of_block);
}

/*
 * Events swiotlb:swiotlb_bounced of one disk
 */
struct bounces {
	struct tracepoint *event;
	struct device *disk;
	atomic_t count;
};

static void count_bounce(void *data, struct device *dev, dma_addr_t dma, size_t size)
{
	struct bounces *bounces = data;
	struct device *owner;

	for (owner = bounces->disk; owner; owner = owner->parent) {
		if (owner == dev)
			atomic_inc(&bounces->count);
	}
}

static void find_event(struct tracepoint *event, void *data)
{
	struct bounces *bounces = data;

	if (!strcmp(event->name, "swiotlb_bounced"))
		bounces->event = event;
}

static int move_block(struct block_device *disk, struct page *block, blk_opf_t opf)
{
	struct bio *bio = bio_alloc(disk, 1, opf, GFP_KERNEL);
	int err;

	__bio_add_page(bio, block, BLOCK, 0);
	err = submit_bio_wait(bio);
	bio_put(bio);
	return err;
}

/* To the disk and back: neither the device nor the CPU may see other frames. */
static int write_and_read(struct edu *edu, struct block_device *disk, struct page *block)
{
	u32 salt = edu_random(edu, U32_MAX);
	int err;

	edu_fill(edu, page_address(block), BLOCK, salt, 0);
	err = move_block(disk, block, REQ_OP_WRITE | REQ_FUA);
	if (err)
		return err;
	edu_fill(edu, page_address(block), BLOCK, salt + 1, 0);
	err = move_block(disk, block, REQ_OP_READ);
	return err ?: edu_check(edu, page_address(block), BLOCK, salt, 0, "read back from the disk");
}

static int count_while_moving(struct edu *edu, struct block_device *disk, struct page *block,
			      struct said *said)
{
	struct bounces bounces = { .disk = disk_to_dev(disk->bd_disk) };
	int err, count;

	for_each_kernel_tracepoint(find_event, &bounces);
	if (!bounces.event)
		return -ENOENT;
	err = tracepoint_probe_register(bounces.event, count_bounce, &bounces);
	if (err)
		return err;
	err = write_and_read(edu, disk, block);
	tracepoint_probe_unregister(bounces.event, count_bounce, &bounces);
	tracepoint_synchronize_unregister();

	count = atomic_read(&bounces.count);
	say(said, "%d bounced%s", count, err ? ", wrong data" : "");
	return err ?: count ? -EIO : YES;
}

/* One bio vector, as of a large folio. The disk reaches all memory. */
int row_block_scattered(struct edu *edu, struct said *said)
{
	struct page *block = alloc_scattered();
	struct file *disk;
	int err;

	if (!block)
		return NOT_HERE;
	disk = bdev_file_open_by_path(DISK, BLK_OPEN_READ | BLK_OPEN_WRITE, NULL, NULL);
	if (IS_ERR(disk)) {
		say(said, "no %s, error %ld", DISK, PTR_ERR(disk));
		err = PTR_ERR(disk);
	} else {
		err = count_while_moving(edu, file_bdev(disk), block, said);
		bdev_fput(disk);
	}
	__free_pages(block, get_order(BLOCK));
	return err;
}
