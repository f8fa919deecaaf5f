// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software IO TLB: pools that are added while the system runs.
 *
 * When no pool has room for a mapping, a worker adds a pool that the device reaches. The
 * mapping cannot wait for that, because mappings are made in atomic context. It gets a
 * transient pool, just large enough, which is freed when it is unmapped. Another worker
 * frees pools that were added and are idle.
 *
 * Both workers are freezable: no pool is added or freed while a guest is saved and
 * restored.
 */
#define pr_fmt(fmt) "software IO TLB: " fmt

#include <linux/cc_platform.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/hash.h>
#include <linux/jiffies.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/rculist.h>
#include <linux/set_memory.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "swiotlb_growth.h"
#include "swiotlb_internal.h"

/*
 * Use pages if they are below @phys_limit. Decrypt them if they are to be @cc_shared.
 *
 * Return: The memory; %NULL if that fails; ERR_PTR(-EAGAIN) if it lies above the limit.
 */
static void *use_pages(unsigned long vaddr, size_t bytes, u64 phys_limit, bool cc_shared)
{
	if (__pa(vaddr) + bytes - 1 > phys_limit) {
		free_pages(vaddr, get_order(bytes));
		return ERR_PTR(-EAGAIN);
	}
	if (cc_shared && set_memory_decrypted(vaddr, PFN_UP(bytes))) {
		swiotlb_free_buffer((void *)vaddr, bytes, true);
		return NULL;
	}
	return (void *)vaddr;
}

#ifdef CONFIG_CONTIG_ALLOC
/*
 * The lowest pages of a zone that are free, or can be made free by moving their content.
 * The page allocator gives the highest pages first. Only its largest blocks can be had:
 * smaller ones from here could not be freed with free_pages().
 */
static struct page *lowest_pages(gfp_t gfp, unsigned int order)
{
	if (order != MAX_PAGE_ORDER || !gfpflags_allow_blocking(gfp))
		return NULL;
	return alloc_contig_pages(1UL << order, gfp | __GFP_COMP, numa_mem_id(),
				  NULL);
}
#else
static struct page *lowest_pages(gfp_t gfp, unsigned int order)
{
	return NULL;
}
#endif

/*
 * Get pages of a zone below @phys_limit. Two attempts.
 *
 * Return: The memory; %NULL if there is none; ERR_PTR(-EAGAIN) if the zone has memory
 * above the limit only.
 */
static void *try_alloc_buffer(gfp_t gfp, size_t bytes, u64 phys_limit, bool cc_shared)
{
	unsigned long vaddr = __get_free_pages(gfp, get_order(bytes));
	struct page *page;
	void *buffer;

	if (!vaddr)
		return NULL;
	buffer = use_pages(vaddr, bytes, phys_limit, cc_shared);
	if (buffer != ERR_PTR(-EAGAIN))
		return buffer;

	page = lowest_pages(gfp, get_order(bytes));
	if (!page)
		return buffer;
	return use_pages((unsigned long)page_address(page), bytes, phys_limit, cc_shared);
}

/* From the highest to the lowest. A zone that is not configured equals the one before. */
static const gfp_t zones[] = { 0, __GFP_DMA32, __GFP_DMA };

/* The highest zone that has no memory above @phys_limit, or little */
static unsigned int first_zone(u64 phys_limit)
{
	if (phys_limit > DMA_BIT_MASK(32))
		return 0;
	return phys_limit > zone_dma_limit ? 1 : 2;
}

/* Get pages below @phys_limit, from the highest zone that has any. See use_pages(). */
static void *alloc_buffer(gfp_t gfp, size_t bytes, u64 phys_limit, bool cc_shared)
{
	unsigned int i;
	void *vaddr;

	for (i = first_zone(phys_limit); i < ARRAY_SIZE(zones); i++) {
		vaddr = try_alloc_buffer(gfp | zones[i], bytes, phys_limit, cc_shared);
		if (!IS_ERR(vaddr))
			return vaddr;
	}
	return NULL;
}

static void free_transient_buffer(void *vaddr, size_t bytes)
{
	if (IS_ENABLED(CONFIG_DMA_COHERENT_POOL) &&
	    dma_free_from_pool(NULL, vaddr, bytes))
		return;
	/* It has never been decrypted, so this does not sleep. */
	swiotlb_free_buffer(vaddr, bytes, false);
}

