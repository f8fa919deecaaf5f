// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software IO TLB: pools that are added while the system runs.
 *
 * When no pool has room, a worker adds one for good. The mapping that found no
 * room cannot wait for that, because mappings are made in atomic context; it gets
 * a transient pool, just large enough, which is freed when it is unmapped.
 */
#define pr_fmt(fmt) "software IO TLB: " fmt

#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/rculist.h>
#include <linux/set_memory.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "swiotlb_internal.h"

/*
 * One attempt to get pages below @phys_limit, shared with devices.
 *
 * Return: The memory; %NULL if there is none; ERR_PTR(-EAGAIN) if what there is
 * lies above the limit.
 */
static void *try_alloc_buffer(gfp_t gfp, size_t bytes, u64 phys_limit)
{
	unsigned long vaddr = __get_free_pages(gfp, get_order(bytes));

	if (!vaddr)
		return NULL;
	if (__pa(vaddr) + bytes - 1 > phys_limit) {
		free_pages(vaddr, get_order(bytes));
		return ERR_PTR(-EAGAIN);
	}
	if (set_memory_decrypted(vaddr, PFN_UP(bytes))) {
		swiotlb_free_buffer((void *)vaddr, bytes);
		return NULL;
	}
	return (void *)vaddr;
}

/* Get pages from the highest zone in which some lie below @phys_limit. */
static void *alloc_buffer(gfp_t gfp, size_t bytes, u64 phys_limit)
{
	void *vaddr;

	if (phys_limit <= zone_dma_limit)
		gfp |= __GFP_DMA;
	else if (phys_limit <= DMA_BIT_MASK(32))
		gfp |= __GFP_DMA32;

	for (;;) {
		vaddr = try_alloc_buffer(gfp, bytes, phys_limit);
		if (!IS_ERR(vaddr))
			return vaddr;
		if (IS_ENABLED(CONFIG_ZONE_DMA32) &&
		    !(gfp & (__GFP_DMA32 | __GFP_DMA)))
			gfp |= __GFP_DMA32;
		else if (IS_ENABLED(CONFIG_ZONE_DMA) && !(gfp & __GFP_DMA))
			gfp = (gfp & ~__GFP_DMA32) | __GFP_DMA;
		else
			return NULL;
	}
}

/*
 * The memory of a transient pool. Decrypting may sleep, so where that is needed
 * it is taken from memory that has been decrypted before.
 */
static void *alloc_transient_buffer(struct device *dev, size_t bytes,
				    u64 phys_limit, gfp_t gfp,
				    phys_addr_t *start)
{
	struct page *page;
	void *vaddr;

	if (!force_dma_unencrypted(dev)) {
		vaddr = alloc_buffer(gfp, bytes, phys_limit);
		*start = vaddr ? virt_to_phys(vaddr) : 0;
		return vaddr;
	}

	if (!IS_ENABLED(CONFIG_DMA_COHERENT_POOL))
		return NULL;
	page = dma_alloc_from_pool(dev, bytes, &vaddr, gfp, dma_coherent_ok);
	if (!page)
		return NULL;
	*start = page_to_phys(page);
	return vaddr;
}

static void free_transient_buffer(void *vaddr, size_t bytes)
{
	if (IS_ENABLED(CONFIG_DMA_COHERENT_POOL) &&
	    dma_free_from_pool(NULL, vaddr, bytes))
		return;
	swiotlb_free_buffer(vaddr, bytes);
}

/* The memory of a pool that is to stay; with a backend, any memory will do. */
static void *alloc_growth_buffer(struct io_tlb_mem *mem, unsigned long *nslabs)
{
	u64 phys_limit = mem->backend ? U64_MAX : mem->phys_limit;
	void *vaddr;

	*nslabs = min(swiotlb_default_nslabs(),
		      (PAGE_SIZE << MAX_PAGE_ORDER) >> IO_TLB_SHIFT);
	for (;;) {
		vaddr = alloc_buffer(GFP_KERNEL | __GFP_NOWARN,
				     *nslabs << IO_TLB_SHIFT, phys_limit);
		if (vaddr || *nslabs <= IO_TLB_MIN_SLABS)
			return vaddr;
		*nslabs = max(ALIGN(*nslabs / 2, IO_TLB_SEGSIZE),
			      IO_TLB_MIN_SLABS);
	}
}

/* Add a pool to @mem, or change nothing and return -ENOMEM. */
static int add_pool(struct io_tlb_mem *mem)
{
	struct io_tlb_pool_table *old = rcu_dereference_protected(mem->pools, 1);
	struct io_tlb_pool_table *table;
	struct io_tlb_pool *pool;
	unsigned int nareas;
	unsigned long nslabs;
	void *vaddr;

	vaddr = alloc_growth_buffer(mem, &nslabs);
	if (!vaddr)
		return -ENOMEM;

	nareas = swiotlb_limit_areas(swiotlb_default_areas(), nslabs);
	pool = kvzalloc(swiotlb_pool_meta_size(nslabs, nareas), GFP_KERNEL);
	table = kzalloc(swiotlb_table_size(old->nr + 1), GFP_KERNEL);
	if (!pool || !table)
		goto free;

	swiotlb_pool_init(pool, virt_to_phys(vaddr), vaddr, nslabs, nareas);
	pool->late_alloc = true;
	if (swiotlb_pool_connect(pool, DMA_BIT_MASK(32), mem->backend))
		goto free;

	swiotlb_publish(mem, pool, table);
	return 0;

free:
	kfree(table);
	kvfree(pool);
	swiotlb_free_buffer(vaddr, nslabs << IO_TLB_SHIFT);
	return -ENOMEM;
}

