// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software IO TLB: allocations that do not fit into a slot set.
 *
 * Such an allocation takes the last slots of one set, all slots of the following sets
 * and the first slots of another. The sets are adjacent by machine address. See the
 * drawing in swiotlb_set.h.
 *
 * The sets may belong to several areas, and only one area is locked at a time. So the
 * search takes no lock. Then the slots are taken set by set. If another CPU was faster in
 * one of the sets, the slots taken so far go back, and the search goes on behind them. A
 * CPU that finds no room meanwhile searches again.
 */
#include <linux/bitops.h>
#include <linux/minmax.h>

#include "swiotlb_internal.h"

/**
 * struct run - free slots of a pool that are adjacent for a device
 * @begin:	Index of the first one.
 * @end:	Index behind the last one.
 */
struct run {
	unsigned long begin;
	unsigned long end;
};

static unsigned long nr_sets(const struct io_tlb_pool *pool)
{
	return DIV_ROUND_UP(pool->nslabs, IO_TLB_SEGSIZE);
}

static dma_addr_t set_dma(const struct io_tlb_set *set,
			  const struct io_tlb_request *rq)
{
	return rq_dma(rq, set->maddr);
}

/* For the device, is the next set adjacent to @set? */
static bool next_follows(const struct io_tlb_set *set,
			 const struct io_tlb_request *rq)
{
	dma_addr_t dma = set_dma(set, rq);

	return dma != DMA_MAPPING_ERROR &&
		set_dma(set + 1, rq) == dma + IO_TLB_SET_BYTES;
}

/* The run that starts in set @i, and the set in which the next one may start. */
static unsigned long find_run(struct io_tlb_pool *pool, unsigned long i,
			      const struct io_tlb_request *rq, struct run *run)
{
	unsigned long nsets = nr_sets(pool);
	unsigned int n = set_free_at_end(&pool->sets[i]);

	run->end = (i + 1) * IO_TLB_SEGSIZE;
	run->begin = run->end - n;
	if (!n)
		return i + 1;

	for (; i + 1 < nsets && next_follows(&pool->sets[i], rq); i++) {
		n = set_free_at_start(&pool->sets[i + 1]);
		run->end += n;
		if (n < IO_TLB_SEGSIZE)
			break;
	}
	return i + 1;
}

/* For the device, is @last the address of the last byte of @slot? */
static bool ends_at(struct io_tlb_pool *pool, unsigned long slot,
		    dma_addr_t last, const struct io_tlb_request *rq)
{
	size_t offset = ((slot % IO_TLB_SEGSIZE + 1) << IO_TLB_SHIFT) - 1;

	return !rq->differs || rq_dma(rq, slot_set(pool, slot)->maddr + offset) == last;
}

/*
 * The lowest slot of @run at which the request can start, or -1. Sets its DMA
 * address.
 */
static int fit_into_run(struct io_tlb_pool *pool, const struct run *run,
			struct io_tlb_request *rq)
{
	/* Slots between two boundaries. The mask may be all ones. */
	unsigned long segment = (rq->boundary_mask >> IO_TLB_SHIFT) + 1;
	unsigned long slot = run->begin, offset;
	dma_addr_t base, last;

	if (run->end - run->begin < rq->nslots)
		return -1;

	base = set_dma(slot_set(pool, slot), rq);
	if (base == DMA_MAPPING_ERROR)
		return -1;
	base -= ((dma_addr_t)(slot - slot % IO_TLB_SEGSIZE) << IO_TLB_SHIFT);

	for (;;) {
		rq->dma = base + ((dma_addr_t)slot << IO_TLB_SHIFT);
		slot += (rq->align.value - (rq->dma >> IO_TLB_SHIFT)) &
			rq->align.mask;
		if (slot + rq->nslots > run->end)
			return -1;
		rq->dma = base + ((dma_addr_t)slot << IO_TLB_SHIFT);
		offset = (rq->dma & rq->boundary_mask) >> IO_TLB_SHIFT;
		if (offset + rq->nslots <= segment)
			break;
		slot += segment - offset;
	}

	/* If the device does not reach this, it reaches nothing above either. */
	last = rq->dma + ((dma_addr_t)rq->nslots << IO_TLB_SHIFT) - 1;
	if (last > rq->limit || !ends_at(pool, slot + rq->nslots - 1, last, rq))
		return -1;
	return slot;
}

/**
 * struct part - one set's part of an allocation
 * @set:	The set.
 * @from:	The first of its slots, counted from the start of the set.
 * @to:		The slot behind the last one.
 */
struct part {
	struct io_tlb_set *set;
	unsigned int from;
	unsigned int to;
};

static struct part part_at(struct io_tlb_pool *pool, unsigned long slot,
			   unsigned long left)
{
	unsigned int from = slot % IO_TLB_SEGSIZE;

	return (struct part) {
		.set = slot_set(pool, slot),
		.from = from,
		.to = min_t(unsigned long, from + left, IO_TLB_SEGSIZE),
	};
}

/* Context: Interrupts are off. */
static bool take_part(const struct part *part, bool is_first, bool goes_on)
{
	struct io_tlb_set *set = part->set;
	struct io_tlb_area *area = set->area;
	bool taken;

	spin_lock(&area->lock);
	smp_mb__after_spinlock();	/* see prepare_use() in swiotlb.c */
	taken = set_all_free(set, part->from, part->to);
	if (taken) {
		if (is_first)
			set_take(set, part->from, part->to - part->from);
		else
			set_take_on(set, part->to);
		if (goes_on)
			set_go_on(set);
		area_more_used(area, part->to - part->from);
	}
	spin_unlock(&area->lock);
	return taken;
}