/*
 * The memory of a transient pool. To decrypt memory may sleep. So if the memory has to be
 * decrypted, it comes from pages that have been decrypted before, and goes back there.
 */
static void *alloc_transient_buffer(struct device *dev, size_t bytes,
				    u64 phys_limit, gfp_t gfp,
				    phys_addr_t *start)
{
	struct page *page;
	void *vaddr;

	if (!dev->dma_io_tlb_mem->cc_shared) {
		vaddr = alloc_buffer(gfp, bytes, phys_limit, false);
		*start = vaddr ? virt_to_phys(vaddr) : 0;
		return vaddr;
	}

	if (!IS_ENABLED(CONFIG_DMA_COHERENT_POOL))
		return NULL;
	page = dma_alloc_from_pool(dev, bytes, &vaddr, gfp, __DMA_ATTR_ALLOC_CC_SHARED,
				   dma_coherent_ok);
	if (!page)
		return NULL;
	*start = page_to_phys(page);
	if (IS_ALIGNED(*start, PAGE_SIZE << get_order(bytes)))
		return vaddr;
	/* transient_bucket() would not find all of it. */
	free_transient_buffer(vaddr, bytes);
	return NULL;
}

/* After a failure, how long not to try again */
#define GROW_PAUSE	HZ

/* Pools that are found idle twice, with this time between, are freed. */
#define SHRINK_INTERVAL	(5 * HZ)

/* The most slots of a pool that is added */
static unsigned long max_growth(void)
{
	return min(swiotlb_default_nslabs(),
		   (PAGE_SIZE << MAX_PAGE_ORDER) >> IO_TLB_SHIFT);
}

/*
 * Added and transient pools together take at most this part of the memory that a device
 * reaches. The coherent memory of the device comes from there too; on a machine without
 * other memory so do page tables and file caches. A quarter is 1 GiB at 32 bits: more than
 * devices have in flight.
 */
#define ADDED_SHARE	4

/* How many slots that is for addresses of @maddr_bits bits */
static unsigned long bound(unsigned int maddr_bits)
{
	u64 bytes = (u64)totalram_pages() << PAGE_SHIFT;

	if (maddr_bits < 64)
		bytes = min(bytes, BIT_ULL(maddr_bits));
	return bytes / ADDED_SHARE >> IO_TLB_SHIFT;
}

/* Without a backend nothing is added above &io_tlb_growth.phys_limit. */
static unsigned int counted_bits(struct io_tlb_mem *mem, unsigned int maddr_bits)
{
	if (!mem->backend)
		maddr_bits = min_t(unsigned int, maddr_bits, fls64(mem->growth->phys_limit));
	return max(maddr_bits, IO_TLB_MIN_BITS);
}

/*
 * How many slots may be added for devices of @maddr_bits bits. Pools that reach lower
 * addresses count too, because devices of more bits share that memory. The bounds of
 * fewer bits do not matter: allocators give high memory first.
 */
static unsigned long bound_left(struct io_tlb_mem *mem, unsigned int maddr_bits)
{
	unsigned int bits = counted_bits(mem, maddr_bits), i;
	long left = bound(64), added = 0;

	for (i = 0; i <= 64; i++) {
		added += atomic_long_read(&mem->growth->added[i]);
		if (i >= bits)
			left = min(left, (long)bound(i) - added);
	}
	return max(left, 0L);
}

/*
 * Count a pool that was added for devices of @maddr_bits bits. If there would be too many
 * slots, do nothing and return false.
 */
static bool count_added(struct io_tlb_mem *mem, struct io_tlb_pool *pool,
			unsigned int maddr_bits)
{
	unsigned int bits = counted_bits(mem, maddr_bits);

	if (pool->nslabs > bound_left(mem, maddr_bits))
		return false;
	pool->added_bits = bits;
	atomic_long_add(pool->nslabs, &mem->growth->added[bits]);
	return true;
}

static void uncount_added(struct io_tlb_mem *mem, struct io_tlb_pool *pool)
{
	atomic_long_sub(pool->nslabs, &mem->growth->added[pool->added_bits]);
}