/**
 * swiotlb_grow() - worker that adds a pool
 * @work:	&io_tlb_mem.grow
 *
 * Context: May sleep. The only writer of &io_tlb_mem.pools once mappings exist.
 */
void swiotlb_grow(struct work_struct *work)
{
	struct io_tlb_mem *mem = container_of(work, struct io_tlb_mem, grow);

	if (mem->can_grow && add_pool(mem))
		pr_warn_ratelimited("Failed to allocate new pool\n");
}

static struct io_tlb_pool *make_transient(const struct io_tlb_request *rq)
{
	/*
	 * Whoever does not care for the device's reach now may check it later,
	 * and there is no reason to go beyond it.
	 */
	u64 limit = min_not_zero(*rq->dev->dma_mask, rq->dev->bus_dma_limit);
	/* The memory is aligned; the slots may have to start further on. */
	unsigned long nslabs = rq->nslots + rq->align.value;
	gfp_t gfp = GFP_NOWAIT | __GFP_NOWARN;
	struct io_tlb_pool *pool;
	phys_addr_t start;
	void *vaddr;

	pool = kzalloc(swiotlb_pool_meta_size(nslabs, 1), gfp);
	if (!pool)
		return NULL;
	vaddr = alloc_transient_buffer(rq->dev,
				       PAGE_ALIGN(nslabs << IO_TLB_SHIFT),
				       min(limit, rq->limit), gfp, &start);
	if (!vaddr) {
		kfree(pool);
		return NULL;
	}
	swiotlb_pool_init(pool, start, vaddr, nslabs, 1);
	pool->transient = true;
	swiotlb_pool_connect(pool, limit, NULL);
	return pool;
}

static void destroy_transient(struct io_tlb_pool *pool)
{
	free_transient_buffer(pool->vaddr, PAGE_ALIGN(pool->bytes));
	kfree(pool);
}

/* Would the device reach all of a pool that is added, and be content with it? */
static bool growth_helps(const struct io_tlb_request *rq)
{
	struct io_tlb_mem *mem = rq->dev->dma_io_tlb_mem;
	u64 limit = mem->backend ? DMA_BIT_MASK(32) : mem->phys_limit;

	return swiotlb_request_possible(rq) &&
		bus_to_dma(rq->dev, limit) <= rq->limit;
}

/**
 * swiotlb_alloc_transient() - serve a request from a pool of its own
 * @rq:		What is wanted. Receives the DMA address.
 * @index:	Receives the first slot's index.
 *
 * Starts the worker that adds a pool for the requests to come, if the device
 * would reach it. With a backend there is no transient pool: to make memory
 * contiguous takes too long where mappings are made.
 *
 * Context: Any.
 * Return: The pool, or %NULL.
 */
struct io_tlb_pool *swiotlb_alloc_transient(struct io_tlb_request *rq,
					    int *index)
{
	struct device *dev = rq->dev;
	struct io_tlb_mem *mem = dev->dma_io_tlb_mem;
	struct io_tlb_pool *pool;
	unsigned long flags;

	if (growth_helps(rq))
		schedule_work(&mem->grow);
	if (mem->backend)
		return NULL;

	pool = make_transient(rq);
	if (!pool)
		return NULL;

	pool->areas[0].allowance = pool->nslabs;
	*index = swiotlb_area_alloc(pool, 0, rq);
	if (*index < 0) {
		destroy_transient(pool);
		return NULL;
	}
	swiotlb_account_transient(mem, pool->nslabs);

	spin_lock_irqsave(&dev->dma_io_tlb_lock, flags);
	list_add_rcu(&pool->node, &dev->dma_io_tlb_pools);
	spin_unlock_irqrestore(&dev->dma_io_tlb_lock, flags);

	/* As smp_mb__after_spinlock() in the search for slots, for this list */
	smp_mb();
	return pool;
}

static void free_transient_rcu(struct rcu_head *rcu)
{
	destroy_transient(container_of(rcu, struct io_tlb_pool, rcu));
}

/**
 * swiotlb_free_transient() - free the pool of a single mapping
 * @dev:	Device.
 * @pool:	Pool, not used any more.
 *
 * Context: Any.
 */
void swiotlb_free_transient(struct device *dev, struct io_tlb_pool *pool)
{
	unsigned long flags;

	spin_lock_irqsave(&dev->dma_io_tlb_lock, flags);
	list_del_rcu(&pool->node);
	spin_unlock_irqrestore(&dev->dma_io_tlb_lock, flags);

	swiotlb_account_transient(dev->dma_io_tlb_mem, -pool->nslabs);
	call_rcu(&pool->rcu, free_transient_rcu);
}

/**
 * swiotlb_find_transient() - find the transient pool that an address lies in
 * @dev:	Device.
 * @paddr:	Physical address.
 *
 * Context: Any.
 * Return: The pool, or %NULL.
 */
struct io_tlb_pool *swiotlb_find_transient(struct device *dev,
					   phys_addr_t paddr)
{
	struct io_tlb_pool *pool, *found = NULL;

	rcu_read_lock();
	list_for_each_entry_rcu(pool, &dev->dma_io_tlb_pools, node) {
		if (paddr >= pool->start && paddr < pool->end) {
			found = pool;
			break;
		}
	}
	rcu_read_unlock();
	return found;
}
