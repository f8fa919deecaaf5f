// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software IO TLB: map, unmap and sync of bounce buffers.
 *
 * A device that cannot reach a buffer is given the address of a bounce buffer
 * instead. Data is copied there when the mapping is made and whenever the CPU
 * hands the buffer to the device, and back when the device is done.
 *
 * Slots come from swiotlb_slots.c, pools from swiotlb_init.c, swiotlb_dynamic.c
 * and swiotlb_restricted.c. Data structures and locking: swiotlb_internal.h.
 */
#define pr_fmt(fmt) "software IO TLB: " fmt

#include <linux/cc_platform.h>
#include <linux/dma-mapping.h>
#include <linux/highmem.h>
#include <linux/iommu-dma.h>
#include <linux/kmsan-checks.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/smp.h>
#include <linux/string.h>

#include "swiotlb_internal.h"

#define CREATE_TRACE_POINTS
#include <trace/events/swiotlb.h>

/**
 * swiotlb_dev_init() - initialise the members of &struct device
 * @dev:	Device that is being initialised.
 *
 * Context: Any, before the device is used.
 */
void swiotlb_dev_init(struct device *dev)
{
	dev->dma_io_tlb_mem = &io_tlb_default_mem;
	dev->dma_uses_io_tlb = false;
}

static struct io_tlb_pool *pool_if_in(struct io_tlb_pool *pool,
				      phys_addr_t paddr)
{
	return likely(pool && in_pool(pool, paddr)) ? pool : NULL;
}

/* For a device whose software IO TLB was taken away while it had mappings */
static noinline __cold struct io_tlb_pool *find_former_pool(struct device *dev,
							    phys_addr_t paddr)
{
	struct io_tlb_mem *mem = &io_tlb_default_mem;

	return pool_if_in(READ_ONCE(mem->defpool), paddr) ?:
		swiotlb_find_in_table(mem, paddr) ?:
		swiotlb_find_transient(dev, paddr);
}

/* Search the pools that few mappings come from. */
static noinline struct io_tlb_pool *find_other_pool(struct device *dev,
						    phys_addr_t paddr)
{
	struct io_tlb_mem *mem = dev->dma_io_tlb_mem;

	if (unlikely(!mem))
		return find_former_pool(dev, paddr);
	return swiotlb_find_in_table(mem, paddr) ?:
		swiotlb_find_transient(dev, paddr);
}

/*
 * The default pool, if that is where an address lies. Only for devices that have
 * used the software IO TLB.
 */
static struct io_tlb_pool *find_default_pool(struct device *dev,
					     phys_addr_t paddr)
{
	struct io_tlb_mem *mem = dev->dma_io_tlb_mem;

	/* It may have been taken away since. */
	if (unlikely(!mem))
		return NULL;
	return pool_if_in(READ_ONCE(mem->defpool), paddr);
}

/**
 * __swiotlb_find_pool() - find the pool of a device that an address lies in
 * @dev:	Device that has used the software IO TLB.
 * @paddr:	Physical address.
 *
 * See swiotlb_find_pool(), which spares other devices the search.
 *
 * Context: Any.
 * Return: The pool, or %NULL if @paddr is in none. It stays as long as the mapping
 * at @paddr does.
 */
struct io_tlb_pool *__swiotlb_find_pool(struct device *dev, phys_addr_t paddr)
{
	return find_default_pool(dev, paddr) ?: find_other_pool(dev, paddr);
}

/*
 * Does the request need more than one set? It may need two because of its alignment.
 * Page alignment never matters: sets are page-aligned.
 */
static bool needs_span(const struct io_tlb_request *rq)
{
	if (rq->nslots > IO_TLB_SEGSIZE)
		return true;
	return rq->nslots + rq->align.mask > IO_TLB_SEGSIZE &&
		(rq->align.value || rq->align.mask >= PAGE_SIZE >> IO_TLB_SHIFT);
}

/* Try every pool for what takes more than a slot set. */
static struct io_tlb_pool *search_pools_for_span(struct io_tlb_request *rq,
						 int *index)
{
	struct io_tlb_pool_table *table;
	struct io_tlb_pool *pool = NULL;
	unsigned int i;

	rcu_read_lock();
	table = rcu_dereference(rq->dev->dma_io_tlb_mem->pools);
	for (i = 0; !pool && i < table->nr; i++) {
		*index = swiotlb_span_alloc(table->pools[i], rq);
		if (*index >= 0)
			pool = table->pools[i];
	}
	rcu_read_unlock();
	return pool;
}

