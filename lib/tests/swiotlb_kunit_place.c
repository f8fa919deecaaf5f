// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software IO TLB: where a mapping is. Devices have masks, limits, alignments
 * and boundaries that each address must keep; and as long as there are free
 * slots within these, they have to be found.
 */
#include <linux/prandom.h>

#include "swiotlb_kunit.h"

/*
 * What tests do
 */

static void expect_no_map(struct kunit *test, size_t size)
{
	struct swiotlb_test *t = test->priv;
	dma_addr_t dma = try_map(t, t->buf, size, DMA_TO_DEVICE);

	if (dma_mapping_error(t->dev, dma))
		return;
	dma_unmap_single(t->dev, dma, size, DMA_TO_DEVICE);
	KUNIT_FAIL(test, "%zu bytes were mapped, which cannot be", size);
}

/* Lowest and highest machine address of a set */
static phys_addr_t set_start(struct swiotlb_test *t, unsigned int i)
{
	return t->mem.defpool->sets[i].maddr;
}

static phys_addr_t set_end(struct swiotlb_test *t, unsigned int i)
{
	return set_start(t, i) + IO_TLB_SET_BYTES - 1;
}

static size_t random_size(struct swiotlb_test *t, size_t max)
{
	return 1 + prandom_u32_state(&t->rnd) % max;
}

/*
 * Limits of devices
 */

void swiotlb_test_min_align_mask(struct kunit *test)
{
	static const unsigned int masks[] = {
		63, 511, 2047, 4095, 8191, 65535,
	};
	struct swiotlb_test *t = test->priv;
	size_t offset, size;
	dma_addr_t dma;
	phys_addr_t phys;
	int i, k;

	for (i = 0; i < ARRAY_SIZE(masks) * 50; i++) {
		k = i % ARRAY_SIZE(masks);
		dma_set_min_align_mask(t->dev, masks[k]);
		offset = prandom_u32_state(&t->rnd) % SZ_64K;
		size = random_size(t, min(t->mem.defpool->longest - SZ_64K,
					  2 * IO_TLB_SET_BYTES));
		phys = virt_to_phys(t->buf + offset);

		dma_test_fill(t->buf + offset, size, i);
		dma = map(test, t->buf + offset, size, DMA_BIDIRECTIONAL);
		KUNIT_EXPECT_EQ_MSG(test, dma & masks[k], phys & masks[k],
				    "%zu bytes at offset %zx, mask %x", size,
				    offset, masks[k]);
		KUNIT_EXPECT_TRUE(test, dma_test_sees(t->dev, dma,
						      t->buf + offset, size));
		unmap(t, dma, size, DMA_BIDIRECTIONAL);
		KUNIT_EXPECT_TRUE(test, dma_test_filled(t->buf + offset, size,
							i));
	}
}

/* Partial sync of a mapping that begins behind the start of its slot */
void swiotlb_test_sync_behind_padding(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	void *buf = t->buf + 3000;
	dma_addr_t dma;

	dma_set_min_align_mask(t->dev, 4095);
	memset(t->buf, 0, SZ_16K);
	dma = map(test, buf, SZ_8K, DMA_FROM_DEVICE);
	dma_test_fill(t->data, SZ_8K, 1);
	dma_test_write(t->dev, dma, t->data, SZ_8K);
	dma_sync_single_for_cpu(t->dev, dma + 1000, 3000, DMA_FROM_DEVICE);

	KUNIT_EXPECT_NULL(test, memchr_inv(t->buf, 0, 4000));
	KUNIT_EXPECT_MEMEQ(test, buf + 1000, t->data + 1000, 3000);
	KUNIT_EXPECT_NULL(test, memchr_inv(buf + 4000, 0, SZ_8K));
	unmap(t, dma, SZ_8K, DMA_FROM_DEVICE);
}

/* Nobody asks for it, but drivers have come to rely on it. */
void swiotlb_test_page_alignment(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	dma_addr_t first, dma;
	size_t size;
	int i;

	/* Were it not for that, the next free slot would do. */
	first = map(test, t->buf, IO_TLB_SIZE, DMA_TO_DEVICE);
	for (i = 0; i < 50; i++) {
		/* Exactly a page, too */
		size = PAGE_SIZE + (i ? prandom_u32_state(&t->rnd) % SZ_64K : 0);
		dma = map(test, t->buf + i, size, DMA_TO_DEVICE);
		KUNIT_EXPECT_TRUE(test, PAGE_ALIGNED(dma));
		unmap(t, dma, size, DMA_TO_DEVICE);
	}
	unmap(t, first, IO_TLB_SIZE, DMA_TO_DEVICE);
}

