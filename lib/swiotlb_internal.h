/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the software IO TLB share with each other and nobody else.
 *
 *	swiotlb.c		map, unmap, sync: the bounce copies
 *	swiotlb_slots.c		the slot allocator, within a slot set
 *	swiotlb_span.c		the same for what takes more than a slot set
 *	swiotlb_pool.c		what all pools have in common
 *	swiotlb_connect.c	makes a pool's memory contiguous for devices
 *	swiotlb_init.c		the default pool: parameters, set-up, tear-down
 *	swiotlb_dynamic.c	pools that come and go at run time
 *	swiotlb_restricted.c	pools that belong to a device ("restricted-dma-pool")
 *	swiotlb_debugfs.c	counters
 *	swiotlb_set.h		a slot set, and all that is done to its bits
 *	swiotlb_area.h		slot sets under one lock
 *	swiotlb_growth.h	the state of swiotlb_dynamic.c
 */
#ifndef _LIB_SWIOTLB_INTERNAL_H
#define _LIB_SWIOTLB_INTERNAL_H

#include <linux/dma-direct.h>
#include <linux/dma-map-ops.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/swiotlb.h>
#include <linux/types.h>

#include "swiotlb_area.h"
#include "swiotlb_set.h"

/**
 * DOC: swiotlb data structures
 *
 * A pool is a piece of memory that is contiguous for the CPU. It is cut into
 * slots of 2 KiB, slots are grouped into slot sets of 256 KiB, and sets into
 * areas, each with a lock of its own::
 *
 *   pool   |<---------- area 0 ---------->|<---------- area 1 ---------->|
 *          +---------+---------+----------+---------+---------+----------+
 *          |  set 0  |  set 1  |  set 2   |  set 3  |  set 4  |  set 5   |
 *          +---------+---------+----------+---------+---------+----------+
 *   maddr   0x7f40000 0x1240000 0x1280000  0x9980000 ...
 *
 * A set is the unit of contiguity: it has a machine address of its own, and what fits
 * into a set where it is aligned lies within one. On bare metal the sets of a pool are
 * adjacent by machine address as well. On Xen PV eight may be, or none. Limit, alignment
 * and segment boundary of a device are therefore judged by the machine address of the
 * set, never by where the pool is for the CPU.
 *
 * What a set is made of, and what an allocation looks like: swiotlb_set.h. How a search
 * finds a set with room: swiotlb_area.h. What a mapping needs to remember is kept once,
 * with its first slot: &struct io_tlb_slot.
 *
 * A pool, its areas, sets, summaries and slot records are one allocation
 * (swiotlb_pool_meta_size()), made and freed as a whole.
 *
 * The pool of an address is found in constant time: it is the default pool, or
 * else in a hash table whose key is the number of the page allocator's largest block
 * that the address is in. Pools that are added are single allocations of it, so none
 * is in two blocks. Transient pools are in a hash table of their own, which is looked at
 * last.
 *
 * Locking
 * -------
 *
 * &io_tlb_area.lock protects sets, summary, windows and counters of an area. One area
 * lock is held at a time, interrupts off, also where an allocation takes slots of
 * several areas. &transient_bucket.lock (some of the transient pools) does not nest
 * with it. The table of pools is written under &io_tlb_mem.pools_mutex.
 *
 * Who takes slots of several sets, or closes a pool, takes the lock of one area after
 * the other, and has to give back what has been taken if one of them is in use. All of
 * that is done under &io_tlb_mem.tries_lock, interrupts off; area locks nest in it. A
 * search that finds no room may have met such slots. So before it fails it waits for
 * that lock if somebody tries just then, and searches again if slots went back. Only an
 * allocation of more than %IO_TLB_TRY_SETS is taken in several steps, and a search that
 * finds no room between two of them does not wait for the next.
 *
 * The record of a mapping belongs to whoever holds the mapping, and is read
 * without a lock; so are the words of free and first bits that lead to it: other
 * mappings' bits in them change meanwhile, one's own do not. The byte of a window
 * is read before the lock is taken; a search that misses what is freed at the same
 * moment could as well have come first.
 */

#define IO_TLB_SET_BYTES	((size_t)IO_TLB_SEGSIZE << IO_TLB_SHIFT)
#define IO_TLB_SET_ORDER	get_order(IO_TLB_SET_BYTES)

