// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software IO TLB: the metadata of a pool, and the table in which mappings find pools.
 */
#define pr_fmt(fmt) "software IO TLB: " fmt

#include <linux/cc_platform.h>
#include <linux/err.h>
#include <linux/hash.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/set_memory.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "swiotlb_internal.h"

/**
 * swiotlb_limit_areas() - how many areas a pool of a given size can have
 * @nareas:	Wanted number of areas, a power of two.
 * @nslabs:	Slots in the pool.
 *
 * Context: Any.
 * Return: A power of two that leaves at least one set to each area.
 */
unsigned int swiotlb_limit_areas(unsigned int nareas, unsigned long nslabs)
{
	unsigned long nsets = nslabs / IO_TLB_SEGSIZE;

	if (!nsets)
		return 1;
	return min_t(unsigned long, nareas, rounddown_pow_of_two(nsets));
}

/**
 * struct pool_layout - where the arrays of a pool are in its one allocation
 * @nsets:	Number of slot sets.
 * @area_sets:	Of these, in each area; fewer in the last ones.
 * @area_windows: Number of windows in each area.
 * @areas:	Offset of the areas, in bytes as all that follows.
 * @summary:	Offset of the first area's summary and windows.
 * @area_summary: Size of these, for each area.
 * @sets:	Offset of the sets.
 * @slots:	Offset of the slot records.
 * @size:	Size of the whole.
 */
struct pool_layout {
	unsigned long nsets;
	unsigned long area_sets;
	unsigned long area_windows;
	size_t areas;
	size_t summary;
	size_t area_summary;
	size_t sets;
	size_t slots;
	size_t size;
};

static void lay_out_pool(struct pool_layout *l, unsigned long nslabs,
			 unsigned int nareas)
{
	l->nsets = DIV_ROUND_UP(nslabs, IO_TLB_SEGSIZE);
	l->area_sets = DIV_ROUND_UP(l->nsets, nareas);
	l->area_windows = DIV_ROUND_UP(l->area_sets, IO_TLB_WINDOW_SETS);
	/* Areas do not share a cache line of summary either. */
	l->area_summary = ALIGN(l->area_windows * (IO_TLB_WINDOW_SETS + 1),
				max_t(size_t, SMP_CACHE_BYTES, sizeof(u64)));

	l->areas = ALIGN(sizeof(struct io_tlb_pool), SMP_CACHE_BYTES);
	l->summary = ALIGN(l->areas + sizeof(struct io_tlb_area) * nareas,
			   SMP_CACHE_BYTES);
	l->sets = ALIGN(l->summary + l->area_summary * nareas,
			__alignof__(struct io_tlb_set));
	l->slots = l->sets + sizeof(struct io_tlb_set) * l->nsets;
	l->size = PAGE_ALIGN(l->slots + sizeof(struct io_tlb_slot) * nslabs);
}

/**
 * swiotlb_pool_meta_size() - memory needed for all metadata of a pool
 * @nslabs:	Number of slots.
 * @nareas:	Number of areas.
 *
 * Context: Any.
 * Return: Size in bytes, a multiple of the page size.
 */
size_t swiotlb_pool_meta_size(unsigned long nslabs, unsigned int nareas)
{
	struct pool_layout l;

	lay_out_pool(&l, nslabs, nareas);
	return l.size;
}

static void init_area(struct io_tlb_pool *pool, const struct pool_layout *l,
		      unsigned int i)
{
	unsigned long first = min(i * l->area_sets, l->nsets);
	struct io_tlb_area *area = &pool->areas[i];

	spin_lock_init(&area->lock);
	area->first_set = first;
	area->nr_sets = min(l->nsets - first, l->area_sets);
	area->nslots = min(pool->nslabs, (first + area->nr_sets) * IO_TLB_SEGSIZE) -
		min(pool->nslabs, first * IO_TLB_SEGSIZE);
	area->sets = pool->sets + first;
	area->summary = (void *)pool + l->summary + l->area_summary * i;
	area->windows = (u8 *)area->summary +
		l->area_windows * IO_TLB_WINDOW_SETS;
	memset(area->summary, IO_TLB_RUN_UNKNOWN, area->nr_sets);
	memset(area->windows, IO_TLB_RUN_UNKNOWN, l->area_windows);
}

static void init_set(struct io_tlb_pool *pool, unsigned long i,
		     struct io_tlb_area *area)
{
	unsigned long present = min(pool->nslabs - i * IO_TLB_SEGSIZE,
				    IO_TLB_SEGSIZE);
	struct io_tlb_set *set = &pool->sets[i];

	set_init(set, present);
	set->maddr = dma_phys_to_machine(slot_phys(pool, i * IO_TLB_SEGSIZE));
	set->area = area;
}