/* A look without the lock: most full areas are found out here. */
static bool has_free(const struct io_tlb_area *area, unsigned int nslots)
{
	return READ_ONCE(area->used) + nslots <= area->nslots;
}

/* Try every area of every pool, the one of this CPU first. */
static struct io_tlb_pool *search_pools(struct io_tlb_request *rq,
					int *index)
{
	struct io_tlb_mem *mem = rq->dev->dma_io_tlb_mem;
	unsigned int cpu = raw_smp_processor_id();
	struct io_tlb_pool_table *table;
	struct io_tlb_pool *pool;
	unsigned int turn, area, i;

	rcu_read_lock();
	table = rcu_dereference(mem->pools);
	for (turn = 0; turn < table->max_areas; turn++) {
		for (i = 0; i < table->nr; i++) {
			pool = table->pools[i];
			area = (cpu + turn) & (pool->nareas - 1);
			if (turn >= pool->nareas ||
			    !has_free(&pool->areas[area], rq->nslots))
				continue;
			*index = swiotlb_area_alloc(pool, area, rq);
			if (*index >= 0)
				goto unlock;
		}
	}
	pool = NULL;
unlock:
	rcu_read_unlock();
	return pool;
}

/* A device gets its first bounce buffer. */
static noinline void __cold first_use(struct device *dev)
{
	WRITE_ONCE(dev->dma_uses_io_tlb, true);
	if (cc_platform_has(CC_ATTR_MEM_ENCRYPT))
		pr_warn_once("Memory encryption is active and system is using DMA bounce buffers\n");
}

/**
 * struct slots - slots of an allocation, in two registers
 * @pool:	Their pool, %NULL if there are none.
 * @index:	Index of the first one; of no meaning without @pool.
 */
struct slots {
	struct io_tlb_pool *pool;
	int index;
};

/* The area of this CPU has no room, or the request needs more than a set. */
static noinline struct slots alloc_elsewhere(struct io_tlb_request *rq)
{
	struct io_tlb_mem *mem = rq->dev->dma_io_tlb_mem;
	struct slots slots = {};
	unsigned int in_vain;

	if (!swiotlb_boundary_possible(rq))
		return slots;
	do {
		/* Before the search: pairs with try_end(). */
		in_vain = smp_load_acquire(&mem->tries_in_vain);
		if (rq->nslots <= IO_TLB_SEGSIZE)
			slots.pool = search_pools(rq, &slots.index);
		if (!slots.pool && needs_span(rq))
			slots.pool = search_pools_for_span(rq, &slots.index);
	} while (!slots.pool && tried_in_vain(mem, in_vain));
	if (!slots.pool && can_grow(mem))
		slots.pool = swiotlb_alloc_transient(rq, &slots.index);
	return slots;
}

/* To be done before a device gets a bounce buffer */
static __always_inline void prepare_use(struct device *dev)
{
	/*
	 * The driver is about to store the address somewhere. Another CPU loads
	 * it from there, and syncs or unmaps. That CPU must see
	 * dev->dma_uses_io_tlb set and must find the pool, even if a third CPU
	 * set the flag or added the pool. This takes a full barrier between the
	 * flag (or the look at the pools) and the driver's store:
	 * smp_mb__after_spinlock() in the search for slots. It pairs with
	 * smp_rmb() in swiotlb_used_by(). The driver itself orders the content
	 * of the buffer and the record of the mapping: by a lock, a ring's
	 * barrier or an interrupt.
	 */
	if (unlikely(!READ_ONCE(dev->dma_uses_io_tlb)))
		first_use(dev);
	/* A device that skipped syncs so far must not skip this mapping's. */
	dma_reset_need_sync(dev);
}

/* Take slots of one set from @pool, which is the default pool, else from any pool. */
static __always_inline struct slots
alloc_slots(struct device *dev, struct io_tlb_pool *pool,
	    struct io_tlb_request *rq)
{
	int index;

	prepare_use(dev);
	index = swiotlb_area_alloc(pool, raw_smp_processor_id() &
				   (pool->nareas - 1), rq);
	if (unlikely(index < 0))
		return alloc_elsewhere(rq);
	return (struct slots) { pool, index };
}

static struct io_tlb_pool *default_pool(struct io_tlb_mem *mem)
{
	if (unlikely(!mem))
		return NULL;
	/* A reader that sees the pool sees the table too: pairs with swiotlb_publish(). */
	return smp_load_acquire(&mem->defpool);
}

/* The default pool, unless mappings from it have to be checked */
static struct io_tlb_pool *plain_pool(struct io_tlb_mem *mem)
{
	if (unlikely(!mem))
		return NULL;
	return smp_load_acquire(&mem->plain_pool);	/* as above */
}