/* A record has 31 bits for the end of a mapping. */
#define IO_TLB_MAX_MAPPING	(((size_t)1 << 31) - PAGE_SIZE)

static_assert(IO_TLB_MAX_MAPPING <= S32_MAX);

/*
 * Where a backend has memory for it, the default pool has machine addresses of no more
 * bits. Not of less: few devices reach only that, and all of their memory, coherent
 * memory too, has to be there.
 */
#define IO_TLB_LOW_BITS		28

/* For devices that reach less, no pool is added. */
#define IO_TLB_MIN_BITS		24

/* With less than this a pool is not worth having. */
#define IO_TLB_MIN_SLABS	((1UL << 20) >> IO_TLB_SHIFT)

/* Machine address of a set that has none; no other set can be adjacent */
#define IO_TLB_NO_MADDR		((phys_addr_t)-1)

/*
 * A mapping that a driver may rely on takes no more than this part of the memory that
 * its device reaches. In a small pool receive rings and coherent memory may hold three
 * quarters of the slots for good. What is left has to do for 32 requests in flight, as
 * many as a SATA disk is sent at a time: libata takes a mapping that fails for an error.
 */
#define IO_TLB_SHARES		128

/* So many sets are taken or given back at most without interrupts in between. */
#define IO_TLB_TRY_SETS		16

/* With that many sets looked at, the lock of an area is given up for a moment. */
#define IO_TLB_LOOKS		8

/**
 * struct io_tlb_slot - record of the mapping that starts in a slot
 * @base:	Physical address of the original buffer, less the distance from
 *		the start of the allocation to the mapping. The original of any
 *		byte is thus at @base plus that byte's offset in the allocation.
 *		May wrap below zero.
 * @end:	Offset in the allocation at which the mapping ends, in bytes. Zero in
 *		every slot in which no mapping starts, so that a single look tells.
 *		Of a mapping with padding in front the word is negative, see
 *		mapping_start().
 *
 * All of that is in the record of the allocation's first slot. The second slot's has
 * an @end of zero, and if there is padding in front, the mapping's end as its @base.
 *
 * Packed, because half a record's worth of holes in each would be a sixth of
 * all metadata on 64-bit.
 */
struct io_tlb_slot {
	phys_addr_t base;
	s32 end;
} __packed __aligned(4);

static_assert(sizeof(struct io_tlb_slot) == sizeof(phys_addr_t) + sizeof(s32));

/* Bits of &io_tlb_slot.end of a mapping with padding in front */
#define IO_TLB_PADDED		BIT(31)
#define IO_TLB_START_SHIFT	12	/* below: the end, or 0 if it is not in this slot */

static_assert(IO_TLB_SIZE < BIT(IO_TLB_START_SHIFT));

/* The most padding in front of a mapping, in bytes */
#define IO_TLB_MAX_PADDING	((IO_TLB_PADDED >> IO_TLB_START_SHIFT) - 1)

/**
 * struct io_tlb_pool - a piece of bounce memory
 * @start:	Physical address of the first byte.
 * @end:	Physical address behind the last byte.
 * @vaddr:	Where the CPU copies to and from.
 * @bytes:	Size of the memory that is freed with the pool, in bytes. May be more
 *		than the slots are.
 * @meta_bytes:	Size in bytes of the allocation that this structure is the start of.
 * @nslabs:	Number of slots.
 * @nareas:	Number of areas, a power of two.
 * @maddr_max:	Highest machine address of any byte.
 * @longest:	Bytes of the longest run of sets that are adjacent by machine address.
 * @areas:	Array of @nareas.
 * @sets:	One for each 128 slots, rounded up.
 * @slots:	Array of @nslabs.
 * @backend:	Made the memory contiguous, and must undo it. %NULL if nobody.
 * @maddr_bits:	Its machine addresses were wanted to have no more bits than that.
 * @late_alloc:	The memory comes from the page allocator, not from memblock.
 * @transient:	Made for a single mapping.
 * @keep:	Never freed: what it has is what a driver may rely on.
 * @was_idle:	Nothing was in use when it was last looked at.
 * @was_used:	Something was when it was looked at before.
 * @added_bits:	Where in &io_tlb_growth.added it is counted.
 * @node:	In &transient_bucket.pools, if @transient.
 * @rcu:	Delays freeing past the readers of that.
 */