static void init_pool(struct io_tlb_pool *pool,
		      const struct io_tlb_pool_params *params)
{
	struct pool_layout l;
	unsigned long i;

	lay_out_pool(&l, params->nslabs, params->nareas);
	pool->start = params->start;
	pool->bytes = params->nslabs << IO_TLB_SHIFT;
	pool->end = pool->start + pool->bytes;
	pool->vaddr = params->vaddr;
	pool->meta_bytes = l.size;
	pool->nslabs = params->nslabs;
	pool->nareas = params->nareas;
	pool->maddr_max = dma_phys_to_machine(pool->start) + pool->bytes - 1;
	pool->areas = (void *)pool + l.areas;
	pool->sets = (void *)pool + l.sets;
	pool->slots = (void *)pool + l.slots;
	pool->backend = params->backend;
	pool->maddr_bits = params->maddr_bits;
	pool->late_alloc = params->late_alloc;
	pool->transient = params->transient;
	pool->keep = params->keep;

	for (i = 0; i < pool->nareas; i++)
		init_area(pool, &l, i);
	for (i = 0; i < l.nsets; i++)
		init_set(pool, i, &pool->areas[i / l.area_sets]);
}

/**
 * swiotlb_setup_pool() - make a pool in metadata of the caller
 * @pool:	Zeroed memory of swiotlb_pool_meta_size() bytes for @params->nslabs and
 *		@params->nareas, aligned to SMP_CACHE_BYTES.
 * @params:	What the pool is made of.
 *
 * All slots are free. The memory is cleared, so that no device sees old data. If the
 * backend has not enough contiguous memory, the pool is smaller than asked for:
 * @pool->nslabs and @pool->end tell its size. Nobody else sees the pool yet.
 *
 * Context: Boot, or may sleep. With no backend: any.
 * Return: 0, or an error of swiotlb_pool_connect(). Then there is nothing to undo.
 */
int swiotlb_setup_pool(struct io_tlb_pool *pool,
		       const struct io_tlb_pool_params *params)
{
	int err;

	init_pool(pool, params);
	err = swiotlb_pool_connect(pool, params->low_bits);
	if (err)
		return err;
	memset(pool->vaddr, 0, pool->nslabs << IO_TLB_SHIFT);
	return 0;
}

/**
 * swiotlb_make_pool() - make a pool
 * @params:	What it is made of. If this fails, the memory still belongs to the caller.
 * @gfp:	How to allocate its metadata.
 *
 * See swiotlb_setup_pool(). kvfree() frees the metadata.
 *
 * Context: May sleep. With no backend: as @gfp says.
 * Return: The pool; ERR_PTR(-ENOMEM), or another error of swiotlb_pool_connect().
 */
struct io_tlb_pool *swiotlb_make_pool(const struct io_tlb_pool_params *params,
				      gfp_t gfp)
{
	size_t size = swiotlb_pool_meta_size(params->nslabs, params->nareas);
	struct io_tlb_pool *pool;
	int err;

	/* vmalloc() must not be called in interrupts, and vfree() sleeps. */
	pool = gfpflags_allow_blocking(gfp) ? kvzalloc(size, gfp) : kzalloc(size, gfp);
	if (!pool)
		return ERR_PTR(-ENOMEM);
	err = swiotlb_setup_pool(pool, params);
	if (err) {
		kvfree(pool);
		return ERR_PTR(err);
	}
	return pool;
}

/* Close all sets of an area, or reopen them. A set that was lost at a restore stays lost. */
static void close_area(struct io_tlb_area *area, bool close)
{
	unsigned int i;

	for (i = 0; i < area->nr_sets; i++) {
		struct io_tlb_set *set = &area->sets[i];

		if (set->maddr == IO_TLB_NO_MADDR)
			continue;
		if (close)
			set_close(set);
		else
			set_reopen(set);
		summary_forget(area, i);
	}
}

/* Close all areas, or none if a slot is in use. */
static bool close_areas(struct io_tlb_pool *pool)
{
	struct io_tlb_area *area = pool->areas;
	bool idle = true;

	for (; idle && area < pool->areas + pool->nareas; area++) {
		spin_lock(&area->lock);
		idle = !area->used;
		if (idle)
			close_area(area, true);
		spin_unlock(&area->lock);
	}
	if (idle)
		return true;

	/* The last one has not been closed. */
	for (area--; area-- > pool->areas; ) {
		spin_lock(&area->lock);
		close_area(area, false);
		spin_unlock(&area->lock);
	}
	return false;
}

