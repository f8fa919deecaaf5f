/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The state of growth: how pools are added to a software IO TLB and freed again. Private
 * to swiotlb_dynamic.c and its tests.
 */
#ifndef _LIB_SWIOTLB_GROWTH_H
#define _LIB_SWIOTLB_GROWTH_H

#include <linux/atomic.h>
#include <linux/types.h>
#include <linux/workqueue.h>

/**
 * struct io_tlb_growth - how a software IO TLB grows and shrinks
 * @mem:	The software IO TLB.
 * @phys_limit:	Highest physical address of memory that is added.
 * @grow:	Worker that adds a pool.
 * @bits:	Fewest address bits that were asked for since @grow ran last, 64 if
 *		any pool helps.
 * @room:	Slots that the last pool added had in one piece. Larger requests add
 *		no pool until @shrink has run.
 * @next_try:	When to try again after a failure, in jiffies.
 * @failed_bits: Most address bits for which no pool could be added. That has been
 *		logged. 0 if the last try worked.
 * @bound_reached: The bound has been reached, and that has been logged.
 * @shrink:	Worker that frees idle pools.
 * @added:	Slots in pools that were added and in transient ones, by the number of
 *		address bits that they were added for, which is 24 at least.
 *
 * A mapping that finds no room starts @grow; @grow starts @shrink, which comes back
 * until nothing is left to free::
 *
 *   mapping --- bits, room ---> @grow --- pool ---> @shrink --.
 *                                                     ^       | every 5 s
 *                                                     '-------'
 */
struct io_tlb_growth {
	struct io_tlb_mem *mem;
	u64 phys_limit;
	struct work_struct grow;
	unsigned int bits;
	unsigned long room;
	unsigned long next_try;
	unsigned int failed_bits;
	bool bound_reached;
	struct delayed_work shrink;
	atomic_long_t added[65];
};

#endif /* _LIB_SWIOTLB_GROWTH_H */