struct io_tlb_pool {
	phys_addr_t start;
	phys_addr_t end;
	void *vaddr;
	size_t bytes;
	size_t meta_bytes;
	unsigned long nslabs;
	unsigned int nareas;
	phys_addr_t maddr_max;
	size_t longest;
	struct io_tlb_area *areas;
	struct io_tlb_set *sets;
	struct io_tlb_slot *slots;
	const struct swiotlb_backend *backend;
	unsigned int maddr_bits;
	bool late_alloc;
	bool transient;
	bool keep;
	bool was_idle;
	bool was_used;
	u8 added_bits;
	struct hlist_node node;
	struct rcu_head rcu;
};

/**
 * struct io_tlb_pool_params - what a pool is made of
 * @start:	Physical address of its memory, page-aligned.
 * @vaddr:	Where the CPU sees the memory.
 * @nslabs:	Number of slots. All of the memory, if it is freed with the pool.
 * @nareas:	Number of areas, a power of two.
 * @backend:	Makes the memory contiguous for devices, or %NULL if it is.
 * @low_bits:	Address bits that the backend tries first, before larger ones. Like
 *		@maddr_bits it means nothing without a backend.
 * @maddr_bits:	Address bits that the backend must not exceed.
 * @late_alloc:	The memory comes from the page allocator, not from memblock.
 * @transient:	The pool is for a single mapping.
 * @keep:	The pool is never freed.
 *
 * What is left out is zero. There is one way to make a pool::
 *
 *   swiotlb_init_buffer()   memory of the caller  --.
 *   restricted pool         reserved memory       --+--> swiotlb_setup_pool()
 *                                                                ^
 *   swiotlb_init_late()     pages                 --.            |
 *   pool that is added      pages                 --+--> swiotlb_make_pool()
 *   transient pool          pages                 --'    allocates metadata
 */
struct io_tlb_pool_params {
	phys_addr_t start;
	void *vaddr;
	unsigned long nslabs;
	unsigned int nareas;
	const struct swiotlb_backend *backend;
	unsigned int low_bits;
	unsigned int maddr_bits;
	bool late_alloc;
	bool transient;
	bool keep;
};

/**
 * struct io_tlb_pool_table - all pools of a &struct io_tlb_mem
 * @rcu:	Frees a table that has been replaced.
 * @boot:	The table comes from memblock, so kfree() is not for it.
 * @nr:		Number of pools.
 * @max_areas:	Largest number of areas of any pool.
 * @hash_bits:	Logarithm of the number of buckets, which is at least twice @nr.
 * @pools:	The pools, in the order in which they were added, and behind them
 *		the buckets of a hash table in which all but the first are found.
 *		A pool whose bucket is taken is in the next that is not, for which
 *		there are more at the end.
 *
 * Never changed once it can be seen; another takes its place.
 */
struct io_tlb_pool_table {
	struct rcu_head rcu;
	bool boot;
	unsigned int nr;
	unsigned int max_areas;
	unsigned int hash_bits;
	struct io_tlb_pool *pools[];
};

/**
 * struct io_tlb_stale - what was mapped in a set when the guest was restored elsewhere
 * @next:	Another one.
 * @maddr:	Machine address of the set until then.
 * @used:	Bit map of its slots that were in use.
 *
 * Never freed: nobody can tell whether the driver will still unmap what it mapped.
 */
struct io_tlb_stale {
	struct io_tlb_stale *next;
	phys_addr_t maddr;
	u64 used[2];
};

/**
 * struct io_tlb_align - at which addresses an allocation may start
 * @mask:	Bits of a DMA address, counted in slots, that are not free to
 *		choose: all ones up to the highest one.
 * @value:	What these bits of the first slot's DMA address have to be.
 */
struct io_tlb_align {
	unsigned int mask;
	unsigned int value;
};