/*
 * The memory of a pool that is added, for @nslabs slots or fewer. With a backend it may be
 * any memory.
 */
static void *alloc_growth_buffer(struct io_tlb_mem *mem, unsigned int maddr_bits,
				 unsigned long *nslabs)
{
	u64 phys_limit = mem->backend ? U64_MAX :
		min(mem->growth->phys_limit, DMA_BIT_MASK(maddr_bits));
	void *vaddr;

	for (;;) {
		vaddr = alloc_buffer(GFP_KERNEL | __GFP_NOWARN,
				     *nslabs << IO_TLB_SHIFT, phys_limit, mem->cc_shared);
		if (vaddr || *nslabs <= IO_TLB_MIN_SLABS)
			return vaddr;
		*nslabs = max(ALIGN(*nslabs / 2, IO_TLB_SEGSIZE),
			      IO_TLB_MIN_SLABS);
	}
}

/* How many buffers to try if the backend cannot make them contiguous */
#define GROW_TRIES	4

/**
 * struct refused - a buffer that the backend cannot make contiguous
 * @next:	Another one.
 * @bytes:	Its size in bytes.
 *
 * It is in the buffer itself. The buffer is kept until the end, so that the next try gets
 * another one.
 */
struct refused {
	struct refused *next;
	size_t bytes;
};

static void refuse(struct refused **list, void *vaddr, size_t bytes)
{
	struct refused *refused = vaddr;

	refused->next = *list;
	refused->bytes = bytes;
	*list = refused;
}

static void free_refused(struct refused *refused, bool cc_shared)
{
	struct refused *next;

	for (; refused; refused = next) {
		next = refused->next;
		swiotlb_free_buffer(refused, refused->bytes, cc_shared);
	}
}

/*
 * Make a pool of @nslabs slots or fewer for @mem, with machine addresses of at most
 * @maddr_bits bits. A buffer that cannot be used goes to @refused.
 *
 * Return: The pool, or an error: -EINVAL if another buffer may do, -ENOSPC if more
 * would be added than the bound allows.
 */
static struct io_tlb_pool *make_pool(struct io_tlb_mem *mem,
				     unsigned int maddr_bits,
				     unsigned long nslabs,
				     struct refused **refused)
{
	struct io_tlb_pool_params params = {
		.backend = mem->backend,
		.low_bits = maddr_bits,
		.maddr_bits = maddr_bits,
		.late_alloc = true,
	};
	struct io_tlb_pool *pool;
	void *vaddr;

	vaddr = alloc_growth_buffer(mem, maddr_bits, &nslabs);
	if (!vaddr)
		return ERR_PTR(-ENOMEM);

	params.start = virt_to_phys(vaddr);
	params.vaddr = vaddr;
	params.nslabs = nslabs;
	params.nareas = swiotlb_limit_areas(swiotlb_default_areas(), nslabs);
	pool = swiotlb_make_pool(&params, GFP_KERNEL);
	if (!IS_ERR(pool) && count_added(mem, pool, maddr_bits))
		return pool;
	if (!IS_ERR(pool)) {
		swiotlb_pool_disconnect(pool);
		kvfree(pool);
		pool = ERR_PTR(-ENOSPC);
	}
	refuse(refused, vaddr, nslabs << IO_TLB_SHIFT);
	return pool;
}

/*
 * Add a pool of @nslabs slots or fewer to @mem, with machine addresses of at most
 * @maddr_bits bits. On error nothing has changed.
 */
static int add_pool(struct io_tlb_mem *mem, unsigned int maddr_bits,
		    unsigned long nslabs)
{
	struct io_tlb_pool_table *old = own_pools(mem);
	struct io_tlb_pool_table *table;
	struct refused *refused = NULL;
	struct io_tlb_pool *pool;
	unsigned int tries = 0;

	table = kzalloc(swiotlb_table_size(old->nr + 1), GFP_KERNEL);
	if (!table)
		return -ENOMEM;

	do {
		pool = make_pool(mem, maddr_bits, nslabs, &refused);
	} while (pool == ERR_PTR(-EINVAL) && ++tries < GROW_TRIES);
	free_refused(refused, mem->cc_shared);
	if (IS_ERR(pool)) {
		kfree(table);
		return PTR_ERR(pool);
	}

	WRITE_ONCE(mem->growth->room,
		   rounddown_pow_of_two(pool->longest >> IO_TLB_SHIFT));
	swiotlb_publish(mem, pool, table);
	return 0;
}