/**
 * swiotlb_get_slots() - allocate slots for a device
 * @rq:		What is wanted. Receives the DMA address.
 * @index:	Receives the first slot's index.
 *
 * If no pool has room, a pool is added in the background where that is possible,
 * and a transient one serves this request meanwhile.
 *
 * Context: Any.
 * Return: The pool, or %NULL if there is no room.
 */
struct io_tlb_pool *swiotlb_get_slots(struct io_tlb_request *rq, int *index)
{
	struct device *dev = rq->dev;
	struct slots slots;

	if (rq->nslots > IO_TLB_SEGSIZE) {
		prepare_use(dev);
		slots = alloc_elsewhere(rq);
	} else {
		slots = alloc_slots(dev, default_pool(dev->dma_io_tlb_mem), rq);
	}
	*index = slots.index;
	return slots.pool;
}

/*
 * put_slots() for transient pools, for mappings with padding in front, and for
 * mistakes.
 */
static noinline void put_slots_slow(struct device *dev, phys_addr_t tlb_addr,
				    struct io_tlb_pool *pool)
{
	int first = swiotlb_find_start(pool, phys_slot(pool, tlb_addr));

	if (first < 0) {
		dev_WARN_ONCE(dev, 1,
			      "swiotlb: unmap of %pa, which is not mapped\n",
			      &tlb_addr);
	} else if (tlb_addr - slot_phys(pool, first) !=
		   mapping_start(&pool->slots[first])) {
		dev_WARN_ONCE(dev, 1,
			      "swiotlb: unmap of %pa, which is inside a mapping\n",
			      &tlb_addr);
	} else if (pool->transient) {
		swiotlb_free_transient(dev, pool);
	} else {
		swiotlb_slots_free(dev, pool, first);
	}
}

/**
 * swiotlb_put_within() - return slots by an address in which no allocation starts
 * @dev:	Device.
 * @tlb_addr:	Physical address.
 *
 * See swiotlb_slots_free(), which is faster if it is called last.
 *
 * Context: Any.
 */
void swiotlb_put_within(struct device *dev, phys_addr_t tlb_addr)
{
	struct io_tlb_pool *pool = __swiotlb_find_pool(dev, tlb_addr);

	if (pool)
		put_slots_slow(dev, tlb_addr, pool);
}

static __always_inline void put_slots(struct device *dev, phys_addr_t tlb_addr,
				      struct io_tlb_pool *pool)
{
	if (unlikely(pool->transient || tlb_addr & (IO_TLB_SIZE - 1)))
		put_slots_slow(dev, tlb_addr, pool);
	else
		swiotlb_slots_free(dev, pool, phys_slot(pool, tlb_addr));
}

/**
 * swiotlb_put_slots() - return the slots of a mapping
 * @dev:	Device that the slots were allocated for.
 * @tlb_addr:	Physical address at which the mapping starts.
 * @pool:	Pool that it is in.
 *
 * If no mapping starts at the address, that is a bug of the caller: it is reported
 * once, and no slot is returned. A caller that returns a mapping in pieces would
 * otherwise return slots that belong to another mapping by then.
 *
 * Context: Any.
 */
void swiotlb_put_slots(struct device *dev, phys_addr_t tlb_addr,
		       struct io_tlb_pool *pool)
{
	put_slots(dev, tlb_addr, pool);
}

/* The kernel has no mapping of high memory: copy page by page. */
static void bounce_highmem(void *vaddr, phys_addr_t orig_addr, size_t size,
			   enum dma_data_direction dir)
{
	unsigned int offset = offset_in_page(orig_addr);
	struct page *page;
	size_t len;

	for (; size; size -= len, vaddr += len, orig_addr += len, offset = 0) {
		len = min_t(size_t, PAGE_SIZE - offset, size);
		page = pfn_to_page(PHYS_PFN(orig_addr));
		if (dir == DMA_TO_DEVICE)
			memcpy_from_page(vaddr, page, offset, len);
		else
			memcpy_to_page(page, offset, vaddr, len);
	}
}

/*
 * Copy @size bytes from the original buffer to its bounce buffer at @tlb_addr
 * (%DMA_TO_DEVICE), or back (%DMA_FROM_DEVICE).
 *
 * KMSAN does not check the data that is copied to a device: a driver may map a buffer
 * that only the device will write.
 */
static void bounce_copy(void *vaddr, phys_addr_t orig_addr, size_t size,
			enum dma_data_direction dir)
{
	if (dir == DMA_FROM_DEVICE)
		kmsan_unpoison_memory(vaddr, size);