/**
 * struct io_tlb_request - what an allocation of slots has to satisfy
 * @dev:	Device that will use it.
 * @nslots:	Number of slots, padding included. swiotlb_area_alloc() is for up to
 *		%IO_TLB_SEGSIZE of them.
 * @bound:	The least summary of a set in which there may be that many in a row.
 *		All lengths from 0 to 128 do not go into 7 bits beside
 *		%IO_TLB_RUN_UNKNOWN: 126 and 127 share a value. Of no meaning for
 *		what does not fit into a set.
 * @align:	Which addresses it may start at.
 * @boundary_mask: The allocation must not cross a multiple of this plus one.
 *		In bytes.
 * @limit:	Highest DMA address the device reaches.
 * @dma:	Filled in when slots have been found: their DMA address.
 * @ranged:	The device sees machine addresses through ranges, swiotlb_dev_ranged().
 *		They say nothing of what an IOMMU shows it, which maps pages as
 *		their machine addresses lie.
 */
struct io_tlb_request {
	struct device *dev;
	unsigned int nslots;
	unsigned int bound;
	struct io_tlb_align align;
	unsigned long boundary_mask;
	u64 limit;
	dma_addr_t dma;
	bool ranged;
};

extern struct io_tlb_mem io_tlb_default_mem;

/*
 * The table of pools, for those who write it.
 *
 * Context: &io_tlb_mem.pools_mutex is held.
 */
static inline struct io_tlb_pool_table *own_pools(struct io_tlb_mem *mem)
{
	return rcu_dereference_protected(mem->pools, lockdep_is_held(&mem->pools_mutex));
}

/* How many slots that takes */
static inline unsigned long nr_slots(u64 bytes)
{
	return DIV_ROUND_UP_ULL(bytes, IO_TLB_SIZE);
}

/* The set that the slot @index of the pool is in */
static inline struct io_tlb_set *slot_set(struct io_tlb_pool *pool,
					  unsigned int index)
{
	return &pool->sets[index / IO_TLB_SEGSIZE];
}

/* Physical address of the slot's first byte */
static inline phys_addr_t slot_phys(struct io_tlb_pool *pool,
				    unsigned int index)
{
	return pool->start + ((phys_addr_t)index << IO_TLB_SHIFT);
}

/* Index of the slot that @addr, which is in the pool, lies in */
static inline unsigned int phys_slot(struct io_tlb_pool *pool, phys_addr_t addr)
{
	return (addr - pool->start) >> IO_TLB_SHIFT;
}

/* Offset in its allocation at which a mapping starts, in bytes */
static inline size_t mapping_start(const struct io_tlb_slot *slot)
{
	if (likely(slot->end >= 0))
		return 0;
	return ((u32)slot->end & ~IO_TLB_PADDED) >> IO_TLB_START_SHIFT;
}

/* Offset in its allocation at which a mapping ends, in bytes; 0 if there is none */
static inline size_t mapping_end(const struct io_tlb_slot *slot)
{
	size_t end;

	if (likely(slot->end >= 0))
		return slot->end;
	end = slot->end & (BIT(IO_TLB_START_SHIFT) - 1);
	return end ? end : slot[1].base;
}

void swiotlb_wait_for_tries(struct io_tlb_mem *mem);

/*
 * Free slots are going to be taken that may have to go back at once.
 *
 * Context: &io_tlb_mem.tries_lock is held, here and in try_end().
 */
static inline void try_begin(struct io_tlb_mem *mem)
{
	lockdep_assert_held(&mem->tries_lock);
	WRITE_ONCE(mem->trying, mem->trying + 1);
}

static inline void try_end(struct io_tlb_mem *mem, bool in_vain)
{
	lockdep_assert_held(&mem->tries_lock);
	if (in_vain) {
		/* Slots have gone back before: pairs with alloc_elsewhere(). */
		smp_store_release(&mem->tries_in_vain, mem->tries_in_vain + 1);
	}
	/* That has been counted before: pairs with tried_in_vain(). */
	smp_store_release(&mem->trying, mem->trying - 1);
}

static inline bool in_pool(const struct io_tlb_pool *pool, phys_addr_t paddr)
{
	return paddr >= pool->start && paddr < pool->end;
}

/* swiotlb.c */
void swiotlb_put_within(struct device *dev, phys_addr_t tlb_addr);
struct io_tlb_pool *swiotlb_get_slots(struct io_tlb_request *rq, int *index);
void swiotlb_put_slots(struct device *dev, phys_addr_t tlb_addr,
		       struct io_tlb_pool *pool);