/* Is there a pool, other than @but, with machine addresses of @maddr_bits bits or fewer? */
static bool other_within(struct io_tlb_mem *mem, unsigned int maddr_bits,
			 const struct io_tlb_pool *but)
{
	struct io_tlb_pool_table *table = own_pools(mem);
	unsigned int i;

	for (i = 0; i < table->nr; i++)
		if (table->pools[i] != but &&
		    table->pools[i]->maddr_max <= DMA_BIT_MASK(maddr_bits))
			return true;
	return false;
}

/* Say it once, until a pool has been added again. */
static void say_bound_reached(struct io_tlb_mem *mem, unsigned int maddr_bits)
{
	if (READ_ONCE(mem->growth->bound_reached))
		return;
	WRITE_ONCE(mem->growth->bound_reached, true);
	pr_warn("added pools of %u-bit addresses have all that they may have, doing with what there is\n",
		maddr_bits);
}

static void grow(struct io_tlb_mem *mem, unsigned int maddr_bits)
{
	unsigned long room = round_down(bound_left(mem, maddr_bits), IO_TLB_SEGSIZE);
	int err = -ENOSPC;

	if (room >= IO_TLB_MIN_SLABS)
		err = add_pool(mem, maddr_bits, min(max_growth(), room));
	/* A device that reaches no other pool is better off with a single set. */
	if (err == -ENOMEM && !other_within(mem, maddr_bits, NULL))
		err = add_pool(mem, maddr_bits, IO_TLB_SEGSIZE);
	if (!err) {
		WRITE_ONCE(mem->growth->bound_reached, false);
		/* Memory of few bits serves requests of more bits as well. */
		if (maddr_bits <= mem->growth->failed_bits)
			WRITE_ONCE(mem->growth->failed_bits, 0);
		queue_delayed_work(system_freezable_wq, &mem->growth->shrink,
				   SHRINK_INTERVAL);
		return;
	}

	WRITE_ONCE(mem->growth->next_try, jiffies + GROW_PAUSE);
	if (maddr_bits <= mem->growth->failed_bits)
		return;
	if (err == -ENOSPC)
		say_bound_reached(mem, maddr_bits);
	else if (err == -EINVAL)
		pr_warn("pages for another pool cannot be made contiguous, doing with what there is\n");
	else
		pr_warn("no memory for another pool of %u-bit addresses, doing with what there is\n",
			maddr_bits);
	WRITE_ONCE(mem->growth->failed_bits, maddr_bits);
}

/* No, if a try with as many bits or more has just failed. */
static bool may_try(const struct io_tlb_mem *mem, unsigned int maddr_bits)
{
	return maddr_bits > READ_ONCE(mem->growth->failed_bits) ||
		!time_before(jiffies, READ_ONCE(mem->growth->next_try));
}

/*
 * The worker that adds a pool. A failure is logged once, until a pool could be added
 * again.
 */
static void add_wanted_pool(struct work_struct *work)
{
	struct io_tlb_growth *growth = container_of(work, struct io_tlb_growth,
						    grow);
	/* A request from now on starts another run. */
	unsigned int maddr_bits = xchg(&growth->bits, 64);
	struct io_tlb_mem *mem = growth->mem;

	mutex_lock(&mem->pools_mutex);
	if (can_grow(mem))
		grow(mem, maddr_bits);
	mutex_unlock(&mem->pools_mutex);
}

/**
 * swiotlb_may_grow() - could there be a pool for a device that reaches no other?
 * @mem:	Software IO TLB.
 * @maddr_bits:	Address bits of the device.
 *
 * Context: Any.
 * Return: %true if a mapping that finds no room would have one added. Whether there is
 * memory for it is not known unless somebody has just tried.
 */