	if (PhysHighMem(orig_addr))
		bounce_highmem(vaddr, orig_addr, size, dir);
	else if (dir == DMA_TO_DEVICE)
		memcpy(vaddr, phys_to_virt(orig_addr), size);
	else
		memcpy(phys_to_virt(orig_addr), vaddr, size);
}

/* How much of @size bytes at @offset of an allocation is mapped. Warns once. */
static size_t __cold clip_to_mapping(struct device *dev, size_t offset,
				     size_t size, const struct io_tlb_slot *slot)
{
	size_t start = mapping_start(slot), end = mapping_end(slot);
	size_t room = offset >= start && offset < end ? end - offset : 0;

	dev_WARN_ONCE(dev, 1,
		      "swiotlb: sync of %zu bytes, of which only %zu are mapped\n",
		      size, room);
	return room;
}

/* bounce() beyond the first set of a mapping, or outside the mapping */
static noinline void bounce_slow(struct device *dev, phys_addr_t tlb_addr,
				 size_t size, enum dma_data_direction dir,
				 struct io_tlb_pool *pool)
{
	int start = swiotlb_find_start(pool, phys_slot(pool, tlb_addr));
	struct io_tlb_slot *slot;
	size_t offset;

	if (start < 0 || !size)
		return;
	slot = &pool->slots[start];
	if (!slot->end)		/* swiotlb_alloc(): there is no original */
		return;

	offset = tlb_addr - slot_phys(pool, start);
	if (offset < mapping_start(slot) || offset >= mapping_end(slot) ||
	    size > mapping_end(slot) - offset)
		size = clip_to_mapping(dev, offset, size, slot);
	if (size)
		bounce_copy(pool->vaddr + (tlb_addr - pool->start),
			    slot->base + offset, size, dir);
}

/* bounce() for a mapping with padding in front, whose record is in slot @first */
static noinline void bounce_padded(struct device *dev, phys_addr_t tlb_addr,
				   size_t size, enum dma_data_direction dir,
				   struct io_tlb_pool *pool, unsigned int first)
{
	size_t at = tlb_addr - pool->start;
	size_t offset = at - ((size_t)first << IO_TLB_SHIFT);
	struct io_tlb_slot *slot = &pool->slots[first];
	size_t end = mapping_end(slot);

	if (likely(size - 1 < end && size + offset <= end &&
		   offset >= mapping_start(slot)))
		bounce_copy(pool->vaddr + at, slot->base + offset, size, dir);
	else
		bounce_slow(dev, tlb_addr, size, dir, pool);
}

/*
 * Sync @size bytes at @tlb_addr, which may be anywhere in a mapping. Most syncs start
 * in the first slot, which has the record, and most mappings have no padding. Bytes
 * beyond the end or in the padding are reported and not copied.
 */
static __always_inline void bounce(struct device *dev, phys_addr_t tlb_addr,
				   size_t size, enum dma_data_direction dir,
				   struct io_tlb_pool *pool)
{
	size_t at = tlb_addr - pool->start, offset = at % IO_TLB_SIZE;
	struct io_tlb_slot *slot = &pool->slots[at >> IO_TLB_SHIFT];
	int first;

	/* The caller may have started to invalidate caches, and not waited for the end. */
	if (dir == DMA_FROM_DEVICE && !dev_is_dma_coherent(dev))
		arch_sync_dma_flush();

	if (unlikely(slot->end <= 0)) {
		first = at >> IO_TLB_SHIFT;
		if (!slot->end)
			first = set_last_first(slot_set(pool, first), first);
		if (unlikely(first < 0)) {
			bounce_slow(dev, tlb_addr, size, dir, pool);
			return;
		}
		slot = &pool->slots[first];
		if (slot->end < 0) {
			bounce_padded(dev, tlb_addr, size, dir, pool, first);
			return;
		}
		offset = at - ((size_t)first << IO_TLB_SHIFT);
	}

	if (likely(size - 1 < (u32)slot->end &&
		   size + offset <= (u32)slot->end))
		bounce_copy(pool->vaddr + at, slot->base + offset, size, dir);
	else
		bounce_slow(dev, tlb_addr, size, dir, pool);
}

/* bounce(), for an address that may be in any pool or in none */
static noinline void bounce_anywhere(struct device *dev, phys_addr_t addr,
				     size_t size, enum dma_data_direction dir)
{
	struct io_tlb_pool *pool = find_other_pool(dev, addr);

	if (pool)
		bounce(dev, addr, size, dir, pool);
}

