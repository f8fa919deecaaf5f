/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Software IO TLB: what its tests share, that is what each of them has, how
 * they map and unmap, and the tests themselves, for the table in
 * swiotlb_kunit.c.
 */
#ifndef _LIB_TESTS_SWIOTLB_KUNIT_H
#define _LIB_TESTS_SWIOTLB_KUNIT_H

#include <kunit/test.h>
#include <linux/dma-mapping.h>
#include <linux/prandom.h>
#include <linux/rcupdate.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "../swiotlb_growth.h"
#include "../swiotlb_internal.h"
#include "dma_kunit.h"

#define POOL_SETS	4
#define POOL_SLOTS	(POOL_SETS * IO_TLB_SEGSIZE)
#define POOL_BYTES	(POOL_SETS * IO_TLB_SET_BYTES)

/**
 * struct swiotlb_test - what each test has
 * @dev:	Device whose mappings all bounce.
 * @mem:	Its software IO TLB.
 * @growth:	How that grows, in tests in which it does.
 * @buf:	Buffer to map, page-aligned.
 * @data:	What the device writes.
 * @rnd:	Random numbers.
 */
struct swiotlb_test {
	struct device *dev;
	struct io_tlb_mem mem;
	struct io_tlb_growth growth;
	void *buf;
	void *data;
	struct rnd_state rnd;
};

static inline struct io_tlb_pool_table *table_of(struct io_tlb_mem *mem)
{
	return rcu_dereference_protected(mem->pools, 1);
}

static inline dma_addr_t try_map(struct swiotlb_test *t, void *buf,
				 size_t size, enum dma_data_direction dir)
{
	return dma_map_single_attrs(t->dev, buf, size, dir, DMA_ATTR_NO_WARN);
}

static inline dma_addr_t map(struct kunit *test, void *buf, size_t size,
			     enum dma_data_direction dir)
{
	struct swiotlb_test *t = test->priv;
	dma_addr_t dma = try_map(t, buf, size, dir);

	KUNIT_ASSERT_FALSE_MSG(test, dma_mapping_error(t->dev, dma),
			       "no mapping of %zu bytes", size);
	return dma;
}

static inline void unmap(struct swiotlb_test *t, dma_addr_t dma, size_t size,
			 enum dma_data_direction dir)
{
	dma_unmap_single(t->dev, dma, size, dir);
}

static inline struct io_tlb_pool *pool_of(struct device *dev, dma_addr_t dma)
{
	return swiotlb_find_pool(dev, dma_to_phys(dev, dma));
}

static inline unsigned long used(struct swiotlb_test *t)
{
	return swiotlb_mem_used(&t->mem);
}

/* Map single slots until there are none left; the addresses are @dma's. */
static inline unsigned int fill_pool(struct kunit *test, dma_addr_t *dma,
				     unsigned int max)
{
	struct swiotlb_test *t = test->priv;
	unsigned int nr;

	for (nr = 0; nr < max; nr++) {
		dma[nr] = try_map(t, t->buf, IO_TLB_SIZE, DMA_TO_DEVICE);
		if (dma_mapping_error(t->dev, dma[nr]))
			break;
	}
	return nr;
}

static inline void unmap_slots(struct swiotlb_test *t, dma_addr_t *dma,
			       unsigned int nr, unsigned int step)
{
	unsigned int i;

	for (i = 0; i < nr; i += step)
		unmap(t, dma[i], IO_TLB_SIZE, DMA_TO_DEVICE);
}

static inline dma_addr_t *alloc_addresses(struct kunit *test, unsigned int nr)
{
	dma_addr_t *dma = kunit_kcalloc(test, nr, sizeof(*dma), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, dma);
	return dma;
}

/*
 * Map, let the device read and write, unmap, and see that each saw what the
 * other has written. Works in any context; needs nothing but @buf and @seed.
 */