bool swiotlb_may_grow(const struct io_tlb_mem *mem, unsigned int maddr_bits)
{
	return can_grow(mem) && maddr_bits >= IO_TLB_MIN_BITS &&
		may_try(mem, maddr_bits);
}

/* Was the pool idle both times that it was looked at? */
static bool has_been_idle(struct io_tlb_pool *pool)
{
	bool was_idle = pool->was_idle;

	pool->was_idle = !swiotlb_pool_used(pool);
	pool->was_used |= !pool->was_idle;
	return was_idle && pool->was_idle;
}

/*
 * With a backend, a pool that has been used stays if a device may reach no other. When the
 * device needs it again, a mapping cannot wait for a new one, and others may have taken
 * the low memory.
 */
static bool is_irreplaceable(struct io_tlb_mem *mem, struct io_tlb_pool *pool)
{
	return mem->backend && pool->was_used &&
		!other_within(mem, pool->maddr_bits, pool);
}

/* Free a pool. Do nothing if it is in use, or if there is no memory for the table. */
static bool remove_pool(struct io_tlb_mem *mem, struct io_tlb_pool *pool)
{
	struct io_tlb_pool_table *old = own_pools(mem);
	struct io_tlb_pool_table *table;

	table = kzalloc(swiotlb_table_size(old->nr - 1), GFP_KERNEL);
	if (!table)
		return false;
	if (!swiotlb_pool_close(pool)) {
		kfree(table);
		return false;
	}

	swiotlb_return_allowance(pool);
	uncount_added(mem, pool);
	swiotlb_unpublish(mem, pool, table);
	swiotlb_pool_disconnect(pool);
	swiotlb_free_buffer(pool->vaddr, pool->bytes, mem->cc_shared);
	kvfree(pool);
	return true;
}

/*
 * The worker that frees idle pools. It comes back as long as there are pools that may be
 * freed.
 */
static void free_idle_pools(struct work_struct *work)
{
	struct io_tlb_growth *growth = container_of(to_delayed_work(work),
						    struct io_tlb_growth, shrink);
	struct io_tlb_mem *mem = growth->mem;
	struct io_tlb_pool *pool;
	bool more = false, idle;
	unsigned int i;

	mutex_lock(&mem->pools_mutex);
	WRITE_ONCE(mem->growth->room, ULONG_MAX);
	/* From the last to the first: to remove one does not move those that follow */
	for (i = own_pools(mem)->nr; i-- > 1; ) {
		pool = own_pools(mem)->pools[i];
		idle = has_been_idle(pool);
		if (is_irreplaceable(mem, pool))
			continue;
		more |= !idle || !remove_pool(mem, pool);
	}
	mutex_unlock(&mem->pools_mutex);

	if (more)
		queue_delayed_work(system_freezable_wq, &mem->growth->shrink,
				   SHRINK_INTERVAL);
}

/**
 * swiotlb_growth_init() - let pools be added to a software IO TLB
 * @mem:	Software IO TLB, with its backend if it has one.
 * @growth:	State, which nobody uses.
 * @phys_limit:	Highest physical address of memory that is added.
 *
 * Context: Set-up.
 */
void swiotlb_growth_init(struct io_tlb_mem *mem, struct io_tlb_growth *growth,
			 u64 phys_limit)
{
	memset(growth, 0, sizeof(*growth));
	growth->mem = mem;
	growth->phys_limit = phys_limit;
	growth->bits = 64;
	growth->room = ULONG_MAX;
	INIT_WORK(&growth->grow, add_wanted_pool);
	INIT_DEFERRABLE_WORK(&growth->shrink, free_idle_pools);
	mem->growth = growth;
	/* Pairs with can_grow(): a mapping may look while a pool is set up late. */
	smp_store_release(&mem->can_grow, true);
}

/* That of the default software IO TLB */
static struct io_tlb_growth default_growth;

/**
 * swiotlb_allow_growth() - let pools be added to the default software IO TLB
 * @phys_limit:	Highest physical address of memory that is added.
 *
 * Context: Set-up.
 */
void swiotlb_allow_growth(u64 phys_limit)
{
	swiotlb_growth_init(&io_tlb_default_mem, &default_growth, phys_limit);
}

