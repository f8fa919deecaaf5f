// SPDX-License-Identifier: GPL-2.0
/*
 * Scatterlists: entries at odd offsets in pages that are far apart. The device
 * sees one stream of bytes, however the entries were merged or bounced.
 */
#include <linux/scatterlist.h>

#include "edu.h"

#define SG_STRIDE	7	/* one page in so many is used, so none are neighbours */
#define SG_MANY		96

static const struct {
	unsigned int offset;
	unsigned int len;
} few[] = {
	{ 0, 1 }, { 1, 1022 }, { 4095, 1 }, { 2047, 1001 }, { 3333, 763 }, { 64, 1234 },
};

struct edu_sg {
	struct sg_table table;
	struct page **page;
	unsigned int pages;
	size_t size;
};

static void sg_close(struct edu_sg *list)
{
	unsigned int i;

	for (i = 0; i < list->pages; i++) {
		if (list->page[i])
			__free_page(list->page[i]);
	}
	kfree(list->page);
	sg_free_table(&list->table);
}

static int sg_open(struct edu *edu, struct edu_sg *list, unsigned int count, enum edu_zone zone)
{
	bool low = zone == EDU_MAPPABLE && edu->expect == EXPECT_ERROR;
	gfp_t gfp = GFP_KERNEL | (low ? GFP_DMA32 : 0);
	struct scatterlist *sg;
	unsigned int i;

	memset(list, 0, sizeof(*list));
	list->pages = count * SG_STRIDE;
	list->page = kcalloc(list->pages, sizeof(*list->page), GFP_KERNEL);
	if (!list->page)
		return -ENOMEM;
	if (sg_alloc_table(&list->table, count, GFP_KERNEL)) {
		kfree(list->page);
		return -ENOMEM;
	}
	for (i = 0; i < list->pages; i++) {
		list->page[i] = alloc_page(gfp);
		if (!list->page[i]) {
			sg_close(list);
			return -ENOMEM;
		}
	}
	for_each_sg(list->table.sgl, sg, count, i) {
		unsigned int offset = edu_random(edu, PAGE_SIZE);
		unsigned int len = 1 + edu_random(edu, PAGE_SIZE - offset);

		if (count == ARRAY_SIZE(few)) {
			offset = few[i].offset;
			len = few[i].len;
		}
		sg_set_page(sg, list->page[i * SG_STRIDE], len, offset);
		list->size += len;
	}
	return 0;
}

/* Every page holds the content of @salt + 1, the listed bytes that of @salt. */
static void sg_fill(struct edu *edu, struct edu_sg *list, u32 salt)
{
	struct scatterlist *sg;
	size_t at = 0;
	int i;

	for_each_sg(list->table.sgl, sg, list->table.orig_nents, i) {
		edu_fill(edu, page_address(sg_page(sg)), PAGE_SIZE, salt + 1, 0);
		edu_fill(edu, sg_virt(sg), sg->length, salt, at);
		at += sg->length;
	}
}

static int sg_check(struct edu *edu, struct edu_sg *list, u32 salt, u32 around)
{
	struct scatterlist *sg;
	size_t at = 0;
	int i;

	for_each_sg(list->table.sgl, sg, list->table.orig_nents, i) {
		u8 *page = page_address(sg_page(sg));
		size_t end = sg->offset + sg->length;

		if (edu_check(edu, page, sg->offset, around, 0, "before an entry"))
			return -EIO;
		if (edu_check(edu, sg_virt(sg), sg->length, salt, at, "entry"))
			return -EIO;
		if (edu_check(edu, page + end, PAGE_SIZE - end, around, end, "after an entry"))
			return -EIO;
		at += sg->length;
	}
	return 0;
}

static int sg_map(struct edu *edu, struct edu_sg *list, enum dma_data_direction dir)
{
	int err = dma_map_sgtable(edu->dev, &list->table, dir, DMA_ATTR_NO_WARN);

	if (err)
		edu_note("a list of %u entries could not be mapped: %d",
			 list->table.orig_nents, err);
	return err;
}

/* Move the stream of mapped bytes to or from the start of the device's memory. */
static int sg_transfer(struct edu *edu, struct edu_sg *list, enum dma_data_direction dir)
{
	struct scatterlist *sg;
	unsigned int at = 0;
	int err, i;

	for_each_sgtable_dma_sg(&list->table, sg, i) {
		struct edu_map map = {
			.dma = sg_dma_address(sg),
			.size = sg_dma_len(sg),
		};

		if (dir == DMA_TO_DEVICE)
			err = edu_load(edu, &map, 0, at, map.size);
		else
			err = edu_store(edu, &map, 0, at, map.size);
		if (err)
			return err;
		at += map.size;
	}
	if (at == list->size)
		return 0;
	edu_note("%u bytes mapped of %zu", at, list->size);
	return -EIO;
}