static __always_inline void sync(struct device *dev, phys_addr_t addr,
				 size_t size, enum dma_data_direction dir,
				 struct io_tlb_pool *pool)
{
	if (!pool)
		pool = find_default_pool(dev, addr);
	if (likely(pool))
		bounce(dev, addr, size, dir, pool);
	else
		bounce_anywhere(dev, addr, size, dir);
}

static noinline void warn_full(const struct io_tlb_request *rq, size_t size,
			       unsigned long attrs)
{
	struct device *dev = rq->dev;
	struct io_tlb_mem *mem = dev->dma_io_tlb_mem;
	bool reached = rq->limit >= rq_dma(rq, mem->defpool->maddr_max);

	if (attrs & DMA_ATTR_NO_WARN)
		return;
	dev_warn_ratelimited(dev,
			     "swiotlb buffer is full (sz: %zu bytes), total %lu (slots), used %lu (slots)%s\n",
			     size, READ_ONCE(mem->nslabs), swiotlb_mem_used(mem),
			     reached ? "" : ", not all within reach");
}

/* The mapping fails, and would fail in an empty pool. */
static noinline void warn_impossible(struct device *dev, size_t mapping_size,
				     unsigned long attrs)
{
	if (!is_swiotlb_active(dev))
		dev_warn_ratelimited(dev,
				     "no swiotlb was set up at boot, so no bounce buffer can be provided\n");
	else if (!(attrs & DMA_ATTR_NO_WARN))
		dev_warn_ratelimited(dev,
				     "swiotlb cannot map %zu bytes, at most %zu\n",
				     mapping_size,
				     swiotlb_max_mapping_size(dev));
}

/**
 * struct bounce_buffer - where a bounce buffer is, in two registers on 64-bit
 * @phys:	Physical address of the mapping's first byte.
 * @dma:	Its DMA address.
 */
struct bounce_buffer {
	phys_addr_t phys;
	dma_addr_t dma;
};

static const struct bounce_buffer not_bounced = {
	.phys = (phys_addr_t)DMA_MAPPING_ERROR,
	.dma = DMA_MAPPING_ERROR,
};

/* Note in the record of an allocation that its mapping has padding in front. */
static noinline void record_padding(struct io_tlb_slot *slot, size_t start,
				    size_t size)
{
	size_t end = start + size;

	slot->end = IO_TLB_PADDED | start << IO_TLB_START_SHIFT;
	if (end <= IO_TLB_SIZE)
		slot->end |= end;
	else
		slot[1].base = end;
}

/* Fill a new bounce buffer. The mapping starts at @offset of the allocation. */
static __always_inline struct bounce_buffer
fill_slots(const struct slots *slots, phys_addr_t orig_addr, size_t mapping_size,
	   unsigned int offset, dma_addr_t dma)
{
	size_t at = ((size_t)slots->index << IO_TLB_SHIFT) + offset;
	struct io_tlb_slot *slot = &slots->pool->slots[slots->index];

	slot->base = orig_addr - offset;
	slot->end = mapping_size;
	if (unlikely(offset))
		record_padding(slot, offset, mapping_size);

	/*
	 * Copy even if only the device writes. It may write less than the buffer
	 * has, and the rest must keep the caller's data. Slots hold the data of
	 * an earlier mapping until then.
	 */
	bounce_copy(slots->pool->vaddr + at, orig_addr, mapping_size,
		    DMA_TO_DEVICE);

	return (struct bounce_buffer) {
		.phys = slots->pool->start + at,
		.dma = dma + offset,
	};
}

/**
 * struct map_args - what map_single() was asked for
 * @orig_addr:		Physical address of the original buffer.
 * @mapping_size:	Its size in bytes.
 * @alloc_align_mask:	That of swiotlb_tbl_map_single().
 * @limit:		Highest DMA address that may be used.
 * @attrs:		DMA_ATTR_*.
 * @translated:		That of swiotlb_request().
 */
struct map_args {
	phys_addr_t orig_addr;
	size_t mapping_size;
	unsigned int alloc_align_mask;
	u64 limit;
	unsigned long attrs;
	bool translated;
};

/* Has any pool that much in one piece? */
static bool is_possible(struct io_tlb_mem *mem, size_t size)
{
	struct io_tlb_pool_table *table;
	bool possible = false;
	unsigned int i;

	rcu_read_lock();
	table = rcu_dereference(mem->pools);
	for (i = 0; i < table->nr && !possible; i++)
		possible = size <= table->pools[i]->longest;
	rcu_read_unlock();
	return possible;
}

/*
 * Does the memory suit the device, on a platform that encrypts memory? A device of a
 * confidential guest needs decrypted memory until it is trusted, and encrypted memory
 * afterwards. On a host all bounce memory is decrypted.
 */
