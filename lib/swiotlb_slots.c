// SPDX-License-Identifier: GPL-2.0-only
/*
 * The slot allocator of the software IO TLB: finds, takes and returns runs of
 * slots within a slot set. Its data structures are explained in
 * swiotlb_internal.h.
 */
#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/log2.h>
#include <linux/minmax.h>

#include "swiotlb_internal.h"

static_assert(IO_TLB_SEGSIZE == 128, "a set's bit maps are two 64-bit words");

/* Every 2^i-th bit set, from bit 0 */
static const u64 stride_bits[] = {
	0xffffffffffffffff, 0x5555555555555555, 0x1111111111111111,
	0x0101010101010101, 0x0001000100010001, 0x0000000100000001,
	0x0000000000000001,
};

static int lowest_slot(u64 lo, u64 hi)
{
	if (lo)
		return __ffs64(lo);
	return hi ? 64 + __ffs64(hi) : -1;
}

/*
 * Reduce a map of free slots to those with which a run of @n free slots starts:
 * bit i of the result stands for slots i to i + @n - 1. Each step as much as
 * doubles the length that has been seen to.
 */
static void runs_of(u64 *lo, u64 *hi, unsigned int n)
{
	unsigned int seen, step;

	for (seen = 1; seen < n; seen += step) {
		step = min(seen, n - seen);
		if (step == 64) {
			*lo &= *hi;
			*hi = 0;
			return;
		}
		*lo &= (*lo >> step) | (*hi << (64 - step));
		*hi &= *hi >> step;
	}
}

/*
 * Keep the slots @phase, @phase + @align_mask + 1, and so on. @align_mask is
 * one less than a power of two, and @phase not above it.
 */
static void keep_aligned(u64 *lo, u64 *hi, unsigned int align_mask,
			 unsigned int phase)
{
	u64 every;

	if (align_mask >= IO_TLB_SEGSIZE / 2) {
		*lo &= phase < 64 ? BIT_ULL(phase) : 0;
		*hi &= phase >= 64 && phase < 128 ? BIT_ULL(phase - 64) : 0;
		return;
	}

	every = stride_bits[ilog2(align_mask + 1)] << phase;
	*lo &= every;
	*hi &= every;
}

/*
 * Lowest slot of the candidates from which @rq does not cross a segment
 * boundary, or -1.
 */
static int lowest_within_boundary(const struct io_tlb_request *rq,
				  dma_addr_t dma, u64 lo, u64 hi)
{
	/* Slots between two boundaries. The mask may be all ones. */
	unsigned long segment = (rq->boundary_mask >> IO_TLB_SHIFT) + 1;
	unsigned long offset = (dma & rq->boundary_mask) >> IO_TLB_SHIFT;
	int slot;

	while ((slot = lowest_slot(lo, hi)) >= 0) {
		if (((offset + slot) & (segment - 1)) + rq->nslots <= segment)
			break;
		if (slot < 64)
			lo &= lo - 1;
		else
			hi &= hi - 1;
	}
	return slot;
}

/* May slots of this set end up on both sides of a segment boundary? */
static bool set_has_boundary(const struct io_tlb_request *rq, dma_addr_t dma)
{
	return (dma & rq->boundary_mask) + (IO_TLB_SET_BYTES - 1) >
		rq->boundary_mask;
}

/**
 * enum set_verdict - why a set cannot serve a request
 * @SET_NO_RUN:		It has no run of that many free slots.
 * @SET_NO_FIT:		It has, but none where the device can use it.
 */
enum set_verdict {
	SET_NO_RUN	= -1,
	SET_NO_FIT	= -2,
};

/*
 * Where the device sees a set. The ranges of a device describe what it reaches by
 * itself. They say nothing of what an IOMMU shows it, which maps pages as they
 * lie on the bus.
 */
static dma_addr_t set_dma(const struct io_tlb_set *set,
			  const struct io_tlb_request *rq)
{
	return rq->translated ? set->bus : bus_to_dma(rq->dev, set->bus);
}

/*
 * Ranges of dma_range_map are not made of slot sets: is the byte at @offset of @set
 * in the same as the first?
 */
static bool in_range_of_set(const struct io_tlb_set *set, dma_addr_t dma,
			    size_t offset, const struct io_tlb_request *rq)
{
	return rq->translated ||
		bus_to_dma(rq->dev, set->bus + offset) == dma + offset;
}

/*
 * Find the lowest run of slots in @set that satisfies @rq.
 *
 * Return: The run's first slot, or an &enum set_verdict.
 */
static int set_search(const struct io_tlb_set *set,
		      const struct io_tlb_request *rq)
{
	dma_addr_t dma = set_dma(set, rq), last;
	u64 lo = set->free[0], hi = set->free[1];
	int slot;

	runs_of(&lo, &hi, rq->nslots);
	if (!(lo | hi))
		return SET_NO_RUN;

	if (rq->align_mask)
		keep_aligned(&lo, &hi, rq->align_mask,
			     (rq->align_value - (dma >> IO_TLB_SHIFT)) &
			     rq->align_mask);

	if (unlikely(set_has_boundary(rq, dma)))
		slot = lowest_within_boundary(rq, dma, lo, hi);
	else
		slot = lowest_slot(lo, hi);
	if (slot < 0)
		return SET_NO_FIT;

	/* If the lowest is out of reach, so are the others. */
	last = dma + ((slot + rq->nslots) << IO_TLB_SHIFT) - 1;
	if (unlikely(last < dma || last > rq->limit))
		return SET_NO_FIT;
	if (unlikely(rq->dev->dma_range_map) &&
	    !in_range_of_set(set, dma, last - dma, rq))
		return SET_NO_FIT;
	return slot;
}