/* As an IOMMU driver asks for it: all of the granule is this mapping's. */
void swiotlb_test_alloc_align_mask(struct kunit *test)
{
	static const unsigned int masks[] = { 4095, 16383, 65535 };
	struct swiotlb_test *t = test->priv;
	struct io_tlb_pool *pool = t->mem.defpool;
	phys_addr_t orig, tlb, start;
	unsigned long attrs = 0;
	size_t size, offset;
	unsigned int mask;
	dma_addr_t other;
	int i;

	dma_set_min_align_mask(t->dev, 4095);
	other = map(test, t->buf, 1, DMA_TO_DEVICE);
	for (i = 0; i < 100; i++) {
		mask = masks[i % ARRAY_SIZE(masks)];
		offset = prandom_u32_state(&t->rnd) % PAGE_SIZE;
		size = random_size(t, SZ_64K);
		orig = virt_to_phys(t->buf + offset);

		tlb = swiotlb_tbl_map_single(t->dev, orig, size, mask,
					     DMA_TO_DEVICE, &attrs);
		KUNIT_ASSERT_NE(test, tlb, (phys_addr_t)DMA_MAPPING_ERROR);
		start = slot_phys(pool, swiotlb_find_start(pool, phys_slot(pool, tlb)));
		KUNIT_EXPECT_EQ(test, dma_phys_to_machine(start) & mask, 0);
		KUNIT_EXPECT_EQ(test, offset_in_page(tlb), offset_in_page(orig));
		KUNIT_EXPECT_EQ(test, used(t) - 1,
				nr_slots(ALIGN(tlb - start + size, mask + 1)));
		swiotlb_tbl_unmap_single(t->dev, tlb, size, DMA_TO_DEVICE, 0);
	}
	unmap(t, other, 1, DMA_TO_DEVICE);
}

void swiotlb_test_segment_boundary(struct kunit *test)
{
	static const unsigned long masks[] = { SZ_4K - 1, SZ_64K - 1, SZ_128K - 1 };
	struct swiotlb_test *t = test->priv;
	dma_addr_t dma[40];
	size_t size[40];
	int round, i, k;

	for (round = 0; round < 30; round++) {
		k = round % ARRAY_SIZE(masks);
		dma_set_seg_boundary(t->dev, masks[k]);
		for (i = 0; i < ARRAY_SIZE(dma); i++) {
			size[i] = random_size(t, min(masks[k] + 1,
						     POOL_BYTES / 80));
			dma[i] = map(test, t->buf, size[i], DMA_TO_DEVICE);
			KUNIT_EXPECT_EQ_MSG(test, dma[i] & ~masks[k],
					    (dma[i] + size[i] - 1) & ~masks[k],
					    "%zu bytes, boundary %lx", size[i],
					    masks[k]);
		}
		expect_no_map(test, masks[k] + 2);
		for (i = 0; i < ARRAY_SIZE(dma); i++)
			unmap(t, dma[i], size[i], DMA_TO_DEVICE);
	}
}

/* Only sets below the limit are used, and all of these are. */
static void expect_only_below(struct kunit *test, u64 limit)
{
	dma_addr_t *dma = alloc_addresses(test, POOL_SLOTS);
	struct swiotlb_test *t = test->priv;
	unsigned int nr, i, reach = 0;

	for (i = 0; i < POOL_SETS; i++)
		reach += set_end(t, i) <= limit;

	nr = fill_pool(test, dma, POOL_SLOTS);
	KUNIT_EXPECT_EQ(test, nr, reach * IO_TLB_SEGSIZE);
	for (i = 0; i < nr; i++)
		KUNIT_EXPECT_LE(test, dma[i] + IO_TLB_SIZE - 1, limit);
	unmap_slots(t, dma, nr, 1);
}

void swiotlb_test_dma_mask(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	int i;

	for (i = 0; i < POOL_SETS; i++) {
		*t->dev->dma_mask = set_end(t, i);
		expect_only_below(test, set_end(t, i));
	}
}

void swiotlb_test_bus_dma_limit(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	int i;

	*t->dev->dma_mask = DMA_BIT_MASK(64);
	for (i = 0; i < POOL_SETS; i++) {
		t->dev->bus_dma_limit = set_end(t, i);
		expect_only_below(test, set_end(t, i));
	}
}

void swiotlb_test_out_of_reach(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	u64 limit = U64_MAX;
	int i;

	for (i = 0; i < POOL_SETS; i++)
		limit = min_t(u64, limit, set_start(t, i));
	*t->dev->dma_mask = limit + IO_TLB_SIZE - 2;
	expect_no_map(test, 1);
	KUNIT_EXPECT_EQ(test, used(t), 0);
}