/**
 * swiotlb_stop_growth() - add no more pools to the default software IO TLB
 *
 * For platforms that set up their hardware for the addresses of the existing pools. Call
 * it during boot: a pool that is being added at this moment still appears.
 *
 * Context: Any.
 */
void swiotlb_stop_growth(void)
{
	WRITE_ONCE(io_tlb_default_mem.can_grow, false);
}

/**
 * swiotlb_growth_limit() - highest address of pools that are added
 * @mem:	Software IO TLB that can grow.
 *
 * Context: Any.
 * Return: Highest physical address.
 */
u64 swiotlb_growth_limit(const struct io_tlb_mem *mem)
{
	return mem->growth->phys_limit;
}

/*
 * Can a device use the memory as it is? If machine addresses are not physical ones,
 * perhaps not, and it cannot be made contiguous in atomic context.
 */
static bool is_usable(phys_addr_t start, size_t bytes, u64 limit)
{
	return dma_machine_contiguous(start, bytes) &&
		(dma_machine_is_phys() ||
		 dma_phys_to_machine(start) + bytes - 1 <= limit);
}

static void destroy_transient(struct io_tlb_pool *pool)
{
	free_transient_buffer(pool->vaddr, PAGE_ALIGN(pool->bytes));
	kvfree(pool);
}

static struct io_tlb_pool *make_transient(const struct io_tlb_request *rq)
{
	/*
	 * Some callers set no limit here and check the reach of the device later.
	 * So always stay within its reach.
	 */
	u64 limit = min(min_not_zero(*rq->dev->dma_mask, rq->dev->bus_dma_limit),
			rq->limit);
	/* The memory is aligned; the slots may have to start further on. */
	unsigned long nslabs = rq->nslots + rq->align.value;
	struct io_tlb_pool_params params = {
		.nslabs = nslabs,
		.nareas = 1,
		.transient = true,
	};
	size_t bytes = nslabs << IO_TLB_SHIFT;
	gfp_t gfp = GFP_NOWAIT | __GFP_NOWARN;
	struct io_tlb_pool *pool;

	params.vaddr = alloc_transient_buffer(rq->dev, PAGE_ALIGN(bytes),
					      dma_machine_is_phys() ? limit : U64_MAX,
					      gfp, &params.start);
	if (!params.vaddr)
		return NULL;
	if (!is_usable(params.start, bytes, limit))
		goto free;
	pool = swiotlb_make_pool(&params, gfp);
	if (IS_ERR(pool))
		goto free;
	if (!count_added(rq->dev->dma_io_tlb_mem, pool, fls64(limit))) {
		destroy_transient(pool);
		return NULL;
	}
	return pool;

free:
	free_transient_buffer(params.vaddr, PAGE_ALIGN(bytes));
	return NULL;
}

/**
 * struct reach - machine addresses that a device reaches
 * @first:	The lowest.
 * @last:	The last one before the first gap. Less than @first if the device
 *		reaches nothing.
 */
struct reach {
	u64 first;
	u64 last;
};

/* Through one of its ranges, with DMA addresses up to @limit */
static struct reach range_reach(const struct bus_dma_region *range, u64 limit)
{
	if (range->dma_start > limit)
		return (struct reach) { U64_MAX, 0 };
	return (struct reach) {
		.first = range->cpu_start,
		.last = range->cpu_start +
			min(range->size - 1, limit - range->dma_start),
	};
}

/* Through all of them, which need not be in order */
static struct reach ranges_reach(const struct bus_dma_region *map, u64 limit)
{
	struct reach all = { U64_MAX, 0 }, one;
	const struct bus_dma_region *range;
	bool more;

	for (range = map; range->size; range++) {
		one = range_reach(range, limit);
		if (one.first < all.first)
			all = one;
	}
	do {
		more = false;
		for (range = map; range->size; range++) {
			one = range_reach(range, limit);
			if (one.last <= all.last || one.first > all.last + 1)
				continue;
			all.last = one.last;
			more = true;
		}
	} while (more);
	return all;
}

