// SPDX-License-Identifier: GPL-2.0-only
/*
 * The slot allocator of the software IO TLB: finds, takes and returns runs of
 * slots within a slot set. Its data structures are explained in
 * swiotlb_internal.h. What is larger than a set: swiotlb_span.c.
 */
#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/log2.h>
#include <linux/minmax.h>

#include "swiotlb_internal.h"

/* Every 2^i-th bit set, from bit 0 */
static const u64 stride_bits[] = {
	0xffffffffffffffff, 0x5555555555555555, 0x1111111111111111,
	0x0101010101010101, 0x0001000100010001, 0x0000000100000001,
	0x0000000000000001,
};

/* Of slots of which there is at least one */
static unsigned int lowest_slot(u64 lo, u64 hi)
{
	return lo ? __ffs64(lo) : 64 + __ffs64(hi);
}

/*
 * Reduce a map of free slots to the slots at which @n free slots start: bit i of the
 * result stands for slots i to i + @n - 1. Each step ANDs the map with itself, shifted
 * by half of the remaining length.
 */
static void runs_of(u64 *lo, u64 *hi, unsigned int n)
{
	unsigned int step;

	for (; n > 1; n -= step) {
		step = n / 2;
		if (step == 64) {
			*lo &= *hi;
			*hi = 0;
			continue;
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

	VM_WARN_ON_ONCE(phase > align_mask || (align_mask & (align_mask + 1)));
	if (align_mask >= IO_TLB_SEGSIZE / 2) {
		*lo &= phase < 64 ? BIT_ULL(phase) : 0;
		*hi &= phase >= 64 && phase < 128 ? BIT_ULL(phase - 64) : 0;
		return;
	}

	every = stride_bits[ilog2(align_mask + 1)] << phase;
	*lo &= every;
	*hi &= every;
}

/* Slots between two boundaries. The mask may be all ones. */
static u64 segment_slots(const struct io_tlb_request *rq)
{
	return ((u64)rq->boundary_mask >> IO_TLB_SHIFT) + 1;
}

/*
 * Keep the slots from which @n do not cross a segment boundary. @segment is the number
 * of slots between two boundaries, a power of two, and the set's first slot is @offset
 * slots behind one.
 */
static void keep_within_boundary(u64 *lo, u64 *hi, unsigned int n,
				 unsigned long segment, unsigned long offset)
{
	unsigned long left = segment - offset;
	u64 every;

	if (unlikely(segment < n)) {
		*lo = 0;
		*hi = 0;
	} else if (segment < IO_TLB_SEGSIZE) {
		every = stride_bits[ilog2(segment)] * low_bits(segment - n + 1);
		every = ror64(every, offset);
		*lo &= every;
		*hi &= every;
	} else if (left < IO_TLB_SEGSIZE) {
		*lo &= ~slot_bits(0, max(left + 1, n) - n, left);
		*hi &= ~slot_bits(1, max(left + 1, n) - n, left);
	}
}

/**
 * swiotlb_find_start() - find the allocation that a slot belongs to
 * @pool:	Pool.
 * @index:	A slot of an allocation that the caller holds.
 *
 * Context: Any. Needs no lock, see "Locking" in swiotlb_internal.h.
 * Return: Index of the allocation's first slot, or -1 if @index is free.
 */
int swiotlb_find_start(struct io_tlb_pool *pool, unsigned int index)
{
	struct io_tlb_set *set = slot_set(pool, index);
	int start;

	if (set_is_free(set, index % IO_TLB_SEGSIZE))
		return -1;

	start = set_last_first(set, index);
	while (start < 0 && set > pool->sets && set_goes_on(set - 1)) {
		set--;
		index = round_down(index, IO_TLB_SEGSIZE) - 1;
		start = set_last_first(set, index);
	}
	return start;
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
 * The ranges of a device are not made of slot sets: is the byte at @offset of @set in
 * the same as the first?
 */
static bool in_range_of_set(const struct io_tlb_set *set, dma_addr_t dma,
			    size_t offset, const struct io_tlb_request *rq)
{
	return dma != DMA_MAPPING_ERROR &&
		rq_dma(rq, set->maddr + offset) == dma + offset;
}

/*
 * Find the lowest run of slots in @set that satisfies @rq.
 *
 * Return: The run's first slot, or an &enum set_verdict.
 */
static int set_search(const struct io_tlb_set *set, dma_addr_t dma,
		      const struct io_tlb_request *rq)
{
	u64 lo = set_free_slots(set, 0), hi = set_free_slots(set, 1), last;
	unsigned int slot;

	runs_of(&lo, &hi, rq->nslots);
	if (!(lo | hi))
		return SET_NO_RUN;

	if (rq->align.mask)
		keep_aligned(&lo, &hi, rq->align.mask,
			     (rq->align.value - (dma >> IO_TLB_SHIFT)) &
			     rq->align.mask);
	keep_within_boundary(&lo, &hi, rq->nslots, segment_slots(rq),
			     (dma & rq->boundary_mask) >> IO_TLB_SHIFT);
	if (!(lo | hi))
		return SET_NO_FIT;

	/* If the device does not reach the lowest, it reaches none. */
	slot = lowest_slot(lo, hi);
	last = dma + ((slot + rq->nslots) << IO_TLB_SHIFT) - 1;
	if (last > rq->limit)
		return SET_NO_FIT;
	if (rq->differs && !in_range_of_set(set, dma, last - dma, rq))
		return SET_NO_FIT;
	return slot;
}

/* set_alloc() for when the first guess is wrong */
static noinline int set_alloc_slow(struct io_tlb_set *set,
				   struct io_tlb_request *rq)
{
	dma_addr_t dma = rq_dma(rq, set->maddr);
	int slot = set_search(set, dma, rq);

	if (slot < 0)
		return slot;
	set_take(set, slot, rq->nslots);
	rq->dma = dma + (slot << IO_TLB_SHIFT);
	return slot;
}

/*
 * Take the lowest run of slots in @set that satisfies @rq. The first guess: it starts at
 * the lowest free slot, or at the next aligned one, and lies in one word.
 *
 * Context: The area's lock is held.
 * Return: The run's first slot, or an &enum set_verdict. Stores its address in
 * @rq.
 */
static __always_inline int set_alloc(struct io_tlb_set *set,
				     struct io_tlb_request *rq)
{
	unsigned int word = !set_free_slots(set, 0), bit;
	u64 free = set_free_slots(set, word), mask;
	dma_addr_t start, last;

	if (unlikely(!free))
		return SET_NO_RUN;

	start = set->maddr + word * (64 << IO_TLB_SHIFT);
	bit = __ffs64(free);
	if (rq->align.mask)
		bit += (rq->align.value - (start >> IO_TLB_SHIFT) - bit) &
			rq->align.mask;
	if (unlikely(bit + rq->nslots > 64))
		return set_alloc_slow(set, rq);

	mask = low_bits(rq->nslots) << bit;
	start += (size_t)bit << IO_TLB_SHIFT;
	last = start + ((size_t)rq->nslots << IO_TLB_SHIFT) - 1;
	if (unlikely((free & mask) != mask || last > rq->limit ||
		     (start ^ last) > rq->boundary_mask || rq->differs))
		return set_alloc_slow(set, rq);

	set_take_in_word(set, word, bit, rq->nslots);
	rq->dma = start;
	return word * 64 + bit;
}

/* What a summary says when there is no run of @n slots, see &io_tlb_request.bound */
static u8 bound_without(unsigned int n)
{
	return min(n - 1, IO_TLB_RUN_UNKNOWN - 1);
}

/*
 * Bit 7 of each byte of the result tells whether that byte of @word is at least
 * @bound: then it survives the subtraction.
 */
static u64 sets_with_bound(__le64 word, unsigned int bound)
{
	const u64 ones = 0x0101010101010101;

	return ((le64_to_cpu(word) | ones << 7) - ones * bound) & ones << 7;
}

/*
 * Take the lowest slots of the area's @set that satisfy @rq.
 *
 * Context: The area's lock is held.
 * Return: Index of the first slot in the area, or an &enum set_verdict.
 */
static __always_inline int set_take_lowest(struct io_tlb_area *area,
					   unsigned int set,
					   struct io_tlb_request *rq)
{
	int slot = set_alloc(&area->sets[set], rq);

	if (likely(slot >= 0))
		return set * IO_TLB_SEGSIZE + slot;
	lockdep_assert_held(&area->lock);
	if (slot == SET_NO_RUN)
		*summary_byte(area, set) = bound_without(rq->nslots);
	return slot;
}

/*
 * Take the lowest slots of the first set that may have room, if its summary is in the
 * first word. This serves most requests.
 */
static __always_inline int first_take(struct io_tlb_area *area,
				      struct io_tlb_request *rq)
{
	u64 maybe = sets_with_bound(area->summary[0], rq->bound);

	if (unlikely(!maybe))
		return SET_NO_RUN;
	return set_take_lowest(area, __ffs64(maybe) / 8, rq);
}

/*
 * Take the lowest slots of a window of the area that satisfy @rq. Starts with the sets
 * whose summary is in word @from, and stops after a limited number of sets.
 * @misfit: The first set that may have room has been tried, and nothing in it fits.
 *
 * Context: The area's lock is held.
 * Return: Index of the first slot in the area, or the complement of the word with which
 * the search goes on.
 */
static noinline int window_take(struct io_tlb_area *area, unsigned int from,
				bool misfit, struct io_tlb_request *rq)
{
	unsigned int window = from / IO_TLB_WINDOW_WORDS, looks = 1, word = from;
	unsigned int end = (window + 1) * IO_TLB_WINDOW_WORDS, bound = rq->bound;
	u64 maybe = sets_with_bound(area->summary[word], bound);
	int index;

	if (misfit)
		maybe &= maybe - 1;
	for (;;) {
		for (; maybe; maybe &= maybe - 1, looks++) {
			index = set_take_lowest(area, word * IO_TLB_SUMMARY_SETS +
						__ffs64(maybe) / 8, rq);
			if (likely(index >= 0))
				return index;
			misfit |= index == SET_NO_FIT;
		}
		if (++word == end || looks >= IO_TLB_LOOKS)
			break;
		maybe = sets_with_bound(area->summary[word], bound);
	}
	/* Only if the whole window has been looked at under the lock. */
	if (word - from == IO_TLB_WINDOW_WORDS && !misfit &&
	    area->windows[window] >= bound)
		WRITE_ONCE(area->windows[window], bound_without(rq->nslots));
	return ~word;
}

/*
 * Count slots that have been taken, if @index is not negative. Returns their index in
 * the pool.
 *
 * Context: The area's lock is held.
 */
static __always_inline int area_taken(struct io_tlb_area *area, int index,
				      const struct io_tlb_request *rq)
{
	if (unlikely(index < 0))
		return index;
	area_more_used(area, rq->nslots);
	return area->first_set * IO_TLB_SEGSIZE + index;
}

static __always_inline int first_window_alloc(struct io_tlb_area *area,
					      struct io_tlb_request *rq)
{
	unsigned long flags;
	int index;

	spin_lock_irqsave(&area->lock, flags);
	smp_mb__after_spinlock();	/* see prepare_use() in swiotlb.c */
	index = first_take(area, rq);
	if (unlikely(index < 0))
		index = window_take(area, 0, index == SET_NO_FIT, rq);
	index = area_taken(area, index, rq);
	spin_unlock_irqrestore(&area->lock, flags);
	return index;
}

static int next_alloc(struct io_tlb_area *area, unsigned int from,
		      struct io_tlb_request *rq)
{
	unsigned long flags;
	int index;

	spin_lock_irqsave(&area->lock, flags);
	smp_mb__after_spinlock();	/* as above */
	index = area_taken(area, window_take(area, from, false, rq), rq);
	spin_unlock_irqrestore(&area->lock, flags);
	return index;
}

/* swiotlb_area_alloc() from those sets on whose summary is in word @from */
static noinline int area_go_on(struct io_tlb_area *area, unsigned int from,
			       struct io_tlb_request *rq)
{
	int index;

	while (from * IO_TLB_SUMMARY_SETS < area->nr_sets) {
		if (READ_ONCE(area->windows[from / IO_TLB_WINDOW_WORDS]) <
		    rq->bound) {
			from = round_up(from + 1, IO_TLB_WINDOW_WORDS);
			continue;
		}
		if (!swiotlb_boundary_possible(rq))
			return -1;
		index = next_alloc(area, from, rq);
		if (likely(index >= 0))
			return index;
		from = ~index;
	}
	return -1;
}

/**
 * swiotlb_area_alloc() - take slots from one area
 * @pool:	Pool.
 * @area_index:	Index of the area, less than @pool->nareas.
 * @rq:		What is wanted. Receives the DMA address.
 *
 * Most requests find room in the first window. Even an area without sets has one.
 *
 * Context: Any. Takes the area's lock, interrupts off, for about %IO_TLB_LOOKS sets at a
 * time. Does not take it if the summary says that nothing fits.
 * Return: Index of the first slot, or -1 if the area has nothing that fits.
 */
int swiotlb_area_alloc(struct io_tlb_pool *pool, unsigned int area_index,
		       struct io_tlb_request *rq)
{
	struct io_tlb_area *area = &pool->areas[area_index];
	int index = ~IO_TLB_WINDOW_WORDS;

	if (likely(READ_ONCE(area->windows[0]) >= rq->bound))
		index = first_window_alloc(area, rq);
	if (likely(index >= 0))
		return index;
	return area_go_on(area, ~index, rq);
}

/*
 * swiotlb_slots_free() for rare cases: the allocation does not end in the word in which
 * it starts, or no allocation starts in the slot. Releases the lock that the caller
 * took. In the caller itself, this code would make each unmap 13 instructions dearer.
 */
static noinline void slots_free_slow(struct device *dev, struct io_tlb_pool *pool,
				     unsigned int index, unsigned long flags)
	__releases(&slot_set(pool, index)->area->lock)
{
	struct io_tlb_set *set = slot_set(pool, index);
	unsigned int slot = index % IO_TLB_SEGSIZE;
	struct io_tlb_area *area = set->area;
	bool goes_on;

	if (unlikely(!set_is_first(set, slot))) {
		spin_unlock_irqrestore(&area->lock, flags);
		swiotlb_put_within(dev, slot_phys(pool, index));
		return;
	}
	pool->slots[index].end = 0;
	area_freed(area, set, set_free_across(set, slot, &goes_on));
	spin_unlock_irqrestore(&area->lock, flags);
	if (unlikely(goes_on))
		swiotlb_span_free(pool, set - pool->sets + 1);
}

/**
 * swiotlb_slots_free() - return an allocation
 * @dev:	Device that it was made for.
 * @pool:	Pool.
 * @index:	The first slot of the allocation.
 *
 * If no allocation starts in the slot, swiotlb_put_within() handles that.
 *
 * Context: Any. Takes the lock of the area that the slots belong to, interrupts
 * off; one after the other if there are several.
 */
void swiotlb_slots_free(struct device *dev, struct io_tlb_pool *pool,
			unsigned int index)
{
	struct io_tlb_set *set = slot_set(pool, index);
	struct io_tlb_area *area = set->area;
	unsigned long flags;
	unsigned int n;

	spin_lock_irqsave(&area->lock, flags);
	n = set_free_in_word(set, index % IO_TLB_SEGSIZE);
	if (unlikely(!n)) {
		slots_free_slow(dev, pool, index, flags);
		return;
	}
	pool->slots[index].end = 0;
	area_freed(area, set, n);
	spin_unlock_irqrestore(&area->lock, flags);
}

/**
 * swiotlb_align() - work out the alignment of a mapping
 * @orig_addr:	Physical address of the original buffer, or 0 if there is none.
 * @alloc_align_mask: Alignment of the allocation, as swiotlb_tbl_map_single()
 *		gets it.
 * @keep_mask:	&device_dma_parameters.min_align_mask.
 *
 * The bounced address must have the same bits as @orig_addr where @keep_mask has ones.
 * The caller preserves the bits below the size of a slot, and those that alignment
 * forces to zero, by padding. The other bits decide which slots fit.
 *
 * Context: Any.
 * Return: The alignment.
 */
struct io_tlb_align swiotlb_align(phys_addr_t orig_addr,
				  unsigned int alloc_align_mask,
				  unsigned int keep_mask)
{
	unsigned int mask;

	alloc_align_mask |= IO_TLB_SIZE - 1;
	keep_mask &= ~alloc_align_mask;

	/* If the mask has holes, keep the bits in the holes as well. */
	mask = alloc_align_mask | keep_mask;
	mask = (1ULL << fls(mask)) - 1;

	return (struct io_tlb_align) {
		.mask = mask >> IO_TLB_SHIFT,
		.value = (orig_addr & mask & ~alloc_align_mask) >> IO_TLB_SHIFT,
	};
}

/**
 * swiotlb_boundary_possible() - is there any address at which a request may start?
 * @rq:		What is wanted.
 *
 * Context: Any.
 * Return: %false if it would cross a segment boundary wherever it is aligned.
 */
bool swiotlb_boundary_possible(const struct io_tlb_request *rq)
{
	u64 segment = segment_slots(rq);

	return (rq->align.value & (segment - 1)) + rq->nslots <= segment;
}

/**
 * swiotlb_request_possible() - would a pool with nothing in use serve a request?
 * @rq:		What is wanted.
 * @room:	Slots that it has in one piece, a power of two. It starts at a multiple
 *		of their size.
 *
 * Ignores the limit of the request, and its boundary: see swiotlb_boundary_possible().
 * Where the ranges of a device put a pool is not known. So for such a device only the
 * number of slots counts.
 *
 * Context: Any.
 * Return: %false if it cannot.
 */
bool swiotlb_request_possible(const struct io_tlb_request *rq,
			      unsigned long room)
{
	if (swiotlb_dev_ranged(rq->dev))
		return rq->nslots <= room;
	return (rq->align.value & (room - 1)) + rq->nslots <= room;
}

/* Does the device reach all @bytes of a set? */
static bool set_reached(const struct io_tlb_set *set, size_t bytes,
			const struct io_tlb_request *rq)
{
	dma_addr_t dma = rq_dma(rq, set->maddr);

	if (set->maddr == IO_TLB_NO_MADDR || dma + bytes - 1 > rq->limit)
		return false;
	return !rq->differs || in_range_of_set(set, dma, bytes - 1, rq);
}

/**
 * swiotlb_reachable() - how much of a pool can a device use?
 * @pool:	Pool.
 * @rq:		Any request of the device.
 * @enough:	When to stop counting, in bytes.
 *
 * Counts the slot sets that the device reaches completely, in use or not.
 *
 * Context: Any.
 * Return: Size in bytes. If it is @enough or more there may be more than that.
 */
size_t swiotlb_reachable(const struct io_tlb_pool *pool,
			 const struct io_tlb_request *rq, size_t enough)
{
	unsigned long slot, n;
	size_t bytes = 0;

	for (slot = 0; slot < pool->nslabs && bytes < enough; slot += n) {
		n = min(pool->nslabs - slot, IO_TLB_SEGSIZE);
		if (set_reached(&pool->sets[slot / IO_TLB_SEGSIZE],
				n << IO_TLB_SHIFT, rq))
			bytes += n << IO_TLB_SHIFT;
	}
	return bytes;
}
