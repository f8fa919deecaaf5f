/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the software IO TLB share with each other. Private to lib/swiotlb*.
 *
 *	swiotlb.c		map, unmap, sync: the bounce copies
 *	swiotlb_slots.c		the slot allocator, within a slot set
 *	swiotlb_span.c		the same for what takes more than a slot set
 *	swiotlb_pool.c		the metadata of pools, and the table of pools
 *	swiotlb_connect.c	makes a pool's memory contiguous for devices
 *	swiotlb_init.c		the default pool: parameters, set-up, tear-down
 *	swiotlb_dynamic.c	pools that come and go at run time
 *	swiotlb_restricted.c	pools that belong to a device ("restricted-dma-pool")
 *	swiotlb_debugfs.c	counters for debugfs
 *	swiotlb_set.h		a slot set, and all operations on its bits
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
 * A set is the unit of contiguity: it has a machine address of its own. An allocation
 * that fits into an aligned set lies within one set. On bare metal all sets of a pool
 * are adjacent by machine address. On Xen PV eight of them are, or none. So limit,
 * alignment and segment boundary of a device are compared with the machine address of
 * the set, never with the physical address of the pool.
 *
 * swiotlb_set.h explains sets and allocations, swiotlb_area.h how a search finds a set
 * with room. Each mapping has one record, with its first slot: &struct io_tlb_slot.
 *
 * A pool, its areas, sets, summaries and slot records are one allocation
 * (swiotlb_pool_meta_size()), made and freed as a whole.
 *
 * The pool of an address is found in constant time. First comes the default pool, then a
 * hash table of the other pools, then a hash table of the transient pools. The key of
 * the first table is the number of the page allocator's largest block that the address
 * is in. A pool that is added is a single allocation, so no pool is in two blocks.
 *
 * Locking
 * -------
 *
 * &io_tlb_area.lock protects sets, summary, windows and counters of an area. At most one
 * area lock is held at a time, with interrupts off, even if an allocation takes slots of
 * several areas. &transient_bucket.lock (some of the transient pools) does not nest
 * with it. The table of pools is written under &io_tlb_mem.pools_mutex, which nests in
 * the mutex of restricted pools.
 *
 * To take slots of several sets, or to close a pool, takes one area lock after the other.
 * If a slot is in use, all that was taken goes back. &io_tlb_mem.tries_lock is held
 * meanwhile, with interrupts off; area locks nest in it. A search on another CPU may find
 * no room only because of these slots. So before it fails, it waits for that lock if a
 * try is under way, and searches again if slots went back. Only an allocation of more
 * than %IO_TLB_TRY_SETS sets is taken in several steps. A search that finds no room
 * between two steps does not wait for the next.
 *
 * The record of a mapping belongs to the owner of the mapping, and is read without a
 * lock. So are the words of free and first bits that lead to it: bits of other mappings
 * change meanwhile, those of the owner do not. The byte of a window is read before the
 * lock is taken: a search may miss slots that are freed at the same moment.
 */

#define IO_TLB_SET_BYTES	((size_t)IO_TLB_SEGSIZE << IO_TLB_SHIFT)
#define IO_TLB_SET_ORDER	get_order(IO_TLB_SET_BYTES)

/* A record has 31 bits for the end of a mapping. */
#define IO_TLB_MAX_MAPPING	(((size_t)1 << 31) - PAGE_SIZE)

static_assert(!(IO_TLB_MAX_MAPPING >> 31));

/*
 * The default pool has machine addresses of at most this many bits, if the backend has
 * such memory. No lower than this: coherent memory for devices of fewer bits has to come
 * from there.
 */
#define IO_TLB_LOW_BITS		28

/* No pool is added for devices of fewer address bits. */
#define IO_TLB_MIN_BITS		24

/* A pool that gets less memory than wanted has at least this many slots. */
#define IO_TLB_MIN_SLABS	((1UL << 20) >> IO_TLB_SHIFT)