/*
 * How many address bits a pool may have so that the device reaches it. Pools lie below
 * @limit anyway.
 *
 * Return: The number of bits; 64 if the device reaches all pools that may be added; 0 if
 * no pool would help, or if that is not clear. Allocators give high memory first. So a
 * device that reaches only addresses above some minimum is served if that minimum is in
 * the lower half of what is allowed.
 */
static unsigned int reachable_bits(const struct io_tlb_request *rq, u64 limit)
{
	u64 tag = rq->differs ? swiotlb_tag(rq->dev->dma_io_tlb_mem) : 0;
	struct reach reach = { 0, rq->limit - tag };
	unsigned int bits;

	if (tag > rq->limit)
		return 0;
	if (rq->differs && rq->dev->dma_range_map)
		reach = ranges_reach(rq->dev->dma_range_map, rq->limit - tag);
	else if (rq->differs && rq_dma(rq, limit) <= rq->limit)
		return 64;
	else if (rq->differs && rq_dma(rq, rq->limit - tag) != rq->limit)
		return 0;

	if (reach.last >= limit)
		return reach.first <= limit / 2 ? 64 : 0;
	bits = fls64(reach.last + 1) - 1;
	return reach.first <= DMA_BIT_MASK(bits) / 2 ? bits : 0;
}

/* Is there room for another pool? */
static bool may_add(struct io_tlb_mem *mem, unsigned int maddr_bits)
{
	if (bound_left(mem, maddr_bits) >= IO_TLB_MIN_SLABS)
		return true;
	say_bound_reached(mem, maddr_bits);
	return false;
}

/* Start the worker that adds a pool for later requests, if a pool can help the device. */
static void want_pool(const struct io_tlb_request *rq)
{
	struct io_tlb_mem *mem = rq->dev->dma_io_tlb_mem;
	unsigned int bits = reachable_bits(rq, mem->backend ? U64_MAX :
						mem->growth->phys_limit);
	unsigned long room = min(rounddown_pow_of_two(max_growth()),
				 READ_ONCE(mem->growth->room));

	if (bits < IO_TLB_MIN_BITS || !swiotlb_request_possible(rq, room) ||
	    !may_try(mem, bits) || !may_add(mem, bits))
		return;

	/* If another CPU writes more bits now, a later request asks again. */
	if (bits < READ_ONCE(mem->growth->bits))
		WRITE_ONCE(mem->growth->bits, bits);
	queue_work(system_freezable_wq, &mem->growth->grow);
}

/**
 * swiotlb_want_pool() - have a pool added for a device
 * @dev:	Device that reaches no pool.
 * @limit:	Highest DMA address that it reaches.
 *
 * Starts the worker and does not wait for it.
 *
 * Context: Any.
 */
void swiotlb_want_pool(struct device *dev, u64 limit)
{
	struct io_tlb_request rq = swiotlb_request(dev, 0, 1, 0, limit, false,
						   dev->dma_io_tlb_mem->cc_tagged);

	if (can_grow(dev->dma_io_tlb_mem))
		want_pool(&rq);
}

/**
 * struct transient_bucket - some of the transient pools
 * @lock:	Serialises those who add and remove pools.
 * @pools:	The pools. Readers use RCU.
 */
struct transient_bucket {
	spinlock_t lock;	/* see swiotlb_internal.h */
	struct hlist_head pools;
};

#define TRANSIENT_BITS	10

/* The transient pools of all devices */
static struct transient_bucket transient_pools[1 << TRANSIENT_BITS] = {
	[0 ... (1 << TRANSIENT_BITS) - 1] = {
		.lock = __SPIN_LOCK_UNLOCKED(transient_pools.lock),
	},
};

/* Page orders that a transient pool has ever had */
static unsigned long transient_orders;

/*
 * The bucket for pools of a page order. Their memory is aligned to that order, so any
 * address in a pool leads to its bucket.
 */
static struct transient_bucket *transient_bucket(phys_addr_t paddr,
						 unsigned int order)
{
	u64 block = paddr >> (PAGE_SHIFT + order);

	BUILD_BUG_ON(MAX_PAGE_ORDER >> 4);
	return &transient_pools[hash_64(block << 4 | order, TRANSIENT_BITS)];
}

static struct transient_bucket *bucket_of_pool(struct io_tlb_pool *pool)
{
	return transient_bucket(pool->start, get_order(pool->bytes));
}