static bool cc_suits(struct device *dev, unsigned long attrs)
{
	const struct io_tlb_mem *mem = dev->dma_io_tlb_mem;
	bool wants_shared = force_dma_unencrypted(dev), suits;

	if (mem->cc_shared)
		suits = wants_shared || !cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT);
	else
		suits = !wants_shared && !cc_platform_has(CC_ATTR_HOST_MEM_ENCRYPT);
	if (!suits && !(attrs & DMA_ATTR_NO_WARN))
		dev_warn_ratelimited(dev, "swiotlb has %s memory, which this device cannot use\n",
				     mem->cc_shared ? "decrypted" : "encrypted");
	return suits;
}

/*
 * map_single() for mappings of more than a slot set, for platforms that encrypt memory, and
 * for impossible mappings
 */
static noinline struct bounce_buffer
map_span(struct device *dev, const struct map_args *args, unsigned int offset)
{
	struct io_tlb_mem *mem = dev->dma_io_tlb_mem;
	size_t size = args->mapping_size;
	struct io_tlb_request rq;
	struct slots slots;

	if (!default_pool(mem) || !size ||
	    size > IO_TLB_MAX_MAPPING || offset > IO_TLB_MAX_PADDING) {
		warn_impossible(dev, size, args->attrs);
		return not_bounced;
	}
	if (mem->cc_platform && !cc_suits(dev, args->attrs))
		return not_bounced;

	rq = swiotlb_request(dev, args->orig_addr,
			     ALIGN(size + offset, args->alloc_align_mask + 1),
			     args->alloc_align_mask, args->limit,
			     args->translated, mem->cc_tagged);
	prepare_use(dev);
	slots = alloc_elsewhere(&rq);
	if (!slots.pool && !is_possible(mem, size)) {
		warn_impossible(dev, size, args->attrs);
		return not_bounced;
	}
	if (!slots.pool) {
		warn_full(&rq, size, args->attrs);
		return not_bounced;
	}
	return fill_slots(&slots, args->orig_addr, size, offset, rq.dma);
}

/*
 * Allocate a bounce buffer and fill it. @translated is that of swiotlb_request().
 */
static __always_inline struct bounce_buffer
map_single(struct device *dev, phys_addr_t orig_addr, size_t mapping_size,
	   unsigned int alloc_align_mask, u64 limit, unsigned long attrs,
	   bool translated)
{
	struct io_tlb_pool *pool = plain_pool(dev->dma_io_tlb_mem);
	struct slots slots;
	unsigned int offset;
	size_t size;

	/*
	 * Padding in front preserves the address bits that the device wants
	 * preserved, as far as they are below a slot or below the alignment of
	 * the allocation. The search for slots preserves the others.
	 */
	offset = orig_addr & dma_get_min_align_mask(dev) &
		(alloc_align_mask | (IO_TLB_SIZE - 1));
	size = ALIGN(mapping_size + offset, alloc_align_mask + 1);
	if (unlikely(!pool || mapping_size - 1 >= IO_TLB_SET_BYTES ||
		     size > IO_TLB_SET_BYTES)) {
		struct map_args args = {
			orig_addr, mapping_size, alloc_align_mask, limit,
			attrs, translated
		};

		return map_span(dev, &args, offset);
	}

	struct io_tlb_request rq =
		swiotlb_request(dev, orig_addr, size, alloc_align_mask, limit,
				translated, false);
	slots = alloc_slots(dev, pool, &rq);
	if (unlikely(!slots.pool)) {
		warn_full(&rq, mapping_size, attrs);
		return not_bounced;
	}
	return fill_slots(&slots, orig_addr, mapping_size, offset, rq.dma);
}

/**
 * swiotlb_tbl_map_single() - map a buffer through a bounce buffer
 * @dev:		Device.
 * @orig_addr:		Physical address of the original buffer.
 * @mapping_size:	Its size in bytes.
 * @alloc_align_mask:	One less than a power of two, or zero. The allocation
 *			starts at a multiple of that power and its size is
 *			rounded up to one, so that no other mapping has a part
 *			of such a piece.
 * @dir:		DMA direction.
 * @attrs:		DMA_ATTR_*. DMA_ATTR_CC_SHARED is set or cleared: it says whether
 *			the bounce buffer is decrypted.
 *
 * For callers that translate the address of the bounce buffer themselves: IOMMU
 * drivers, and swiotlb-xen on ARM. Ignores the DMA mask of the device. Everybody else
 * calls swiotlb_map().
 *
 * The returned address has those bits of @orig_addr that the device's min_align_mask
 * names. So the allocation may start before it. The @mapping_size bytes there hold the
 * data of the original buffer, whatever @dir is. Padding before and behind them is not
 * written.
 *
 * Context: Any.
 * Return: Physical address of the bounce buffer, or %DMA_MAPPING_ERROR.
 */