/*
 * Have slots gone back that were held for a moment only, since &io_tlb_mem.tries_in_vain
 * was @seen, which was read by smp_load_acquire()? That is asked when a search has found no
 * room; it will find them if it starts anew.
 */
static inline bool tried_in_vain(struct io_tlb_mem *mem, unsigned int seen)
{
	/* What the search has read without a lock, it has read before this. */
	smp_rmb();
	/* If nobody tries, the count is what it is: pairs with try_end(). */
	if (smp_load_acquire(&mem->trying))
		swiotlb_wait_for_tries(mem);
	return READ_ONCE(mem->tries_in_vain) != seen;
}

/* swiotlb_span.c */
int swiotlb_span_alloc(struct io_tlb_pool *pool, struct io_tlb_request *rq);
void swiotlb_span_free(struct io_tlb_pool *pool, unsigned long i);
size_t swiotlb_longest_run(struct io_tlb_pool *pool);

/* swiotlb_slots.c */
struct io_tlb_align swiotlb_align(phys_addr_t orig_addr,
				  unsigned int alloc_align_mask,
				  unsigned int keep_mask);
int swiotlb_find_start(struct io_tlb_pool *pool, unsigned int index);
int swiotlb_area_alloc(struct io_tlb_pool *pool, unsigned int area_index,
		       struct io_tlb_request *rq);
void swiotlb_slots_free(struct device *dev, struct io_tlb_pool *pool,
			unsigned int index);
bool swiotlb_boundary_possible(const struct io_tlb_request *rq);
bool swiotlb_request_possible(const struct io_tlb_request *rq,
			      unsigned long room);
size_t swiotlb_reachable(const struct io_tlb_pool *pool,
			 const struct io_tlb_request *rq, size_t enough);

/**
 * swiotlb_dev_ranged() - may a DMA address be another number than the machine address?
 * @dev:	Device.
 *
 * Between a device and the bus are its ranges (dma_range_map), or whatever
 * phys_to_dma() of the architecture knows of (powerpc, MIPS): windows of a host
 * bridge, a fixed offset.
 *
 * Context: Any.
 * Return: %false if they are the same. Else machine_to_dma() has to be asked for both
 * ends of what is handed out.
 */
static inline bool swiotlb_dev_ranged(const struct device *dev)
{
	return IS_ENABLED(CONFIG_ARCH_HAS_PHYS_TO_DMA) || dev->dma_range_map;
}

/**
 * swiotlb_request() - work out what slots a mapping needs
 * @dev:	Device.
 * @orig_addr:	Physical address of the original buffer, or 0 if there is none.
 * @size:	Bytes to allocate, pre-padding included.
 * @alloc_align_mask: Alignment of the allocation, as swiotlb_tbl_map_single()
 *		gets it.
 * @limit:	Highest DMA address that may be used.
 * @translated:	What the device uses is not a machine address: the caller translates
 *		it once more, as an IOMMU does.
 *
 * Most devices ask for no alignment at all. An allocation of a page or more is
 * aligned to a page then: drivers have come to rely on it.
 *
 * Context: Any.
 * Return: The request.
 */
static __always_inline struct io_tlb_request
swiotlb_request(struct device *dev, phys_addr_t orig_addr, size_t size,
		unsigned int alloc_align_mask, u64 limit, bool translated)
{
	unsigned int keep_mask = dma_get_min_align_mask(dev);
	unsigned int nslots = nr_slots(size);
	struct io_tlb_align align = { };

	if (unlikely(alloc_align_mask | keep_mask))
		align = swiotlb_align(orig_addr, alloc_align_mask, keep_mask);
	else if (size >= PAGE_SIZE)
		align.mask = (PAGE_SIZE - 1) >> IO_TLB_SHIFT;

	return (struct io_tlb_request) {
		.dev = dev,
		.nslots = nslots,
		.bound = nslots - (nslots >= IO_TLB_RUN_UNKNOWN),
		.align = align,
		.boundary_mask = dma_get_seg_boundary(dev),
		.limit = limit,
		.ranged = swiotlb_dev_ranged(dev) && !translated,
	};
}

/* swiotlb_init.c */
unsigned long swiotlb_default_nslabs(void);
unsigned int swiotlb_default_areas(void);