/* A device that sees memory elsewhere than the CPU does */
void swiotlb_test_dma_offset(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	dma_addr_t dma;

	KUNIT_ASSERT_EQ(test, dma_direct_set_offset(t->dev, 0, SZ_1G,
						    1ULL << 46), 0);
	*t->dev->dma_mask = DMA_BIT_MASK(64);
	dma = map(test, t->buf, SZ_64K, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, dma - SZ_1G,
			dma_phys_to_machine(dma_to_phys(t->dev, dma)));
	unmap(t, dma, SZ_64K, DMA_TO_DEVICE);
	KUNIT_EXPECT_TRUE(test, round_trip(t->dev, t->buf, SZ_64K, 1));
}

/* What drivers are told is a share of a pool as small as this; there is more. */
void swiotlb_test_largest_mapping(struct kunit *test)
{
	const size_t share = max(POOL_BYTES / IO_TLB_SHARES, PAGE_SIZE);
	struct swiotlb_test *t = test->priv;
	size_t most = t->mem.defpool->longest;

	KUNIT_EXPECT_EQ(test, dma_max_mapping_size(t->dev), share);
	if (dma_machine_is_phys())
		KUNIT_EXPECT_EQ(test, most, POOL_BYTES);
	KUNIT_EXPECT_TRUE(test, round_trip(t->dev, t->buf, most, 1));
	expect_no_map(test, most + 1);

	/* With that mask it has to work at each offset. */
	dma_set_min_align_mask(t->dev, 4095);
	most = dma_max_mapping_size(t->dev);
	KUNIT_EXPECT_EQ(test, most, max(share - SZ_4K, PAGE_SIZE));
	KUNIT_EXPECT_TRUE(test, round_trip(t->dev, t->buf, most, 1));
	KUNIT_EXPECT_TRUE(test, round_trip(t->dev, t->buf + 2049, most, 1));
	KUNIT_EXPECT_TRUE(test, round_trip(t->dev, t->buf + 4095, most, 1));
}

/*
 * More than a slot set
 */

/* What the pool has in one piece; skips the test if that is one set. */
static size_t need_span(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	size_t most = t->mem.defpool->longest;

	if (most <= IO_TLB_SET_BYTES)
		kunit_skip(test, "no two slot sets are adjacent by machine address");
	return most;
}