int test_sg_to_device(struct edu *edu, enum edu_zone zone)
{
	u32 salt = edu_random(edu, U32_MAX);
	struct edu_sg list;
	int err = -EIO;
	u8 *seen;

	if (sg_open(edu, &list, ARRAY_SIZE(few), zone))
		return -ENOMEM;
	sg_fill(edu, &list, salt);
	if (sg_map(edu, &list, DMA_TO_DEVICE))
		goto out;
	err = sg_transfer(edu, &list, DMA_TO_DEVICE);
	dma_unmap_sgtable(edu->dev, &list.table, DMA_TO_DEVICE, 0);
	if (err)
		goto out;
	seen = edu_read(edu, list.size);
	err = seen ? edu_check(edu, seen, list.size, salt, 0, "device read") : -EIO;
out:
	sg_close(&list);
	return err;
}

int test_sg_from_device(struct edu *edu, enum edu_zone zone)
{
	u32 salt = edu_random(edu, U32_MAX);
	struct edu_sg list;
	int err = -EIO;

	if (edu_write(edu, salt))
		return -EIO;
	if (sg_open(edu, &list, ARRAY_SIZE(few), zone))
		return -ENOMEM;
	sg_fill(edu, &list, salt + 1);
	if (sg_map(edu, &list, DMA_FROM_DEVICE))
		goto out;
	err = sg_transfer(edu, &list, DMA_FROM_DEVICE);
	dma_unmap_sgtable(edu->dev, &list.table, DMA_FROM_DEVICE, 0);
	if (!err)
		err = sg_check(edu, &list, salt, salt + 2);
out:
	sg_close(&list);
	return err;
}

/* Which entries bounced: they get their old first byte back (edu_bounced()). */
static void sg_find_bounced(struct edu *edu, struct edu_sg *list, bool *bounced)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(list->table.sgl, sg, list->table.orig_nents, i) {
		u8 *first = sg_virt(sg);

		*first ^= 0xff;
	}
	dma_sync_sgtable_for_cpu(edu->dev, &list->table, DMA_BIDIRECTIONAL);
	for_each_sg(list->table.sgl, sg, list->table.orig_nents, i) {
		u8 *first = sg_virt(sg);
		u8 want;

		edu_fill(edu, &want, 1, i, 0);
		bounced[i] = *first == want;
	}
}

static void sg_fill_each(struct edu *edu, struct edu_sg *list, u32 salt)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(list->table.sgl, sg, list->table.orig_nents, i)
		edu_fill(edu, sg_virt(sg), sg->length, salt + i, 0);
}

/* A bounced entry holds the content of @old, a direct one that of @new. */
static int sg_check_each(struct edu *edu, struct edu_sg *list, const bool *bounced,
			 u32 old, u32 new, const char *what)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(list->table.sgl, sg, list->table.orig_nents, i) {
		u32 salt = bounced[i] ? old : new;

		if (edu_check(edu, sg_virt(sg), sg->length, salt + i, 0, what))
			return -EIO;
	}
	return 0;
}

static int sg_sync_steps(struct edu *edu, struct edu_sg *list, const bool *bounced)
{
	/* Salts: 0 mapped, 1000 and up written by the CPU while mapped. */
	sg_fill_each(edu, list, 1000);
	dma_sync_sgtable_for_cpu(edu->dev, &list->table, DMA_BIDIRECTIONAL);
	if (sg_check_each(edu, list, bounced, 0, 1000, "sync for CPU"))
		return -EIO;

	sg_fill_each(edu, list, 2000);
	dma_sync_sgtable_for_device(edu->dev, &list->table, DMA_BIDIRECTIONAL);
	sg_fill_each(edu, list, 3000);
	dma_sync_sgtable_for_cpu(edu->dev, &list->table, DMA_BIDIRECTIONAL);
	return sg_check_each(edu, list, bounced, 2000, 3000, "sync for device");
}

/* A long list, synced both ways and unmapped, seen by the CPU: no transfers. */
int test_sg_sync(struct edu *edu, enum edu_zone zone)
{
	bool bounced[SG_MANY];
	struct edu_sg list;
	int err = -EIO;

	if (sg_open(edu, &list, SG_MANY, zone))
		return -ENOMEM;
	sg_fill_each(edu, &list, 0);
	if (sg_map(edu, &list, DMA_BIDIRECTIONAL))
		goto out;
	sg_find_bounced(edu, &list, bounced);
	err = sg_sync_steps(edu, &list, bounced);
	sg_fill_each(edu, &list, 4000);
	dma_unmap_sgtable(edu->dev, &list.table, DMA_BIDIRECTIONAL, 0);
	if (!err)
		err = sg_check_each(edu, &list, bounced, 2000, 4000, "unmap");
out:
	sg_close(&list);
	return err;
}