/* swiotlb_pool.c */
void swiotlb_mem_init(struct io_tlb_mem *mem);
unsigned int swiotlb_limit_areas(unsigned int nareas, unsigned long nslabs);
size_t swiotlb_pool_meta_size(unsigned long nslabs, unsigned int nareas);
int swiotlb_setup_pool(struct io_tlb_pool *pool,
		       const struct io_tlb_pool_params *params);
struct io_tlb_pool *swiotlb_make_pool(const struct io_tlb_pool_params *params,
				      gfp_t gfp);
bool swiotlb_pool_close(struct io_tlb_pool *pool);
void swiotlb_free_buffer(void *vaddr, size_t bytes);
size_t swiotlb_table_size(unsigned int nr);
void swiotlb_publish(struct io_tlb_mem *mem, struct io_tlb_pool *pool,
		     struct io_tlb_pool_table *table);
void swiotlb_unpublish(struct io_tlb_mem *mem, struct io_tlb_pool *pool,
		       struct io_tlb_pool_table *table);
struct io_tlb_pool *swiotlb_find_in_table(struct io_tlb_mem *mem,
					  phys_addr_t paddr);
unsigned long swiotlb_pool_used(struct io_tlb_pool *pool);
unsigned long swiotlb_mem_used(struct io_tlb_mem *mem);

/* swiotlb_connect.c */
int swiotlb_pool_connect(struct io_tlb_pool *pool, unsigned int low_bits);
void swiotlb_pool_disconnect(struct io_tlb_pool *pool);

/* swiotlb_debugfs.c */
#ifdef CONFIG_DEBUG_FS
void swiotlb_create_debugfs_files(struct io_tlb_mem *mem, const char *dirname);
void swiotlb_allow(struct io_tlb_mem *mem, long nslabs);
void swiotlb_return_allowance(struct io_tlb_pool *pool);
#else
static inline void swiotlb_create_debugfs_files(struct io_tlb_mem *mem,
						const char *dirname)
{
}

static inline void swiotlb_allow(struct io_tlb_mem *mem, long nslabs)
{
}

static inline void swiotlb_return_allowance(struct io_tlb_pool *pool)
{
}
#endif

/*
 * @nslots of the set have been freed.
 *
 * Context: The area's lock is held.
 */
static __always_inline void area_freed(struct io_tlb_area *area, struct io_tlb_set *set,
				       unsigned int nslots)
{
	area_less_used(area, nslots);
	summary_forget(area, set - area->sets);
}

/* swiotlb_dynamic.c */
#ifdef CONFIG_SWIOTLB_DYNAMIC
void swiotlb_growth_init(struct io_tlb_mem *mem, struct io_tlb_growth *growth,
			 u64 phys_limit);
void swiotlb_allow_growth(u64 phys_limit);
u64 swiotlb_growth_limit(const struct io_tlb_mem *mem);
bool swiotlb_may_grow(const struct io_tlb_mem *mem, unsigned int maddr_bits);
void swiotlb_want_pool(struct device *dev, u64 limit);
struct io_tlb_pool *swiotlb_alloc_transient(struct io_tlb_request *rq,
					    int *index);
void swiotlb_free_transient(struct device *dev, struct io_tlb_pool *pool);
struct io_tlb_pool *swiotlb_find_transient(struct device *dev,
					   phys_addr_t paddr);
#else
static inline void swiotlb_allow_growth(u64 phys_limit)
{
}

static inline u64 swiotlb_growth_limit(const struct io_tlb_mem *mem)
{
	return 0;
}

static inline bool swiotlb_may_grow(const struct io_tlb_mem *mem,
				    unsigned int maddr_bits)
{
	return false;
}

static inline void swiotlb_want_pool(struct device *dev, u64 limit)
{
}

static inline struct io_tlb_pool *
swiotlb_alloc_transient(struct io_tlb_request *rq, int *index)
{
	return NULL;
}

static inline void swiotlb_free_transient(struct device *dev,
					  struct io_tlb_pool *pool)
{
}

static inline struct io_tlb_pool *swiotlb_find_transient(struct device *dev,
							 phys_addr_t paddr)
{
	return NULL;
}
#endif

#endif /* _LIB_SWIOTLB_INTERNAL_H */