/**
 * swiotlb_pool_close() - hand out no more slots of a pool
 * @pool:	Pool.
 *
 * Pools that are added are small, so this does not take long: with pages of 4 KiB they
 * have at most %IO_TLB_TRY_SETS sets.
 *
 * Context: May sleep. Takes &io_tlb_mem.tries_lock, and in it the locks of all areas,
 * one after the other.
 * Return: %true if the pool is closed: no slot is in use, or will be. %false if a slot is
 * in use; then nothing has changed.
 */
bool swiotlb_pool_close(struct io_tlb_pool *pool)
{
	struct io_tlb_mem *mem = pool->areas[0].mem;
	bool idle;

	might_sleep();
	spin_lock_irq(&mem->tries_lock);
	try_begin(mem);
	idle = close_areas(pool);
	try_end(mem, !idle);
	spin_unlock_irq(&mem->tries_lock);
	return idle;
}

static unsigned int hash_bits(unsigned int nr)
{
	return order_base_2(nr) + 1;
}

/**
 * swiotlb_table_size() - memory needed for a table of pools
 * @nr:		Number of pools.
 *
 * Context: Any.
 * Return: Size in bytes.
 */
size_t swiotlb_table_size(unsigned int nr)
{
	/* In the worst case all pools but one end up behind the last bucket. */
	return struct_size_t(struct io_tlb_pool_table, pools,
			     nr + BIT(hash_bits(nr)) + nr);
}

/* Which of the page allocator's largest blocks the address is in */
static u64 block_of(phys_addr_t paddr)
{
	return paddr >> (PAGE_SHIFT + MAX_PAGE_ORDER);
}

/* The first bucket for pools at @paddr. Pools are told apart by their block. */
static struct io_tlb_pool **bucket_of(struct io_tlb_pool_table *table,
				      phys_addr_t paddr)
{
	return &table->pools[table->nr +
			     hash_64(block_of(paddr), table->hash_bits)];
}

static void add_to_hash(struct io_tlb_pool_table *table,
			struct io_tlb_pool *pool)
{
	struct io_tlb_pool **bucket = bucket_of(table, pool->start);

	while (*bucket)
		bucket++;
	*bucket = pool;
}

static void append(struct io_tlb_pool_table *table, struct io_tlb_pool *pool)
{
	table->pools[table->nr++] = pool;
	table->max_areas = max(table->max_areas, pool->nareas);
}

/* All pools are in the table: make the hash table behind them. */
static void finish_table(struct io_tlb_pool_table *table)
{
	unsigned int i;

	table->hash_bits = hash_bits(table->nr);
	for (i = 1; i < table->nr; i++)
		add_to_hash(table, table->pools[i]);
}

/**
 * swiotlb_find_in_table() - find the pool that an address lies in
 * @mem:	Software IO TLB.
 * @paddr:	Physical address.
 *
 * Context: Any.
 * Return: The pool, or %NULL if it is in none, or in the default pool.
 */
struct io_tlb_pool *swiotlb_find_in_table(struct io_tlb_mem *mem,
					  phys_addr_t paddr)
{
	struct io_tlb_pool_table *table;
	struct io_tlb_pool *pool = NULL;
	struct io_tlb_pool **bucket;

	rcu_read_lock();
	table = rcu_dereference(mem->pools);
	if (likely(table)) {
		bucket = bucket_of(table, paddr);
		do {
			pool = *bucket++;
		} while (pool && !in_pool(pool, paddr));
	}
	rcu_read_unlock();
	return pool;
}

/**
 * swiotlb_publish() - let mappings use a pool
 * @mem:	Software IO TLB that it becomes part of.
 * @pool:	Pool, ready for use. If it is not the first, its memory is a single
 *		allocation of the page allocator.
 * @table:	Zeroed memory for a table with one pool more than there are.
 *
 * Context: &io_tlb_mem.pools_mutex is held.
 */
void swiotlb_publish(struct io_tlb_mem *mem, struct io_tlb_pool *pool,
		     struct io_tlb_pool_table *table)
{
	struct io_tlb_pool_table *old = own_pools(mem);
	unsigned int i;

	if (!mem->defpool)
		swiotlb_set_shared(mem, mem->cc_shared);
	VM_WARN_ON_ONCE(old && block_of(pool->start) != block_of(pool->end - 1));
	for (i = 0; i < pool->nareas; i++)
		pool->areas[i].mem = mem;
	for (i = 0; old && i < old->nr; i++)
		append(table, old->pools[i]);
	append(table, pool);
	finish_table(table);
	rcu_assign_pointer(mem->pools, table);

