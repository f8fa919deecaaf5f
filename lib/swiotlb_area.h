/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An area of a pool of the software IO TLB: slot sets under one lock, a summary of them
 * that lets a search pass over full ones, and the count of slots in use.
 */
#ifndef _LIB_SWIOTLB_AREA_H
#define _LIB_SWIOTLB_AREA_H

#include <linux/build_bug.h>
#include <linux/cache.h>
#include <linux/lockdep.h>
#include <linux/mmdebug.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct io_tlb_mem;
struct io_tlb_set;

/**
 * DOC: swiotlb areas
 *
 * A search takes the lowest slots that fit. Low slots were used last, so their lines
 * are in the cache. To skip full sets, each set has a byte in the summary of the area:
 * no run of free slots in the set is longer than that. The byte may be too high, never
 * too low. Freeing a slot sets it to %IO_TLB_RUN_UNKNOWN; a search that finds nothing
 * in the set lowers it. In the same way each window of 64 sets has a byte for all of
 * them::
 *
 *   windows  | 17 |                   no run of 18 slots in sets 0 to 63
 *   summary  |  1 |  0 | 17 |  3 ...  maybe a run of 17 slots in set 2
 *   sets     | free, first, maddr | ...
 *
 * A search holds the area's lock for one window at a time, or for 8 to 15 sets if it
 * has to look into them. It skips a window without the lock if the byte of the window
 * says that no run is long enough.
 */

/* Sets whose summary bytes share a word, and words whose sets share a window */
#define IO_TLB_SUMMARY_SETS	sizeof(u64)
#define IO_TLB_WINDOW_WORDS	8
#define IO_TLB_WINDOW_SETS	(IO_TLB_WINDOW_WORDS * IO_TLB_SUMMARY_SETS)

/* Summary of a set about which nothing is known: it may have any run */
#define IO_TLB_RUN_UNKNOWN	127

static_assert(!(IO_TLB_RUN_UNKNOWN >> 7), "sets_with_bound() needs bit 7");

/**
 * struct io_tlb_area - slot sets under one lock
 * @lock:	Protects the other members, the bytes of @summary and @windows, and
 *		@free, @first and @goes_on of the area's sets.
 * @used:	Slots in use. Read without the lock for the counters.
 * @allowance:	Slots that may be in use before the high-water mark is looked at
 *		(swiotlb_debugfs.c).
 * @keep_above:	With fewer slots in use the allowance is lowered.
 * @nslots:	Number of slots.
 * @first_set:	Index of the area's first set in its pool.
 * @nr_sets:	Number of sets. May be zero in the last areas of a small pool.
 * @sets:	The first of them.
 * @summary:	A byte a set, as explained above; eight to a little-endian word.
 * @windows:	A byte for every %IO_TLB_WINDOW_SETS of them.
 * @mem:	The software IO TLB that its pool is part of. %NULL in a transient pool.
 *
 * On a cache line of its own, because each CPU starts its search in another area.
 */
struct io_tlb_area {
	spinlock_t lock;	/* see "Locking" in swiotlb_internal.h */
	unsigned int used;
	unsigned int allowance;
	unsigned int keep_above;
	unsigned int nslots;
	unsigned int first_set;
	unsigned int nr_sets;
	struct io_tlb_set *sets;
	__le64 *summary;
	u8 *windows;
	struct io_tlb_mem *mem;
} ____cacheline_aligned_in_smp;

/*
 * The summary bytes of sets are read eight at a time and written one by one.
 * The words are little-endian, so that the lowest set is the lowest byte.
 */
static inline u8 *summary_byte(struct io_tlb_area *area, unsigned int set)
{
	return (u8 *)area->summary + set;
}

/*
 * The area's @set may have any run now. Does not write a byte that says so already: the
 * CPU that maps and the CPU that unmaps both have these lines in the cache.
 *
 * Context: The area's lock is held.
 */
static inline void summary_forget(struct io_tlb_area *area, unsigned int set)
{
	u8 *window = &area->windows[set / IO_TLB_WINDOW_SETS];
	u8 *summary = summary_byte(area, set);

	lockdep_assert_held(&area->lock);
	if (*summary != IO_TLB_RUN_UNKNOWN)
		*summary = IO_TLB_RUN_UNKNOWN;
	if (*window != IO_TLB_RUN_UNKNOWN)
		WRITE_ONCE(*window, IO_TLB_RUN_UNKNOWN);
}

/* swiotlb_debugfs.c */
#ifdef CONFIG_DEBUG_FS
void swiotlb_raise_allowance(struct io_tlb_area *area);
void swiotlb_lower_allowance(struct io_tlb_area *area);
#else
static inline void swiotlb_raise_allowance(struct io_tlb_area *area)
{
}

static inline void swiotlb_lower_allowance(struct io_tlb_area *area)
{
}
#endif

/*
 * @nslots more of the area are in use.
 *
 * Context: The area's lock is held, here and in area_less_used().
 */
static __always_inline void area_more_used(struct io_tlb_area *area,
					   unsigned int nslots)
{
	unsigned int used = area->used + nslots;

	lockdep_assert_held(&area->lock);
	VM_WARN_ON_ONCE(used > area->nslots);
	WRITE_ONCE(area->used, used);
	if (unlikely(used > area->allowance))
		swiotlb_raise_allowance(area);
}

static __always_inline void area_less_used(struct io_tlb_area *area,
					   unsigned int nslots)
{
	unsigned int used = area->used - nslots;

	lockdep_assert_held(&area->lock);
	VM_WARN_ON_ONCE(nslots > area->used);
	WRITE_ONCE(area->used, used);
	if (unlikely(used < area->keep_above))
		swiotlb_lower_allowance(area);
}

#endif /* _LIB_SWIOTLB_AREA_H */