static inline bool round_trip(struct device *dev, void *buf, size_t size,
			      u32 seed)
{
	dma_addr_t dma;
	bool good;

	dma_test_fill(buf, size, seed);
	dma = dma_map_single_attrs(dev, buf, size, DMA_BIDIRECTIONAL,
				   DMA_ATTR_NO_WARN);
	if (dma_mapping_error(dev, dma))
		return false;

	good = dma_test_sees(dev, dma, buf, size);
	dma_test_fill(buf, size, seed + 1);
	dma_sync_single_for_device(dev, dma, size, DMA_BIDIRECTIONAL);
	good = good && dma_test_sees(dev, dma, buf, size);
	memset(buf, 0, size);
	dma_unmap_single(dev, dma, size, DMA_BIDIRECTIONAL);
	return good && dma_test_filled(buf, size, seed + 1);
}

/*
 * Tests. Who adds one adds it to the table in swiotlb_kunit.c too, or it does
 * not run.
 */

/* swiotlb_kunit_data.c */
void swiotlb_test_to_device(struct kunit *test);
void swiotlb_test_from_device(struct kunit *test);
void swiotlb_test_both_directions(struct kunit *test);
void swiotlb_test_short_write(struct kunit *test);
void swiotlb_test_unmap_without_copy(struct kunit *test);
void swiotlb_test_sync_for_cpu(struct kunit *test);
void swiotlb_test_sync_for_device(struct kunit *test);
void swiotlb_test_sync_other_way(struct kunit *test);
void swiotlb_test_page_borders(struct kunit *test);
void swiotlb_test_list(struct kunit *test);
void swiotlb_test_list_without_room(struct kunit *test);

/* swiotlb_kunit_place.c */
void swiotlb_test_min_align_mask(struct kunit *test);
void swiotlb_test_sync_behind_padding(struct kunit *test);
void swiotlb_test_page_alignment(struct kunit *test);
void swiotlb_test_alloc_align_mask(struct kunit *test);
void swiotlb_test_segment_boundary(struct kunit *test);
void swiotlb_test_dma_mask(struct kunit *test);
void swiotlb_test_bus_dma_limit(struct kunit *test);
void swiotlb_test_out_of_reach(struct kunit *test);
void swiotlb_test_dma_offset(struct kunit *test);
void swiotlb_test_largest_mapping(struct kunit *test);
void swiotlb_test_span(struct kunit *test);
void swiotlb_test_span_neighbours(struct kunit *test);
void swiotlb_test_all_slots(struct kunit *test);
void swiotlb_test_fragmented(struct kunit *test);
void swiotlb_test_churn(struct kunit *test);
void swiotlb_test_high_water(struct kunit *test);
void swiotlb_test_lookup(struct kunit *test);

/* swiotlb_kunit_direct.c */
void swiotlb_test_direct(struct kunit *test);
void swiotlb_test_one_byte_too_far(struct kunit *test);
void swiotlb_test_need_sync(struct kunit *test);
void swiotlb_test_mask_set_again(struct kunit *test);
void swiotlb_test_not_active(struct kunit *test);
void swiotlb_test_coherent(struct kunit *test);
void swiotlb_test_noncontiguous(struct kunit *test);

/* swiotlb_kunit_context.c */
void swiotlb_test_interrupts_off(struct kunit *test);
void swiotlb_test_interrupted(struct kunit *test);
void swiotlb_test_cpus(struct kunit *test);
void swiotlb_test_cpus_without_room(struct kunit *test);
unsigned int swiotlb_test_run_workers(struct kunit *test, size_t most);

/* swiotlb_kunit_pools.c */
void swiotlb_test_sets_contiguous(struct kunit *test);
void swiotlb_test_growth(struct kunit *test);
void swiotlb_test_transient_pool(struct kunit *test);
void swiotlb_test_transient_limits(struct kunit *test);
void swiotlb_test_cpus_and_growth(struct kunit *test);
void swiotlb_test_cpus_and_transient(struct kunit *test);
void swiotlb_test_default_pool(struct kunit *test);
void swiotlb_test_above_4g(struct kunit *test);
void swiotlb_test_wide_device(struct kunit *test);
void swiotlb_test_required_mask(struct kunit *test);

#endif /* _LIB_TESTS_SWIOTLB_KUNIT_H */