/**
 * swiotlb_find_start() - find the allocation that a slot is not the first of
 * @pool:	Pool.
 * @index:	A slot.
 *
 * See slot_start(), which spares first slots the search.
 *
 * Context: Any.
 * Return: Index of the allocation's first slot, or -1 if @index is free.
 */
int swiotlb_find_start(struct io_tlb_pool *pool, unsigned int index)
{
	struct io_tlb_set *set = slot_set(pool, index);
	unsigned int slot = index % IO_TLB_SEGSIZE, word = slot / 64;
	u64 first;

	if (READ_ONCE(set->free[word]) & BIT_ULL(slot % 64))
		return -1;
	first = READ_ONCE(set->first[word]) & (U64_MAX >> (63 - slot % 64));
	if (!first && word)
		first = READ_ONCE(set->first[--word]);
	if (!first)
		return -1;
	return index - slot + word * 64 + fls64(first) - 1;
}

/* The bits of slots @slot to @end - 1, of which there is at least one */
static void slot_mask(unsigned int slot, unsigned int end, u64 *lo, u64 *hi)
{
	*lo = slot < 64 ? U64_MAX << slot : 0;
	*hi = slot < 64 ? U64_MAX : U64_MAX << (slot - 64);
	if (end <= 64) {
		*lo &= U64_MAX >> (64 - end);
		*hi = 0;
	} else {
		*hi &= U64_MAX >> (128 - end);
	}
}

/* Where the allocation that starts at @slot ends */
static unsigned int allocation_end(const struct io_tlb_set *set,
				   unsigned int slot)
{
	unsigned int word = slot / 64;
	u64 ends = (set->free[word] | set->first[word]) &
		(U64_MAX << (slot % 64) << 1);

	if (!ends && !word) {
		word = 1;
		ends = set->free[1] | set->first[1];
	}
	return ends ? word * 64 + __ffs64(ends) : IO_TLB_SEGSIZE;
}

static void set_take(struct io_tlb_set *set, unsigned int slot, unsigned int n)
{
	u64 *first = &set->first[slot / 64];
	u64 lo, hi;

	slot_mask(slot, slot + n, &lo, &hi);
	WRITE_ONCE(set->free[0], set->free[0] & ~lo);
	WRITE_ONCE(set->free[1], set->free[1] & ~hi);
	WRITE_ONCE(*first, *first | BIT_ULL(slot % 64));
}

/* Return the allocation that starts at @slot; tells how many slots it had. */
static unsigned int set_return(struct io_tlb_set *set, unsigned int slot)
{
	unsigned int end = allocation_end(set, slot);
	u64 *first = &set->first[slot / 64];
	u64 lo, hi;

	slot_mask(slot, end, &lo, &hi);
	WRITE_ONCE(set->free[0], set->free[0] | lo);
	WRITE_ONCE(set->free[1], set->free[1] | hi);
	WRITE_ONCE(*first, *first & ~BIT_ULL(slot % 64));
	return end - slot;
}

/*
 * The summary bytes of sets are read eight at a time and written one by one.
 * The words are little-endian, so that the lowest set is the lowest byte.
 */
static u8 *summary_byte(struct io_tlb_area *area, unsigned int set)
{
	return (u8 *)area->summary + set;
}

/* Note that there is no run of @n free slots in @set. */
static void summary_disprove(struct io_tlb_area *area, unsigned int set,
			     unsigned int n)
{
	*summary_byte(area, set) &= (1U << order_base_2(n)) - 1;
}

/*
 * Take the lowest slots of the area that satisfy @rq.
 *
 * Context: The area's lock is held.
 * Return: Index of the first slot in @pool, or -1.
 */
static int area_take(struct io_tlb_pool *pool, struct io_tlb_area *area,
		     const struct io_tlb_request *rq)
{
	/* A run of that many slots contains one of the next lower 2^k. */
	u64 select = stride_bits[3] << (fls(rq->nslots) - 1);
	struct io_tlb_set *sets = &pool->sets[area->first_set];
	unsigned int word, set;
	int slot;
	u64 maybe;

	for (word = 0; word * IO_TLB_SUMMARY_SETS < area->nr_sets; word++) {
		maybe = le64_to_cpu(area->summary[word]) & select;
		for (; maybe; maybe &= maybe - 1) {
			set = word * IO_TLB_SUMMARY_SETS + __ffs64(maybe) / 8;
			slot = set_search(&sets[set], rq);
			if (slot >= 0)
				goto found;
			if (slot == SET_NO_RUN)
				summary_disprove(area, set, rq->nslots);
		}
	}
	return -1;

found:
	set_take(&sets[set], slot, rq->nslots);
	WRITE_ONCE(area->used, area->used + rq->nslots);
	return (area->first_set + set) * IO_TLB_SEGSIZE + slot;
}