phys_addr_t swiotlb_tbl_map_single(struct device *dev, phys_addr_t orig_addr,
				   size_t mapping_size,
				   unsigned int alloc_align_mask,
				   enum dma_data_direction dir,
				   unsigned long *attrs)
{
	const struct io_tlb_mem *mem = dev->dma_io_tlb_mem;

	*attrs &= ~DMA_ATTR_CC_SHARED;
	if (mem && mem->cc_shared)
		*attrs |= DMA_ATTR_CC_SHARED;
	return map_single(dev, orig_addr, mapping_size, alloc_align_mask, U64_MAX,
			  *attrs, true).phys;
}

/* Unmap what the device has written. */
static noinline void unmap_from_device(struct device *dev, phys_addr_t tlb_addr,
				       size_t size, struct io_tlb_pool *pool)
{
	bounce(dev, tlb_addr, size, DMA_FROM_DEVICE, pool);
	put_slots(dev, tlb_addr, pool);
}

static __always_inline void unmap_single(struct device *dev,
					 phys_addr_t tlb_addr, size_t size,
					 enum dma_data_direction dir,
					 unsigned long attrs,
					 struct io_tlb_pool *pool)
{
	if (!(attrs & DMA_ATTR_SKIP_CPU_SYNC) &&
	    (dir == DMA_FROM_DEVICE || dir == DMA_BIDIRECTIONAL))
		unmap_from_device(dev, tlb_addr, size, pool);
	else
		put_slots(dev, tlb_addr, pool);
}

/* unmap_single(), for an address that may be in any pool or in none */
static noinline void unmap_anywhere(struct device *dev, phys_addr_t tlb_addr,
				    size_t size, enum dma_data_direction dir,
				    unsigned long attrs)
{
	struct io_tlb_pool *pool = find_other_pool(dev, tlb_addr);

	if (pool)
		unmap_single(dev, tlb_addr, size, dir, attrs, pool);
}

/**
 * __swiotlb_tbl_unmap_single() - unmap a bounce buffer
 * @dev:	Device.
 * @tlb_addr:	Physical address that the mapping returned.
 * @mapping_size: Size of the mapping in bytes.
 * @dir:	DMA direction of the mapping.
 * @attrs:	DMA_ATTR_*; DMA_ATTR_SKIP_CPU_SYNC drops what the device wrote.
 * @pool:	Pool of @tlb_addr. If %NULL, it is looked for, and nothing is done for
 *		an address that is in none.
 *
 * Context: Any.
 */
void __swiotlb_tbl_unmap_single(struct device *dev, phys_addr_t tlb_addr,
				size_t mapping_size,
				enum dma_data_direction dir,
				unsigned long attrs, struct io_tlb_pool *pool)
{
	if (!pool)
		pool = find_default_pool(dev, tlb_addr);
	if (likely(pool))
		unmap_single(dev, tlb_addr, mapping_size, dir, attrs, pool);
	else
		unmap_anywhere(dev, tlb_addr, mapping_size, dir, attrs);
}

/**
 * __swiotlb_sync_single_for_device() - hand a part of a mapping to the device
 * @dev:	Device.
 * @tlb_addr:	Physical address within a bounce buffer.
 * @size:	Number of bytes.
 * @dir:	DMA direction of the mapping.
 * @pool:	Pool of @tlb_addr. If %NULL, it is looked for, and nothing is done for
 *		an address that is in none.
 *
 * Context: Any.
 */
void __swiotlb_sync_single_for_device(struct device *dev, phys_addr_t tlb_addr,
				      size_t size, enum dma_data_direction dir,
				      struct io_tlb_pool *pool)
{
	if (dir == DMA_TO_DEVICE || dir == DMA_BIDIRECTIONAL)
		sync(dev, tlb_addr, size, DMA_TO_DEVICE, pool);
	else
		WARN_ON_ONCE(dir != DMA_FROM_DEVICE);
}

/**
 * __swiotlb_sync_single_for_cpu() - hand a part of a mapping to the CPU
 * @dev:	Device.
 * @tlb_addr:	Physical address within a bounce buffer.
 * @size:	Number of bytes.
 * @dir:	DMA direction of the mapping.
 * @pool:	Pool of @tlb_addr. If %NULL, it is looked for, and nothing is done for
 *		an address that is in none.
 *
 * Context: Any.
 */