/*
 * Free what an allocation has in @set, see set_free(); tells if it goes on.
 *
 * Context: The area's lock is held.
 */
static bool free_part(struct io_tlb_set *set, unsigned int slot)
{
	bool goes_on;

	area_freed(set->area, set, set_free(set, slot, &goes_on));
	return goes_on;
}

/* Enable interrupts for a moment after each %IO_TLB_TRY_SETS sets. */
static void end_step(struct io_tlb_mem *mem, unsigned long slot,
		     unsigned long *flags)
{
	if (slot % (IO_TLB_TRY_SETS * IO_TLB_SEGSIZE))
		return;
	lockdep_assert_held(&mem->tries_lock);
	spin_unlock_irqrestore(&mem->tries_lock, *flags);
	spin_lock_irqsave(&mem->tries_lock, *flags);
}

/*
 * Undo take_part() from slot @first to before @end.
 *
 * Context: &io_tlb_mem.tries_lock is held. It is released now and then.
 */
static void give_back(struct io_tlb_pool *pool, struct io_tlb_mem *mem,
		      unsigned long first, unsigned long end,
		      unsigned long *flags)
{
	unsigned long slot = first;
	struct part part;

	while (slot < end) {
		part = part_at(pool, slot, end - slot);
		spin_lock(&part.set->area->lock);
		free_part(part.set, part.from);
		spin_unlock(&part.set->area->lock);
		slot += part.to - part.from;
		end_step(mem, slot, flags);
	}
}

/* Take all slots from @first to before @end, or none if one of them is in use. */
static bool take(struct io_tlb_pool *pool, struct io_tlb_mem *mem,
		 unsigned long first, unsigned long end)
{
	unsigned long slot = first, flags;
	struct part part;

	spin_lock_irqsave(&mem->tries_lock, flags);
	try_begin(mem);
	while (slot < end) {
		part = part_at(pool, slot, end - slot);
		if (!take_part(&part, slot == first,
			       slot + (part.to - part.from) < end))
			break;
		slot += part.to - part.from;
		end_step(mem, slot, &flags);
	}
	if (slot < end)
		give_back(pool, mem, first, slot, &flags);
	try_end(mem, slot < end);
	spin_unlock_irqrestore(&mem->tries_lock, flags);
	return slot >= end;
}

/**
 * swiotlb_wait_for_tries() - wait until take() has taken its slots or given them back
 * @mem:	Software IO TLB.
 *
 * The CPU that tries has interrupts off, so this does not take long.
 *
 * Context: Any. Takes &io_tlb_mem.tries_lock.
 */
void swiotlb_wait_for_tries(struct io_tlb_mem *mem)
{
	unsigned long flags;

	spin_lock_irqsave(&mem->tries_lock, flags);
	spin_unlock_irqrestore(&mem->tries_lock, flags);
}

/**
 * swiotlb_span_alloc() - take slots of several sets
 * @pool:	Pool.
 * @rq:		What is wanted. Receives the DMA address.
 *
 * Looks at each set of the pool once, from the lowest on. If another CPU is faster, it
 * goes on with the next run of free slots. alloc_elsewhere() then searches anew, and
 * finds what is left of this run.
 *
 * Context: Any. Takes &io_tlb_mem.tries_lock, interrupts off, and in it the locks of
 * areas, one at a time.
 * Return: Index of the first slot, or -1 if the pool has nothing that fits.
 */
int swiotlb_span_alloc(struct io_tlb_pool *pool, struct io_tlb_request *rq)
{
	struct io_tlb_mem *mem = rq->dev->dma_io_tlb_mem;
	unsigned long nsets = nr_sets(pool), i = 0;
	struct run run;
	int slot;

	if (rq->nslots > pool->longest >> IO_TLB_SHIFT)
		return -1;

	while (i < nsets) {
		i = find_run(pool, i, rq, &run);
		slot = fit_into_run(pool, &run, rq);
		if (slot >= 0 && take(pool, mem, slot, slot + rq->nslots))
			return slot;
	}
	return -1;
}

/* Free the slots that an allocation has from slot 0 of @set on. Does it go on? */
static bool free_next_part(struct io_tlb_set *set)
{
	unsigned long flags;
	bool goes_on;

	spin_lock_irqsave(&set->area->lock, flags);
	goes_on = free_part(set, 0);
	spin_unlock_irqrestore(&set->area->lock, flags);
	return goes_on;
}

/**
 * swiotlb_span_free() - return the slots of an allocation behind its first set
 * @pool:	Pool.
 * @i:		Index of the second set of the allocation.
 *
 * The caller has returned the slots in the first set.
 *
 * Context: Any. Takes the locks of areas, one at a time, interrupts off.
 */
void swiotlb_span_free(struct io_tlb_pool *pool, unsigned long i)
{
	while (free_next_part(&pool->sets[i]))
		i++;
}

/**
 * swiotlb_longest_run() - how much of a pool is in one piece
 * @pool:	Pool whose sets have their machine addresses.
 *
 * Context: Any, as long as machine addresses do not change.
 * Return: Bytes of the longest run of sets that are adjacent by machine address.
 */
size_t swiotlb_longest_run(struct io_tlb_pool *pool)
{
	unsigned long longest = 0, begin = 0, slot = 0;

	while (slot < pool->nslabs) {
		slot = min(slot + IO_TLB_SEGSIZE, pool->nslabs);
		longest = max(longest, slot - begin);
		if (slot < pool->nslabs &&
		    slot_set(pool, slot)->maddr !=
		    slot_set(pool, slot - 1)->maddr + IO_TLB_SET_BYTES)
			begin = slot;
	}
	return longest << IO_TLB_SHIFT;
}