	if (!mem->defpool) {
		/*
		 * Whoever sees the pool can use it, and sees the table: pairs
		 * with smp_load_acquire() in default_pool() and plain_pool().
		 */
		smp_store_release(&mem->defpool, pool);
		if (!mem->cc_platform)
			smp_store_release(&mem->plain_pool, pool);	/* the same */
	}
	/* Last: is_swiotlb_active() says that there is a pool to be used. */
	smp_store_release(&mem->nslabs, mem->nslabs + pool->nslabs);

	if (old && !old->boot)
		kfree_rcu(old, rcu);
}

/**
 * swiotlb_unpublish() - hide a pool from mappings
 * @mem:	Software IO TLB that it is part of.
 * @pool:	Pool that has been closed, not the first one.
 * @table:	Zeroed memory for a table with one pool less than there are.
 *
 * When it returns, nobody looks at the pool any more.
 *
 * Context: May sleep. &io_tlb_mem.pools_mutex is held.
 */
void swiotlb_unpublish(struct io_tlb_mem *mem, struct io_tlb_pool *pool,
		       struct io_tlb_pool_table *table)
{
	struct io_tlb_pool_table *old = own_pools(mem);
	unsigned int i;

	for (i = 0; i < old->nr; i++)
		if (old->pools[i] != pool)
			append(table, old->pools[i]);
	finish_table(table);
	rcu_assign_pointer(mem->pools, table);
	WRITE_ONCE(mem->nslabs, mem->nslabs - pool->nslabs);

	synchronize_rcu();
	if (!old->boot)
		kfree(old);
}

/**
 * swiotlb_pool_used() - number of slots in use
 * @pool:	Pool.
 *
 * Context: Any.
 * Return: Number of slots, perhaps off by what is mapped and unmapped meanwhile.
 */
unsigned long swiotlb_pool_used(struct io_tlb_pool *pool)
{
	unsigned long used = 0;
	unsigned int i;

	for (i = 0; i < pool->nareas; i++)
		used += READ_ONCE(pool->areas[i].used);
	return used;
}

/**
 * swiotlb_mem_used() - number of slots in use
 * @mem:	Software IO TLB.
 *
 * Areas are looked at one after the other, so the sum may be off by what is
 * mapped and unmapped meanwhile.
 *
 * Context: Any.
 * Return: Number of slots, those in transient pools included.
 */
unsigned long swiotlb_mem_used(struct io_tlb_mem *mem)
{
	unsigned long used = atomic_long_read(&mem->transient_nslabs);
	struct io_tlb_pool_table *table;
	unsigned int i;

	rcu_read_lock();
	table = rcu_dereference(mem->pools);
	for (i = 0; table && i < table->nr; i++)
		used += swiotlb_pool_used(table->pools[i]);
	rcu_read_unlock();
	return used;
}

/**
 * swiotlb_mem_init() - initialise a software IO TLB that has no pool yet
 * @mem:	Zeroed memory.
 *
 * Context: Any. Nobody else sees it yet.
 */
void swiotlb_mem_init(struct io_tlb_mem *mem)
{
	mutex_init(&mem->pools_mutex);
	spin_lock_init(&mem->tries_lock);
}

/**
 * swiotlb_tag() - what DMA addresses of bounce memory have besides the address
 * @mem:	Software IO TLB.
 *
 * Context: Any.
 * Return: The bit that tells whether memory is decrypted, if it is set for this memory,
 * else 0. It is above all addresses of memory.
 */
u64 swiotlb_tag(const struct io_tlb_mem *mem)
{
	return mem->cc_shared ? dma_addr_unencrypted(0ULL) : dma_addr_encrypted(0ULL);
}

/**
 * swiotlb_set_shared() - say whether memory is decrypted for devices
 * @mem:	Software IO TLB that has no mapping yet.
 * @cc_shared:	All of its memory is, or will be before the first mapping.
 *
 * Context: Any.
 */
void swiotlb_set_shared(struct io_tlb_mem *mem, bool cc_shared)
{
	mem->cc_shared = cc_shared;
	mem->cc_platform = cc_platform_has(CC_ATTR_MEM_ENCRYPT);
	mem->cc_tagged = swiotlb_tag(mem);
}

/**
 * swiotlb_free_buffer() - free bounce memory of the page allocator
 * @vaddr:	The memory.
 * @bytes:	Its size.
 * @cc_shared:	It has been decrypted for devices.
 *
 * Memory that cannot be taken back from the devices is leaked on purpose.
 *
 * Context: May sleep if @cc_shared, otherwise any.
 */
void swiotlb_free_buffer(void *vaddr, size_t bytes, bool cc_shared)
{
	if (cc_shared && set_memory_encrypted((unsigned long)vaddr, PFN_UP(bytes)))
		pr_warn("cannot take bounce memory back from devices, leaking it\n");
	else
		free_pages((unsigned long)vaddr, get_order(bytes));
}