void __swiotlb_sync_single_for_cpu(struct device *dev, phys_addr_t tlb_addr,
				   size_t size, enum dma_data_direction dir,
				   struct io_tlb_pool *pool)
{
	if (dir == DMA_FROM_DEVICE || dir == DMA_BIDIRECTIONAL)
		sync(dev, tlb_addr, size, DMA_FROM_DEVICE, pool);
	else
		WARN_ON_ONCE(dir != DMA_TO_DEVICE);
}

static noinline void trace_bounced(struct device *dev, phys_addr_t paddr,
				   size_t size)
{
	trace_swiotlb_bounced(dev, phys_to_dma(dev, paddr), size);
}

/**
 * swiotlb_map() - bounce a streaming mapping
 * @dev:	Device.
 * @paddr:	Physical address of the original buffer.
 * @size:	Its size in bytes.
 * @dir:	DMA direction.
 * @attrs:	DMA_ATTR_*.
 *
 * Context: Any.
 * Return: DMA address of a bounce buffer that @dev reaches, or
 * %DMA_MAPPING_ERROR.
 */
dma_addr_t swiotlb_map(struct device *dev, phys_addr_t paddr, size_t size,
		       enum dma_data_direction dir, unsigned long attrs)
{
	struct bounce_buffer bounced;
	u64 limit = *dev->dma_mask;

	if (unlikely(dev->bus_dma_limit))
		limit = min_not_zero(limit, dev->bus_dma_limit);
	if (trace_swiotlb_bounced_enabled())
		trace_bounced(dev, paddr, size);

	bounced = map_single(dev, paddr, size, 0, limit, attrs, false);
	if (unlikely(bounced.dma == DMA_MAPPING_ERROR))
		return DMA_MAPPING_ERROR;

	if (!dev_is_dma_coherent(dev) && !(attrs & DMA_ATTR_SKIP_CPU_SYNC)) {
		arch_sync_dma_for_device(bounced.phys, size, dir);
		arch_sync_dma_flush();
	}
	return bounced.dma;
}

/* How many bytes of the permanent pools can a device use? Stops at @enough. */
static size_t reachable(struct device *dev, size_t enough)
{
	/* The device sees the address that the IOMMU makes, not ours. */
	bool translated = use_dma_iommu(dev);
	u64 limit = translated ? U64_MAX :
		min_not_zero(dma_get_mask(dev), dev->bus_dma_limit);
	struct io_tlb_mem *mem = dev->dma_io_tlb_mem;
	struct io_tlb_pool_table *table;
	struct io_tlb_request rq;
	size_t bytes = 0;
	unsigned int i;

	if (!mem)
		return 0;
	rq = swiotlb_request(dev, 0, 1, 0, limit, translated, mem->cc_tagged);
	rcu_read_lock();
	table = rcu_dereference(mem->pools);
	for (i = 0; table && i < table->nr && bytes < enough; i++)
		if (table->pools[i]->keep)
			bytes += swiotlb_reachable(table->pools[i], &rq,
						   enough - bytes);
	rcu_read_unlock();
	return bytes;
}

/**
 * swiotlb_max_mapping_size() - largest buffer that a driver may rely on
 * @dev:	Device.
 *
 * The size is that of a slot set, less the padding that preserves address bits. Such a
 * mapping succeeds as long as one set is free that the device reaches. Drivers size
 * their requests and segments by it. So if the device reaches only a small part of the
 * pools, the size is a share of that part, see %IO_TLB_SHARES. If the device reaches
 * no pool, the size is that of a set all the same, and mappings fail.
 *
 * Larger mappings succeed if there is room for them.
 *
 * With dma-iommu the device sees another address than that of the bounce buffer, so
 * the mask and ranges of the device do not matter. They matter to dma-direct, and to
 * swiotlb-xen, which checks them in each mapping.
 *
 * Context: Any.
 * Return: Size in bytes, not less than a page.
 */
size_t swiotlb_max_mapping_size(struct device *dev)
{
	size_t padding = round_up((size_t)dma_get_min_align_mask(dev),
				  IO_TLB_SIZE);
	size_t bytes = reachable(dev, IO_TLB_SHARES * IO_TLB_SET_BYTES);
	size_t share = bytes ? round_down(bytes / IO_TLB_SHARES, PAGE_SIZE) :
			       IO_TLB_SET_BYTES;

	return max(share, padding + PAGE_SIZE) - padding;
}

/**
 * is_swiotlb_allocated() - is there a default software IO TLB?
 *
 * Context: Any.
 * Return: %true if there is.
 */
bool is_swiotlb_allocated(void)
{
	return READ_ONCE(io_tlb_default_mem.nslabs);
}