/* A sync of one byte that the device has written */
static void expect_byte(struct kunit *test, dma_addr_t dma, size_t at)
{
	struct swiotlb_test *t = test->priv;
	u8 *original = t->buf + at, byte = ~*original;

	dma_test_write(t->dev, dma + at, &byte, 1);
	dma_sync_single_for_cpu(t->dev, dma + at, 1, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ_MSG(test, *original, byte, "at %zu", at);
}

/* Sizes up to the largest, and syncs at both sides of each border */
void swiotlb_test_span(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	size_t most = need_span(test), size, at;
	dma_addr_t dma;

	for (size = IO_TLB_SET_BYTES + 1; size < most; size += 100000)
		KUNIT_EXPECT_TRUE(test, round_trip(t->dev, t->buf, size, size));

	dma_test_fill(t->buf, most, 1);
	dma = map(test, t->buf, most, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, used(t), nr_slots(most));
	KUNIT_EXPECT_TRUE(test, dma_test_sees(t->dev, dma, t->buf, most));
	for (at = IO_TLB_SET_BYTES; at < most; at += IO_TLB_SET_BYTES) {
		expect_byte(test, dma, at - 1);
		expect_byte(test, dma, at);
	}
	expect_byte(test, dma, most - 1);
	unmap(t, dma, most, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, used(t), 0);
}

/* What shares the last set of a span stays when the span goes, and its rest is free. */
void swiotlb_test_span_neighbours(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	dma_addr_t span, small;
	size_t size;

	need_span(test);
	size = IO_TLB_SET_BYTES + SZ_64K;
	span = map(test, t->buf, size, DMA_TO_DEVICE);
	dma_test_fill(t->buf, SZ_64K, 2);
	small = map(test, t->buf, SZ_64K, DMA_TO_DEVICE);
	unmap(t, span, size, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, used(t), nr_slots(SZ_64K));
	KUNIT_EXPECT_TRUE(test, dma_test_sees(t->dev, small, t->buf, SZ_64K));

	span = map(test, t->buf, size, DMA_TO_DEVICE);
	unmap(t, small, SZ_64K, DMA_TO_DEVICE);
	KUNIT_EXPECT_TRUE(test, dma_test_sees(t->dev, span, t->buf, size));
	unmap(t, span, size, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, used(t), 0);
}

/*
 * Use of the pool
 */

void swiotlb_test_all_slots(struct kunit *test)
{
	dma_addr_t *dma = alloc_addresses(test, POOL_SLOTS + 1);
	struct swiotlb_test *t = test->priv;
	unsigned int nr;

	nr = fill_pool(test, dma, POOL_SLOTS + 1);
	KUNIT_EXPECT_EQ(test, nr, POOL_SLOTS);
	KUNIT_EXPECT_EQ(test, used(t), POOL_SLOTS);

	/* Any slot that is returned can be had again. */
	unmap(t, dma[333], IO_TLB_SIZE, DMA_TO_DEVICE);
	dma[333] = map(test, t->buf, IO_TLB_SIZE, DMA_TO_DEVICE);
	expect_no_map(test, 1);
	unmap_slots(t, dma, nr, 1);
	KUNIT_EXPECT_EQ(test, used(t), 0);
}

void swiotlb_test_fragmented(struct kunit *test)
{
	dma_addr_t *dma = alloc_addresses(test, POOL_SLOTS);
	struct swiotlb_test *t = test->priv;
	unsigned int nr;

	nr = fill_pool(test, dma, POOL_SLOTS);
	unmap_slots(t, dma, nr, 2);
	expect_no_map(test, IO_TLB_SIZE + 1);
	KUNIT_EXPECT_TRUE(test, round_trip(t->dev, t->buf, IO_TLB_SIZE, 1));

	unmap_slots(t, dma + 1, nr - 1, 2);
	KUNIT_EXPECT_TRUE(test, round_trip(t->dev, t->buf, IO_TLB_SET_BYTES,
					   1));
}

/* Many mappings at a time come and go; none may get another's data. */
void swiotlb_test_churn(struct kunit *test)
{
	enum { LIVE = 24, STEPS = 2000, MOST = SZ_32K };
	struct swiotlb_test *t = test->priv;
	dma_addr_t dma[LIVE] = {};
	size_t size[LIVE] = {};
	u32 seed[LIVE];
	int step, i;

	for (step = 0; step < STEPS + LIVE; step++) {
		i = step < STEPS ? prandom_u32_state(&t->rnd) % LIVE :
				   step - STEPS;
		if (size[i]) {
			dma_test_fill(t->data, size[i], seed[i]);
			KUNIT_EXPECT_TRUE(test,
					  dma_test_sees(t->dev, dma[i], t->data,
							size[i]));
			unmap(t, dma[i], size[i], DMA_TO_DEVICE);
			size[i] = 0;
		} else if (step < STEPS) {
			size[i] = random_size(t, MOST);
			seed[i] = step;
			dma_test_fill(t->buf, size[i], step);
			dma[i] = map(test, t->buf, size[i], DMA_TO_DEVICE);
		}
	}
}

/* Not too low, and too high by no more than an area may use before it is looked at */
static void expect_hiwater(struct kunit *test, long most_used)
{
	struct swiotlb_test *t = test->priv;
	long mark = atomic_long_read(&t->mem.used_hiwater);

	KUNIT_EXPECT_GE(test, mark, most_used);
	KUNIT_EXPECT_LE(test, mark, most_used + (long)t->mem.nslabs / 16);
}

void swiotlb_test_high_water(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	dma_addr_t a, b;

	if (!IS_ENABLED(CONFIG_DEBUG_FS))
		kunit_skip(test, "nobody counts without CONFIG_DEBUG_FS");

	a = map(test, t->buf, SZ_128K, DMA_TO_DEVICE);
	b = map(test, t->buf, SZ_64K, DMA_TO_DEVICE);
	expect_hiwater(test, nr_slots(SZ_128K + SZ_64K));
	unmap(t, a, SZ_128K, DMA_TO_DEVICE);
	unmap(t, b, SZ_64K, DMA_TO_DEVICE);
	KUNIT_EXPECT_TRUE(test, round_trip(t->dev, t->buf, SZ_64K, 1));
	expect_hiwater(test, nr_slots(SZ_128K + SZ_64K));
}

/* Addresses beside the pool, and no address at all, are not in it. */
void swiotlb_test_lookup(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	struct io_tlb_pool *pool = t->mem.defpool;

	KUNIT_EXPECT_NULL(test, swiotlb_find_pool(t->dev, pool->start));
	unmap(t, map(test, t->buf, 1, DMA_TO_DEVICE), 1, DMA_TO_DEVICE);
	KUNIT_EXPECT_PTR_EQ(test, swiotlb_find_pool(t->dev, pool->start), pool);
	KUNIT_EXPECT_PTR_EQ(test, swiotlb_find_pool(t->dev, pool->end - 1), pool);
	KUNIT_EXPECT_NULL(test, swiotlb_find_pool(t->dev, pool->start - 1));
	KUNIT_EXPECT_NULL(test, swiotlb_find_pool(t->dev, pool->end));
	KUNIT_EXPECT_NULL(test, swiotlb_find_pool(t->dev, DMA_PHYS_NONE));
}