static void publish_transient(struct io_tlb_pool *pool)
{
	struct transient_bucket *bucket = bucket_of_pool(pool);
	unsigned int order = get_order(pool->bytes);
	unsigned long flags;

	if (!test_bit(order, &transient_orders))
		set_bit(order, &transient_orders);

	spin_lock_irqsave(&bucket->lock, flags);
	hlist_add_head_rcu(&pool->node, &bucket->pools);
	spin_unlock_irqrestore(&bucket->lock, flags);

	/* As smp_mb__after_spinlock() in the search for slots, for these pools */
	smp_mb();
}

static void unpublish_transient(struct io_tlb_pool *pool)
{
	struct transient_bucket *bucket = bucket_of_pool(pool);
	unsigned long flags;

	spin_lock_irqsave(&bucket->lock, flags);
	hlist_del_rcu(&pool->node);
	spin_unlock_irqrestore(&bucket->lock, flags);
}

/* @nslabs more slots are in transient pools; negative for fewer. */
static void count_transient(struct io_tlb_mem *mem, long nslabs)
{
	atomic_long_add(nslabs, &mem->transient_nslabs);
	swiotlb_allow(mem, nslabs);
}

/**
 * swiotlb_alloc_transient() - serve a request from a pool of its own
 * @rq:		What is wanted. Receives the DMA address.
 * @index:	Receives the first slot's index.
 *
 * Starts the worker that adds a pool for later requests, if the device would reach it.
 * A backend takes too long to be called here. So where memory has to be made contiguous,
 * this succeeds only if pages happen to be contiguous and within reach.
 *
 * Context: Any. Takes the lock of a bucket.
 * Return: The pool, or %NULL.
 */
struct io_tlb_pool *swiotlb_alloc_transient(struct io_tlb_request *rq,
					    int *index)
{
	struct io_tlb_pool *pool;

	want_pool(rq);
	pool = make_transient(rq);
	if (!pool)
		return NULL;

	pool->areas[0].allowance = pool->nslabs;
	*index = rq->nslots > IO_TLB_SEGSIZE ? -1 :
		swiotlb_area_alloc(pool, 0, rq);
	if (*index < 0)
		*index = swiotlb_span_alloc(pool, rq);
	if (*index < 0) {
		uncount_added(rq->dev->dma_io_tlb_mem, pool);
		destroy_transient(pool);
		return NULL;
	}
	count_transient(rq->dev->dma_io_tlb_mem, pool->nslabs);
	publish_transient(pool);
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
 * Context: Any. Takes the lock of a bucket.
 */
void swiotlb_free_transient(struct device *dev, struct io_tlb_pool *pool)
{
	/* Only the default software IO TLB can have been taken away from the device. */
	struct io_tlb_mem *mem = dev->dma_io_tlb_mem ?: &io_tlb_default_mem;

	unpublish_transient(pool);
	uncount_added(mem, pool);
	count_transient(mem, -pool->nslabs);
	call_rcu(&pool->rcu, free_transient_rcu);
}

static struct io_tlb_pool *find_in_bucket(struct transient_bucket *bucket,
					  phys_addr_t paddr)
{
	struct io_tlb_pool *pool;

	hlist_for_each_entry_rcu(pool, &bucket->pools, node)
		if (in_pool(pool, paddr))
			return pool;
	return NULL;
}

/**
 * swiotlb_find_transient() - find the transient pool that an address lies in
 * @dev:	Device.
 * @paddr:	Physical address.
 *
 * Takes the same time however many pools there are: one look for each page order that a
 * transient pool has ever had.
 *
 * Context: Any.
 * Return: The pool, or %NULL.
 */
struct io_tlb_pool *swiotlb_find_transient(struct device *dev,
					   phys_addr_t paddr)
{
	unsigned long orders = READ_ONCE(transient_orders);
	struct io_tlb_pool *pool = NULL;
	unsigned int order;

	rcu_read_lock();
	for (; !pool && orders; orders &= orders - 1) {
		order = __ffs(orders);
		pool = find_in_bucket(transient_bucket(paddr, order), paddr);
	}
	rcu_read_unlock();
	return pool;
}