/* Machine address of a lost set. No set is adjacent to it. */
#define IO_TLB_NO_MADDR		((phys_addr_t)-1)

/*
 * swiotlb_max_mapping_size() is at most this part of the bounce memory that a device
 * reaches. In a small pool receive rings and coherent memory may hold three quarters of
 * the slots for good. The rest has to serve 32 requests in flight, as many as a SATA disk
 * gets at a time: libata treats a failed mapping as an I/O error.
 */
#define IO_TLB_SHARES		128

/* How many sets are taken or given back before interrupts are enabled for a moment */
#define IO_TLB_TRY_SETS		16

/* How many sets are searched before the lock of the area is released for a moment */
#define IO_TLB_LOOKS		8

/**
 * struct io_tlb_slot - record of the mapping that starts in a slot
 * @base:	Physical address of the original buffer, less the distance from
 *		the start of the allocation to the mapping. The original of any
 *		byte is thus at @base plus that byte's offset in the allocation.
 *		May wrap below zero.
 * @end:	Offset in the allocation at which the mapping ends, in bytes. Zero in
 *		every slot in which no mapping starts. Negative if the mapping has
 *		padding in front, see mapping_start().
 *
 * The record of the allocation's first slot is used. In the second slot @end is zero, and
 * @base is the end of the mapping if there is padding in front.
 *
 * Packed: holes would be a sixth of all metadata on 64-bit.
 */
struct io_tlb_slot {
	phys_addr_t base;
	s32 end;
} __packed __aligned(4);

static_assert(sizeof(struct io_tlb_slot) == sizeof(phys_addr_t) + sizeof(s32));

/* Bits of &io_tlb_slot.end of a mapping with padding in front */
#define IO_TLB_PADDED		BIT(31)
#define IO_TLB_START_SHIFT	12	/* below: the end, or 0 if it is not in this slot */

static_assert(!(IO_TLB_SIZE >> IO_TLB_START_SHIFT));

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
 * @maddr_bits:	Its machine addresses have at most this many bits.
 * @late_alloc:	The memory comes from the page allocator, not from memblock.
 * @transient:	Made for a single mapping.
 * @keep:	Never freed, so swiotlb_max_mapping_size() counts it.
 * @was_idle:	No slot was in use when &io_tlb_growth.shrink looked last.
 * @was_used:	A slot was in use on some earlier look.
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
 * @nslabs:	Number of slots. If the memory is freed with the pool, they fill it.
 * @nareas:	Number of areas, a power of two.
 * @backend:	Makes the memory contiguous for devices. %NULL if it is contiguous.
 * @low_bits:	Address bits that the backend tries first. Unused without a backend.
 * @maddr_bits:	Address bits that the backend tries last. Unused without a backend.
 * @late_alloc:	The memory comes from the page allocator, not from memblock.
 * @transient:	The pool is for a single mapping.
 * @keep:	The pool is never freed.
 *
 * There is one way to make a pool::
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
 * @pools:	The pools, in the order in which they were added. Behind them are the
 *		buckets of a hash table, which has all pools but the first. A pool
 *		whose bucket is taken is in the next free one; there are more of them
 *		at the end.
 *
 * Readers may see it, so it never changes: another table takes its place.
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
 * Never freed: the driver may still unmap what it mapped.
 */
struct io_tlb_stale {
	struct io_tlb_stale *next;
	phys_addr_t maddr;
	u64 used[2];
};

/**
 * struct io_tlb_align - at which addresses an allocation may start
 * @mask:	Which bits of a DMA address are prescribed, counted in slots: all ones up
 *		to the highest prescribed bit.
 * @value:	These bits of the first slot's DMA address.
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
 * @bound:	A set with a lower summary has no such run. A summary has 7 bits and one
 *		value is %IO_TLB_RUN_UNKNOWN, so runs of 126 and 127 slots share a
 *		value. Unused for allocations of more than a set.
 * @align:	Which addresses it may start at.
 * @boundary_mask: The allocation must not cross a multiple of this plus one.
 *		In bytes.
 * @limit:	Highest DMA address the device reaches.
 * @dma:	Filled in when slots have been found: their DMA address.
 * @differs:	The DMA address may be another number than the machine address: the
 *		device has ranges, or the memory is &io_tlb_mem.cc_tagged. Not set if
 *		an IOMMU translates: it maps by machine address.
 */