/**
 * swiotlb_area_alloc() - take slots from one area
 * @mem:	The software IO TLB that @pool belongs to.
 * @pool:	Pool.
 * @area_index:	Index of the area, less than @pool->nareas.
 * @rq:		What is wanted.
 *
 * Context: Any. Takes the area's lock, interrupts off. Held for at most one
 * look at each set's summary and at those sets that may have room.
 * Return: Index of the first slot, or -1 if the area has nothing that fits.
 */
int swiotlb_area_alloc(struct io_tlb_mem *mem, struct io_tlb_pool *pool,
		       unsigned int area_index, const struct io_tlb_request *rq)
{
	struct io_tlb_area *area = &pool->areas[area_index];
	unsigned long flags;
	bool above;
	int index;

	spin_lock_irqsave(&area->lock, flags);
	index = area_take(pool, area, rq);
	above = area->used > area->allowance;
	spin_unlock_irqrestore(&area->lock, flags);

	if (unlikely(above))
		swiotlb_raise_allowance(mem, area);
	return index;
}

/**
 * swiotlb_slots_free() - return an allocation
 * @pool:	Pool.
 * @index:	Any slot of the allocation.
 *
 * Context: Any. Takes the lock of the area that the slots belong to, interrupts
 * off.
 * Return: 0, or -EINVAL if the slot is not in use. Nothing is changed then.
 */
int swiotlb_slots_free(struct io_tlb_pool *pool, unsigned int index)
{
	unsigned int set_index = index / IO_TLB_SEGSIZE;
	struct io_tlb_area *area = &pool->areas[set_index / pool->area_sets];
	unsigned int nslots;
	unsigned long flags;
	int start;

	spin_lock_irqsave(&area->lock, flags);
	start = slot_start(pool, index);
	if (likely(start >= 0)) {
		nslots = set_return(&pool->sets[set_index],
				    start % IO_TLB_SEGSIZE);
		WRITE_ONCE(area->used, area->used - nslots);
		*summary_byte(area, set_index - area->first_set) = U8_MAX;
	}
	spin_unlock_irqrestore(&area->lock, flags);
	return start < 0 ? -EINVAL : 0;
}

/**
 * swiotlb_request_init() - work out what slots a mapping needs
 * @rq:		To be filled in.
 * @dev:	Device.
 * @orig_addr:	Physical address of the original buffer, or 0 if there is none.
 * @size:	Bytes to allocate, pre-padding included; 1 to the size of a set.
 * @alloc_align_mask: Alignment of the allocation, as swiotlb_tbl_map_single()
 *		gets it.
 * @limit:	Highest DMA address that may be used.
 *
 * The bits that &device_dma_parameters.min_align_mask names have to be the same
 * in the bounced address as in @orig_addr. Those below the size of a slot, and
 * those that alignment forces to zero, are the caller's to keep by padding; the
 * others decide which slots fit.
 *
 * An allocation of a page or more is aligned to a page if no alignment is asked
 * for at all: drivers have come to rely on it.
 */
void swiotlb_request_init(struct io_tlb_request *rq, struct device *dev,
			  phys_addr_t orig_addr, size_t size,
			  unsigned int alloc_align_mask, u64 limit)
{
	unsigned int keep_mask = dma_get_min_align_mask(dev);
	unsigned int mask;

	if (!alloc_align_mask && !keep_mask && size >= PAGE_SIZE)
		alloc_align_mask = PAGE_SIZE - 1;
	alloc_align_mask |= IO_TLB_SIZE - 1;
	keep_mask &= ~alloc_align_mask;

	/* A mask with holes is met by keeping the bits in them as well. */
	mask = alloc_align_mask | keep_mask;
	mask = (1ULL << fls(mask)) - 1;

	rq->dev = dev;
	rq->translated = false;
	rq->nslots = nr_slots(size);
	rq->align_mask = mask >> IO_TLB_SHIFT;
	rq->align_value = (orig_addr & mask & ~alloc_align_mask) >> IO_TLB_SHIFT;
	rq->boundary_mask = dma_get_seg_boundary(dev);
	rq->limit = limit;
}

/**
 * swiotlb_request_possible() - would a pool with nothing in use serve a request?
 * @rq:		What is wanted.
 *
 * Its limit aside. Where the ranges of a device put a pool for it is not known, so
 * for such a device the answer is a guess.
 *
 * Context: Any.
 * Return: %false if no pool that starts at a multiple of a set's size can.
 */
bool swiotlb_request_possible(const struct io_tlb_request *rq)
{
	u64 segment = ((u64)rq->boundary_mask >> IO_TLB_SHIFT) + 1;

	if (rq->dev->dma_range_map)
		return true;
	return (rq->align_value & (segment - 1)) + rq->nslots <= segment &&
		rq->align_value % IO_TLB_SEGSIZE + rq->nslots <= IO_TLB_SEGSIZE;
}