struct io_tlb_request {
	struct device *dev;
	unsigned int nslots;
	unsigned int bound;
	struct io_tlb_align align;
	unsigned long boundary_mask;
	u64 limit;
	dma_addr_t dma;
	bool differs;
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

/* May pools be added? */
static inline bool can_grow(const struct io_tlb_mem *mem)
{
	/* If so, &io_tlb_mem.growth can be read: pairs with swiotlb_growth_init(). */
	return smp_load_acquire(&mem->can_grow);
}

/* How many slots @bytes take */
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
 * A try begins: slots will be taken that may have to go back at once.
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
		/* The slots went back before this: pairs with alloc_elsewhere(). */
		smp_store_release(&mem->tries_in_vain, mem->tries_in_vain + 1);
	}
	/* The count was written before this: pairs with tried_in_vain(). */
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
 * Has a try given slots back since &io_tlb_mem.tries_in_vain was @seen? A search that found
 * no room asks this, and starts anew if so. It has read @seen with smp_load_acquire().
 */
static inline bool tried_in_vain(struct io_tlb_mem *mem, unsigned int seen)
{
	/* The reads of the search come before this. */
	smp_rmb();
	/* If no try is under way, the count is final: pairs with try_end(). */
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
 * swiotlb_dev_ranged() - does a device see memory elsewhere than others do?
 * @dev:	Device.
 *
 * It may if the device has ranges (dma_range_map), or if the architecture has a
 * phys_to_dma() of its own (powerpc, MIPS).
 *
 * Context: Any.
 * Return: %false if it does not.
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
 * @translated:	The caller translates the address once more, as an IOMMU does.
 * @tagged:	The memory is &io_tlb_mem.cc_tagged.
 *
 * Most devices ask for no alignment. Then an allocation of a page or more is aligned to a
 * page: drivers rely on it.
 *
 * Context: Any.
 * Return: The request.
 */
static __always_inline struct io_tlb_request
swiotlb_request(struct device *dev, phys_addr_t orig_addr, size_t size,
		unsigned int alloc_align_mask, u64 limit, bool translated, bool tagged)
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
		.differs = (swiotlb_dev_ranged(dev) || tagged) && !translated,
	};
}

/*
 * The DMA address at which the device of the request sees bounce memory. Where it is not
 * the machine address, both ends of an allocation have to be asked for.
 */
static inline dma_addr_t rq_dma(const struct io_tlb_request *rq, phys_addr_t maddr)
{
	if (!rq->differs)
		return maddr;
	return machine_to_dma(rq->dev, maddr, rq->dev->dma_io_tlb_mem->cc_shared);
}

/* swiotlb_init.c */
unsigned long swiotlb_default_nslabs(void);
unsigned int swiotlb_default_areas(void);

/* swiotlb_pool.c */
void swiotlb_mem_init(struct io_tlb_mem *mem);
u64 swiotlb_tag(const struct io_tlb_mem *mem);
void swiotlb_set_shared(struct io_tlb_mem *mem, bool cc_shared);
unsigned int swiotlb_limit_areas(unsigned int nareas, unsigned long nslabs);
size_t swiotlb_pool_meta_size(unsigned long nslabs, unsigned int nareas);
int swiotlb_setup_pool(struct io_tlb_pool *pool,
		       const struct io_tlb_pool_params *params);
struct io_tlb_pool *swiotlb_make_pool(const struct io_tlb_pool_params *params,
				      gfp_t gfp);
bool swiotlb_pool_close(struct io_tlb_pool *pool);
void swiotlb_free_buffer(void *vaddr, size_t bytes, bool cc_shared);
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
